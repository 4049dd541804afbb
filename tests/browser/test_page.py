"""The page of `dynasoc report` in a browser: what it shows is what the results say, by mouse and by keyboard, and nothing else happens."""

import base64
import hashlib
import pathlib
import re

import numpy
import payload
import pytest
from selenium.webdriver.common.keys import Keys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
KINDS = ["run", "comparison", "sweep", "exploration"]
SECTIONS = {
    "run": ["headline", "timeline", "gantt", "distributions", "manifest"],
    "comparison": ["headline", "paired", "regret", "timeline", "gantt", "distributions", "manifest"],
    "sweep": ["headline", "sweep", "manifest"],
    "exploration": ["headline", "front", "manifest"],
}


def cell_text(cell):
    return cell["text"] if isinstance(cell, dict) else cell


def show_all_charts(page):
    """Scrolls to every chart, as a reader would, and waits until it is drawn."""
    for chart in page.all(".chart"):
        page.run("arguments[0].scrollIntoView()", chart)
        page.wait(lambda: page.run("return arguments[0].querySelector('canvas') !== null", chart), "a chart in view is not drawn")


def test_vendored_library_is_the_stated_file():
    library = ROOT / "third_party/echarts/echarts.min.js"
    assert hashlib.sha256(library.read_bytes()).hexdigest() in (library.parent / "README.md").read_text()
    assert not re.search(r"</script|<!--", library.read_text(encoding="utf-8"), re.IGNORECASE)


@pytest.mark.parametrize("script", sorted((ROOT / "sim/results/report/page").glob("*.js")), ids=lambda path: path.name)
def test_scripts_can_stand_in_a_page(script):
    text = script.read_text(encoding="utf-8")
    assert not re.search(r"</script|<!--|\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", text)
    assert text.rstrip().endswith("})(window.dynasoc = window.dynasoc || {});"), "a global beside the page's one namespace"


@pytest.mark.parametrize("kind", KINDS)
def test_page_renders(open_page, kind):
    page = open_page(kind)
    assert page.payload["kind"] == kind
    show_all_charts(page)
    assert page.driver.title == page.payload["title"] == page.text("h1")
    shown = page.run("return [...document.querySelectorAll('main > section h2')].map((heading) => heading.id)")
    assert set(SECTIONS[kind]) <= set(shown)
    rows = page.run("""return [...document.querySelectorAll('table.headline tbody tr')].map((row) => [...row.cells].map(
        (cell) => (cell.querySelector('.mean') || cell).textContent))""")
    assert rows == [[cell_text(cell) for cell in row["cells"]] for row in page.payload["headline"]["rows"]]
    assert page.errors() == []
    assert page.requests() == []


