"""A browser without a window, and one report of each kind, made by the program (DYNASOC_BINARY, or build/release/dynasoc)."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
from payload import Page
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
SCENARIO = ROOT / "docs/example/first.json"
EXPLORATION = {
    "title": "A small exploration",
    "scenario": str(SCENARIO),
    "variables": {
        "policy": {"kind": "choice", "path": "policy", "values": ["dynamic-ofa", "hierarchical"]},
        "switch": {"kind": "choice", "path": "applications.camera.switch_ms", "values": [0, 20, 550]},
        "subnets": {"kind": "subset", "path": "applications.camera.subnets", "of": ["L1", "L3", "L5"], "most": 2},
    },
    "objectives": [
        {"metric": "platform.energy_j", "reference": 400},
        {"metric": "apps.camera.accuracy.in_time", "reference": 20},
    ],
    "algorithm": {"kind": "nsga2", "population": 8, "generations": 3},
    "replications": 3,
    "seed": 1,
}


@pytest.fixture(scope="session")
def dynasoc():
    """Runs the program and holds that it succeeds."""
    binary = os.environ.get("DYNASOC_BINARY", str(ROOT / "build/release/dynasoc"))

    def run(*words):
        done = subprocess.run([binary, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stderr}"

    return run


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM or not CHROMEDRIVER:
        missing = "no browser to test the report in (Debian: chromium, chromium-driver)"
        # A pipeline that lost its browser must not stay green.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--disable-dev-shm-usage", "--window-size=1440,1000", "--force-color-profile=srgb"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(120)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def reports(dynasoc, folder):
    """Path of the report of each kind."""
    exploration = folder / "small.explore.json"
    exploration.write_text(json.dumps(EXPLORATION))
    dynasoc("run", SCENARIO, "--out", folder / "run", "--quiet")
    dynasoc("compare", SCENARIO, "--policies", "none,dynamic-ofa,hierarchical,oracle", "--replications", 3,
            "--out", folder / "comparison", "--quiet")
    dynasoc("sweep", SCENARIO, "--set", 'policy=["none","dynamic-ofa"]', "--set", "applications.camera.switch_ms=[20,550]",
            "--set", 'seed={"from": 1, "to": 3}', "--metrics", "run.miss_rate,run.accuracy", "--out", folder / "sweep", "--quiet")
    dynasoc("explore", exploration, "--out", folder / "exploration", "--quiet")
    made = {}
    for kind in ("run", "comparison", "sweep", "exploration"):
        made[kind] = folder / f"{kind}.html"
        dynasoc("report", folder / kind, "-o", made[kind])
    return made


@pytest.fixture
def open_page(browser, reports):
    """Opens a report (a kind, or a file) and returns a Page."""

    def open_(kind):
        browser.get_log("browser"), browser.get_log("performance")  # of earlier pages
        return Page(browser, reports.get(kind, kind))

    return open_
