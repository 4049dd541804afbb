"""The data inside a report, decoded without the page's own code, and what the tests do with a page in the browser."""

import base64
import json
import math
import re

import numpy
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.ui import WebDriverWait

DATA = re.compile(r'(<script type="application/json" id="report-data">)(.*?)(</script>)', re.DOTALL)
TYPES = {"f64": "<f8", "f32": "<f4", "u8": "u1", "u16": "<u2", "u32": "<u4"}
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def read(path):
    return json.loads(DATA.search(path.read_text(encoding="utf-8")).group(2))


def replace(path, payload, target):
    """Writes the report anew with other data."""
    text = "".join(ESCAPES.get(character, character) for character in json.dumps(payload, ensure_ascii=False))
    page = path.read_text(encoding="utf-8")
    target.write_text(DATA.sub(lambda match: match.group(1) + text + match.group(3), page), encoding="utf-8")
    return target


def column(encoded):
    if isinstance(encoded, list):
        return numpy.array([math.nan if value is None else value for value in encoded], dtype=float)
    (kind, text), = encoded.items()
    return numpy.frombuffer(base64.b64decode(text), dtype=TYPES[kind]).astype(float)


def texts(encoded):
    if isinstance(encoded, list):
        return encoded
    return [encoded["values"][int(place)] for place in column(encoded["index"])]


def last_at_most(times, instant):
    """Index of the last entry of ascending times that is at most `instant`; -1 before the first."""
    return int(numpy.searchsorted(times, instant, side="right")) - 1


class Frames:
    """Frames of an application in the order in which they ended."""

    def __init__(self, app):
        columns = app["jobs"]["columns"]
        ends, arrivals = column(columns["end_s"]), column(columns["arrival_s"])
        known = numpy.where(numpy.isnan(ends), arrivals, ends)
        self.order = numpy.argsort(known, kind="stable")
        self.times = known[self.order]
        self.latency_ms = column(columns["latency_ms"])[self.order]
        self.outcome = [texts(columns["outcome"])[i] for i in self.order]
        self.subnet = [texts(columns["subnet"])[i] for i in self.order]


class Page:
    def __init__(self, driver, path):
        self.driver = driver
        self.path = path
        self.payload = read(path)
        driver.get(path.as_uri())
        self.wait(lambda: self.run("return document.documentElement.dataset.ready === 'true'"), "the page is not ready")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, what, seconds=60):
        WebDriverWait(self.driver, seconds, 0.05).until(lambda _: condition(), what)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).textContent", selector)

    def errors(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """Addresses asked for, but for the page itself."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if url != self.path.as_uri() and not url.startswith("data:")]

    def keys(self, *keys):
        ActionChains(self.driver, duration=20).send_keys(*keys).perform()

    def focus(self, selector):
        self.run("document.querySelector(arguments[0]).focus()", selector)

    def place(self, chart, finder, value):
        """Where in the window a chart has a value: the chart is drawn and scrolled into view first."""
        return self.run(
            """const element = document.getElementById(arguments[0]);
            element.scrollIntoView({block: 'start'});
            const chart = dynasoc.charts.instance(arguments[0]);
            const box = element.getBoundingClientRect();
            const [x, y] = chart.convertToPixel(arguments[1], arguments[2]);
            return [Math.round(box.left + x), Math.round(box.top + y)];""", chart, finder, value)

    def point_at(self, x, y, click=False):
        chain = ActionChains(self.driver, duration=20)
        chain.w3c_actions.pointer_action.move_to_location(x, y)
        if click:
            chain.w3c_actions.pointer_action.click()
        chain.perform()

    def emulate(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def readings(self, group):
        """What the panel at the cursor says of an application or the board."""
        return self.run(
            """const section = [...document.querySelectorAll('.instant section')].find((one) => one.getAttribute('aria-label') === arguments[0]);
            return Object.fromEntries([...section.querySelectorAll('[data-reading]')].map((one) => [one.dataset.reading, one.textContent]));""", group)

    def cursor(self):
        return self.run("return dynasoc.runs.context.view.cursor")


def number(text):
    """The number at the start of what the page shows."""
    return float(re.match(r"[-\d.e]+", text.replace("−", "-").replace("\u202f", "")).group(0))
