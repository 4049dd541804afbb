#!/usr/bin/env python3
"""dynasoc-agent as docs/board-protocol.md says it: each operation with a real worker, and what it costs. Prints
latencies, memory and what the sampler takes of inferences.
"""
import json
import os
import statistics
import subprocess
import sys
import time
import unittest

import fixture
from agent_client import AGENT, AgentError, AgentLost, Pipe, Ssh

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = "reference=" + ",".join((sys.executable, os.path.join(HERE, "..", "..", "tools", "runner.py")))
SMALL = {"supernetwork": "once-for-all-mbv3", "width": 1.2, "resolution": 160, "depths": [2] * 5, "kernels": [3] * 20,
         "expansions": [3] * 20}
LARGER = {**SMALL, "resolution": 192, "kernels": [5] * 20}
RESIDENT_KB = 8 * 1024  # libraries of executors included, as far as they are linked
RAIL_KB = 2 * 1024  # two minutes of readings
PRINTED = []


def status_of(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(line.split(":", 1)[1].strip() for line in file if line.startswith(name + ":"))


def report(text):
    PRINTED.append(text)


class Case(unittest.TestCase):
    make_transport = Pipe

    @classmethod
    def setUpClass(cls):
        if not AGENT:
            raise RuntimeError("DYNASOC_AGENT must be the program's path")
        try:
            cls.transport = cls.make_transport()
        except FileNotFoundError as missing:
            raise unittest.SkipTest(str(missing)) from None

    @classmethod
    def tearDownClass(cls):
        cls.transport.stop()

    def setUp(self):
        self.tree = fixture.Tree()
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.tree.remove()

    def start(self, *options, **changes):
        client = self.transport.start(self.tree, *options)
        self.clients.append(client)
        client.greeting = client.hello()
        client.configured = client.call("configure", **{**fixture.CONFIGURATION, **changes})
        client.agent_pid = int(open_text(os.path.join(self.tree.state, "lock")))
        return client

    def load(self, client, app="a", unit="cpu", **members):
        """With the executor that is real, where there is one."""
        if "onednn" in client.greeting["executors"]:
            request = {"executor": "onednn", "subnets": {"L1": SMALL, "L2": LARGER}}
        else:
            request = {"executor": "replay", "subnets": {"L1": {}, "L2": {}}, "latencies": {"L1": [3], "L2": [5, 6]}}
        return client.call("load", app=app, unit=unit, timeout_s=60, **{**request, **members})

    def refused(self, code, call, *arguments, **members):
        with self.assertRaises(AgentError) as caught:
            call(*arguments, **members)
        self.assertEqual(caught.exception.code, code, caught.exception)
        return caught.exception.error


def open_text(path):
    with open(path, encoding="ascii") as file:
        return file.read()


class Protocol:
    def test_each_operation(self):
        client = self.start()
        known = {"protocol": 1, "lease_ms": 60000, "cpus": 2, "restored": [], "dry_run": False}
        self.assertEqual({name: client.greeting[name] for name in known}, known)
        self.assertIn("replay", client.greeting["executors"])
        before_ns = time.monotonic_ns()
        clock_ns = client.call("ping")["clock_ns"]
        self.assertTrue(before_ns < clock_ns < time.monotonic_ns())

        board = client.call("probe")
        self.assertEqual([cpu["cpu"] for cpu in board["cpus"]], [0, 1])
        self.assertEqual(board["domains"][0]["opps_mhz"], [400, 800, 1200])
        self.assertEqual([rail["label"] for rail in board["rails"]], ["VDD_IN"])
        self.assertEqual(board["thermal"][0]["type"], "CPU-therm")
        self.assertEqual(client.configured["domains"]["cpu"]["opps_mhz"], [400, 800, 1200])
        self.assertEqual(client.configured["sample_hz"], 500)

        self.check_knobs(client)
        self.check_states(client)
        self.check_inferences(client)
        self.check_loads(client)

        client.call("set", knob="frequency", domain="cpu", mhz=400)
        answer = client.call("restore")
        self.assertEqual((self.tree.changed(), answer["failed"]), ([], []))
        self.assertTrue(answer["restored"])
        self.refused("not_found", client.call, "infer", app="a", subnet="L1")
        client.call("set", knob="frequency", domain="cpu", mhz=400)
        self.assertEqual(client.call("bye")["failed"], [])
        self.assertEqual(self.tree.changed(), [])
        with self.assertRaises(AgentLost):
            client.message(5)
        self.assertEqual(client.process.wait(5), 0)

    def check_knobs(self, client):
        policy = fixture.POLICY.format(0)
        read = lambda name: self.tree.read(f"{policy}/{name}").decode().strip()
        answer = client.call("set", knob="frequency", domain="cpu", mhz=800)
        self.assertEqual((answer["requested"], answer["actual"]), (800, 800))
        self.assertLess(answer["settle_ms"], 50)
        self.assertEqual({write["value"] for write in answer["writes"]}, {"800000"})
        self.assertEqual((read("scaling_min_freq"), read("scaling_max_freq")), ("800000", "800000"))
        client.call("set", knob="limits", domain="cpu", min_mhz=400, max_mhz=800)
        self.assertEqual((read("scaling_min_freq"), read("scaling_max_freq")), ("400000", "800000"))
        client.call("set", knob="governor", domain="cpu", value="performance")
        self.assertEqual(read("scaling_governor"), "performance")
        client.call("set", knob="release", domain="cpu")
        self.assertEqual(self.tree.changed(), [])
        self.refused("not_allowed", client.call, "set", knob="cores", unit="both", online=1)  # all that `other` has
        client.call("configure", **{**fixture.CONFIGURATION, "units": {"both": {"cpus": [0, 1]}}})
        client.call("set", knob="cores", unit="both", online=1)
        self.assertEqual(self.tree.read(fixture.CPU + "/cpu1/online").strip(), b"0")
        client.call("set", knob="cores", unit="both", online=2)
        self.assertEqual(self.tree.changed(), [])
        client.call("configure", **fixture.CONFIGURATION)

    def check_states(self, client):
        state = client.call("state")
        self.assertEqual(state["domains"]["cpu"]["mhz"], 1200)
        self.assertAlmostEqual(state["rails"]["VDD_IN"]["power_w"], 5)
        self.assertEqual((state["temperatures_c"]["cpu"], state["units"]["both"]["cores_online"]), (45, 2))
        client.call("monitor", period_ms=10)
        clocks = [client.event("state")["clock_ns"] for _ in range(21)]
        client.call("monitor", period_ms=0)
        self.assertAlmostEqual((clocks[-1] - clocks[0]) / 20e6, 10, delta=2)
        time.sleep(0.05)
        client.events.clear()
        client.call("ping")
        self.assertEqual(client.events, [])

    def check_inferences(self, client):
        loaded = self.load(client)
        self.assertEqual(set(loaded["subnets"]), {"L1", "L2"})
        self.assertEqual(loaded["warnings"], [])
        self.assertEqual(status_of(loaded["pid"], "Cpus_allowed_list"), "0")
        self.assertEqual(status_of(client.agent_pid, "Cpus_allowed_list"), "1")
        switched = []
        for subnet in ("L1", "L1", "L2", "L2", "L1"):
            before_ns = time.monotonic_ns()
            result = client.call("infer", app="a", subnet=subnet, repeat=10)
            switched.append(result["switched"])
            self.assertEqual((len(result["latency_ms"]), result["worker"]), (10, 1))
            self.assertTrue(before_ns < result["start_ns"] < result["end_ns"] < time.monotonic_ns())
            window_ms = (result["end_ns"] - result["start_ns"]) / 1e6
            self.assertLessEqual(sum(result["latency_ms"]), window_ms)
            self.assertGreater(sum(result["latency_ms"]), window_ms * 0.8)
            self.assertTrue(0 < result["cpu_ms"] < window_ms * 1.1, result)
            self.assertGreaterEqual(result["samples"], 2)
            self.assertAlmostEqual(result["energy_mj"]["VDD_IN"], 5 * window_ms, delta=0.01 * window_ms)
            self.assertEqual(result["mhz"]["cpu"], 1200)
        self.assertEqual(switched, [True, False, True, False, True])
        error = self.refused("not_found", client.call, "infer", app="a", subnet="L11")
        self.assertIn('did you mean "L1"', error["message"])
        self.refused("bad_request", client.call, "configure", **fixture.CONFIGURATION)
        self.refused("bad_request", self.load, client)
        self.load(client, app="b", unit="other")
        both = [client.send("infer", app=app, subnet="L1", repeat=100) for app in ("a", "b")]
        results = [client.wait(number) for number in both]
        self.assertLess(max(result["start_ns"] for result in results), min(result["end_ns"] for result in results),
                        "side by side")
        client.call("unload", app="b")
        self.refused("not_found", client.call, "infer", app="b", subnet="L1")

    def check_loads(self, client):
        self.assertEqual(client.call("occupy", load="l", unit="other", weight=0.1)["nice"], 10)
        pid = next(pid for pid in children_of(client.agent_pid) if "busy" in command_of(pid))
        self.assertEqual((os.getpriority(os.PRIO_PROCESS, pid), status_of(pid, "Cpus_allowed_list")), (10, "1"))
        self.refused("bad_request", client.call, "occupy", load="l", unit="other")
        client.call("vacate", load="l")
        self.refused("not_found", client.call, "vacate", load="l")
        self.assertNotIn(pid, children_of(client.agent_pid))
        answer = client.call("occupy", load="l", unit="both", work_ms=40)
        self.assertGreaterEqual(answer["end_ns"] - answer["start_ns"], 40e6)
        open_one = client.send("occupy", load="l", unit="both", work_ms=60000)
        client.call("vacate", load="l")
        self.refused("worker", client.wait, open_one)

    def test_latency(self):
        client = self.start()
        most_ms = {"pipe": 1, "ssh": 2}[self.transport.name]
        for name, calls in (("ping", [("ping", {})]),
                            ("set frequency", [("set", {"knob": "frequency", "domain": "cpu", "mhz": mhz})
                                               for mhz in (400, 1200)])):
            for op, members in calls:
                client.call(op, **members)  # the first write of a knob goes to the journal too
            times_ms = []
            for i in range(300):
                op, members = calls[i % len(calls)]
                begin_ns = time.perf_counter_ns()
                client.call(op, **members)
                times_ms.append((time.perf_counter_ns() - begin_ns) / 1e6)
            p95_ms = sorted(times_ms)[285]
            report(f"{name} over {self.transport.name}: median {statistics.median(times_ms):.3f} ms, "
                   f"p95 {p95_ms:.3f} ms")
            self.assertLess(statistics.median(times_ms), most_ms)

    def test_dry_run(self):
        client = self.start("--dry-run")
        self.assertTrue(client.greeting["dry_run"])
        answer = client.call("set", knob="frequency", domain="cpu", mhz=400)
        self.assertTrue(answer["writes"])
        self.assertEqual(self.tree.changed(), [])


class ProtocolOverPipe(Protocol, Case):
    def test_memory(self):
        def resident_kb(client):
            return int(status_of(client.process.pid, "VmRSS").split()[0])
        client = self.transport.start(self.tree)
        self.clients.append(client)
        client.hello()
        client.call("probe")
        at_rest_kb = resident_kb(client)
        client.call("configure", **fixture.CONFIGURATION)
        client.call("set", knob="frequency", domain="cpu", mhz=400)
        client.call("state")
        report(f"agent without applications: {at_rest_kb} kB resident, and {resident_kb(client) - at_rest_kb} kB more "
               "with a rail at 500 Hz")
        self.assertLess(at_rest_kb, RESIDENT_KB)
        self.assertLess(resident_kb(client) - at_rest_kb, RAIL_KB)

    def test_sampling_costs_little(self):
        medians = {}
        for _ in range(3):
            for rails in (fixture.CONFIGURATION["rails"], {}):
                client = self.start(rails=rails)
                self.load(client)
                client.call("infer", app="a", subnet="L1", repeat=50)
                latencies = client.call("infer", app="a", subnet="L1", repeat=400)["latency_ms"]
                medians.setdefault(bool(rails), []).append(statistics.median(latencies))
                client.call("bye")
        sampled_ms, alone_ms = min(medians[True]), min(medians[False])
        report(f"inference beside sampling at 500 Hz on another CPU: {sampled_ms:.3f} ms, without: {alone_ms:.3f} ms "
               f"({100 * (sampled_ms / alone_ms - 1):+.1f} %)")
        self.assertLess(sampled_ms, alone_ms * 1.1)

    def test_slow_sampling_holds_nothing_up(self):
        client = self.start(sample_hz=10)
        self.load(client)
        number = client.send("infer", app="a", subnet="L1")
        slowest_ms = 0
        for _ in range(50):
            begin_ns = time.monotonic_ns()
            client.call("ping")
            slowest_ms = max(slowest_ms, (time.monotonic_ns() - begin_ns) / 1e6)
        client.wait(number)
        self.assertLess(slowest_ms, 50, "pings waited for the meters")

    def test_reference_runner(self):
        client = self.start("--runner", RUNNER)
        self.assertEqual((client.greeting["runners"], client.greeting["executors"][-1]), (["reference"], "command"))
        loaded = self.load(client, executor="command", command="reference", subnets={"L1": SMALL, "L2": LARGER})
        self.assertGreater(loaded["subnets"]["L2"]["macs_m"], loaded["subnets"]["L1"]["macs_m"])
        result = client.call("infer", app="a", subnet="L1", repeat=3)
        self.assertEqual(len(result["latency_ms"]), 3)
        self.assertGreater(result["cpu_ms"], 0)
        self.assertIn("reads no weights", self.refused_by_runner(loaded["pid"]))

    def refused_by_runner(self, pid):
        """What it says to weights, asked as the agent asks."""
        command = command_of(pid).split("\0")[:-1]
        request = {"op": "load", "subnets": {"L1": SMALL}, "threads": 1, "seed": 1, "weights": "/x.safetensors"}
        done = subprocess.run(command, input=json.dumps(request) + "\n", capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["error"]["message"]

    def test_replay_lasts_as_recorded(self):
        client = self.start()
        self.load(client, executor="replay", subnets={"L1": {}, "L2": {}}, latencies={"L1": [2, 4, 8], "L2": [1]})
        latencies = client.call("infer", app="a", subnet="L1", repeat=9)["latency_ms"]
        for latency, recorded in zip(latencies, [2, 4, 8] * 3):
            self.assertGreaterEqual(latency, recorded)
        late = statistics.median(latency - recorded for latency, recorded in zip(latencies, [2, 4, 8] * 3))
        report(f"replay: median {late * 1e3:.1f} us late")
        self.assertLess(late, 0.5)

    def test_cpus_that_are_not_there(self):
        far = os.sysconf("SC_NPROCESSORS_CONF")
        self.tree.write(fixture.CPU + "/present", f"0-{far}\n")
        self.tree.write(fixture.CPU + "/online", f"0-{far}\n")
        self.tree.write(f"{fixture.CPU}/cpu{far}/online", "1\n")
        client = self.start(units={"far": {"cpus": [far]}, "cpu": {"cpus": [0, far]}})
        loaded = self.load(client, unit="far")
        self.assertIn(f"no CPU {far}", loaded["warnings"][0])
        self.assertEqual(status_of(loaded["pid"], "Cpus_allowed_list"), status_of(os.getpid(), "Cpus_allowed_list"))
        loaded = self.load(client, app="b")
        self.assertIn("pinned to the others", loaded["warnings"][0])
        self.assertEqual(status_of(loaded["pid"], "Cpus_allowed_list"), "0")

    def test_command_line(self):
        def run(*arguments):
            return subprocess.run([AGENT, *arguments], capture_output=True, text=True, check=False, timeout=10,
                                  stdin=subprocess.DEVNULL)
        for arguments, said in ((["--rot", "x"], "--root"), (["sevre"], "serve"), (["--root"], "needs a value"),
                                (["--runner", "x"], "NAME=PROGRAM"), (["--runner", "x=sh"], "absolute path"),
                                (["--dry-run=1"], "has no value"),
                                (["serve", "--executor", "replay"], "unknown option")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
        self.assertRegex(run("--version").stdout, r"^dynasoc-agent \d+\.\d+\.\d+\n$")
        self.assertIn("--allow-weights", run("--help").stdout)
        probed = run("probe", "--root", self.tree.root, "--state", self.tree.state)
        self.assertEqual([domain["name"] for domain in json.loads(probed.stdout)["domains"]], ["cpu0", "cpu1"])
        self.assertFalse(os.path.exists(self.tree.state), "a probe writes nothing")


class ProtocolOverSsh(Protocol, Case):
    make_transport = Ssh


def children_of(pid):
    return [int(child) for child in open_text(f"/proc/{pid}/task/{pid}/children").split()]


def command_of(pid):
    return open_text(f"/proc/{pid}/cmdline")


def tearDownModule():
    print("\n".join(PRINTED))


if __name__ == "__main__":
    unittest.main()
