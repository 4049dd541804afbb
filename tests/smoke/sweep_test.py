"""Sweeps as a user meets them: axes, killed and resumed, in shards, changed, damaged, foreign. Standard library only."""
import csv
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(os.environ.get("DYNASOC_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent)).resolve()
DYNASOC = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()
HANG_S = float(os.environ.get("DYNASOC_TEST_HANG_S", "120"))  # only a command that hangs meets it

# Random arrivals and execution times; a policy with and without parameters; fields that change together.
SWEEP = {
    "platform": "minimal",
    "duration_s": 5,
    "seed": {"from": 1, "to": 10},
    "axes": {"load": [
        {"label": "light", "set": {"applications.camera.arrivals.rate_hz": 10}},
        {"label": "heavy, late", "set": {"applications.camera.arrivals.rate_hz": 60}},
    ]},
    "applications": {"camera": {"network": "example", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 1},
                                "targets": [{"latency_ms": [7, 30]}], "late": "drop-hopeless"}},
    "policy": ["none", {"name": "dynamic-ofa", "period_ms": 20}],
    "metrics": ["run.miss_rate", "run.accuracy", "apps.camera.latency_ms.p99"],
}
POINTS = 2 * 10 * 2 * 2


def run(*words, timeout=HANG_S, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.run([str(DYNASOC), *map(str, words)], cwd=ROOT, timeout=timeout, check=False, **options)


class SweepTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dynasoc-sweep-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = self.write(SWEEP)

    def write(self, sweep, name="sweep.json"):
        path = self.folder / name
        path.write_text(json.dumps(sweep, indent=1), encoding="utf-8")
        return path

    def sweep(self, out, *options, file=None, status=0):
        done = run("sweep", file or self.file, "--out", self.folder / out, *options)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def table(self, out):
        return (self.folder / out / "results.csv").read_bytes()


class Tables(SweepTest):
    def test_every_combination_is_a_row_and_equals_the_run_it_stands_for(self):
        self.sweep("out")
        rows = list(csv.DictReader(self.table("out").decode().splitlines()))
        self.assertEqual(len(rows), POINTS)
        self.assertEqual([int(row["point"]) for row in rows], list(range(POINTS)))
        self.assertEqual(len({(r["load"], r["seed"], r["applications.camera.targets.0.latency_ms"], r["policy"])
                              for r in rows}), POINTS)
        row = rows[57]
        single = dict(SWEEP, seed=int(row["seed"]))
        del single["axes"], single["metrics"]
        policy = row["policy"]
        single["policy"] = json.loads(policy) if policy.startswith("{") else policy
        single["applications"] = json.loads(json.dumps(SWEEP["applications"]))
        camera = single["applications"]["camera"]
        camera["arrivals"]["rate_hz"] = 60 if row["load"] == "heavy, late" else 10
        camera["targets"][0]["latency_ms"] = float(row["applications.camera.targets.0.latency_ms"])
        summary = json.loads(run("run", self.write(single, "single.json"), "--json").stdout)
        app = summary["apps"]["camera"]
        self.assertAlmostEqual(app["accuracy"]["mean"], float(row["run.accuracy"]), places=9)
        self.assertAlmostEqual(app["miss_rate"], float(row["run.miss_rate"]), places=12)

    def test_replications_are_rows_and_jobs_do_not_matter(self):
        replicated = self.write(dict(SWEEP, replications=3, seed=1), "replicated.json")
        self.sweep("one", "--jobs", 1, file=replicated)
        self.sweep("four", "--jobs", 4, file=replicated)
        self.assertEqual(self.table("one"), self.table("four"))
        rows = list(csv.DictReader(self.table("one").decode().splitlines()))
        self.assertEqual([row["replication"] for row in rows[:4]], ["0", "1", "2", "0"])

    def test_without_a_directory_the_table_is_printed(self):
        self.sweep("out")
        self.assertEqual(run("sweep", self.file).stdout.encode(), self.table("out"))
        printed = json.loads(run("sweep", self.file, "--json").stdout)
        self.assertEqual(len(printed["table"]["rows"]), POINTS)
        self.assertEqual(printed["axes"]["policy"], 2)

    def test_ranges_and_lists_of_lists(self):
        sweep = dict(SWEEP, seed=1, duration_s={"from": 1, "to": 100, "count": 3, "scale": "log"})
        sweep["applications"] = json.loads(json.dumps(SWEEP["applications"]))
        sweep["applications"]["camera"]["subnets"] = [["L1"], ["L1", "L2"]]
        sweep["applications"]["camera"]["targets"] = {"each": [[{"latency_ms": 5}], []]}
        dry = json.loads(run("sweep", self.write(sweep), "--dry-run", "--json").stdout)
        self.assertEqual(dry["axes"], {"load": 2, "duration_s": 3, "applications.camera.subnets": 2,
                                       "applications.camera.targets": 2, "policy": 2})
        self.assertIn("duration_s: 3 values: 1, 10, 100", run("sweep", self.file, "--dry-run").stdout)


class Killed(SweepTest):
    def test_killed_ten_times_the_table_is_that_of_an_undisturbed_run(self):
        slow = dict(SWEEP, duration_s=60, seed={"from": 1, "to": 150})
        file = self.write(slow)
        self.sweep("calm", file=file)

        def took_s():
            began = time.perf_counter()
            self.sweep("timed", file=file)
            return time.perf_counter() - began
        whole_s, start_s = took_s(), took_s()  # the second time all is there
        dice, killed = random.Random(20261124), 0
        for _ in range(60):
            if killed == 10:
                break
            with subprocess.Popen([str(DYNASOC), "sweep", str(file), "--out", str(self.folder / "killed"), "--quiet"],
                                  cwd=ROOT) as process:
                time.sleep(dice.uniform(0, start_s + whole_s / 16))  # so that ten leave enough to do
                process.send_signal(signal.SIGKILL)
                killed += process.wait() == -signal.SIGKILL
        self.assertEqual(killed, 10)
        # Nothing that was finished is run again: its records are there before and after, once each.
        before = records_in(self.folder / "killed")
        self.assertGreater(len(before), 0)
        done = json.loads(self.sweep("killed", "--json", file=file).stdout)
        self.assertEqual(done["found"], len(before))
        self.assertEqual(done["simulated"], done["points"] - len(before))
        self.assertEqual(self.table("killed"), self.table("calm"))

    def test_interrupted_it_says_so_and_goes_on(self):
        file = self.write(dict(SWEEP, duration_s=60, seed={"from": 1, "to": 400}))
        with subprocess.Popen([str(DYNASOC), "sweep", str(file), "--out", str(self.folder / "out")], cwd=ROOT,
                              stderr=subprocess.PIPE, text=True) as process:
            until = time.monotonic() + HANG_S
            while not records_in(self.folder / "out") and process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(20), 130)
            self.assertRegex(process.stderr.read(), r"interrupted; [\d,]+ of 3,200 points are finished and kept")
        self.assertFalse((self.folder / "out" / "results.csv").exists())
        self.assertGreater(json.loads(self.sweep("out", "--json", file=file).stdout)["found"], 0)

    def test_a_last_line_cut_anywhere_is_run_again(self):
        self.sweep("calm", "--jobs", 1)
        for cut in (1, 2, 17, 40, 60):
            shutil.rmtree(self.folder / "cut", ignore_errors=True)
            shutil.copytree(self.folder / "calm", self.folder / "cut")
            points = next((self.folder / "cut" / "points").iterdir())
            points.write_bytes(points.read_bytes()[:-cut])
            done = json.loads(self.sweep("cut", "--json").stdout)
            self.assertEqual((done["found"], done["simulated"]), (POINTS - 1, 1))
            self.assertEqual(self.table("cut"), self.table("calm"))


class Changed(SweepTest):
    def test_only_what_changed_is_run(self):
        self.sweep("out")
        more = dict(SWEEP, seed={"from": 1, "to": 12}, policy=["static"] + SWEEP["policy"])
        done = json.loads(self.sweep("out", "--json", file=self.write(more)).stdout)
        self.assertEqual(done["reused"], POINTS)
        self.assertEqual(done["simulated"], 2 * 12 * 2 * 3 - POINTS)
        self.sweep("fresh")
        self.assertEqual(self.table("out"), self.table("fresh"))

    def test_an_input_that_changed_is_run_again(self):
        shutil.copytree(ROOT / "models" / "example", self.folder / "models" / "example")
        self.sweep("out")
        table = self.folder / "models" / "example" / "minimal.csv"
        table.write_text(table.read_text(encoding="utf-8").replace("derived", "measured", 1), encoding="utf-8")
        self.assertEqual(json.loads(self.sweep("out", "--json").stdout)["reused"], 0)


    def test_an_input_that_only_a_combination_reads_is_noticed_too(self):
        example = json.loads((ROOT / "models" / "example" / "network.json").read_text(encoding="utf-8"))
        table = (ROOT / "models" / "example" / "minimal.csv").read_text(encoding="utf-8")
        for network in ("n1", "n2"):
            (self.folder / "models" / network).mkdir(parents=True)
            for name in ("one", "two"):
                (self.folder / "models" / network / f"{name}.csv").write_text(table, encoding="utf-8")
            tables = {name: {"file": f"{name}.csv", "platform": "minimal"} for name in ("one", "two")}
            changed = {**example, "name": network, "tables": tables, "default_table": "one"}
            (self.folder / "models" / network / "network.json").write_text(json.dumps(changed), encoding="utf-8")
        sweep = json.loads(json.dumps(SWEEP))
        sweep["seed"] = 1
        sweep["applications"]["camera"].update(network=["n1", "n2"], tables=[["one"], ["two"]])
        file = self.write(sweep)
        self.sweep("out", file=file)
        slow = self.folder / "models" / "n2" / "two.csv"
        rows = list(csv.reader(table.splitlines()))
        at = rows[0].index("latency_ms_mean")
        for row in rows[1:]:
            row[at] = str(3 * float(row[at]))
        with open(slow, "w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(rows)
        done = json.loads(self.sweep("out", "--json", file=file).stdout)
        self.assertEqual((done["found"], done["simulated"]), (0, done["points"] // 4))
        self.sweep("fresh", file=file)
        self.assertEqual(self.table("out"), self.table("fresh"))


class Parts(SweepTest):
    def test_shards_merge_into_the_same_table(self):
        self.sweep("whole")
        for i in (1, 2, 3):
            self.sweep(f"part{i}", "--shard", f"{i}/3")
        some = run("merge", self.folder / "part1", self.folder / "part3", "--out", self.folder / "joined")
        self.assertEqual(some.returncode, 1)
        self.assertIn("points are missing, the first of them 26 to 52", some.stderr)
        self.assertFalse((self.folder / "joined" / "results.csv").exists())
        # Nor does the table of a part stay where more is wanted than there is.
        shutil.copytree(self.folder / "part1", self.folder / "first")
        self.assertEqual(run("merge", self.folder / "first", self.folder / "part3", "--out", self.folder / "first").returncode, 1)
        self.assertFalse((self.folder / "first" / "results.csv").exists())
        done = run("merge", self.folder / "part2", "--out", self.folder / "joined")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.table("joined"), self.table("whole"))
        self.assertEqual(json.loads(self.sweep("joined", "--json").stdout)["simulated"], 0)  # and may be resumed

    def test_parts_merge_into_one_of_themselves(self):
        self.sweep("whole")
        self.sweep("a", "--shard", "1/2")
        self.sweep("b", "--shard", "2/2")
        done = run("merge", self.folder / "a", self.folder / "b", "--out", self.folder / "a")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.table("a"), self.table("whole"))

    def test_parts_of_different_sweeps_do_not_merge(self):
        self.sweep("a", "--shard", "1/2")
        self.sweep("b", "--shard", "2/2", "--set", "duration_s=6")
        done = run("merge", self.folder / "a", self.folder / "b", "--out", self.folder / "c")
        self.assertEqual(done.returncode, 2)
        self.assertIn("is of another sweep", done.stderr)
        self.assertFalse((self.folder / "c").exists())


class Refused(SweepTest):
    def refused(self, expected, *words, status=2):
        done = run("sweep", *words)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(expected, done.stderr)

    def test_files(self):
        def bad(expected, **changes):
            self.refused(expected, self.write({**SWEEP, **changes}, "bad.json"), "--out", self.folder / "never")
            self.assertFalse((self.folder / "never").exists())
        bad("/policy: is empty: an axis needs a value", policy=[])
        bad('unknown policy "dynamic-of" (did you mean "dynamic-ofa"?) (where load = light', policy=["none", "dynamic-of"])
        bad('unknown metric "run.mis_rate" (did you mean "run.miss_rate"?)', metrics=["run.mis_rate"])
        bad("/metrics: is empty", metrics=[])
        bad('/seed/to: must not be below "from", 5', seed={"from": 5, "to": 1})
        bad("/seed/count: a range has a step or a count, not both", seed={"from": 1, "to": 5, "step": 1, "count": 2})
        bad('a logarithmic range needs a "count"', duration_s={"from": 1, "to": 5, "scale": "log"})
        bad('unknown value "lgo"', duration_s={"from": 1, "to": 5, "count": 3, "scale": "lgo"})
        bad('as does the axis "load"', axes={"load": [{"set": {"seed": 3}}, {"set": {"seed": 4}}]})
        bad("/axes/load: is empty", axes={"load": []})
        bad('is not set by the first value of this axis', axes={"load": [{"set": {"duration_s": 3}}, {"set": {"warmup_s": 4}}]})
        bad('/polcy: unknown key "polcy" (did you mean "policy"?)', axes={"load": [{"set": {"polcy": "none"}}]})
        bad("combinations of values cannot be numbered", seed={"from": 0, "to": 9e15}, duration_s={"from": 1, "to": 1e6})

    def test_directories(self):
        self.sweep("out")
        foreign = self.folder / "foreign"
        foreign.mkdir()
        (foreign / "thesis.txt").write_text("my only copy", encoding="utf-8")
        self.refused('holds "thesis.txt", which is not a sweep\'s', self.file, "--out", foreign, "--force")
        self.assertTrue((foreign / "thesis.txt").exists())
        self.refused("is a file, not a directory", self.file, "--out", self.file)
        points = next((self.folder / "out" / "points").iterdir())
        lines = points.read_bytes().splitlines(keepends=True)
        points.write_bytes(b"".join([lines[0], lines[1].replace(b"0", b"1"), *lines[2:]]))
        self.refused(":2: is not a record of a finished point", self.file, "--out", self.folder / "out")
        (self.folder / "out" / "sweep.json").write_text("{}", encoding="utf-8")
        self.refused("is not the description of a sweep", self.file, "--out", self.folder / "out")
        (self.folder / "out" / "sweep.json").unlink()
        self.refused("has points but no sweep.json", self.file, "--out", self.folder / "out")
        self.sweep("out", "--force")

    def test_two_at_once(self):
        file = self.write(dict(SWEEP, duration_s=60, seed={"from": 1, "to": 400}))
        with subprocess.Popen([str(DYNASOC), "sweep", str(file), "--out", str(self.folder / "out"), "--quiet"],
                              cwd=ROOT) as process:
            while not (self.folder / "out" / "points").exists():
                time.sleep(0.01)
            self.refused("another process is working on it", file, "--out", self.folder / "out")
            process.kill()

    def test_options(self):
        for words, expected in [(["--shard", "0/3"], "parts count from 1 to n"), (["--shard", "4/3"], "parts count"),
                                (["--shard", "x"], "must be two whole numbers"), (["--points", "70:90"], "points 0 to 79"),
                                (["--points", "0:1", "--json"], "has no use for"), (["--pending"], "needs --out"),
                                (["--expect", "0"], "differ from where the sweep was begun"),
                                (["--metrics", "run.cost,,"], "an entry is empty"), (["--jobs", "0"], "from 1 to 1024")]:
            with self.subTest(words):
                self.refused(expected, self.file, *words)


def records_in(directory):
    found = {}
    for path in (directory / "points").glob("*.points"):
        for line in path.read_bytes().split(b"\n"):
            if line.count(b"\t") == 3:
                found[int(line.split(b"\t")[0])] = line
    return found


if __name__ == "__main__":
    unittest.main(verbosity=2)
