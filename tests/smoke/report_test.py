"""`dynasoc report` as a command: pages of all four kinds of results, held against the files that they are made of.
Standard library only."""
import base64
import collections
import csv
import html.parser
import json
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("DYNASOC_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent)).resolve()
DYNASOC = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()
EVIL = "<script>alert(1)</script>&\"'"

SWEEP = {
    "title": "Small",
    "include": "first.json",
    "policy": ["none", "dynamic-ofa"],
    "duration_s": 3,
    "seed": {"each": [1, 2]},
    "metrics": ["platform.energy_j", "run.miss_rate", "run.accuracy"],
}
EXPLORATION = {
    "title": "Small",
    "scenario": "minimal",
    "set": {"duration_s": 2},
    "variables": {"policy": {"kind": "choice", "path": "policy", "values": ["none", {"name": "dynamic-ofa", "dvfs": True}]},
                  "period_ms": {"kind": "real", "path": "policy.period_ms", "low": 20, "high": 200,
                                "when": {"variable": "policy", "is": ["dynamic-ofa"]}},
                  "target_ms": {"kind": "real", "path": "applications.camera.targets.0.latency_ms", "low": 5, "high": 50}},
    "objectives": [{"metric": "platform.energy_j"}, {"metric": "run.accuracy"}],
    "algorithm": {"kind": "sobol", "population": 8, "generations": 1},
    "replications": 3,
    "sensitivity": {"samples": 8, "replications": 2},
}


def run(*words):
    return subprocess.run([str(DYNASOC), *map(str, words)], cwd=ROOT, timeout=300, capture_output=True, text=True, check=False)


def column(coded):
    """Numbers of a column."""
    if isinstance(coded, list):
        return coded
    (kind, text), = coded.items()
    data = base64.b64decode(text)
    code, size = {"f64": ("d", 8), "f32": ("f", 4), "u8": ("B", 1), "u16": ("H", 2), "u32": ("I", 4)}[kind]
    return list(struct.unpack(f"<{len(data) // size}{code}", data))


def texts(coded):
    return [coded["values"][i] for i in column(coded["index"])]


class Elements(html.parser.HTMLParser):
    """What a browser takes for elements, and the text of each script."""

    def __init__(self, page):
        super().__init__()
        self.names = collections.Counter()
        self.attributes, self.scripts, self.titles = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.names[tag] += 1
        self.attributes += attrs
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data):
        if self.lasttag == "script" and self.scripts:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        if self.lasttag == "title":
            self.titles.append(data)


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dynasoc-report-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        first = json.loads((ROOT / "docs" / "example" / "first.json").read_text())
        (cls.folder / "first.json").write_text(json.dumps(first))

    def good(self, *words):
        done = run(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def refused(self, *words, says):
        done = run(*words)
        self.assertEqual((done.returncode, done.stdout), (2, ""), (words, done.stderr))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)

    def page(self, directory, *words):
        told = json.loads(self.good("report", directory, "--json", "--force", *words))
        path = pathlib.Path(told["file"])
        page = path.read_text()
        self.assertEqual(len(page.encode()), told["bytes"])
        self.assertLess(told["bytes"], 10_000_000)
        elements = Elements(page)
        data = [text for attributes, text in elements.scripts if attributes.get("id") == "report-data"]
        self.assertEqual(len(data), 1)
        # Nothing is fetched: no element has an address outside of the page.
        for name, value in elements.attributes:
            if name in ("src", "href", "srcset", "action", "data"):
                self.assertRegex(value or "", r"^(#|data:|$)")
        self.assertIn("default-src 'none'", page)
        return json.loads(data[0]), told, elements

    def rows(self, directory, name, replication=0):
        with open(directory / name, newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if int(row["replication"]) == replication]

    def check_run(self, shown, directory, replication=0):
        """A run of a page against its files: whole, or thinned with its extremes."""
        jobs = self.rows(directory, "jobs.csv", replication)
        for app in shown["apps"]:
            own = [row for row in jobs if row["app"] == app["name"]]
            columns, kept = app["jobs"]["columns"], app["jobs"]["kept"]
            self.assertEqual(app["jobs"]["total"], len(own))
            self.assertTrue(all(len(column(columns[c])) == kept for c in ("arrival_s", "start_s", "end_s", "latency_ms", "energy_mj")))
            self.assertTrue(all(len(texts(columns[c])) == kept for c in ("subnet", "outcome", "unit")))
            latencies = [float(row["latency_ms"]) for row in own if row["latency_ms"]]
            seen = [x for x in column(columns["latency_ms"]) if x == x]
            self.assertAlmostEqual(max(seen), max(latencies), delta=1e-6 * max(latencies))
            self.assertAlmostEqual(min(seen), min(latencies), delta=1e-6 * max(latencies))
            counted = collections.Counter(row["outcome"] for row in own)
            if kept == len(own):
                self.assertEqual(collections.Counter(texts(columns["outcome"])), counted)
                self.assertEqual(column(columns["arrival_s"]), sorted(float(row["arrival_s"]) for row in own))
            after = [float(row["latency_ms"]) for row in own if row["latency_ms"] and float(row["arrival_s"]) >= shown["warmup_s"]]
            self.assertEqual(sum(column(app["histogram"]["counts"])), len(after))
            self.assertEqual(sum(level["count"] for level in app["per_subnet"]), len(after))
        self.assertEqual(sum(unit["spans"]["total"] for unit in shown["units"]), sum(1 for row in jobs if row["start_s"]))
        timeline = self.rows(directory, "timeline.csv", replication)
        for series in shown["series"]:
            values = [float(row[series["column"]]) for row in timeline if row[series["column"]]]
            points = column(series["value"])
            for extreme in (min, max):
                self.assertAlmostEqual(extreme(points), extreme(values), delta=1e-6 * (abs(extreme(values)) + 1e-9), msg=series["name"])
            self.assertEqual(column(series["t_s"]), sorted(column(series["t_s"])))
        written = self.rows(directory, "decisions.csv", replication)
        decisions = shown["decisions"]
        self.assertEqual(decisions["total"], len(written))
        if decisions["kept"] == len(written):
            self.assertEqual(texts(decisions["reason"]), [row["reason"] for row in written])
            self.assertEqual(texts(decisions["to"]), [row["to"] for row in written])
        options = decisions["candidates"]
        if options is not None:
            first, count = column(options["first"]), column(options["count"])
            self.assertEqual(len(first), decisions["kept"])
            self.assertLessEqual(max(f + c for f, c in zip(first, count)), options["kept"])
            if options["kept"] == options["total"]:
                self.assertEqual(options["total"], len(self.rows(directory, "candidates.csv", replication)))
                self.assertEqual([c for c in count], [int(row["candidates"]) for row in written])

    def test_a_run(self):
        out = self.folder / "run"
        self.good("run", self.folder / "first.json", "--policy", "dynamic-ofa", "--replications", 3, "--out", out, "--quiet")
        page, told, _ = self.page(out)
        self.assertEqual((told["kind"], told["runs"], page["kind"], page["version"]), ("run", 1, "run", 1))
        self.check_run(page["runs"][0], out)
        summary = json.loads((out / "summary.json").read_text())
        self.assertEqual(page["provenance"]["latency"], summary["provenance"])
        self.assertEqual(page["manifest"], json.loads((out / "manifest.json").read_text()))
        self.assertEqual(page["rerun"], f"dynasoc run {out}/manifest.json --out {out}-again")
        self.assertEqual(page["report_command"], f"dynasoc report {out} --json --force")
        self.assertIn("means over 3 replications", page["headline"]["note"])
        names = [one["name"] for one in page["headline"]["columns"]]
        for row in page["headline"]["rows"]:
            self.assertEqual(len(row["cells"]), len(names))
            # Counts are a replication's, whatever the summary sums.
            if row["cells"][0] == "board":
                for name, member in (("energy", "energy_j"), ("knobs written", "decisions"), ("power", "mean_power_w")):
                    self.assertEqual(row["cells"][names.index(name)]["value"], summary["platform"][member])
                continue
            for name, member in (("frames", "jobs"), ("sub-network switches", "subnet_switches")):
                self.assertAlmostEqual(row["cells"][names.index(name)]["value"], summary["apps"][row["cells"][0]][member] / 3)
            mean = row["cells"][names.index("latency, mean")]
            app = summary["apps"][row["cells"][0]]
            self.assertEqual(mean["value"], app["spread"]["latency_ms_mean"]["mean"])  # what its interval is of
            # Nothing is random in this run: rounding must not make an interval of it.
            self.assertEqual((app["spread"]["latency_ms_mean"]["sd"], mean["low"], mean["high"]), (0, mean["value"], mean["value"]))
            for percentile in ("p90", "p99"):
                shown = row["cells"][names.index(percentile)]
                if percentile in app["latency_percentiles_supported"]:
                    self.assertEqual(shown["value"], app["latency_ms"][percentile])
                else:
                    self.assertEqual(shown, "-")
                    self.assertIn("MLPerf", page["headline"]["note"])
        page, _, _ = self.page(out, "--replication", 2, "--title", "Another")
        self.assertEqual((page["title"], page["runs"][0]["replication"]), ("Another", 2))
        self.check_run(page["runs"][0], out, 2)
        targets = page["runs"][0]["apps"][0]["target"]
        self.assertEqual(len(column(targets["t_s"])), len(column(targets["latency_ms"])))
        # The same again, byte for byte; and the page is no obstacle to a run in the same place.
        again = []
        for _ in range(2):
            self.good("report", out, "-o", self.folder / "again.html", "--quiet", "--force")
            again.append((self.folder / "again.html").read_bytes())
        self.assertEqual(again[0], again[1])
        self.refused("report", out, "-o", self.folder / "again.html", says="exists already; --force replaces it")
        # The page's command works where the page is.
        fresh = self.folder / "fresh.html"
        self.good("report", out, "-o", fresh, "--quiet")
        command = shlex.split(re.search(r'"report_command":"(.*?[^\\])"', fresh.read_text()).group(1))
        self.assertEqual(command, ["dynasoc", "report", str(out), "-o", str(fresh), "--quiet", "--force"])
        self.good(*command[1:])
        self.refused("report", out, "-o", self.folder / "no" / "x.html", says="there is no folder")
        self.refused("report", out, "-o", "", says="--output: the name of the file is empty")
        before = (out / "jobs.csv").read_bytes()
        self.refused("report", out, "-o", out / "jobs.csv", "--force", says="jobs.csv: is not a page of this program, and --output would replace it")
        self.assertEqual((out / "jobs.csv").read_bytes(), before)
        self.refused("report", out, "--replication", 3, "--force", says="replications 0 to 2")
        self.refused("report", out, "--runs", 3, "--force", says="--runs is for")
        self.good("run", self.folder / "first.json", "--out", out, "--quiet", "--force")
        self.assertFalse((out / "report.html").exists())
        # A comparison in the place of a run, and a run in its: what was there first is no longer.
        self.good("compare", self.folder / "first.json", "--policies", "none,dynamic-ofa", "--replications", 2, "--out", out, "--quiet", "--force")
        self.assertEqual(self.page(out, "--runs", 0)[0]["kind"], "comparison")
        self.good("run", self.folder / "first.json", "--out", out, "--quiet", "--force")
        self.assertEqual(self.page(out)[0]["kind"], "run")

    def test_an_evil_name_and_no_frames(self):
        scenario = json.loads((self.folder / "first.json").read_text())
        scenario.update(name=EVIL, title=EVIL, duration_s=0.001)
        for app in scenario["applications"].values():
            app["arrivals"] = {"kind": "periodic", "period_ms": 100}
            app["start_s"] = 0.0009
        scenario["applications"] = {EVIL if i == 0 else name: app for i, (name, app) in enumerate(scenario["applications"].items())}
        (self.folder / "evil.json").write_text(json.dumps(scenario))
        out = self.folder / "evil"
        self.good("run", self.folder / "evil.json", "--out", out, "--quiet")
        page, _, elements = self.page(out)
        self.assertEqual(page["title"], EVIL)
        self.assertIn(EVIL, [app["name"] for app in page["runs"][0]["apps"]])
        text = (out / "report.html").read_text()
        self.assertNotIn("<script>alert", text)
        self.assertNotIn("alert(1)</script>", text)
        self.assertEqual("".join(elements.titles).strip(), EVIL)
        total = sum(app["jobs"]["total"] for app in page["runs"][0]["apps"])
        self.assertEqual(total, len(self.rows(out, "jobs.csv")))

    def test_a_large_run_is_thinned(self):
        out = self.folder / "large"
        self.good("run", ROOT / "scenarios" / "bench" / "four-applications.json", "--set", "duration_s=5000",
                  "--set", "timeline_ms=400", "--out", out, "--quiet")
        page, told, _ = self.page(out)
        self.assertGreater(told["kept"]["frames"], 60_000)
        self.assertLess(told["kept"]["frames_kept"], told["kept"]["frames"])
        self.check_run(page["runs"][0], out)

    def test_a_comparison(self):
        out = self.folder / "comparison"
        self.good("compare", self.folder / "first.json", "--policies", "none,dynamic-ofa(period_ms=50),oracle", "--replications", 3,
                  "--out", out, "--quiet")
        page, told, _ = self.page(out)
        self.assertEqual((page["kind"], told["runs"], len(page["warnings"])), ("comparison", 3, 1))
        frames = [int(row["value"]) for row in csv.DictReader((out / "values.csv").read_text().splitlines())
                  if row["metric"] == "apps.camera.completed"]
        self.assertIn(f"percentiles of camera: as few as {min(frames)} frames were", page["warnings"][0])
        self.assertIn("--out " + str(out) + "-again", page["rerun"])
        self.assertNotIn("in the folder in which", page["rerun"])  # which nobody knows
        self.assertEqual(page["provenance"]["of"], "of the 3 runs in this page")
        known = json.loads((out / "comparison.json").read_text())
        names = [one["name"] for one in page["headline"]["columns"]]
        for row in page["headline"]["rows"]:
            energy = row["cells"][names.index("platform.energy_j")]
            entry = known["policies"][row["cells"][0]]["platform.energy_j"]
            self.assertEqual([energy["value"], energy["low"], energy["high"]], [entry["mean"], *entry["ci95"]])
            self.assertEqual(page["runs"][row["run"]]["label"], row["cells"][0])
        # What is damaged costs a line, and neither time nor memory.
        for name, change, says in (
                ("comparison.json", lambda text: text.replace('"replications": 3', '"replications": 1000000000', 1), "replications: "),
                ("comparison.json", lambda text: text.replace('"replications": 3', '"replications": 100000', 1),
                 "values.csv: holds 3 replications, by comparison.json it has 100000"),
                ("values.csv", lambda text: text[:-3], "the last line has no end: the file was cut"),
                ("values.csv", lambda text: "".join(text.splitlines(True)[:-1]), "values.csv: holds 2 values of "),
                ("values.csv", lambda text: text.replace("oracle,", "oracel,"), "values.csv: holds 0 values of ")):
            whole = (out / name).read_text()
            self.assertNotEqual(change(whole), whole)
            (out / name).write_text(change(whole))
            self.refused("report", out, "--force", says=says)
            (out / name).write_text(whole)
        for metric in page["paired"]["metrics"]:
            for row in metric["rows"]:
                values = column(row["values"])
                self.assertEqual(len(values), 3)
                if row["delta"]["value"] is not None:
                    self.assertAlmostEqual(sum(values) / 3, row["delta"]["value"], places=9)
        self.assertEqual({row["policy"] for row in page["regret"]["rows"]}, set(known["policies"]))
        self.assertTrue(any(point["on_front"] for point in page["front"]["points"]))
        # The run of a policy is the one that `run` makes.
        alone = self.folder / "alone"
        self.good("run", self.folder / "first.json", "--policy", "dynamic-ofa(period_ms=50)", "--replications", 1, "--out", alone, "--quiet")
        self.check_run(page["runs"][1], alone)
        page, told, _ = self.page(out, "--runs", 1)
        self.assertEqual([row["run"] for row in page["headline"]["rows"]], [0, None, None])
        once = self.folder / "once"
        self.good("compare", self.folder / "first.json", "--policies", "none,dynamic-ofa", "--replications", 1, "--out", once, "--quiet")
        page, _, _ = self.page(once, "--runs", 0)
        self.assertTrue(page["headline"]["note"].startswith("of one replication"), page["headline"]["note"])
        # An input that is not what it was: no runs, and the page says so.
        before = (self.folder / "first.json").read_text()
        (self.folder / "first.json").write_text(before + "\n")
        self.addCleanup((self.folder / "first.json").write_text, before)
        page, told, _ = self.page(out)
        self.assertEqual(told["runs"], 0)
        self.assertIn("has changed since", " ".join(page["warnings"]))
        self.assertIn("has changed since", run("report", out, "--force").stderr)

    def test_a_sweep(self):
        (self.folder / "sweep.json").write_text(json.dumps(SWEEP))
        out = self.folder / "sweep"
        self.good("sweep", self.folder / "sweep.json", "--out", out, "--quiet")
        page, told, _ = self.page(out, "--runs", 2)
        self.assertEqual((page["kind"], page["sweep"]["rows_total"]), ("sweep", 4))
        with open(out / "results.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(column(page["sweep"]["columns"]["platform.energy_j"]), [float(row["platform.energy_j"]) for row in rows])
        self.assertEqual(texts(page["sweep"]["columns"]["policy"]), [row["policy"] for row in rows])
        # Seeds are repetitions: two configurations, each with an interval.
        self.assertEqual(len(page["front"]["points"]), 2)
        for point in page["front"]["points"]:
            policy = dict(point["configuration"])["policy"]
            energies = [float(row["platform.energy_j"]) for row in rows if row["policy"] == policy]
            self.assertAlmostEqual(point["values"][0], sum(energies) / 2)
        self.assertGreaterEqual(told["runs"], 1)
        for run_of in [point["run"] for point in page["front"]["points"] if point["run"] is not None]:
            self.assertLess(run_of, told["runs"])
        self.assertIn("--out " + str(out) + "-again", page["rerun"])
        # A part of a sweep does not pass for the whole.
        part = self.folder / "part"
        self.good("sweep", self.folder / "sweep.json", "--shard", "1/2", "--out", part, "--quiet")
        page, _, _ = self.page(part, "--runs", 0)
        self.assertIn("the table has 2 of the sweep's 4 points", " ".join(page["warnings"]))
        self.good("sweep", self.folder / "sweep.json", "--out", part, "--quiet")
        self.assertFalse((part / "report.html").exists())

    def test_a_page_that_would_be_too_large(self):
        out = self.folder / "wide"
        out.mkdir()
        (out / "sweep.json").write_text(json.dumps({
            "sweep_version": 1, "name": "wide", "points": 12_000, "axes": {"policy": 12_000}, "metrics": ["platform.energy_j"], "sweep": {}}))
        (out / "results.csv").write_text("point,policy,platform.energy_j\n" + "".join(f"{i},{i:0800d},{i % 7}\n" for i in range(12_000)))
        page, _, _ = self.page(out, "--runs", 0)  # which looks at the size
        self.assertEqual(page["sweep"]["rows_total"], 12_000)
        self.assertLess(len(column(page["sweep"]["columns"]["platform.energy_j"])), 12_000)
        self.assertIn("of the points that it may", " ".join(page["warnings"]))
        # No axes and no metrics are no reason to divide by their number.
        (out / "sweep.json").write_text(json.dumps({"sweep_version": 1, "name": "none", "points": 2, "axes": {}, "metrics": [], "sweep": {}}))
        (out / "results.csv").write_text("point\n0\n1\n")
        self.page(out, "--runs", 0)

    def test_an_exploration(self):
        (self.folder / "small.explore.json").write_text(json.dumps(EXPLORATION))
        out = self.folder / "exploration"
        self.good("explore", self.folder / "small.explore.json", "--out", out, "--quiet")
        page, told, _ = self.page(out, "--runs", 2)
        known = json.loads((out / "front.json").read_text())
        self.assertEqual(page["kind"], "exploration")
        front = [point for point in page["front"]["points"] if point["on_front"]]
        self.assertEqual(len(front), len(known["front"]))
        self.assertEqual([point["values"] for point in front],
                         [[one["metrics"][m]["mean"] for m in ("platform.energy_j", "run.accuracy")] for one in known["front"]])
        # What was chosen is called in the page what it is called in front.csv.
        with open(out / "front.csv", newline="") as file:
            written = [[row[name] for name in EXPLORATION["variables"]] for row in csv.DictReader(file)]
        self.assertEqual([row["cells"][-3:] for row in page["headline"]["rows"]], written)
        self.assertEqual([[text for _, text in point["configuration"]] for point in front],
                         [[text for text in row if text] for row in written])
        self.assertEqual({row[0]: row[1] == "" for row in written}, {"none": True, "dynamic-ofa": False})
        self.assertEqual(told["runs"], min(2, len(known["front"])))
        self.assertEqual([row["name"] for row in page["sensitivity"]["rows"]], ["policy", "period_ms", "target_ms"])
        # The page does not stop the exploration from going on.
        self.good("explore", self.folder / "small.explore.json", "--out", out, "--quiet")
        whole = (out / "explore.json").read_text()
        manifest = json.loads(whole)
        manifest["exploration"]["variables"]["policy"]["labels"] = ["one of two"]  # damaged
        (out / "explore.json").write_text(json.dumps(manifest))
        self.assertEqual(self.good("report", out, "--runs", 0, "--force").count("\n"), 1)
        # A run that is not what the journal says it was is left out.
        manifest = json.loads(whole)
        manifest["scenario"]["duration_s"] = 3
        (out / "explore.json").write_text(json.dumps(manifest))
        page, told, _ = self.page(out, "--runs", 1)
        self.assertEqual(told["runs"], 0)
        self.assertIn("simulated again, its", " ".join(page["warnings"]))
        (out / "explore.json").write_text(whole)

    def test_files_that_lack_rows(self):
        # A warm-up, at whose end the manager is asked, and the board's own writes: what the summary does not count.
        for name, more in (("whole", ()), ("warm", ("--set", "warmup_s=2", "--policy", "dynamic-ofa(period_ms=100)"))):
            with self.subTest(name):
                out = self.folder / ("rows-" + name)
                self.good("run", self.folder / "first.json", "--replications", 2, "--out", out, "--quiet", *more)
                frames = json.loads((out / "summary.json").read_text())["apps"]["camera"]["jobs"]
                self.page(out)
                (out / "report.html").unlink()
                for file, lines, says in (("jobs.csv", 50, f", by summary.json it has {frames}: cut, or of other results"),
                                          ("decisions.csv", 2, ": cut, or of other results"),
                                          ("candidates.csv", 3, "choices of the decisions shown, by decisions.csv it has "),
                                          ("timeline.csv", -1, "samples, by duration and period in manifest.json it has ")):
                    whole = (out / file).read_text()
                    (out / file).write_text("".join(whole.splitlines(True)[:lines]))
                    self.refused("report", out, says=says)
                    self.assertIn(file + ": holds ", run("report", out).stderr)
                    self.assertFalse((out / "report.html").exists())
                    (out / file).write_text(whole)
                # Rows of replications that are not shown count, too; and rows of something else.
                whole = (out / "jobs.csv").read_text()
                (out / "jobs.csv").write_text("".join(whole.splitlines(True)[:-1]))
                self.refused("report", out, says=f"holds {frames - 1} frames of camera")
                (out / "jobs.csv").write_text(whole.replace(",camera,", ",another,"))
                self.refused("report", out, says="of another run")
                (out / "jobs.csv").write_text(whole)
                self.page(out)

    def test_what_is_refused(self):
        self.refused("report", says="a directory is missing")
        self.refused("report", self.folder / "none", says="no such directory")
        self.refused("report", ROOT / "docs", says="holds no results")
        out = self.folder / "damaged"
        self.good("run", self.folder / "first.json", "--out", out, "--quiet")
        jobs = (out / "jobs.csv").read_text()

        def damaged(text, says, name="jobs.csv"):
            (out / name).write_text(text)
            self.refused("report", out, says=says)
            self.assertFalse((out / "report.html").exists())
            self.assertEqual([path.name for path in out.iterdir() if path.name.endswith(".partial")], [])

        damaged(jobs[: len(jobs) // 2 + 3], "jobs.csv:")
        damaged("", "the file is empty")
        damaged(jobs.replace("latency_ms", "latency"), "the column \"latency_ms\" is missing")
        damaged(re.sub(r",met,", ",fine,", jobs, count=1), "\"fine\" is no outcome")
        (out / "jobs.csv").write_text(jobs)
        manifest = (out / "manifest.json").read_text()
        damaged(manifest[:-20], "manifest.json:", "manifest.json")
        damaged(manifest.replace('"replications": 1', '"replications": 3000000000', 1), "/replications: ", "manifest.json")
        damaged("[]", "is not the manifest of a run", "manifest.json")
        (out / "manifest.json").write_text(manifest)
        (out / "timeline.csv").unlink()
        os.mkfifo(out / "timeline.csv")  # which must not be waited for
        self.refused("report", out, says="timeline.csv: is not a file")
        (out / "timeline.csv").unlink()
        self.refused("report", out, says="timeline.csv: no such file")
        (out / "manifest.json").unlink()
        self.refused("report", out, says="unfinished run")


if __name__ == "__main__":
    unittest.main()
