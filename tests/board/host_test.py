#!/usr/bin/env python3
"""`dynasoc board` against trees of plain files and the agent's executor `replay`: what a user types, and what goes wrong.

Latencies here are rehearsed from tables; loop_test.py has real inference under clocks that have an effect.
"""
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "fixtures")]
import fixture  # noqa: E402
import make_tree  # noqa: E402

DYNASOC = os.environ.get("DYNASOC_BINARY", str(HERE.parents[1] / "build/release/dynasoc"))
JETSON = "claims/gpu-sharing"
REHEARSAL = ["--executor", "replay", "--set", "duration_s=1.5", "--set", "background.training.from_s=0.7", "--set",
             "windows={}", "--set", "governors.gpu=nvhost_podgov", "--set", "governors.cpu=schedutil"]


def dynasoc(*words, timeout_s=60, **options):
    return subprocess.run([DYNASOC, *map(str, words)], capture_output=True, text=True, timeout=timeout_s, **options)


class Board(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dynasoc-host-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def jetpack(self, version):
        root = self.folder / f"jetpack{version}"
        make_tree.build(HERE / "fixtures" / f"jetpack{version}.tree", root)
        return root

    def good(self, *words, status=0, **options):
        answer = dynasoc(*words, **options)
        self.assertEqual(answer.returncode, status, answer.stderr + answer.stdout)
        return answer.stdout

    def bad(self, status, *words):
        answer = dynasoc(*words)
        self.assertEqual(answer.returncode, status, answer.stderr + answer.stdout)
        self.assertEqual(answer.stderr.count("\n"), 1, answer.stderr)
        self.assertEqual(answer.stdout, "")
        return answer.stderr

    def snapshot(self, root):
        return {path.relative_to(root): path.read_bytes() for path in root.rglob("*")
                if path.is_file() and "dynasoc-agent" not in path.parts}


class Probe(Board):
    def test_both_jetpacks_become_platforms_that_load(self):
        for version in (4, 5):
            with self.subTest(jetpack=version):
                root = self.jetpack(version)
                before = self.snapshot(root)
                answer = json.loads(self.good("board", "probe", "--root", root, "--name", "nx", "--out", self.folder / str(version), "--json"))
                platform = answer["platform"]
                self.assertEqual(sorted(platform["domains"]), ["cpu0", "cpu2", "cpu4", "emc", "gpu"])
                self.assertEqual(platform["units"]["cpu"]["domains"], ["cpu0", "cpu2", "cpu4"])
                self.assertEqual(len(platform["domains"]["gpu"]["opps_mhz"]), 15)
                self.assertEqual(platform["board"]["domains"]["gpu"], {"devfreq": "17000000.gv11b"})
                self.assertEqual(sorted(platform["rails"]), ["VDD_CPU_GPU_CV", "VDD_IN", "VDD_SOC"])
                self.assertIn(f"JetPack {version}", platform["board"]["identity"])
                self.assertEqual(platform["board"]["sampler_cpu"], 0)
                self.assertNotIn(0, platform["board"]["units"]["cpu"]["cpus"])
                self.good("lint", self.folder / str(version) / "nx.json")
                self.assertEqual(self.snapshot(root), before, "a probe writes nothing")

    def test_a_file_is_not_replaced_unasked(self):
        root = self.jetpack(5)
        file = self.folder / "nx.json"
        file.write_text("mine")
        self.assertIn("--force", self.bad(2, "board", "probe", "--root", root, "--name", "nx", "--out", file))
        self.assertEqual(file.read_text(), "mine")

    def test_a_board_without_clocks_is_told(self):
        root = self.folder / "empty"
        (root / "sys").mkdir(parents=True)
        self.assertIn("no clock", self.bad(2, "board", "probe", "--root", root))


class Run(Board):
    def test_a_run_has_the_columns_of_a_simulated_one(self):
        root = self.jetpack(5)
        before = self.snapshot(root)
        self.good("board", "run", JETSON, "--root", root, *REHEARSAL, "--out", self.folder / "board", "--quiet")
        self.good("run", JETSON, "--set", "duration_s=1.5", "--set", "background.training.from_s=0.7", "--set", "windows={}", "--out", self.folder / "simulated", "--quiet")
        for name in ("jobs.csv", "decisions.csv", "timeline.csv", "candidates.csv"):
            heads = [(self.folder / run / name).read_text().splitlines()[0] for run in ("board", "simulated")]
            self.assertEqual(heads[0], heads[1], name)
        summary = json.loads((self.folder / "board/summary.json").read_text())
        self.assertEqual(summary["engine"], "board")
        frames = summary["apps"]["classifier"]
        # 51.079 ms of L4 are replayed, one after another.
        self.assertAlmostEqual(frames["latency_ms"]["p50"], 51.1, delta=20)
        self.assertGreater(frames["completed"], 12)
        manager_ms = [float(x) for x in re.findall(r'"manager_ms": ([0-9.e+-]+)', json.dumps(summary))]
        self.assertTrue(manager_ms)
        self.assertLess(max(manager_ms), 1500, "the manager's time is that of its decisions")
        self.assertEqual(self.snapshot(root), before, "every knob is as it was")
        self.assertEqual(summary["provenance"]["measured"], 1)
        self.good("board", "run", JETSON, "--root", root, *REHEARSAL, "--out", self.folder / "board", "--force", "--quiet")

    def test_repeating_it_needs_an_engine(self):
        root = self.jetpack(5)
        self.good("board", "run", JETSON, "--root", root, *REHEARSAL, "--out", self.folder / "run", "--quiet")
        manifest = self.folder / "run/manifest.json"
        self.assertIn("run on a board", self.bad(2, "run", manifest))
        self.good("run", manifest, "--engine", "native", "--quiet")

    def test_a_killed_agent_leaves_the_results_up_to_then(self):
        root = self.jetpack(5)
        before = self.snapshot(root)
        out = self.folder / "run"
        words = [DYNASOC, "board", "run", JETSON, "--root", root, *REHEARSAL, "--set", "duration_s=20", "--set", "background={}", "--policy", "static(level=1)", "--out", out, "--quiet"]
        host = subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True)
        self.wait_for_jobs(out)
        agent = subprocess.run(["pgrep", "-f", f"dynasoc-agent serve --root {root}"], capture_output=True, text=True).stdout.split()
        os.kill(int(agent[0]), signal.SIGKILL)
        _, errors = host.communicate(timeout=20)
        self.assertEqual(host.returncode, 3, errors)
        self.assertIn("up to then", errors)
        with open(out / "jobs.csv", newline="") as file:
            done = [row for row in csv.DictReader(file) if row["outcome"] in ("met", "missed")]
        self.assertGreater(len(done), 3)
        said = [json.loads(line) for line in (out / "board.jsonl").read_text().splitlines()]
        self.assertGreaterEqual(sum("job" in line for line in said), len(done))
        self.good("board", "restore", "--root", root)
        self.assertEqual(self.snapshot(root), before)

    def test_a_killed_host_leaves_what_the_board_said(self):
        root = self.jetpack(5)
        before = self.snapshot(root)
        out = self.folder / "run"
        words = [DYNASOC, "board", "run", JETSON, "--root", root, *REHEARSAL, "--set", "duration_s=20", "--set", "background={}", "--out", out, "--quiet"]
        host = subprocess.Popen(list(map(str, words)))
        self.wait_for_jobs(out)
        host.kill()
        host.wait()
        lines = (out / "board.jsonl").read_text().splitlines()
        self.assertGreater(sum("job" in json.loads(line) for line in lines), 3)
        self.assertFalse((out / "manifest.json").exists(), "an unfinished run has no manifest")
        deadline = time.monotonic() + 5
        while self.snapshot(root) != before and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(self.snapshot(root), before, "the agent has restored by itself")

    def wait_for_jobs(self, out):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if (out / "board.jsonl").read_text().count('"job"') > 6:
                    return
            except FileNotFoundError:
                pass
            time.sleep(0.05)
        self.fail("no inference in 20 s")

    def test_ctrl_c_restores(self):
        root = self.jetpack(5)
        before = self.snapshot(root)
        out = self.folder / "run"
        words = [DYNASOC, "board", "run", JETSON, "--root", root, *REHEARSAL, "--set", "duration_s=20", "--set", "background={}", "--out", out]
        host = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.wait_for_jobs(out)
        host.send_signal(signal.SIGINT)
        self.assertEqual(host.wait(timeout=10), 130, host.stderr.read())
        host.stderr.close()
        self.assertEqual(self.snapshot(root), before)

    def test_fork_under_the_recorded_policy_repeats_the_run(self):
        root = self.jetpack(5)
        out = self.folder / "run"
        self.good("board", "run", JETSON, "--root", root, *REHEARSAL, "--set", "background={}", "--out", out, "--quiet")
        measured = json.loads((out / "summary.json").read_text())["apps"]["classifier"]
        forked = json.loads(self.good("board", "fork", out, "--at", "1.5", "--policy", "static", "--json"))["apps"]["classifier"]
        self.assertAlmostEqual(forked["completed"], measured["completed"], delta=1)
        self.assertAlmostEqual(forked["latency_ms"]["mean"], measured["latency_ms"]["mean"], delta=0.2 * measured["latency_ms"]["mean"])
        other = json.loads(self.good("board", "fork", out, "--at", "0", "--policy", "static(level=1)", "--json"))["apps"]["classifier"]
        self.assertLess(other["latency_ms"]["mean"], 0.9 * forked["latency_ms"]["mean"])
        self.assertIn("within the run", self.bad(2, "board", "fork", out, "--at", "9", "--policy", "static"))

    def test_a_decision_reaches_the_board(self):
        root = self.jetpack(5)
        out = self.folder / "run"
        # Pinned to the lowest clock at the start; what was written is in the log.
        self.good("board", "run", JETSON, "--root", root, *REHEARSAL, "--set", "background={}", "--policy", "critical-speed", "--out", out, "--quiet")
        clocks = [json.loads(line) for line in (out / "board.jsonl").read_text().splitlines() if '"clock"' in line]
        written = [w for line in clocks for w in line["answer"].get("ok", {}).get("writes", [])]
        self.assertTrue(any("devfreq" in w["path"] for w in written), clocks[:3])