@pytest.mark.parametrize("kind", KINDS)
def test_page_says_what_it_shows(open_page, kind):
    page = open_page(kind)
    assert page.run("""return [...document.querySelectorAll('.chart')].filter((chart) => chart.getAttribute('role') !== 'img'
        || !chart.getAttribute('aria-label')).length""") == 0
    assert page.run("return [...document.querySelectorAll('table')].filter((table) => !table.caption).length") == 0
    assert page.run("return document.querySelectorAll('h1').length") == 1
    unnamed = page.run("""return [...document.querySelectorAll('button, input, select')].filter((control) => !control.textContent.trim()
        && !control.getAttribute('aria-label') && !(control.labels && control.labels.length)).map((control) => control.outerHTML)""")
    assert unnamed == []
    ids = page.run("return [...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))


def test_the_page_may_not_reach_the_network(open_page):
    page = open_page("run")
    refused = page.driver.execute_async_script(
        """const done = arguments[0];
        document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));
        fetch('http://127.0.0.1:9/').catch(() => setTimeout(() => done('not by the policy'), 2000));""")
    assert refused == "connect-src"


# The front


def front_point(page, with_run):
    for i, point in enumerate(page.payload["front"]["points"]):
        if point["on_front"] and (not with_run or point.get("run") is not None):
            return i, point
    pytest.fail("the front has no such point")


def point_at_front(page, point, click=False):
    x, y = page.place("front-chart", {"xAxisIndex": 0, "yAxisIndex": 0}, point["values"][:2])
    page.point_at(x + 60, y - 12)  # from outside: a point is entered, not appeared on
    page.point_at(x, y, click)


def test_hovering_over_the_front_tells_the_configuration(open_page):
    page = open_page("exploration")
    _, point = front_point(page, with_run=False)
    point_at_front(page, point)
    page.wait(lambda: page.all("#front-chart .tip"), "no tooltip")
    tooltip = page.text("#front-chart .tip")
    assert point["name"] in tooltip
    for name, value in point["configuration"]:
        assert name in tooltip and value in tooltip
        assert value in page.text("#front-configuration")


def test_clicking_a_point_opens_its_run(open_page):
    page = open_page("exploration")
    runs = [point["run"] for point in page.payload["front"]["points"] if point.get("run") is not None]
    assert len(runs) > 1
    wanted = runs[-1] if runs[-1] != 0 else runs[0]
    point = next(point for point in page.payload["front"]["points"] if point.get("run") == wanted)
    point_at_front(page, point, click=True)
    page.wait(lambda: page.run("return dynasoc.runs.current") == wanted, "its run is not shown")
    assert page.payload["runs"][wanted]["label"] in page.text("#timeline ~ div figcaption")
    assert page.run("return document.activeElement.id") == "timeline"


# Time


def check_readings(page, run):
    """The panel says what the payload has at the cursor."""
    instant = page.cursor()
    for app in run["apps"]:
        frames = payload.Frames(app)
        shown = page.readings(app["name"])
        at = payload.last_at_most(frames.times, instant)
        if at < 0:
            assert shown["last result"] == "–"
            continue
        assert shown["outcome"] == frames.outcome[at]
        assert shown["sub-network"] == (frames.subnet[at] or "–")
        if numpy.isnan(frames.latency_ms[at]):
            assert shown["last result"] == "–"
        else:
            assert payload.number(shown["last result"]) == pytest.approx(frames.latency_ms[at], rel=1e-3)
    board = page.readings("Board")
    drawn = [series for series in run["series"] if series["group"] != "level"]
    names = [series["name"] for series in drawn]
    for series in drawn:
        name = series["name"] if names.count(series["name"]) == 1 else f"{series['name']}, {series['group']}"
        at = payload.last_at_most(payload.column(series["t_s"]), instant)
        value = payload.column(series["value"])[at] if at >= 0 else float("nan")
        if numpy.isnan(value):
            assert board[name] == "–"
        else:
            assert payload.number(board[name]) == pytest.approx(value, rel=1e-3, abs=1e-6)
            assert series["unit"] in board[name]


def test_scrubbing_by_keyboard(open_page):
    page = open_page("run")
    run = page.payload["runs"][0]
    ends = numpy.unique(numpy.concatenate([payload.Frames(app).times for app in run["apps"]]))
    page.focus("#scrubber")
    page.keys(Keys.HOME)
    assert page.cursor() == 0
    for expected in ends[ends > 0][:3]:
        page.keys(Keys.ARROW_RIGHT)
        assert page.cursor() == expected
        check_readings(page, run)
    page.keys(Keys.ARROW_LEFT)
    assert page.cursor() == ends[ends > 0][1]
    page.keys(Keys.PAGE_UP)
    assert page.cursor() == pytest.approx(ends[ends > 0][1] + run["duration_s"] / 20)
    check_readings(page, run)
    page.keys(Keys.END)
    assert page.cursor() == run["duration_s"]
    check_readings(page, run)


def test_scrubbing_by_mouse(open_page):
    page = open_page("run")
    run = page.payload["runs"][0]
    for share in (0.25, 0.8):
        instant = share * run["duration_s"]
        x, y = page.place("timeline-chart", {"gridIndex": 0}, [instant, 1])
        page.point_at(x, y - 10, click=True)
        assert page.cursor() == pytest.approx(instant, abs=2 * run["duration_s"] / 500)
        assert payload.number(page.text("#cursor-time")) == pytest.approx(page.cursor(), abs=1e-3)
        check_readings(page, run)


def test_the_window_is_that_of_all_charts(open_page):
    page = open_page("run")
    duration = page.payload["runs"][0]["duration_s"]
    show_all_charts(page)
    page.run("document.body.focus()")
    page.keys("+")
    windows = """return ['timeline-chart', 'gantt-chart'].map((id) => {
        const [zoom] = dynasoc.charts.instance(id).getOption().dataZoom; return [zoom.startValue, zoom.endValue]; })"""
    page.wait(lambda: page.run(windows)[0][1] - page.run(windows)[0][0] == pytest.approx(duration / 2), "not zoomed")
    timeline, gantt = page.run(windows)
    assert gantt == pytest.approx(timeline)
    page.keys("0")
    page.wait(lambda: page.run(windows)[1] == pytest.approx([0, duration]), "not the whole run")


def test_stepping_through_decisions(open_page):
    page = open_page("run")
    decisions = page.payload["runs"][0]["decisions"]
    times, reasons, to = payload.column(decisions["t_s"]), payload.texts(decisions["reason"]), payload.texts(decisions["to"])
    assert len(times) > 3

    def shown(i):
        assert page.cursor() == times[i]
        assert reasons[i] in page.text("#decision-in-force")
        assert to[i] in page.text("#decision-in-force")
        assert page.run("return document.querySelector('[role=option][aria-selected=true]').dataset.decision") == str(i)

    page.focus("#decision-list")
    page.keys(Keys.HOME)
    shown(0)
    page.keys(Keys.ARROW_DOWN)
    shown(1)
    page.run("document.activeElement.blur()")
    page.keys(".")
    shown(2)
    page.keys(",")
    shown(1)
    page.focus("#decision-list")
    page.keys(Keys.END)
    shown(len(times) - 1)
    check_readings(page, page.payload["runs"][0])


def test_choosing_another_run(open_page):
    page = open_page("comparison")
    button = page.one('table.headline [data-run="1"]')
    button.click()
    page.wait(lambda: page.run("return dynasoc.runs.current") == 1, "the second run is not shown")
    check_readings(page, page.payload["runs"][1])


def test_sweep_shows_the_means_of_its_points(open_page):
    page = open_page("sweep")
    sweep = page.payload["sweep"]
    values = payload.column(sweep["columns"][sweep["metrics"][0]["name"]])
    state = page.run("const chart = dynasoc.charts.instance('sweep-chart'); return chart.getOption().series.filter((one) => one.type === 'line').map((one) => one.data)")
    drawn = [y for line in state for _, y in line]
    assert numpy.mean(drawn) == pytest.approx(numpy.nanmean(values))  # a full factorial: the mean of means is the mean
    select = page.one("section.sweep select")
    page.run("arguments[0].value = '1'; arguments[0].dispatchEvent(new Event('change'))", select)
    name = page.run("return dynasoc.charts.instance('sweep-chart').getOption().yAxis[0].name")
    assert sweep["metrics"][1]["name"] in name


@pytest.mark.parametrize("kind", ["run", "comparison", "exploration"])
def test_the_panel_begins_with_values_and_the_decision(open_page, kind):
    page = open_page(kind)
    for i in range(len(page.payload["runs"])):
        page.run("dynasoc.runs.open(arguments[0])", i)
        assert "–" not in page.readings("Board").values()
        assert page.run("return document.querySelector('.instant section').getAttribute('aria-label')") == "Decision"
        check_readings(page, page.payload["runs"][i])


@pytest.mark.parametrize("width", [1366, 360])
def test_long_names_do_not_widen_the_page(open_page, reports, folder, width):
    data = payload.read(reports["run"])
    name = "n" * 300
    data["runs"][0]["apps"][0]["name"] = data["headline"]["rows"][0]["cells"][0] = name
    page = open_page(payload.replace(reports["run"], data, folder / "long.html"))
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 768, "deviceScaleFactor": 1, "mobile": False})
    try:
        page = open_page(folder / "long.html")
        show_all_charts(page)
        assert page.run("return document.documentElement.scrollWidth") <= width
        lines = page.run("""return dynasoc.charts.instance('timeline-chart').getOption().title.flatMap(({ text }) => text.split('\\n'))
            .map((line) => line.replace(/\\{\\w+\\|([^}]*)\\}/g, '$1').length)""")
        assert max(lines) < width / 5
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


