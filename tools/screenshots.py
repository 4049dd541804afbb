#!/usr/bin/env python3
"""Makes the README's pictures of `dynasoc report`, and measures how long a report takes to appear.

    tools/screenshots.py                    runs the program, writes docs/images/report-run.png and report-front.png
    tools/screenshots.py --time FILE.html   opens a report several times; prints medians in ms since the start of loading

Needs selenium (build/venv has it: tools/python.sh), chromium and chromium-driver (Debian's names), and build/release/dynasoc.
"""
import argparse
import base64
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 250_000  # bytes of a picture
WIDTH = 1200
SHOTS = {
    "report-run": {"results": ["run", "scenarios/claims/gpu-sharing.json"], "from": "h1", "to": "#timeline-chart"},
    "report-front": {"results": ["explore", "scenarios/explore/bursty-camera.explore.json"], "from": "section.front",
                     "to": "section.front .beside"},
}
MARKS = """const paints = Object.fromEntries(performance.getEntriesByType('paint').map((entry) => [entry.name, entry.startTime]));
const mark = (name) => (performance.getEntriesByName(name)[0] || {startTime: NaN}).startTime;
return {'first paint': paints['first-paint'], 'first contentful paint': paints['first-contentful-paint'],
        'results in place': mark('results'), 'first chart drawn': mark('chart')};"""


def open_browser(width, height):
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        sys.exit("selenium is missing: run tools/python.sh, then build/venv/bin/python tools/screenshots.py")
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not chromium or not driver:
        sys.exit("chromium or its driver is missing (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--hide-scrollbars", "--disable-dev-shm-usage", f"--window-size={width},{height}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    return webdriver.Chrome(options=options, service=Service(driver))


def open_page(browser, page):
    """Opens a page and waits until its first chart is drawn, or for two seconds if it has none in sight."""
    browser.get(page.resolve().as_uri())
    end = time.monotonic() + 60
    while browser.execute_script("return document.documentElement.dataset.ready") != "true":
        if time.monotonic() > end:
            sys.exit(f"{page}: not ready after a minute")
        time.sleep(0.05)
    end = time.monotonic() + 2
    while not browser.execute_script("return performance.getEntriesByName('chart').length") and time.monotonic() < end:
        time.sleep(0.05)


def measure(page, repeats):
    """Medians over fresh browsers: nothing is cached."""
    taken = []
    for _ in range(repeats):
        browser = open_browser(1440, 1000)
        try:
            open_page(browser, page)
            taken.append(browser.execute_script(MARKS))
        finally:
            browser.quit()
    print(f"{page}: {page.stat().st_size / 1e6:.1f} MB, {repeats} times, median (least to greatest) in ms since the start of loading")
    for name in taken[0]:
        values = [one[name] for one in taken if one[name] is not None]
        if values:
            print(f"  {name:24}{statistics.median(values):7.0f}  ({min(values):.0f} to {max(values):.0f})")


def capture(browser, shot, page, picture):
    open_page(browser, page)
    box = browser.execute_script(
        """dynasoc.charts.drawAll();
        const [from, to] = [arguments[0], arguments[1]].map((name) => document.querySelector(name).getBoundingClientRect());
        return {y: Math.max(0, from.top + window.scrollY - 14), height: to.bottom - from.top + 22};""", shot["from"], shot["to"])
    time.sleep(0.5)  # a chart is on the screen a frame after it was drawn
    clip = {"x": 0, "width": WIDTH, "scale": 1, **box}
    answer = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip, "captureBeyondViewport": True})
    picture.write_bytes(base64.b64decode(answer["data"]))
    size = picture.stat().st_size
    print(f"{picture}: {size / 1e3:.0f} kB")
    if size > LIMIT:
        sys.exit(f"{picture} has more than {LIMIT / 1e3:.0f} kB")


def make(binary, folder):
    with tempfile.TemporaryDirectory(prefix="dynasoc-screenshots-") as scratch:
        browser = open_browser(WIDTH, 1000)
        try:
            for name, shot in SHOTS.items():
                results, page = pathlib.Path(scratch, name), pathlib.Path(scratch, f"{name}.html")
                subprocess.run([binary, *shot["results"], "--out", results, "--quiet"], check=True, cwd=ROOT)
                subprocess.run([binary, "report", results, "-o", page], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
                capture(browser, shot, page, folder / f"{name}.png")
        finally:
            browser.quit()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", metavar="FILE", type=pathlib.Path, help="measure a report instead")
    parser.add_argument("--repeat", type=int, default=5, help="browsers to measure with (default: 5)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/images")
    given = parser.parse_args()
    if given.time:
        if not given.time.is_file():
            sys.exit(f"{given.time}: no such file")
        measure(given.time, given.repeat)
    else:
        make(os.environ.get("DYNASOC_BINARY", str(ROOT / "build/release/dynasoc")), given.out)


if __name__ == "__main__":
    main()
