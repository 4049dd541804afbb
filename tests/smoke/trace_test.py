#!/usr/bin/env python3
"""`dynasoc trace`, end to end: recordings in, runs out of them; a simulated board recorded as tegrastats would and read again;
the simulator's own governors against recordings of themselves. Standard library only.

Run by ctest, which names the program in DYNASOC_BINARY; by hand it takes build/release/dynasoc.
"""
import csv
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.path.abspath(os.environ.get("DYNASOC_BINARY", str(ROOT / "build" / "release" / "dynasoc")))
TRACES = ROOT / "tests" / "traces"


def dynasoc(*words, status=0):
    done = subprocess.run([BINARY, *map(str, words)], cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300)
    if done.returncode != status:
        raise AssertionError(f"{words}: status {done.returncode}, {done.stderr}{done.stdout[:2000]}")
    return done.stdout if status == 0 else done.stderr + done.stdout


def rows(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Trace(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def scenario(self, **members):
        base = {"platform": "jetson-xavier-nx", "mode": "MODE_15W_2CORE", "duration_s": 3, "applications": {}, "policy": "none"}
        path = self.folder / "scenario.json"
        path.write_text(json.dumps({**base, **members}), encoding="utf-8")
        return path

    def timeline(self, name="run", **members):
        out = self.folder / name
        dynasoc("run", self.scenario(**members), "--quiet", "--out", out)
        return out / "timeline.csv"

    def agreement(self, timeline, governor, *words):
        return json.loads(dynasoc("trace", "conformance", timeline, "--governor", governor, "--platform", "jetson-xavier-nx",
                                  "--mode", "MODE_15W_2CORE", "--json", *words))["agreement"]

    def test_loadgen_to_run(self):
        arrivals, scenario = self.folder / "arrivals.csv", self.folder / "loadgen.json"
        told = json.loads(dynasoc("trace", "import", "loadgen", TRACES / "loadgen-server", "-o", arrivals, "--scenario", scenario,
                                  "--replay", "--network", "dynamic-ofa-gpu", "--json"))
        self.assertEqual(told["rows"], 200)
        self.assertEqual({name for name, figure in told["latency"].items() if figure["agrees"]},
                         {"min", "max", "mean", "p50", "p90", "p95", "p97", "p99", "p99.9"})
        out = self.folder / "out"
        dynasoc("run", scenario, "--quiet", "--out", out)
        asked = [float(row["arrival_s"]) for row in rows(arrivals)]
        got = [float(row["arrival_s"]) for row in rows(out / "jobs.csv")]
        self.assertEqual(len(got), 200)
        for a, b in zip(asked, got):
            self.assertAlmostEqual(a, b, delta=1e-9)
        dynasoc("trace", "import", "loadgen", TRACES / "loadgen-server", "--scenario", scenario, "--network", "dynamic-ofa-gpu",
                "--force")
        self.assertEqual(json.loads(dynasoc("run", scenario, "--json"))["scenario"], "loadgen")

    def test_scenario_elsewhere(self):
        # Paths are as typed from here, and the scenario is somewhere else.
        scenario = self.folder / "deep" / "loadgen.json"
        scenario.parent.mkdir()
        words = ["trace", "import", "loadgen", TRACES / "loadgen-server", "--scenario", scenario]
        dynasoc(*words, "--network", "models/dynamic-ofa-gpu/network.json", "--platform", "./platforms/jetson-xavier-nx.json")
        written = json.loads(scenario.read_text(encoding="utf-8"))
        self.assertTrue((scenario.parent / written["platform"]).samefile(ROOT / "platforms" / "jetson-xavier-nx.json"))
        self.assertTrue(json.loads(dynasoc("run", scenario, "--json", "--set", "duration_s=1")))
        self.assertIn("did you mean", dynasoc(*words, "--force", "--network", "dynamic-ofa-gp", status=2))
        self.assertIn(".csv", dynasoc(*words, "--force", "--network", "dynamic-ofa-gpu", "--replay", "-o",
                                      self.folder / "arrivals", status=2))
        self.assertEqual(json.loads(scenario.read_text(encoding="utf-8")), written)

    def test_one_file_twice(self):
        log = self.folder / "board.log"
        log.write_bytes((TRACES / "jetpack5.log").read_bytes())
        both = self.folder / "x"
        again = f"{self.folder}/./x"
        self.assertIn("are the same file", dynasoc("trace", "import", "tegrastats", log, "-o", both, "--background", again, status=2))
        self.assertIn("would replace what is read", dynasoc("trace", "import", "tegrastats", log, "-o", log, "--force", status=2))
        self.assertIn("are the same file", dynasoc("trace", "import", "loadgen", TRACES / "loadgen-server", "-o", both, "--scenario",
                                                   again, "--network", "dynamic-ofa-gpu", status=2))
        self.assertEqual(log.read_bytes(), (TRACES / "jetpack5.log").read_bytes())
        self.assertEqual([path.name for path in self.folder.iterdir()], ["board.log"])

    def test_pipe(self):
        # A column that appears after the first row: the log is read twice.
        first, second = [(TRACES / f"jetpack{n}.log").read_bytes() for n in (4, 6)]
        whole, timeline, piped = (self.folder / name for name in ("log", "file.csv", "pipe.csv"))
        whole.write_bytes(first + second)
        dynasoc("trace", "import", "tegrastats", whole, "-o", timeline)
        done = subprocess.run([BINARY, "trace", "import", "tegrastats", "/dev/stdin", "-o", str(piped), "--json"], input=first + second,
                              check=True, stdout=subprocess.PIPE, timeout=300)
        self.assertEqual(json.loads(done.stdout)["files"], ["/dev/stdin"])
        self.assertEqual(piped.read_text(encoding="utf-8"), timeline.read_text(encoding="utf-8"))
        self.assertGreater(len(rows(piped)), 4)

    def test_pipe_without_a_writer(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for words in (["tegrastats"], ["ftrace"], ["perfetto"], ["loadgen"], ["csv", "--columns", "t_s=t"]):
            with self.subTest(words[0]):
                self.assertIn("is a pipe, and nothing came out of it", dynasoc("trace", "import", *words, pipe, status=2))
        self.assertIn("is a device", dynasoc("trace", "import", "tegrastats", "/dev/zero", status=2))
        for kind, log in (("tegrastats", "jetpack5.log"), ("loadgen", "loadgen-server/mlperf_log_trace.json")):
            with self.subTest(f"{kind} with a writer"), subprocess.Popen(["sh", "-c", 'cat "$1" > "$2"', "-", TRACES / log, pipe]) as writer:
                told = {}
                for _ in range(100):  # until the writer is there
                    done = subprocess.run([BINARY, "trace", "import", kind, str(pipe), "--json"], check=False, text=True,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
                    if done.returncode == 0:
                        told = json.loads(done.stdout)
                        break
                    self.assertIn("nothing came out of it", done.stderr)
                    time.sleep(0.05)
                if not told:
                    writer.kill()
                self.assertGreater(told["rows"], 3)

    def test_load_in_percent(self):
        timeline = self.folder / "t.csv"
        timeline.write_text("t_s,gpu_utilisation,gpu_mhz\n0,40,1109.25\n1,50,1109.25\n2,95,1109.25\n", encoding="utf-8")
        words = ["trace", "conformance", timeline, "--governor", "nvhost_podgov", "--platform", "jetson-xavier-nx"]
        told = dynasoc(*words, status=2)
        self.assertIn("t.csv:2:3: ", told)
        self.assertIn("must be from 0 to 1, not 40 (a share, not percent)", told)

    def test_unknown_network(self):
        told = dynasoc("trace", "import", "loadgen", TRACES / "loadgen-server", "--scenario", self.folder / "s.json", "--network", "nope",
                       status=2)
        self.assertIn('--network nope: unknown network "nope"', told)
        self.assertNotIn("built in", told)

    def test_shorter_than_a_row(self):
        out = self.folder / "x.csv"
        words = ["trace", "import", "ftrace", TRACES / "ftrace.txt", "-o", out, "--window-ms"]
        self.assertIn("smaller --window-ms", dynasoc(*words, "100000", status=2))
        self.assertFalse(out.exists())
        dynasoc(*words, "10")
        self.assertGreater(len(rows(out)), 20)

    def test_simulated_board_as_tegrastats(self):
        timeline = self.timeline(
            timeline_ms=100, duration_s=10, governors={"cpu": "schedutil", "gpu": "nvhost_podgov"},
            background={"gpu": {"unit": "gpu", "from_s": 2, "to_s": 6, "demand": {"kind": "periodic", "period_ms": 20, "work_ms": 9}},
                        "cpu": {"unit": "cpu", "from_s": 1, "to_s": 4}})
        simulated = rows(timeline)
        log = self.folder / "log"
        with open(log, "w", encoding="utf-8") as file:
            for row in simulated:
                cpu = f"{round(100 * float(row['cpu_utilisation']))}%@{int(float(row['cpu_mhz']))}"
                gpu = f"{round(100 * float(row['gpu_utilisation']))}%@[{int(float(row['gpu_mhz']))}]"
                milliwatt = round(1000 * float(row["VDD_IN_true_w"]))
                file.write(f"RAM 1234/7771MB (lfb 2x4MB) SWAP 0/3885MB (cached 0MB) CPU [{cpu},{cpu},off,off,off,off] EMC_FREQ 0%@1600 "
                           f"GR3D_FREQ {gpu} GPU@{float(row['gpu_temperature_c']):.1f}C VDD_IN {milliwatt}mW/{milliwatt}mW\n")
        out, background = self.folder / "out.csv", self.folder / "background.json"
        told = json.loads(dynasoc("trace", "import", "tegrastats", log, "-o", out, "--interval-ms", 100, "--check",
                                  "jetson-xavier-nx", "--background", background, "--json"))
        self.assertEqual(told["taken"], len(simulated))
        self.assertEqual(told["dropped"] + told["remarks"] + told["check"]["clocks"], [])
        recorded = rows(out)
        self.assertEqual(len(recorded), len(simulated))
        start = float(simulated[0]["time_s"])
        for was, got in zip(simulated, recorded):
            self.assertAlmostEqual(float(was["time_s"]) - start, float(got["t_s"]), delta=1e-9)
            self.assertAlmostEqual(float(was["cpu_utilisation"]), float(got["cpu1_utilisation"]), delta=0.00501)
            self.assertAlmostEqual(float(was["gpu_utilisation"]), float(got["gpu_utilisation"]), delta=0.00501)
            self.assertEqual(int(float(was["gpu_mhz"])), float(got["gpu_mhz"]))
            self.assertEqual(got["cpu2_mhz"], "")
            self.assertAlmostEqual(1000 * float(was["VDD_IN_true_w"]), float(got["VDD_IN_mw"]), delta=0.51)

        # The background that was made of it loads the board as it was loaded.
        again = rows(self.timeline("again", timeline_ms=100, duration_s=9, include="background.json"))
        for unit in ("cpu", "gpu"):
            mean = [sum(float(row[f"{unit}_utilisation"]) for row in all_rows) for all_rows in (simulated[1:91], again[:90])]
            self.assertAlmostEqual(mean[0], mean[1], delta=0.03 * max(mean))

    def test_governors_agree_with_themselves(self):
        gpu_load = {"a": {"unit": "gpu", "from_s": 0.2, "to_s": 1.1, "demand": {"kind": "on-off", "on_ms": 30, "off_ms": 17, "exponential": True}},
                    "b": {"unit": "gpu", "from_s": 1.4, "to_s": 1.9}}
        for governor, other in (("nvhost_podgov", "simple_ondemand"), ("simple_ondemand", "nvhost_podgov")):
            with self.subTest(governor):
                timeline = self.timeline(governor, timeline_ms=25, governors={"gpu": governor}, background=gpu_load)
                self.assertEqual(self.agreement(timeline, governor), 1)
                self.assertLess(self.agreement(timeline, other), 0.95)

        # On the CPU everything happens on the grid of the rows: loads by the millisecond, clocks 1.4 ms after a decision.
        cpu_load = {"a": {"unit": "cpu", "from_s": 0.2, "to_s": 0.7}, "b": {"unit": "cpu", "from_s": 1.2, "to_s": 1.25},
                    "c": {"unit": "cpu", "from_s": 1.3, "to_s": 2.3, "demand": {"kind": "on-off", "on_ms": 7, "off_ms": 13}}}
        for governor, others in (("schedutil", ("ondemand", "conservative")), ("ondemand", ("schedutil", "conservative")),
                                 ("conservative", ("schedutil", "ondemand"))):
            with self.subTest(governor):
                timeline = self.timeline(governor, timeline_ms=0.1, governors={"cpu": governor}, background=cpu_load)
                self.assertEqual(self.agreement(timeline, governor, "--domain", "cpu0"), 1)
                for other in others:
                    self.assertLess(self.agreement(timeline, other, "--domain", "cpu0"), 0.99)

    def test_statuses(self):
        timeline = self.folder / "t.csv"
        dynasoc("trace", "import", "tegrastats", TRACES / "jetpack5.log", "-o", timeline)
        words = ["trace", "conformance", timeline, "--governor", "nvhost_podgov", "--platform", "jetson-xavier-nx"]
        dynasoc(*words, "--min-agreement", "0")
        dynasoc(*words, "--set", "load_max=0", "--min-agreement", "1", "--out", self.folder / "both.csv", status=1)
        self.assertEqual(len(rows(self.folder / "both.csv")), 4)
        self.assertIn("did you mean", dynasoc(*words, "--set", "lod_max=1", status=2))
        self.assertIn("did you mean \"nvhost_podgov\"", dynasoc(*words[:4], "nvhost_podgv", *words[5:], status=2))
        self.assertIn("exists already", dynasoc("trace", "import", "tegrastats", TRACES / "jetpack5.log", "-o", timeline, status=2))
        self.assertIn("use `dynasoc trace import perfetto`",
                      dynasoc("trace", "import", "ftrace", TRACES / "kernel.pftrace", status=2))
        jobs = self.folder / "jobs.csv"
        dynasoc("trace", "import", "perfetto", TRACES / "kernel.pftrace", "--arrivals", "dnn worker", "--arrivals-out", jobs)
        self.assertEqual([row["latency_ms"] for row in rows(jobs)], ["32", "30"])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["both.csv", "jobs.csv", "t.csv"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
