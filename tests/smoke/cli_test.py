"""The command line as a contract: exit statuses, what `run` prints and writes, that it writes the same every time, and what
happens when it is stopped half-way. Standard library only."""
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(os.environ.get("DYNASOC_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent)).resolve()
DYNASOC = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()
HANG_S = float(os.environ.get("DYNASOC_TEST_HANG_S", "120"))  # only a command that hangs meets it
SIMGRID = DYNASOC.with_name("dynasoc-simgrid").exists()

FILES = {"jobs.csv", "decisions.csv", "candidates.csv", "timeline.csv", "trace.json", "summary.json", "manifest.json"}
JOBS = "replication,app,job,arrival_s,start_s,end_s,deadline_s,outcome,unit,subnet,accuracy,latency_ms,energy_mj"
DECISIONS = ("replication,time_s,policy,target,knob,from,to,reason,margin,"
             "decision,trigger,binding,slack,candidates,feasible")
OUTCOMES = {"met", "missed", "dropped", "rejected", "unfinished"}

# Random arrivals, random execution times, background load, a manager that switches and scales clocks.
LIVELY = {
    "platform": "minimal",
    "duration_s": 4,
    "applications": {
        "camera": {"network": "example", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 30},
                   "targets": [{"latency_ms": 30}, {"from_s": 2, "latency_ms": 7}], "late": "drop-hopeless"},
        "voice, far": {"network": "example", "unit": "cpu", "arrivals": {"kind": "gamma", "rate_hz": 10, "cv": 2},
                       "targets": [{"latency_ms": 60}], "late": "replace"},
    },
    "background": {"training": {"unit": "gpu", "from_s": 1, "to_s": 3, "demand": {
        "kind": "on-off", "on_ms": 200, "off_ms": 100, "exponential": True}}},
    "policy": {"name": "dynamic-ofa", "dvfs": True, "period_ms": 20, "dwell_ms": 100},
    "windows": {"late": {"from_s": 0.5}},
}
# As long as the machine lets it live.
ENDLESS = {
    "platform": "minimal",
    "duration_s": 1e8,
    "applications": {"camera": {"network": "example", "unit": "gpu", "arrivals": {"kind": "periodic", "period_ms": 30}}},
}


def run(*words, cwd=ROOT, timeout=HANG_S, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.run([str(DYNASOC), *map(str, words)], cwd=cwd, timeout=timeout, check=False, **options)


def contents(folder, without=()):
    return {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir()) if path.name not in without}


def manifest_of(folder):
    manifest = json.loads((pathlib.Path(folder) / "manifest.json").read_text())
    manifest.pop("command_line")
    return manifest


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dynasoc-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def scenario(self, content, name="lively.json"):
        path = self.folder / name
        path.write_text(json.dumps(content, indent=2))
        return path

    def good(self, *words, **options):
        done = run(*words, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def refused(self, *words, says=(), **options):
        done = run(*words, **options)
        self.assertEqual(done.returncode, 2, (words, done.stderr))
        self.assertEqual(done.stdout, "", words)
        self.assertEqual(done.stderr.count("\n"), 1, (words, done.stderr))
        for text in (says,) if isinstance(says, str) else says:
            self.assertIn(text, done.stderr, words)
        return done.stderr

    # ------------------------------------------------------------------------------------------------ asking for help

    def test_help(self):
        usage = self.good("--help")
        for command in ("run", "check", "table", "lint", "list", "bench", "schema"):
            self.assertIn(f"\n  {command} ", usage)
            text = self.good(command, "--help")
            self.assertIn(f"dynasoc {command}", text)
            if command != "table":
                self.assertTrue(text.startswith("usage: "))
                self.assertIn("--help", text)
        for subcommand in ("import", "show", "fit", "fill", "power"):
            self.assertIn(f"dynasoc table {subcommand}", self.good("table", subcommand, "--help"))
        self.assertEqual(self.good("help"), usage)
        self.assertRegex(self.good("--version"), r"^dynasoc \d+\.\d+\.\d+ \(.+\)\n$")
        nothing = run()
        self.assertEqual((nothing.returncode, nothing.stdout), (2, ""))
        self.assertIn("usage: dynasoc COMMAND", nothing.stderr)

    def test_wrong_words(self):
        for words, says in (
                (("rum", "minimal"), 'unknown command "rum" (did you mean "run"?)'),
                (("run",), "a scenario is missing"),
                (("run", "minimal", "minimal"), "too many arguments"),
                (("run", "mnimal"), '(did you mean "minimal"?)'),
                (("run", "scenarios/minmal.json"), 'scenarios/minmal.json: no such file, and no scenario of that name (did'),
                (("run", "scenarios"), "scenarios: is a directory, not a file"),
                (("run", "minimal", "--enigne", "native"), 'unknown option --enigne (did you mean "--engine"?)'),
                (("run", "minimal", "--engine", "simgrd"), '--engine simgrd: unknown engine (did you mean "simgrid"?)'),
                (("run", "minimal", "--seed"), "--seed needs a value"),
                (("run", "minimal", "--seed", "-1"), "--seed -1: must be from 0 to 9000000000000000"),
                (("run", "minimal", "--seed", "1.5"), "--seed 1.5: must be a whole number"),
                (("run", "minimal", "--seed", "99999999999999999999"), "must be from 0"),
                (("run", "minimal", "--seed", "1", "--seed", "2"), "--seed is given twice"),
                (("run", "minimal", "--replications", "0"), "--replications 0: must be from 1"),
                (("run", "minimal", "--jobs", "none"), "--jobs none: must be a whole number"),
                (("run", "minimal", "--quiet=1"), "does not take any arguments"),
                (("list",), "list what? (known: policies, governors"),
                (("list", "polices"), 'unknown kind "polices" (did you mean "policies"?)'),
                (("schema",), "schema of what? (known: scenario, platform, network, claim, suite, sweep, search, exploration, ranking)"),
                (("schema", "sceanrio"), '(did you mean "scenario"?)'),
                (("check",), "a folder or a file is missing"),
                (("check", "models"), "models: has no claim files (*.claim.json)"),
                (("check", "nowhere"), "nowhere: no such file or folder"),
                (("check", "scenarios/claims", "--only", "gpu-shring"), '(did you mean "gpu-sharing"?)'),
                (("lint",), "a file is missing"),
                (("table", "shw"), 'did you mean "show"?'),
        ):
            with self.subTest(words=words):
                self.refused(*words, says=says)

    def test_set_that_cannot_be(self):
        for setting, says in (
                ("duration_s", "--set duration_s: must be path=value"),
                ("=5", "must be path=value"),
                ("duration_s=-1", "--set duration_s=-1: /duration_s: must be above 0, not -1"),
                ("duration=5", '--set duration=5: /duration: unknown key "duration" (did you mean "duration_s"?)'),
                ("duration_s=long", '/duration_s: must be a number, not the string "long"'),
                ("duration_s.x=1", "/duration_s/x: its parent is the number 1, which has no members"),
                ("applications.camra.weight=2", '/applications/camra: no such member (did you mean "camera"?)'),
                ("applications.camera.targets.1.latency_ms=9", "/applications/camera/targets/1: no such element; the array has 1"),
                ("applications.camera.network=exampel", 'unknown network "exampel" (did you mean "example"?)'),
                ("applications..weight=2", "/applications/: a name in the path is empty"),
                ('applications={"camera"', "the file ends here"),
                ("seed=1e999", "/seed: must be a number"),
        ):
            with self.subTest(setting=setting):
                message = self.refused("run", "minimal", "--set", setting, says=says)
                self.assertTrue(message.startswith("--set " + setting), message)

    def test_set_and_seed_change_the_run(self):
        path = self.scenario(LIVELY)
        told = lambda *words: json.loads(self.good("run", path, "--json", *words))
        plain = told()
        self.assertEqual(plain["seed"], 1)
        self.assertEqual(told("--seed", "2")["seed"], 2)
        self.assertNotEqual(told("--seed", "2")["apps"], plain["apps"])
        self.assertEqual(told("--set", "seed=2"), told("--seed", "2"))
        self.assertEqual(told("--set", "duration_s=2", "--set", "policy=none")["duration_s"], 2)
        self.assertEqual(told("--set", "policy=none")["platform"]["decisions"], 0)
        weighted = told("--set", "applications.camera.arrivals.rate_hz=60")
        self.assertGreater(weighted["apps"]["camera"]["jobs"], 1.5 * plain["apps"]["camera"]["jobs"])
        several = told("--replications", "3")
        self.assertEqual(several["replications"], 3)
        self.assertGreater(several["apps"]["camera"]["jobs"], 2 * plain["apps"]["camera"]["jobs"])

    # ------------------------------------------------------------------------------------------------- what run prints

    def test_json(self):
        path = self.scenario(LIVELY)
        out = self.good("run", path, "--json")
        self.assertTrue(out.startswith("{\n") and out.endswith("}\n"))
        told = json.loads(out)
        for key in ("scenario", "engine", "seed", "duration_s", "apps", "platform", "provenance", "warnings"):
            self.assertIn(key, told)
        self.assertEqual((told["scenario"], told["engine"], told["seed"], told["duration_s"]), ("lively", "native", 1, 4))
        self.assertEqual(list(told["apps"]), list(LIVELY["applications"]))
        for app in told["apps"].values():
            for key in ("jobs", "completed", "dropped", "missed", "miss_rate", "latency_ms", "accuracy", "energy_mj_per_job",
                        "subnet_switches", "subnet_share"):
                self.assertIn(key, app)
            self.assertEqual(list(app["latency_ms"]), ["mean", "p50", "p90", "p99", "max"])
            values = app["latency_ms"]
            self.assertTrue(0 < values["p50"] <= values["p90"] <= values["p99"] <= values["max"])
            self.assertTrue(70 <= app["accuracy"]["mean"] <= 80)
            self.assertAlmostEqual(sum(app["subnet_share"].values()), 1)
            self.assertTrue(set(app["subnet_share"]) <= {"L1", "L2", "L3"})
        platform = told["platform"]
        for key in ("energy_j", "mean_power_w", "units", "peak_temperature_c", "dvfs_transitions"):
            self.assertIn(key, platform)
        self.assertEqual(list(platform["units"]), ["cpu", "gpu"])
        for unit in platform["units"].values():
            for key in ("utilisation", "energy_j", "mean_mhz"):
                self.assertIn(key, unit)
            self.assertTrue(0 < unit["utilisation"] < 1)
        self.assertAlmostEqual(platform["mean_power_w"] * told["duration_s"], platform["energy_j"])
        self.assertEqual(list(told["provenance"]), ["measured", "digitised", "derived"])
        self.assertAlmostEqual(sum(told["provenance"].values()), 1)
        self.assertIsInstance(told["warnings"], list)
        self.assertEqual(self.good("run", path, "--quiet"), "")
        self.assertIn("camera", self.good("run", path))

    def test_metrics_are_in_the_json(self):
        told = json.loads(self.good("run", self.scenario(LIVELY), "--json"))
        metrics = json.loads(self.good("list", "metrics", "--json"))
        self.assertGreater(len(metrics), 20)
        self.assertEqual({metric["better"] for metric in metrics}, {"lower", "higher", "neither"})
        for metric in metrics:
            if not metric["in_run"]:
                continue
            at = [told]
            for key in metric["name"].split("."):
                at = [inner for value in at for inner in (value.values() if key.isupper() else [value[key]])]
            self.assertTrue(at, metric)
            self.assertTrue(all(value is None or isinstance(value, (int, float)) for value in at), metric)

    def test_lists(self):
        for kind, some in (("policies", {"none", "static", "dynamic-ofa", "dynamic-ofa-demo"}),
                           ("governors", {"performance", "powersave", "userspace"}),
                           ("networks", {"example", "dynamic-ofa-gpu"}), ("platforms", {"minimal", "jetson-xavier-nx"}),
                           ("scenarios", {"minimal", "claims/gpu-sharing"}), ("traces", {"dynamic-ofa-demo-80"})):
            names = {entry["name"] for entry in json.loads(self.good("list", kind, "--json"))}
            self.assertTrue(some <= names, (kind, names))
            text = self.good("list", kind).splitlines()
            self.assertEqual(names, {line.split(":")[0] for line in text if not line.startswith(" ")})
            # From anywhere, and what is listed can be named.
            self.assertEqual(text, self.good("list", kind, cwd="/").splitlines())
        for name in json.loads(self.good("list", "scenarios", "--json")):
            self.good("lint", ROOT / "scenarios" / (name["name"] + ".json"))

    def test_what_comes_along_is_good(self):
        files = [path for pattern in ("scenarios/**/*.json", "platforms/*.json", "models/*/network.json", "traces/*.csv")
                 for path in sorted(ROOT.glob(pattern))]
        tables = {network.parent / table["file"] for network in ROOT.glob("models/*/network.json")
                  for table in json.loads(network.read_text())["tables"].values()}
        self.assertGreater(len(files), 30)
        out = self.good("lint", *files, *sorted(tables)).splitlines()
        self.assertEqual(len(out), len(files) + len(tables))
        for line in out:
            kind = line.rsplit(" ", 1)[1]
            name = line.split(": ")[0]
            expected = ("trace" if "/traces/" in name else "table" if name.endswith(".csv") else
                        name.split(".")[-2] if name.endswith((".claim.json", ".suite.json", ".baseline.json")) else
                        "search" if "/scenarios/search/" in name else
                        "sweep" if "/scenarios/sweeps/" in name else "exploration" if name.endswith(".explore.json") else
                        "ranking" if name.endswith(".rank.json") else
                        {"scenarios": "scenario", "platforms": "platform", "models": "network"}[
                            str(pathlib.Path(name).relative_to(ROOT)).split("/", 1)[0]])
            self.assertEqual(kind, expected, line)
        answers = json.loads(self.good("lint", "--json", files[0]))
        self.assertEqual(answers, [{"file": str(files[0]), "kind": "scenario", "ok": True}])
        mixed = run("lint", "--json", files[0], self.folder / "absent.json")
        self.assertEqual((mixed.returncode, mixed.stderr), (2, ""))
        self.assertEqual([answer["ok"] for answer in json.loads(mixed.stdout)], [True, False])

    # ------------------------------------------------------------------------------------------------- what run writes

    def test_compare(self):
        lively = self.scenario(LIVELY)
        text = self.good("compare", lively, "--policies", "none,dynamic-ofa,oracle", "--replications", "3")
        for expected in ("mean ± 95 %", "against none", "better by run.cost?", "regret to oracle (cost a frame)", "hypervolume"):
            self.assertIn(expected, text)
        for metric, told in (("apps.camera.latency_ms.p99", True), ("apps.APP.latency_ms.p99", True), ("run.cost", False)):
            text = self.good("compare", lively, "--policies", "none,dynamic-ofa", "--replications", "2", "--metrics", metric)
            self.assertEqual("percentiles of camera: as few as " in text, told, text)
        out = self.folder / "compared"
        result = json.loads(self.good("compare", lively, "--policies", "none,dynamic-ofa", "--baseline", "dynamic-ofa",
                                      "--replications", "3", "--out", out, "--json"))
        self.assertEqual(result["baseline"], "dynamic-ofa")
        self.assertEqual(set(result["policies"]), {"none", "dynamic-ofa"})
        delta = result["policies"]["none"]["platform.energy_j"]["delta_vs_baseline"]
        self.assertLessEqual(delta["ci95"][0], delta["mean"])
        self.assertEqual({path.name for path in out.iterdir()}, {"comparison.json", "values.csv"})
        with open(out / "values.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["metric"] == "run.cost"]
        self.assertEqual(len(rows), 6)
        for words, message in ((("--policies", "none,dynamic-off"), 'did you mean "dynamic-ofa"'),
                               (("--policies", "none,pid", "--baseline", "pd"), 'did you mean "pid"'),
                               (("--policies", "none", "--metrics", "run.csot"), 'did you mean "run.cost"'),
                               ((), "--policies is missing")):
            refused = run("compare", lively, *words)
            self.assertEqual((refused.returncode, refused.stdout), (2, ""), refused.stderr)
            self.assertIn(message, refused.stderr)
            self.assertEqual(refused.stderr.count("\n"), 1)

    def test_why(self):
        lively = self.scenario(LIVELY)
        text = self.good("run", lively, "--why=1")
        self.assertIn("dynamic-ofa on ", text)
        self.assertRegex(text, r"… and \d+ more decisions: --why \d+")
        refused = run("run", lively, "--why", "--json")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("decisions.csv", refused.stderr)

    def test_output_directory(self):
        out = self.folder / "deep" / "out"
        self.good("run", self.scenario(LIVELY), "--out", out, "--quiet", "--replications", "2")
        self.assertEqual({path.name for path in out.iterdir()}, FILES)
        with open(out / "jobs.csv", newline="") as file:
            self.assertEqual(file.readline().rstrip("\n"), JOBS)
            file.seek(0)
            jobs = list(csv.DictReader(file))
        summary = json.loads((out / "summary.json").read_text())
        self.assertEqual(summary, json.loads(self.good("run", self.folder / "lively.json", "--json", "--replications", "2")))
        for name, app in summary["apps"].items():
            own = [job for job in jobs if job["app"] == name]
            self.assertEqual(len(own), app["jobs"])
            for count, outcomes in (("completed", ("met", "missed")), ("missed", ("missed",)), ("dropped", ("dropped",)),
                                    ("rejected", ("rejected",))):
                self.assertEqual(sum(job["outcome"] in outcomes for job in own), app[count], (name, count))
        for job in jobs:
            self.assertIn(job["outcome"], OUTCOMES)
            self.assertIn(job["unit"], ("cpu", "gpu"))
            self.assertRegex(job["subnet"], r"^L[1-3]$")
            self.assertIn(job["replication"], ("0", "1"))
            if job["outcome"] in ("met", "missed"):
                arrival, start, end = (float(job[key]) for key in ("arrival_s", "start_s", "end_s"))
                self.assertTrue(0 <= arrival <= start < end <= 4)
                self.assertAlmostEqual(float(job["latency_ms"]), 1e3 * (end - arrival), places=5)
                self.assertEqual(job["outcome"] == "missed", end > float(job["deadline_s"]))
                self.assertGreater(float(job["energy_mj"]), 0)
                self.assertEqual(job["accuracy"], {"L1": "70", "L2": "75", "L3": "80"}[job["subnet"]])
            else:
                self.assertEqual((job["end_s"], job["accuracy"], job["latency_ms"], job["energy_mj"]), ("", "", "", ""))
        with open(out / "decisions.csv", newline="") as file:
            self.assertEqual(file.readline().rstrip("\n"), DECISIONS)
            file.seek(0)
            decisions = list(csv.DictReader(file))
        self.assertEqual(len(decisions), 2 * summary["platform"]["decisions"])
        self.assertTrue({"subnet", "frequency"} <= {decision["knob"] for decision in decisions})
        for decision in decisions:
            self.assertEqual(decision["policy"], "dynamic-ofa")
            self.assertTrue(decision["reason"] and 0 <= float(decision["time_s"]) <= 4)
            float(decision["margin"])
        with open(out / "timeline.csv", newline="") as file:
            timeline = list(csv.DictReader(file))
        self.assertEqual(len(timeline), 2 * (4000 // 50 - 1))
        self.assertTrue({"replication", "time_s", "power_w", "gpu_mhz", "board_temperature_c"} <= set(timeline[0]))
        self.assertIn("traceEvents", json.loads((out / "trace.json").read_text()))
        manifest = json.loads((out / "manifest.json").read_text())
        self.assertEqual(manifest["command_line"][-3:], ["--quiet", "--replications", "2"])
        self.assertEqual((manifest["seed"], manifest["replications"], manifest["engine"]), (1, 2, "native"))
        inputs = [entry["file"] for entry in manifest["inputs"]]
        for ending in ("lively.json", "platforms/minimal.json", "models/example/network.json", "models/example/minimal.csv"):
            self.assertEqual(sum(name.endswith(ending) for name in inputs), 1, inputs)

    def test_shipped_tables_have_no_finding_that_was_not_looked_at(self):
        accepted = run("table", "lint", "models", "--accept", "models/lint-accepted.json", "--fail-on", "warning")
        self.assertEqual(accepted.returncode, 0, accepted.stdout)
        self.assertEqual(run("table", "lint", "models").returncode, 1)  # published tables hold another device's rows

    def test_results_are_not_overwritten(self):
        path, out = self.scenario(LIVELY), self.folder / "out"
        self.good("run", path, "--out", out, "--quiet")
        before = contents(out)
        self.refused("run", path, "--out", out, "--seed", "2", says=(str(out), "already holds files", "--force"))
        self.assertEqual(contents(out), before)
        self.good("run", path, "--out", out, "--quiet", "--seed", "2", "--force")
        self.assertEqual(set(contents(out)), FILES)
        self.assertNotEqual(contents(out)["jobs.csv"], before["jobs.csv"])
        (out / "thesis.tex").write_text("years of work")
        changed = contents(out)
        self.refused("run", path, "--out", out, "--force", says='holds "thesis.tex", which is not a result of a run')
        self.assertEqual(contents(out), changed)
        # An empty directory is as good as none.
        (self.folder / "empty").mkdir()
        self.good("run", path, "--out", self.folder / "empty", "--quiet")

    def test_text_that_a_terminal_would_obey(self):
        short = {**ENDLESS, "duration_s": 1}
        path = self.scenario({**short, "title": "a\u001b[31mred\u0007\nnext"}, "title.json")
        for command in (("run", path), ("compare", path, "--policies", "none", "--replications", "2")):
            first = run(*command).stdout.splitlines()[0]
            self.assertIn("[31mred", first)
            self.assertIn("next", first)
            self.assertNotRegex(first, r"[\x00-\x1f]")
        path = self.scenario({**short, "applications": {"a\u001bb": ENDLESS["applications"]["camera"]}}, "name.json")
        self.refused("run", path, says=("/applications/", "a name holds a control character"))

    def test_directories_that_cannot_be(self):
        # Would simulate for hours if it did not look first.
        path = self.scenario({**ENDLESS, "timeline_ms": 1e6}, "endless.json")
        file = self.folder / "file"
        file.write_text("")
        for out, says in ((file, "is a file, not a directory"), (file / "below", "cannot be created"), ("/proc/dynasoc", "cannot be created"),
                          (self.folder / ("x" * 300), "cannot be created")):
            self.refused("run", path, "--out", out, says=(str(out), says), timeout=20)
        self.assertEqual(file.read_text(), "")
        # A system that refuses is no mistake of the command line.
        for words in (("run", path), ("compare", path, "--policies", "none")):
            done = run(*words, "--out", "/sys/dynasoc", timeout=20)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("/sys/dynasoc: cannot be created: ", done.stderr)
        # And a timeline that would not fit into memory is told before, too.
        self.refused("run", path, "--out", self.folder / "new", "--set", "timeline_ms=1", says=("/timeline_ms", "sample every"),
                     timeout=20)
        self.assertFalse((self.folder / "new").exists())

    def test_bad_input_leaves_nothing(self):
        for words in (("--set", "duration_s=0"), ("--engine", "none"), ("--seed", "x")):
            self.refused("run", "minimal", "--out", self.folder / "out", *words)
            self.assertFalse((self.folder / "out").exists(), words)
        broken = self.scenario({**LIVELY, "polcy": "none"}, "broken.json")
        self.refused("run", broken, "--out", self.folder / "out", says='unknown key "polcy" (did you mean "policy"?)')
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"broken.json"})

    def test_includes_and_the_file_at_fault(self):
        self.scenario({key: value for key, value in LIVELY.items() if key != "duration_s"}, "base.json")
        top = self.folder / "top.json"
        top.write_text('{"include": "base.json", "duration_s": 2, "applications": {"camera": {"weight": 3}}}')
        self.assertEqual(json.loads(self.good("run", top, "--json"))["duration_s"], 2)
        self.scenario({**LIVELY, "ambient_c": "hot"}, "base.json")
        self.refused("run", top, says=(f"{self.folder}/base.json:", '/ambient_c: must be a number, not the string "hot"'))
        self.refused("run", top, "--set", "ambient_c=1e3", says="--set ambient_c=1e3: /ambient_c: must be from -50 to 100")
        learnt = self.scenario({**LIVELY, "policy": {"name": "prime-q", "table": {"camera": [[0] * 9] * 10}}}, "learnt.json")
        self.refused("run", learnt, says=(f"{learnt}:", "/policy/table/camera/0: has 9 numbers, but its unit has"))

    # --------------------------------------------------------------------------------------------------- again, the same

    def test_same_every_time(self):
        path = self.scenario(LIVELY)
        outs = []
        for jobs in ("1", "2"):
            for attempt in ("a", "b"):
                out = self.folder / f"out-{jobs}-{attempt}"
                self.good("run", path, "--out", out, "--quiet", "--replications", "5", "--seed", "7", "--jobs", jobs)
                outs.append(out)
        for out in outs[1:]:
            self.assertEqual(contents(out, {"manifest.json"}), contents(outs[0], {"manifest.json"}), out)
            self.assertEqual(manifest_of(out), manifest_of(outs[0]))
        self.assertGreater(len(contents(outs[0])["jobs.csv"]), 10_000)

    def test_manifest_runs_again(self):
        path, out = self.scenario(LIVELY), self.folder / "out"
        self.good("run", path, "--out", out, "--quiet", "--replications", "2", "--seed", "5", "--set", "duration_s=3")
        first = contents(out, {"manifest.json"})
        again = self.folder / "again"
        self.good("run", out / "manifest.json", "--out", again, "--quiet")
        self.assertEqual(contents(again, {"manifest.json"}), first)
        for cwd, name in ((out, "manifest.json"), ("/", out / "manifest.json")):
            shutil.rmtree(again)
            self.good("run", name, "--out", again, "--quiet", cwd=cwd)
            self.assertEqual(contents(again, {"manifest.json"}), first, cwd)
        # From a run of a manifest as well, with changes, and into the directory it came from.
        third = self.folder / "third"
        self.good("run", again / "manifest.json", "--out", third, "--quiet")
        self.assertEqual(contents(third, {"manifest.json"}), first)
        self.good("run", third / "manifest.json", "--out", third, "--quiet", "--force")
        self.assertEqual(contents(third, {"manifest.json"}), first)
        self.assertEqual(json.loads(self.good("run", third / "manifest.json", "--json", "--seed", "6"))["seed"], 6)
        self.good("lint", third / "manifest.json")
        # The scenario's file has changed since: the manifest keeps the old one, and says so.
        self.scenario({**LIVELY, "duration_s": 1})
        told = json.loads(self.good("run", out / "manifest.json", "--json"))
        self.assertEqual(told["duration_s"], 3)
        self.assertTrue(any("lively.json has changed" in warning for warning in told["warnings"]), told["warnings"])
        path.unlink()
        told = json.loads(self.good("run", out / "manifest.json", "--json"))
        self.assertTrue(any("lively.json of the original run is no longer there" in warning for warning in told["warnings"]))
        self.refused("run", out, says=f'is a directory, not a file (did you mean "{out}/manifest.json"?)')

    @unittest.skipUnless(SIMGRID, "built without SimGrid")
    def test_simgrid(self):
        path = self.scenario({**LIVELY, "duration_s": 2})
        native = json.loads(self.good("run", path, "--json", "--replications", "2"))
        simgrid = json.loads(self.good("run", path, "--json", "--replications", "2", "--engine", "simgrid"))
        self.assertEqual((native.pop("engine"), simgrid.pop("engine")), ("native", "simgrid"))
        self.agree(native, simgrid, "")
        # A manifest remembers the engine, and finds it.
        out = self.folder / "out"
        self.good("run", path, "--out", out, "--engine=simgrid", "--quiet")
        self.assertEqual(json.loads((out / "manifest.json").read_text())["engine"], "simgrid")
        again = self.folder / "again"
        self.good("run", out / "manifest.json", "--out", again, "--quiet")
        self.assertEqual(contents(again, {"manifest.json"}), contents(out, {"manifest.json"}))

    def test_sampled_power(self):
        words = ("scenarios/sensors.json", "--set", "duration_s=1", "--replications", "4")
        plain = json.loads(self.good("run", *words, "--json"))
        sampled = json.loads(self.good("run", *words, "--json", "--sample-power"))
        self.assertNotIn("interval", plain["platform"])
        interval = sampled["platform"]["interval"]["energy_j"]
        self.assertLess(interval["low"], interval["mean"])
        self.assertLess(interval["mean"], interval["high"])
        self.assertEqual(interval["n"], 4)
        job = sampled["apps"]["camera"]["interval"]["energy_mj_per_job"]
        self.assertLess(job["low"], plain["apps"]["camera"]["energy_mj_per_job"])
        self.assertGreater(job["high"], plain["apps"]["camera"]["energy_mj_per_job"])
        self.assertEqual(sampled["apps"]["camera"]["latency_ms"], plain["apps"]["camera"]["latency_ms"])
        if SIMGRID:
            other = json.loads(self.good("run", *words, "--json", "--sample-power", "--engine", "simgrid"))
            self.agree(sampled["platform"]["interval"], other["platform"]["interval"], "")
        self.assertIn("95 %", self.good("run", *words, "--sample-power"))
        self.assertIn("needs replications", self.good("run", "scenarios/sensors.json", "--sample-power"))
        # A manifest remembers it.
        out, again = self.folder / "out", self.folder / "again"
        self.good("run", *words, "--sample-power", "--out", out, "--quiet")
        self.good("run", out / "manifest.json", "--out", again, "--quiet")
        self.assertEqual(contents(again, {"manifest.json"}), contents(out, {"manifest.json"}))

    def test_power_fits_state_their_errors(self):
        told = json.loads(self.good("table", "power", "platforms/raw/jetson-agx-xavier.power.json", "--json"))
        self.assertTrue(told["up_to_date"])
        modes = told["units"]["cpu"]["leave_one_out"]["modes"]
        self.assertEqual([mode["mode"] for mode in modes if not mode["in_range"]], ["MAXN"])
        for mode in modes:
            self.assertAlmostEqual(mode["error"], mode["predicted_w"] / mode["measured_w"] - 1)
            self.assertLess(abs(mode["error"]), 0.15, mode["mode"])
            self.assertEqual({one["workload"] for one in mode["workloads"]}, {"armnn", "tflite"})
        self.assertEqual(len(told["units"]["gpu"]["leave_one_out"]["workloads"]), 6)

    def agree(self, a, b, at):
        self.assertEqual(type(a), type(b), at)
        if isinstance(a, dict):
            self.assertEqual(list(a), list(b), at)
            for key in a:
                self.agree(a[key], b[key], f"{at}/{key}")
        elif isinstance(a, float) and not at.endswith("/energy_conservation_error"):
            self.assertLessEqual(abs(a - b), 1e-6 * max(abs(a), abs(b)), at)
        elif not isinstance(a, float):
            self.assertEqual(a, b, at)

    # --------------------------------------------------------------------------------------------- when something fails

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            for words in (("run", "minimal"), ("run", "minimal", "--json"), ("list", "networks"), ("schema", "scenario"),
                          ("lint", "scenarios/minimal.json"), ("--help",), ("run", "--help")):
                done = run(*words, stdout=full)
                self.assertEqual(done.returncode, 3, words)
                self.assertEqual(done.stderr, "dynasoc: standard output cannot be written\n")

    def wait_until_it_listens(self, process, number):
        """Until it catches the signal (or has ended): then it begins to simulate."""
        until = time.monotonic() + HANG_S
        while process.poll() is None and time.monotonic() < until:
            with open(f"/proc/{process.pid}/status") as status:
                caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt:"))
            if caught >> (number - 1) & 1:
                break
            time.sleep(0.005)
        time.sleep(0.1)

    def test_interrupted(self):
        path = self.scenario({**ENDLESS, "timeline_ms": 1e6}, "endless.json")
        for number in (signal.SIGINT, signal.SIGTERM):
            for words in ((), ("--replications", "4", "--jobs", "2")) + ((("--engine", "simgrid"),) if SIMGRID else ()) + (
                    (("--engine", "simgrid", "--replications", "2"),) if SIMGRID else ()):
                with subprocess.Popen([DYNASOC, "run", path, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True) as process:
                    self.wait_until_it_listens(process, number)
                    process.send_signal(number)
                    out, err = process.communicate(timeout=60)
                self.assertEqual((process.returncode, out, err), (130, "", "dynasoc: interrupted; nothing was written\n"), words)

    def test_interrupted_with_results(self):
        # A run that is stopped leaves the results of an earlier one as they were.
        out = self.folder / "out"
        self.good("run", self.scenario(LIVELY), "--out", out, "--quiet")
        before = contents(out)
        path = self.scenario({**ENDLESS, "timeline_ms": 1e6}, "endless.json")
        with subprocess.Popen([DYNASOC, "run", path, "--out", out, "--force"], stderr=subprocess.PIPE) as process:
            self.wait_until_it_listens(process, signal.SIGINT)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(contents(out), before)

    def test_killed_while_writing(self):
        # Whatever has its final name is whole, and the same command then succeeds; kill_test.py does it to every command.
        path = self.scenario({**ENDLESS, "duration_s": 3000, "timeline_ms": 100}, "long.json")
        whole = self.folder / "whole"
        self.good("run", path, "--out", whole, "--quiet")
        expected = contents(whole, {"manifest.json"})
        unfinished = 0
        for attempt in range(6):
            out = self.folder / f"out{attempt}"
            with subprocess.Popen([DYNASOC, "run", path, "--out", out, "--quiet"]) as process:
                deadline = time.monotonic() + 60
                # Later and later: after so many files have appeared, complete or not.
                while process.poll() is None and time.monotonic() < deadline:
                    if out.exists() and len(os.listdir(out)) > attempt:
                        break
                process.kill()
            left = contents(out) if out.exists() else {}
            for name, content in left.items():
                if name not in ("manifest.json", "lock") and not name.endswith(".partial"):
                    self.assertEqual(content, expected[name], (attempt, name))
            if "manifest.json" in left:
                self.assertEqual(set(left) - {"lock"}, FILES)
                continue
            unfinished += 1
            self.good("run", path, "--out", out, "--quiet")
            self.assertEqual(contents(out, {"manifest.json"}), expected)
            self.assertEqual(manifest_of(out), manifest_of(whole))
        self.assertGreater(unfinished, 0)


if __name__ == "__main__":
    unittest.main()
