"""`dynasoc explore` as a command: statuses, what it prints and writes, and that it goes on after being stopped in any way.
Standard library only."""
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
EXPLORATIONS = sorted((ROOT / "scenarios" / "explore").glob("*.explore.json"))

SMALL = {
    "title": "Small",
    "scenario": "minimal",
    "set": {"duration_s": 2, "applications.camera.arrivals": {"kind": "poisson", "rate_hz": 20}},
    "variables": {
        "policy": {"kind": "choice", "path": "policy", "values": ["none", {"name": "dynamic-ofa", "dvfs": True}]},
        "target_ms": {"kind": "real", "path": "applications.camera.targets.0.latency_ms", "low": 5, "high": 50, "scale": "log"},
    },
    "objectives": [{"metric": "platform.energy_j", "resolution": 0.05}, {"metric": "run.accuracy", "resolution": 0.2}],
    "metrics": ["run.miss_rate"],
    "algorithm": {"kind": "sobol", "population": 10, "generations": 3},
    "replications": 12,
    "sensitivity": {"samples": 8, "replications": 2},
}
ANSWER = ("front.csv", "all.csv", "front.json")


def run(*words, **options):
    return subprocess.run([str(DYNASOC), *map(str, words)], cwd=ROOT, timeout=HANG_S, capture_output=True, text=True, check=False,
                          **options)