# The page's own functions


SPANS = """const unit = dynasoc.gantt.decodeUnit({ name: 'gpu', spans: { start_s: arguments[0], end_s: arguments[1],
    app: arguments[0].map(() => 'camera'), subnet: arguments[0].map(() => 'L1') } });
    return dynasoc.gantt.visible(unit, ...arguments[2]).map(({ start, end, lane, count }) => [start, end, lane, count]);"""


def test_frames_that_share_a_unit_are_drawn_each(open_page):
    page = open_page("run")
    shown = page.run(SPANS, [0, 0.02], [0.1, 0.04], [0, 0.1, 1e-4])
    assert shown == [[0, 0.1, 0, 1], [0.02, 0.04, 1, 1]]


def test_frames_that_follow_each_other_are_drawn_each(open_page):
    page = open_page("run")
    starts, ends = [0, 0.01, 0.02], [0.01, 0.02, 0.03]
    assert page.run(SPANS, starts, ends, [0, 0.03, 1e-6]) == [[start, end, 0, 1] for start, end in zip(starts, ends)]
    assert page.run(SPANS, starts, ends, [0, 1000, 1]) == [[0, 0.03, 0, 3]]  # less than a pixel


def test_a_long_frame_reaches_into_the_window(open_page):
    page = open_page("run")
    starts, ends = [0, 0.1, 0.2, 0.3, 0.9], [1, 0.11, 0.21, 0.31, 0.95]
    shown = page.run(SPANS, starts, ends, [0.5, 0.8, 1e-4])
    assert shown == [[0, 1, 0, 1]]


