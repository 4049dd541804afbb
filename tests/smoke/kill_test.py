"""Killed at random moments, every command that writes a directory leaves whole files, and the same command then succeeds
with the answer of an undisturbed run. Standard library only.

    tests/smoke/kill_test.py [KILLS [SEED]]      of each command (default: 3; a long evening: 300)
"""
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
KILLS = 3
SEED = random.SystemRandom().randrange(1 << 32)

SCENARIO = {
    "platform": "minimal",
    "duration_s": 400,
    "timeline_ms": 100,
    "applications": {"camera": {"network": "example", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 60},
                                "targets": [{"latency_ms": 20}], "late": "drop-hopeless"}},
    "policy": {"name": "dynamic-ofa", "period_ms": 20},
}
SWEEP = {**SCENARIO, "duration_s": 20, "seed": {"from": 1, "to": 40}, "metrics": ["run.miss_rate", "run.accuracy"]}
EXPLORATION = {
    "title": "Small", "scenario": "scenario.json", "set": {"duration_s": 10},
    "variables": {"period": {"kind": "real", "path": "policy.period_ms", "low": 5, "high": 200}},
    "objectives": [{"metric": "platform.energy_j", "resolution": 0.05}, {"metric": "run.miss_rate", "resolution": 0.01}],
    "algorithm": {"kind": "sobol", "population": 10, "generations": 3},
    "replications": 6,
}
# What may differ between two runs of one command.
OWN = {"manifest.json": {"command_line"}, "comparison.json": {"command_line"}, "search.json": {"elapsed_s"},
       "explore.json": {"command_line"}, "front.json": {"simulated_now", "seconds"}, "sweep.json": set()}
# The file that says that all the others are there; None: it is the answer alone.
LAST = {"run": "manifest.json", "replications": "manifest.json", "compare": "comparison.json", "search": "search.json"}


def contents(folder):
    """Every file, without what is about this run of the command and not about its answer."""
    out = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name == "lock" or name.startswith("points"):
            continue
        out[name] = path.read_bytes()
        if name in OWN:
            out[name] = {key: value for key, value in json.loads(out[name]).items() if key not in OWN[name]}
            if "manifest" in out[name]:  # of a comparison: the scenario as a run would keep it
                del out[name]["manifest"]["command_line"]
    return out


class Kills(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dynasoc-kill-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name, content in (("scenario", SCENARIO), ("sweep", SWEEP), ("exploration", EXPLORATION)):
            (self.folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        self.random = random.Random(SEED)

    def command(self, *words):
        return subprocess.run([DYNASOC, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=300, check=False)

    def killed(self, words, after_s):
        """Whether the command was still at work."""
        with subprocess.Popen([DYNASOC, *map(str, words)], cwd=ROOT, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(timeout=after_s)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.returncode == -signal.SIGKILL

    def torture(self, name, *words):
        whole, out = self.folder / "whole", self.folder / "out"
        began = time.monotonic()
        done = self.command(*words, "--out", whole)
        took_s = time.monotonic() - began
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = contents(whole)
        kills = 0
        for attempt in range(20 * KILLS):
            # Half of the kills in the last tenth, where files are put in their places.
            share = self.random.random() if attempt % 2 else 1 - 0.1 * self.random.random()
            kills += self.killed([*words, "--out", out], share * took_s)
            left = contents(out) if out.exists() else {}
            for file, content in left.items():
                if not file.endswith((".partial", ".tsv")):
                    self.assertEqual(content, expected[file], (SEED, attempt, file))
            if name in LAST and LAST[name] in left:
                self.assertEqual(left, expected, (SEED, attempt))
                shutil.rmtree(out)
            if attempt % 3 == 2 or name not in LAST and len(left) >= len(expected):
                done = self.command(*words, "--out", out)
                self.assertEqual(done.returncode, 0, (SEED, attempt, done.stderr))
                self.assertEqual(contents(out), expected, (SEED, attempt))
                self.assertFalse(list(out.rglob("*.partial")))
                shutil.rmtree(out)
            if kills >= KILLS and attempt % 3 == 2:
                break
        self.assertGreater(kills, 0, "was always too late")

    def test_run(self):
        self.torture("run", "run", self.folder / "scenario.json", "--quiet")

    def test_over_earlier_results(self):
        # Each file is of the one run or of the other, and there is a manifest.json only beside files that are all of its.
        words = ("run", self.folder / "scenario.json", "--quiet", "--out")
        expected = []
        for folder, seed in (("old", "1"), ("new", "2")):
            done = self.command(*words, self.folder / folder, "--seed", seed)
            self.assertEqual(done.returncode, 0, done.stderr)
            expected.append(contents(self.folder / folder))
        began = time.monotonic()
        self.command(*words, self.folder / "timed", "--seed", "2")
        took_s = time.monotonic() - began
        out = self.folder / "out"
        kills = 0
        for attempt in range(4 * KILLS):
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(self.folder / "old", out)
            kills += self.killed([*words, out, "--seed", "2", "--force"], (1 - 0.2 * self.random.random()) * took_s)
            left = {name: content for name, content in contents(out).items() if not name.endswith(".partial")}
            for name, content in left.items():
                self.assertIn(content, [whole[name] for whole in expected], (SEED, attempt, name))
            if "manifest.json" in left:
                self.assertIn(left, expected, (SEED, attempt))
            done = self.command(*words, out, "--seed", "2", "--force")
            self.assertEqual(done.returncode, 0, (SEED, attempt, done.stderr))
            self.assertEqual(contents(out), expected[1], (SEED, attempt))
            if kills >= KILLS:
                break
        self.assertGreater(kills, 0, "was always too late")

    def test_replications(self):
        self.torture("replications", "run", self.folder / "scenario.json", "--quiet", "--replications", "4", "--jobs", "2")

    def test_compare(self):
        self.torture("compare", "compare", self.folder / "scenario.json", "--policies", "none,dynamic-ofa",
                     "--replications", "4", "--quiet")

    def test_sweep(self):
        self.torture("sweep", "sweep", self.folder / "sweep.json", "--quiet", "--jobs", "2")

    def test_explore(self):
        self.torture("explore", "explore", self.folder / "exploration.json", "--quiet", "--jobs", "1")

    def test_search(self):
        self.torture("search", "search", ROOT / "scenarios" / "search" / "small.json", "--quiet", "--jobs", "2")

    def test_tables(self):
        # One file: it is there and whole, or it is not.
        whole = self.folder / "whole.csv"
        words = ("table", "fill", "example", "--platform", "minimal", "--output")
        done = self.command(*words, whole)
        self.assertEqual(done.returncode, 0, done.stderr)
        for attempt in range(3 * KILLS):
            file = self.folder / f"{attempt}.csv"
            self.killed([*words, file], 0.05 * self.random.random())
            if file.exists():
                self.assertEqual(file.read_bytes(), whole.read_bytes(), (SEED, attempt))
            else:
                self.assertEqual(self.command(*words, file).returncode, 0)
        self.assertFalse([path for path in self.folder.glob("*.csv") if path.read_bytes() != whole.read_bytes()])


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        KILLS = int(sys.argv.pop(1))
        if len(sys.argv) > 1 and sys.argv[1].isdigit():
            SEED = int(sys.argv.pop(1))
    print(f"seed {SEED}, {KILLS} kills of each command")
    unittest.main()