class BadInput(Board):
    def test_each_gets_one_line(self):
        root = self.jetpack(5)
        for words, said in [
            (["board", "probbe"], 'did you mean "probe"'),
            (["board", "run", JETSON, "--target", "shs://x"], "known: local, ssh://user@host"),
            (["board", "run", JETSON, "--target", "ssh://-oProxyCommand=x"], "a host is missing"),
            (["board", "run", JETSON, "--root", self.folder / "nothing"], "no such folder"),
            (["board", "run", "minimal", "--root", root], '"board" section'),
            (["board", "run", JETSON, "--root", root, "--policy", "oracle"], "knows the future"),
            (["board", "run", JETSON, "--root", root, "--data", root], "neither platforms/ nor models/"),
            (["board", "run", JETSON, "--root", root, "--executor", "replay", "--set", "governors.cpu0=interactive"], "interactive"),
            (["board", "profile", "--platform", "jetson-xavier-nx", "--network", "dynamic-ofa-gpu"], "--out is missing"),
            (["board", "profile", "--platform", "jetson-xavier-nx", "--network", "dynamic-ofa-gpu", "--out", self.folder / "p", "--subnets", "L9"], "L9"),
            (["board", "profile", "--platform", "jetson-xavier-nx", "--network", "dynamic-ofa-gpu", "--out", self.folder / "p", "--budget", "x"], "positive"),
            (["board", "profile", "--platform", "jetson-xavier-nx", "--network", "dynamic-ofa-gpu", "--out", self.folder / "p", "--name", "../p"], "name of a folder"),
            (["board", "profile", "--root", root, "--platform", "jetson-xavier-nx", "--network", "dynamic-ofa-gpu", "--out", self.folder / "p", "--opps-mhz", "5,114.75"], "5 MHz"),
            (["board", "validate", JETSON, "--root", root, "--correct", __file__], "--force"),
            (["board", "fork", self.folder, "--at", "1", "--policy", "static"], "no manifest.json"),
            (["board", "validate", JETSON, "--root", root, "--tolerance", "-1"], "positive"),
        ]:
            with self.subTest(words=words):
                self.assertIn(said, self.bad(2, *words))

    def test_an_agent_that_says_rubbish_is_status_3(self):
        root = self.jetpack(5)
        for said in ("nonsense", "[]", '{"id": 1}', '{"id": 1, "ok": {}}', '{"id": 1, "ok": {"protocol": 9}}', '{"id": 1, "error": "x"}'):
            with self.subTest(said=said):
                agent = self.folder / "agent.sh"
                agent.write_text(f"#!/bin/sh\nread line\necho '{said}'\nread line\n")
                agent.chmod(0o755)
                self.bad(3, "board", "probe", "--root", root, "--agent", agent)

    def test_dry_run_writes_nothing_and_an_agent_without_it_is_refused(self):
        root = self.jetpack(5)
        before = self.snapshot(root)
        self.good("board", "run", JETSON, "--root", root, *REHEARSAL, "--set", "background={}", "--dry-run", "--quiet")
        self.assertEqual(self.snapshot(root), before)
        forced = self.folder / "forced.sh"  # as a key's command: it does not see our options
        agent = os.environ.get("DYNASOC_AGENT", str(pathlib.Path(DYNASOC).parent / "dynasoc-agent"))
        forced.write_text(f"#!/bin/sh\nexec {agent} serve --root {root} --state {self.folder}/state\n")
        forced.chmod(0o755)
        self.assertIn("--dry-run", self.bad(3, "board", "run", JETSON, "--root", root, *REHEARSAL, "--dry-run", "--agent", forced))

    def test_an_agent_that_is_not_there_is_status_3(self):
        self.assertIn("cannot be started", self.bad(3, "board", "run", JETSON, "--agent", "/nothing/agent"))
        self.assertIn("ssh", self.bad(3, "board", "probe", "ssh://127.0.0.1:1", "--ssh-option=-oConnectTimeout=2").lower())

    def test_a_second_host_is_told_who_holds_the_board(self):
        root = self.jetpack(5)
        words = [DYNASOC, "board", "run", JETSON, "--root", root, *REHEARSAL, "--set", "duration_s=20", "--set", "background={}", "--out", self.folder / "run", "--quiet"]
        first = subprocess.Popen(list(map(str, words)), stderr=subprocess.DEVNULL)
        try:
            Run.wait_for_jobs(self, self.folder / "run")
            self.assertIn("holds this board", self.bad(3, "board", "probe", "--root", root))
        finally:
            first.send_signal(signal.SIGINT)
            first.wait(timeout=10)


if __name__ == "__main__":
    unittest.main(verbosity=1)