def test_sorting_a_table_with_blank_cells_and_heads(open_page):
    page = open_page("run")
    cells = """const table = dynasoc.tables.table({ caption: 'T', columns: [{ name: '' }, { name: 'x' }],
        rows: [['a', '2'], ['b', ''], ['c', '-1'], ['d', '–'], ['e', '10']].map((cells) => ({ cells })) });
        document.body.append(table);
        const order = () => [...table.querySelectorAll('tbody tr')].map((row) => row.cells[0].textContent).join('');
        const orders = [];
        for (let i = 0; i < 2; ++i) {
          table.querySelector('thead button').click();
          orders.push(order());
        }
        const focused = document.activeElement.closest('th') === table.querySelectorAll('th')[1];
        table.remove();
        return [...orders, focused];"""
    assert page.run(cells) == ["caebd", "eacbd", True]


def test_an_axis_of_numbers_is_joined_in_their_order(open_page):
    page = open_page("run")
    drawn = page.run("""const sweep = new dynasoc.sweep.Sweep({ axes: [{ name: 'x', values: ['10', '2', '1'] }], metrics: [{ name: 'm', unit: '' }],
        rows_total: 3, columns: { x: ['10', '2', '1'], m: [5, 6, 7] } });
        return sweep.groups()[0].points.map(({ x, mean }) => [x, mean]);""")
    assert drawn == [["1", 7], ["2", 6], ["10", 5]]


def test_what_is_thinned_says_so(open_page, reports, folder):
    data = payload.read(reports["run"])
    run = data["runs"][0]
    app = run["apps"][0]
    app["jobs"]["total"] += 1000
    run["decisions"]["total"] += 500
    level = next(series for series in run["series"] if series["group"] == "level")
    sampled = sorted({f"L{value:g}" for value in payload.column(level["value"])})
    page = open_page(payload.replace(reports["run"], data, folder / "thinned.html"))
    assert "last kept result" in page.readings(app["name"])
    assert "Last kept decision" in page.text("#decision-in-force ~ *, section[aria-label=Decision] h4")
    assert "knobs written" in page.text("section.timeline .note")
    levels = page.run("""return new dynasoc.history.History(JSON.parse(document.getElementById('report-data').textContent).runs[0])
        .apps[0].levels().map(({ name }) => name);""")
    assert sorted(set(levels)) == sampled
    assert page.errors() == []