class Explore(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dynasoc-explore-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "small.explore.json"
        self.write(SMALL)

    def write(self, content):
        self.file.write_text(json.dumps(content, indent=1))

    def good(self, *words, status=0):
        done = run(*words)
        self.assertEqual((done.returncode, done.stderr), (status, ""), words)
        return done.stdout

    def refused(self, *words, says):
        done = run(*words)
        self.assertEqual((done.returncode, done.stdout), (2, ""), (words, done.stderr))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)

    def answer(self, folder):
        return [(self.folder / folder / name).read_bytes() for name in ANSWER]

    def test_the_answer_is_the_same_however_it_is_come_by(self):
        out = self.good("explore", self.file, "--out", self.folder / "a")
        for word in ("front", "knee", "hypervolume", "what mattered", "policy", "target_ms"):
            self.assertIn(word, out)
        self.assertEqual({path.name for path in (self.folder / "a").iterdir()}, {"explore.json", "evaluations.tsv", *ANSWER})
        printed = json.loads(self.good("explore", self.file, "--out", self.folder / "b", "--json", "--jobs", 1))
        self.assertEqual(self.answer("a"), self.answer("b"))
        stored = json.loads((self.folder / "b" / "front.json").read_text())
        self.assertEqual({**printed, "simulated_now": 0, "seconds": 0}, {**stored, "simulated_now": 0, "seconds": 0})
        self.assertGreater(printed["simulated_now"], 0)
        again = json.loads(self.good("explore", self.file, "--out", self.folder / "b", "--json"))
        self.assertEqual(again["simulated_now"], 0)
        self.assertEqual(self.answer("a"), self.answer("b"))
        # Without racing the same points are looked at; nothing that was simulated is simulated again.
        full = json.loads(self.good("explore", self.file, "--out", self.folder / "b", "--json", "--no-racing"))
        self.assertLess(full["simulated_now"], full["simulations"]["search"])
        self.assertEqual(full["configurations"]["dropped"], 0)
        self.assertNotEqual(json.loads(self.good("explore", self.file, "--seed", 2, "--json"))["front"], printed["front"])

    def test_killed_at_any_time_or_stopped_at_work_it_goes_on(self):
        def size(path):
            return path.stat().st_size if path.exists() else 0

        whole = {**SMALL, "set": {**SMALL["set"], "duration_s": 200}}
        self.write(whole)
        self.good("explore", self.file, "--out", self.folder / "a", "--quiet")
        lines = (self.folder / "a" / "evaluations.tsv").read_bytes().count(b"\n")
        for way, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 130)):
            folder = self.folder / f"by-{way.name}"
            journal = folder / "evaluations.tsv"
            stopped = 0
            for wait_s in (0.1, 0.2, 0.4):
                before = size(journal)
                with subprocess.Popen([DYNASOC, "explore", self.file, "--out", folder], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, cwd=ROOT) as process:
                    if way == signal.SIGKILL:  # while it starts, too
                        time.sleep(wait_s)
                    else:  # when it is at work: how long that takes differs by machine and build
                        until = time.monotonic() + HANG_S
                        while size(journal) == before and process.poll() is None and time.monotonic() < until:
                            time.sleep(0.001)
                        time.sleep(wait_s - 0.1)
                    process.send_signal(way)
                    stopped += process.wait(HANG_S) == status
            self.assertGreater(stopped, 0, way)
            self.good("explore", self.file, "--out", folder, "--quiet")
            self.assertEqual(self.answer("a"), self.answer(folder), way)
            self.assertEqual(journal.read_bytes().count(b"\n"), lines, "something was simulated twice")

    def test_what_values_are_called_in_the_tables(self):
        values = ["none", {"name": "dynamic-ofa", "dvfs": True}, {"name": "dynamic-ofa", "dvfs": False}]
        for labels, expected in ((["as it is", "with DVFS", "without"], None), ([], values)):
            policy = {"kind": "choice", "path": "policy", "values": values, **({"labels": labels} if labels else {})}
            self.write({**SMALL, "variables": {**SMALL["variables"], "policy": policy}, "sensitivity": {"samples": 0}})
            self.good("explore", self.file, "--out", self.folder / f"{len(labels)}-labels", "--quiet")
            with open(self.folder / f"{len(labels)}-labels" / "all.csv", newline="") as file:
                cells = {row["policy"] for row in csv.DictReader(file)}
            if expected is None:
                self.assertEqual(cells, set(labels))
            else:  # two have one name: it would not tell them apart
                self.assertEqual([cell for cell in cells if not cell.startswith("{")], ["none"])
                self.assertCountEqual([json.loads(cell) for cell in cells if cell.startswith("{")], values[1:])

    def test_simulations_may_be_made_elsewhere(self):
        self.good("explore", self.file, "--out", self.folder / "a", "--quiet")
        out, pending = self.folder / "b", self.folder / "pending"
        for _ in range(200):
            told = self.good("explore", self.file, "--out", out, "--pending", pending, "--batch", 40)
            if not told.startswith("pending: "):
                break
            self.assertEqual(int(told.split()[1]), pending.read_text().count("\n"))
            with open(out / "evaluations.tsv", "a", encoding="utf-8") as journal:
                journal.write(self.good("explore", self.file, "--evaluate", pending))
        self.assertEqual(self.answer("a"), self.answer("b"))

    def test_bad_input(self):
        out = self.folder / "out"
        self.refused("explore", says="an exploration file is missing")
        self.refused("explore", self.folder, says="is a directory")
        self.refused("explore", self.file, "--pending", "x", says="--pending needs --out")
        self.refused("explore", self.file, "--out", out, "--pending", self.file, says="is not a file of pending simulations")
        self.refused("explore", self.file, "--out", out, "--pending", "", says="--pending: the name of the file is empty")
        self.refused("explore", self.file, "--out", out, "--pending", self.folder / "no" / "p", says="there is no folder")
        self.assertEqual((json.loads(self.file.read_text()), out.exists()), (SMALL, False))
        self.refused("explore", self.file, "--set", "objectives=[]", says="there is no objective")
        self.refused("explore", self.file, "--set", 'objectives=[{"metric":"run.energy"}]', "--out", out,
                     says="unknown metric \"run.energy\"")
        self.assertFalse(out.exists())
        out.mkdir()
        (out / "notes.txt").write_text("mine")
        self.refused("explore", self.file, "--out", out, says="notes.txt")
        self.refused("explore", self.file, "--out", out, "--force", says="notes.txt")
        self.good("explore", self.file, "--out", self.folder / "a", "--quiet")
        self.refused("explore", self.file, "--out", self.folder / "a", "--set", "set.duration_s=3", says="another exploration")
        (self.folder / "a" / "explore.json").write_text("{")
        self.refused("explore", self.file, "--out", self.folder / "a", says="explore.json:1:")

    def test_nothing_feasible_is_status_1(self):
        done = run("explore", self.file, "--set", 'constraints=[{"metric":"run.accuracy","least":100}]', "--quiet")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("all break run.accuracy at least 100", done.stderr)
        self.assertIn("nearest: {", done.stderr)

    def test_those_that_are_shipped_are_good(self):
        self.assertEqual(len(EXPLORATIONS), 3)
        for path in EXPLORATIONS:
            self.assertIn("a good exploration", self.good("lint", path))
        listed = self.good("list", "scenarios")
        self.assertIn("explore/bursty-camera\n", listed)
        self.assertNotIn(".explore", listed)

    def test_weights_are_those_of_the_architectures(self):
        done = subprocess.run([ROOT / "tools" / "ofa_weights.py", "--check"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_file_that_changes_meanwhile_is_noticed(self):
        shutil.copytree(ROOT / "models" / "example", self.folder / "models" / "example")
        shutil.copy(ROOT / "scenarios" / "minimal.json", self.folder / "here.json")
        mine = self.folder / "mine.explore.json"
        mine.write_text(json.dumps({**json.loads(self.file.read_text(encoding="utf-8")), "scenario": "here.json"}), encoding="utf-8")
        table = self.folder / "models" / "example" / "minimal.csv"
        with subprocess.Popen([str(DYNASOC), "explore", str(mine), "--out", str(self.folder / "a")],
                              stderr=subprocess.PIPE, text=True) as process:
            while not (self.folder / "a" / "evaluations.tsv").exists() or not (self.folder / "a" / "evaluations.tsv").stat().st_size:
                self.assertIsNone(process.poll(), "it was over before anything could be changed")
            with open(table, "a", encoding="utf-8") as file:
                file.write("# changed\n")
            said = process.stderr.read()
        self.assertEqual(process.returncode, 3, said)
        self.assertIn("minimal.csv: was changed while it was explored", said)
        self.assertFalse((self.folder / "a" / "front.json").exists())

    def test_a_front_can_be_drawn(self):
        self.good("explore", self.file, "--out", self.folder / "a", "--quiet")
        done = subprocess.run([ROOT / "tools" / "plot_front.py", self.folder / "a"], capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("<svg", "knee", "platform.energy_j", "run.accuracy"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()
