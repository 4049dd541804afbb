#!/usr/bin/env python3
"""`dynasoc rank`: who is ranked and how, what is gone on from, what is refused; and RTM-Bench's short form."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(os.environ.get("DYNASOC_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent)).resolve()
DYNASOC = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()

CAMERA = {
    "platform": "minimal", "duration_s": 30, "objective": {"miss": 1, "accuracy": 0.01, "energy": 0.1},
    "applications": {"camera": {"network": "example", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 30},
                                "targets": [{"latency_ms": 20}], "late": "drop-hopeless"}},
}
RANKING = {"title": "Two cameras", "scenarios": ["calm.json", "busy.json"], "policies": ["none", "dynamic-ofa", "pid"],
           "oracle": "oracle", "replications": 4, "short": {"replications": 2, "without": ["pid"]}}


def dynasoc(*words, cwd=ROOT):
    return subprocess.run([DYNASOC, *map(str, words)], capture_output=True, text=True, check=False, cwd=cwd,
                          stdin=subprocess.DEVNULL, timeout=600)


class Rank(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        busy = json.loads(json.dumps(CAMERA))
        busy["applications"]["camera"]["arrivals"]["rate_hz"] = 70
        for name, content in (("calm.json", CAMERA), ("busy.json", busy)):
            (self.folder / name).write_text(json.dumps(content), encoding="utf-8")
        self.ranking = self.write(RANKING)

    def write(self, content):
        path = self.folder / "two.rank.json"
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        return path

    def good(self, *words):
        done = dynasoc("rank", self.ranking, *words)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stdout

    def refused(self, says, *words):
        done = dynasoc("rank", *words)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)

    def test_regret_is_the_comparison_s(self):
        answer = json.loads(self.good("--json"))
        self.assertEqual({one["policy"] for one in answer["policies"]}, {"none", "dynamic-ofa", "pid"})
        self.assertEqual([one["rank"] for one in answer["policies"]], sorted(one["rank"] for one in answer["policies"]))
        self.assertIn(answer["policies"][0]["policy"], answer["sentence"])
        compared = json.loads(dynasoc("compare", self.folder / "busy.json", "--policies", "none,dynamic-ofa,pid,oracle", "--replications", 4,
                                      "--no-anatomy", "--json").stdout)
        for one in answer["policies"]:
            regret = compared["policies"][one["policy"]]["regret"]["mean"]
            self.assertAlmostEqual(one["scenarios"]["busy.json"]["mean"], regret, delta=1e-12)

    def test_threads_change_nothing(self):
        self.assertEqual(self.good("--json", "--jobs", 1), self.good("--json", "--jobs", 3))

    def test_the_short_form(self):
        answer = json.loads(self.good("--short", "--json"))
        self.assertEqual(answer["replications"], 2)
        self.assertEqual({one["policy"] for one in answer["policies"]}, {"none", "dynamic-ofa"})

    def test_what_is_there_is_not_run_again(self):
        out = self.folder / "out"
        first = self.good("--out", out, "--json")
        cells = {path.name: path.stat().st_mtime_ns for path in (out / "cells").iterdir()}
        self.assertEqual(len(cells), 8)
        self.assertEqual(self.good("--out", out, "--json"), first)
        self.good("--out", out, "--add", "pid(kp=1)", "--quiet")
        after = {path.name: path.stat().st_mtime_ns for path in (out / "cells").iterdir()}
        self.assertEqual(len(after), 10)
        self.assertEqual({name: after[name] for name in cells}, cells)
        rows = (out / "ranking.csv").read_text(encoding="utf-8").splitlines()
        self.assertEqual(rows[0], "scenario,policy,replication,metric,value")
        self.assertTrue(any(',pid(kp=1),3,run.cost,' in row for row in rows))
        self.assertFalse((out / "lock").exists())
        (out / "cells" / next(iter(cells))).write_text("{", encoding="utf-8")  # damaged: it is made again
        self.assertEqual(self.good("--out", out, "--json"), first)

    def test_killed_it_goes_on(self):
        out = self.folder / "out"
        longer = ("--set", "duration_s=600", "--out", out)
        with subprocess.Popen([DYNASOC, "rank", self.ranking, *map(str, longer), "--quiet"], cwd=ROOT) as process:
            for _ in range(3000):
                if process.poll() is not None or ((out / "cells").is_dir() and any((out / "cells").glob("*.json"))):
                    break
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        self.assertFalse((out / "ranking.json").exists())
        done = dynasoc("report", out)
        self.assertEqual(done.returncode, 2)
        self.assertIn("unfinished ranking", done.stderr)
        kept = {path.name: path.stat().st_mtime_ns for path in (out / "cells").glob("*.json")}
        self.assertTrue(kept)
        self.good(*longer, "--quiet")
        self.assertEqual({name: (out / "cells" / name).stat().st_mtime_ns for name in kept}, kept)
        undisturbed = json.loads(self.good("--set", "duration_s=600", "--json"))
        result = json.loads((out / "ranking.json").read_text(encoding="utf-8"))
        self.assertEqual(result["policies"], undisturbed["policies"])
        self.assertEqual(dynasoc("report", out).returncode, 0)
        # What is damaged makes no page, and takes no memory by what it tells.
        for name, change, says in (
                ("ranking.json", lambda text: text.replace('"replications": 4', '"replications": 2000000000', 1), "/replications: "),
                ("ranking.json", lambda text: text.replace('"replications": 4', '"replications": 5', 1),
                 "ranking.csv: holds 4 replications, by ranking.json it has 5"),
                ("ranking.csv", lambda text: text[:-2], "the last line has no end: the file was cut")):
            whole = (out / name).read_text(encoding="utf-8")
            self.assertNotEqual(change(whole), whole)
            (out / name).write_text(change(whole), encoding="utf-8")
            done = dynasoc("report", out, "--force")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(says, done.stderr)
            (out / name).write_text(whole, encoding="utf-8")
        self.assertIn("Regret by scenario", (out / "report.html").read_text(encoding="utf-8"))

    def test_what_is_wrong_is_told(self):
        self.refused("rtm-bench", "rtm-bensh")
        self.refused("did you mean \"dynamic-ofa\"", self.ranking, "--add", "dynamic-oaf")
        self.refused("--scenarios: \"bussy.json\" is not among the ranking's (did you mean \"busy.json\"", self.ranking, "--scenarios", "bussy.json")
        self.refused("--policies: a ranking needs two", self.ranking, "--policies", "none,oracle")
        self.refused("schedules by itself", self.ranking, "--add", "sjf", "--set", "scheduler=edf")
        self.refused("no such member (known: camera), in the scenario \"calm.json\"", self.ranking, "--set", "applications.nobody.unit=gpu")
        self.refused("two are the least", self.ranking, "--replications", 1)
        (self.folder / "other").mkdir()
        (self.folder / "other" / "thesis.tex").write_text("", encoding="utf-8")
        self.refused("thesis.tex", self.ranking, "--out", self.folder / "other")
        self.write({**RANKING, "scenario": []})
        self.refused("did you mean \"scenarios\"", self.ranking)
        self.write({**RANKING, "policies": ["none", "none", "pid"]})
        self.refused("twice", self.ranking)
        self.write({**RANKING, "scenarios": ["calm.json", "calm.json"]})
        self.refused("is there twice", self.ranking)
        self.write({**RANKING, "short": {"without": ["piid"]}})
        self.refused("did you mean \"pid\"", self.ranking)
        self.write({**RANKING, "metric": "run.accuracy"})
        self.refused("less is not better", self.ranking)
        self.write({**RANKING, "metric": "run.cots"})
        self.refused("did you mean \"run.cost\"", self.ranking)

    def test_tables_for_a_document(self):
        self.good("--markdown", self.folder / "table.md", "--quiet")
        text = (self.folder / "table.md").read_text(encoding="utf-8")
        self.assertIn("| policy | rank (95 %) |", text)
        self.assertIn("cost of the oracle", text)


class RtmBench(unittest.TestCase):
    def test_the_short_form_ranks_everybody(self):
        began = time.monotonic()
        done = dynasoc("rank", "rtm-bench", "--short", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        whole = json.loads((ROOT / "scenarios/rtm-bench/rtm-bench.rank.json").read_text(encoding="utf-8"))
        self.assertEqual({one["policy"] for one in answer["policies"]}, set(whole["policies"]))
        for one in answer["policies"]:
            self.assertIsNotNone(one["rank"], one["policy"])
        print(f"short form: {time.monotonic() - began:.0f} s", flush=True)

    def test_it_has_all_policies_and_twelve_scenarios(self):
        whole = json.loads((ROOT / "scenarios/rtm-bench/rtm-bench.rank.json").read_text(encoding="utf-8"))
        self.assertEqual(len(whole["scenarios"]), 12)
        known = {one["name"] for one in json.loads(dynasoc("list", "policies", "--json").stdout)}
        self.assertEqual(known - {"learned"}, {*whole["policies"], whole["oracle"].split("(")[0]})


if __name__ == "__main__":
    unittest.main(verbosity=1)