# Light, dark and paper


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_contrast(open_page, kind, scheme):
    page = open_page(kind)
    page.emulate(scheme)
    try:
        found = page.run((HERE / "contrast.js").read_text())
        background = page.run("return getComputedStyle(document.body).backgroundColor")
    finally:
        page.emulate("light")
    assert found["checked"] > 20
    assert found["poor"] == []
    assert (int(re.search(r"\d+", background).group(0)) < 128) == (scheme == "dark")


def test_the_reader_may_choose_the_theme(open_page):
    page = open_page("run")
    page.emulate("light")
    page.keys("t", "t")
    assert page.run("return document.documentElement.dataset.theme") == "dark"
    assert page.run("return getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    page.keys("t")
    assert page.run("return document.documentElement.dataset.theme") is None


@pytest.mark.parametrize("kind", KINDS)
def test_printing_draws_every_chart(open_page, kind):
    page = open_page(kind)
    page.run("""window.addEventListener('beforeprint', () => {
        window.printed = [...document.querySelectorAll('.chart')].map((chart) => chart.querySelector('canvas') !== null); })""")
    pdf = base64.b64decode(page.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert pdf.startswith(b"%PDF")
    assert len(page.run("return window.printed")) == len(page.all(".chart")) > 0
    assert all(page.run("return window.printed"))
    assert page.errors() == []


# What a report must not do


HOSTILE = "</script><img src=x onerror=\"window.harmed=true\"><script>window.harmed=true</script>{{library}}${1}"


def poison(value):
    """Every text that may come from a file of the user's, with markup at its end; keys and encoded columns stay."""
    if isinstance(value, dict):
        if set(value) <= {"f64", "f32", "u8", "u16", "u32"}:
            return value
        if set(value) == {"values", "index"}:
            return {"values": [text if text in ("met", "missed", "dropped", "rejected", "unfinished") else text + HOSTILE
                               for text in value["values"]], "index": value["index"]}
        kept = ("kind", "group", "direction", "better", "objective_kind")
        return {key: one if key in kept else poison(one) for key, one in value.items()}
    if isinstance(value, list):
        return [poison(one) for one in value]
    return value + HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_texts_stay_texts(open_page, reports, folder, kind):
    original = payload.read(reports[kind])
    hostile = poison(original)
    hostile["sections"] = original["sections"]
    if hostile.get("sweep"):  # columns are found by their names
        columns = original["sweep"]["columns"]
        hostile["sweep"]["columns"] = {name + HOSTILE: poison(column) for name, column in columns.items()}
    page = open_page(payload.replace(reports[kind], hostile, folder / f"hostile-{kind}.html"))
    show_all_charts(page)
    if kind == "exploration":
        _, point = front_point(page, with_run=False)
        point_at_front(page, point)
        page.wait(lambda: page.all("#front-chart .tip"), "no tooltip")
    if kind == "run":
        page.focus("#decision-list")
        page.keys(Keys.HOME, Keys.ARROW_DOWN)
        span = page.place("gantt-chart", {"xAxisIndex": 0, "yAxisIndex": 0}, [page.payload["runs"][0]["duration_s"] / 2, 0])
        page.point_at(*span)
    assert page.run("return window.harmed") is None
    assert page.run("return document.querySelectorAll('main img, body > img').length") == 0
    assert HOSTILE in page.text("h1")
    assert page.errors() == []
    assert page.requests() == []


def test_a_run_without_frames(dynasoc, open_page, folder):
    dynasoc("run", ROOT / "docs/example/first.json", "--set", 'applications.camera.arrivals={"kind": "poisson", "rate_hz": 1e-6}',
            "--set", "duration_s=1", "--set", "policy=none", "--out", folder / "empty", "--quiet")
    dynasoc("report", folder / "empty", "-o", folder / "empty.html")
    page = open_page(folder / "empty.html")
    assert page.payload["runs"][0]["apps"][0]["jobs"]["total"] == 0
    show_all_charts(page)
    assert "no frame was completed" in page.text("section.distributions")
    assert "NaN" not in page.text("main") and "undefined" not in page.text("main")
    assert page.errors() == []
