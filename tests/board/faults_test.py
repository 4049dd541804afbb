#!/usr/bin/env python3
"""dynasoc-agent when things go wrong, over a pipe and over a real sshd: after each fault all knobs hold the bytes that
they held before, and what was measured up to then has arrived. Prints how long restoring took.
"""
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import unittest

import fixture
from agent_client import AGENT, LONGEST_LINE, AgentError, AgentLost, Pipe, Ssh

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = "faults=" + ",".join((sys.executable, os.path.join(HERE, "fault_runner.py")))
FAULTS = ("ok", "crash", "hang", "rubbish", "long", "end", "deaf", "elsewhen", "few", "refuse", "shout", "afterwards")
LEASE_MS = 500
PROMPT_MS = 2000  # for what takes a few ms on a machine that others use too
TIMES = {}


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_gone(pids, timeout_s=5.0):
    until = time.monotonic() + timeout_s
    while any(map(alive, pids)):
        if time.monotonic() > until:
            raise AssertionError(f"still there: {[pid for pid in pids if alive(pid)]}")
        time.sleep(0.001)


def restore_command(tree):
    return subprocess.run([AGENT, "restore", "--root", tree.root, "--state", tree.state], capture_output=True,
                          text=True, check=False)


# Holds a file's lock and 256 MB.
HOLDER = """
import fcntl, os, sys, time
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY | (0 if os.path.isdir(sys.argv[1]) else os.O_CREAT)), fcntl.LOCK_EX)
memory = b"x" * (256 << 20)
print("held", flush=True)
time.sleep(600)
"""


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def took(transport, fault, ms):
    TIMES.setdefault((fault, transport), []).append(ms)


class Faults:
    """All faults; a class of each transport runs them."""

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

    def start(self, *options):
        client = self.transport.start(self.tree, "--runner", RUNNER, *options)
        self.clients.append(client)
        return client

    def at_work(self, *options, lease_ms=60000, app=True, client=None):
        """A session that has turned knobs, and an application that has measured."""
        client = client or self.start(*options)
        client.hello(lease_ms)
        client.call("configure", **fixture.CONFIGURATION)
        client.call("set", knob="frequency", domain="cpu", mhz=800)
        client.call("set", knob="governor", domain="cpu", value="performance")
        client.call("set", knob="limits", domain="other", min_mhz=400, max_mhz=800)
        self.assertTrue(self.tree.changed())
        if app:
            client.worker_pid = client.call("load", app="a", unit="cpu", executor="command", command="faults",
                                            subnets={name: {} for name in FAULTS})["pid"]
            client.agent_pid = parent_of(client.worker_pid)
            self.measure(client)
        return client

    def measure(self, client, calls=3, repeat=4):
        for _ in range(calls):
            self.check_result(client.call("infer", app="a", subnet="ok", repeat=repeat), repeat)

    def check_result(self, result, repeat=1):
        self.assertEqual(len(result["latency_ms"]), repeat)
        self.assertTrue(all(1 <= latency < 1000 for latency in result["latency_ms"]), result)
        self.assertLess(result["start_ns"], result["end_ns"])
        self.assertGreaterEqual(result["end_ns"] - result["start_ns"], sum(result["latency_ms"]) * 1e6 * 0.999)
        for name in ("cpu_ms", "foreign", "clean", "switched", "mhz", "energy_mj", "samples", "worker"):
            self.assertIn(name, result)

    def refused(self, code, call, *arguments, **members):
        with self.assertRaises(AgentError) as caught:
            call(*arguments, **members)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertNotIn("\n", str(caught.exception))
        return caught.exception.error

    def restored(self, fault, since, limit_ms):
        ms = self.tree.wait_restored(since)
        took(self.transport.name, fault, ms)
        self.assertLess(ms, limit_ms)

    def check_clean_end(self):
        """No journal remains, and another agent finds nothing to restore."""
        until = time.monotonic() + 2
        while True:  # it restores first, and then takes leave
            done = restore_command(self.tree)
            if "holds this board" not in done.stderr or time.monotonic() > until:
                break
            time.sleep(0.005)
        self.assertEqual((done.returncode, done.stdout), (0, "nothing to restore\n"), done.stderr)
        self.assertEqual(self.tree.changed(), [])

    def end(self, client):
        answer = client.call("bye")
        self.assertEqual(answer["failed"], [])
        self.assertEqual(self.tree.changed(), [])
        with self.assertRaises(AgentLost):
            client.message(5)
        self.check_clean_end()

    # The host.

    def test_end_of_input(self):
        client = self.at_work()
        number = client.send("infer", app="a", subnet="hang")
        since = time.monotonic()
        client.process.stdin.close()
        self.restored("host: end of input", since, PROMPT_MS)
        wait_gone([client.agent_pid, client.worker_pid])
        self.refused("worker", client.wait, number)
        self.assertEqual(client.event("ending")["reason"], "input")
        self.check_clean_end()

    def test_host_killed(self):
        ready, written = os.pipe()
        host = os.fork()
        if host == 0:  # a host of its own, which measures, and then is shot
            try:
                os.close(ready)
                client = self.at_work()
                client.send("infer", app="a", subnet="hang")
                os.write(written, json.dumps([client.agent_pid, client.worker_pid]).encode())
                time.sleep(60)
            finally:
                os._exit(1)
        os.close(written)
        pids = json.loads(os.read(ready, 1000) or b"[]")
        os.close(ready)
        self.assertEqual(len(pids), 2, "the host could not start")
        self.assertTrue(self.tree.changed())
        since = time.monotonic()
        os.kill(host, signal.SIGKILL)
        self.restored("host: killed", since, PROMPT_MS)
        os.waitpid(host, 0)
        wait_gone(pids)
        self.check_clean_end()

    def test_silent_host(self):
        client = self.at_work(lease_ms=LEASE_MS)
        since = time.monotonic()
        self.restored("host: silent", since, LEASE_MS + PROMPT_MS)
        self.assertGreater(TIMES[("host: silent", self.transport.name)][-1], LEASE_MS * 0.9)
        self.assertEqual(client.event("ending")["reason"], "lease")
        wait_gone([client.agent_pid, client.worker_pid])
        self.check_clean_end()

    def test_lease_is_renewed(self):
        client = self.at_work(lease_ms=LEASE_MS)
        until = time.monotonic() + 3 * LEASE_MS / 1e3
        while time.monotonic() < until:
            time.sleep(LEASE_MS / 4e3)
            client.call("ping")
        self.assertTrue(self.tree.changed())
        # A call that ends renews it too, one that is open does not.
        result = client.call("infer", app="a", subnet="ok", repeat=round(LEASE_MS * 0.6))
        time.sleep(LEASE_MS * 0.6e-3)
        self.check_result(result, round(LEASE_MS * 0.6))
        client.call("ping")
        since = time.monotonic()
        client.send("infer", app="a", subnet="hang")
        self.tree.wait_restored(since, (LEASE_MS + PROMPT_MS) / 1e3)
        self.check_clean_end()

    def test_host_that_does_not_read(self):
        client = self.at_work(lease_ms=LEASE_MS)
        client.call("monitor", period_ms=2)
        until = time.monotonic() + 20
        asked = json.dumps({"id": 9999, "op": "probe"}).encode() + b"\n"
        os.set_blocking(client.process.stdin.fileno(), False)
        # It asks, and takes no answer: all that stands between is filled, and then nothing is heard of it any more.
        while self.tree.changed() and time.monotonic() < until:
            try:
                os.write(client.process.stdin.fileno(), asked)
            except (BlockingIOError, BrokenPipeError):
                time.sleep(0.001)
        self.assertEqual(self.tree.changed(), [])
        wait_gone([client.agent_pid, client.worker_pid])

    def test_signals(self):
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal_number.name):
                client = self.at_work()
                since = time.monotonic()
                os.kill(client.agent_pid, signal_number)
                self.restored("agent: " + signal_number.name, since, PROMPT_MS)
                self.assertEqual(client.event("ending")["reason"], "signal")
                wait_gone([client.agent_pid, client.worker_pid])
                self.check_clean_end()

    def test_output_closed(self):
        client = self.at_work()
        client.call("monitor", period_ms=5)
        since = time.monotonic()
        client.process.stdout.close()
        self.restored("host: takes no output", since, PROMPT_MS if self.transport.name == "pipe" else 5000)
        wait_gone([client.agent_pid, client.worker_pid])

    # The worker.

    def after_fault(self, client, error, fault, worker):
        """The session goes on: the next call starts a new worker, which is counted."""
        since = time.monotonic()
        result = client.call("infer", app="a", subnet="ok")
        took(self.transport.name, f"worker: call after {fault}", (time.monotonic() - since) * 1e3)
        self.check_result(result)
        self.assertEqual(result["worker"], worker)
        self.assertTrue(result["switched"])
        self.assertTrue(error["message"])

    def test_worker_ends(self):
        client = self.at_work()
        worker = 1
        for fault, deadline_ms, details in (("crash", 5000, {"signal": signal.SIGABRT}), ("end", 5000, {}),
                                            ("rubbish", 5000, {}), ("long", 5000, {}), ("elsewhen", 5000, {}),
                                            ("few", 5000, {}), ("shout", 5000, {"signal": signal.SIGABRT}),
                                            ("hang", 100, {}), ("deaf", 5000, {})):
            with self.subTest(fault):
                pid = client.call("load", app="pid", unit="cpu", executor="command", command="faults",
                                  subnets={"ok": {}})["pid"]  # whoever it is, others are not touched
                since = time.monotonic()
                error = self.refused("worker", client.call, "infer", app="a", subnet=fault, deadline_ms=deadline_ms)
                ms = (time.monotonic() - since) * 1e3
                took(self.transport.name, f"worker: {fault} is told", ms)
                self.assertLess(ms, PROMPT_MS + (deadline_ms if fault == "hang" else 0))
                for name, value in details.items():
                    self.assertEqual(error[name], value)
                worker += 1
                self.after_fault(client, error, fault, worker)
                self.assertTrue(alive(pid))
                client.call("unload", app="pid")
                wait_gone([pid])
        self.assertTrue(self.tree.changed())
        self.end(client)

    def test_last_words(self):
        client = self.at_work()
        error = self.refused("worker", client.call, "infer", app="a", subnet="shout")
        self.assertTrue(error["message"].endswith("last words"), error["message"])
        self.assertEqual(len(error["stderr"]), 4096)
        error = self.refused("worker", client.call, "infer", app="a", subnet="crash")
        self.assertEqual(error["stderr"], "out of memory, say\n")
        self.end(client)

    def test_refusal_is_no_crash(self):
        client = self.at_work()
        self.assertIn("not today", self.refused("worker", client.call, "infer", app="a", subnet="refuse")["message"])
        self.assertEqual(client.call("infer", app="a", subnet="ok")["worker"], 1)
        self.end(client)

    def test_worker_ends_unasked(self):
        client = self.at_work()
        self.check_result(client.call("infer", app="a", subnet="afterwards"))
        self.assertEqual(client.event("worker")["app"], "a")
        result = client.call("infer", app="a", subnet="ok")
        self.assertEqual(result["worker"], 2)
        pid = client.call("load", app="b", unit="other", executor="command", command="faults",
                          subnets={"ok": {}})["pid"]
        os.kill(pid, signal.SIGSEGV)
        event = client.event("worker")
        self.assertEqual((event["app"], "Segmentation" in event["message"]), ("b", True), event)
        self.assertEqual(client.call("infer", app="b", subnet="ok")["worker"], 2)
        self.end(client)

    def test_load_that_crashes(self):
        client = self.at_work()
        error = self.refused("worker", client.call, "load", app="b", unit="cpu", executor="command", command="faults",
                             subnets={"crash_at_load": {}})
        self.assertEqual(error["signal"], signal.SIGABRT)
        self.refused("not_found", client.call, "infer", app="b", subnet="crash_at_load")
        self.measure(client)
        self.end(client)

    def test_workers_run_side_by_side(self):
        client = self.at_work()
        client.call("load", app="b", unit="other", executor="command", command="faults", subnets={"hang": {}})
        hanging = client.send("infer", app="b", subnet="hang", deadline_ms=300)
        self.refused("bad_request", client.call, "infer", app="b", subnet="hang")
        self.measure(client)
        self.refused("worker", client.wait, hanging)
        self.end(client)

    # The agent.

    def test_agent_killed(self):
        client = self.at_work()
        client.call("occupy", load="b", unit="other")
        children = children_of(client.agent_pid)
        self.assertGreaterEqual(len(children), 2)
        os.kill(client.agent_pid, signal.SIGKILL)
        wait_gone(children)
        self.assertTrue(self.tree.changed())  # nobody was there to restore
        since = time.monotonic()
        again = self.start()
        restored = again.hello()["restored"]
        took(self.transport.name, "agent: killed, the next start restores", (time.monotonic() - since) * 1e3)
        self.assertEqual(self.tree.changed(), [])
        self.assertGreaterEqual(len(restored), 4)
        self.end(again)

    def test_restore_command(self):
        client = self.at_work()
        os.kill(client.agent_pid, signal.SIGKILL)
        wait_gone([client.agent_pid])
        since = time.monotonic()
        done = restore_command(self.tree)
        took(self.transport.name, "agent: killed, `restore`", (time.monotonic() - since) * 1e3)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("scaling_max_freq to 1200000", done.stdout)
        self.assertEqual(self.tree.changed(), [])
        self.check_clean_end()

    def test_what_cannot_be_restored_is_told(self):
        client = self.at_work()
        os.kill(client.agent_pid, signal.SIGKILL)
        wait_gone([client.agent_pid])
        governor = fixture.POLICY.format(0) + "/scaling_governor"
        os.remove(self.tree.path(governor))
        done = restore_command(self.tree)
        self.assertEqual(done.returncode, 3)
        self.assertIn("echo schedutil | sudo tee ", done.stdout)
        with open(self.tree.path(governor), "w", encoding="ascii") as file:
            file.write("performance\n")
        self.assertEqual(restore_command(self.tree).returncode, 0)
        self.assertEqual(self.tree.changed(), [])
        self.check_clean_end()

    def test_a_killed_holder_is_waited_for(self):
        # A killed process lets go of its locks when its memory is freed: not at once, where there is much of it.
        os.makedirs(self.tree.state, exist_ok=True)
        for held in (os.path.join(self.tree.state, "lock"), os.path.join(self.tree.root, "sys")):
            with self.subTest(held):
                holder = subprocess.Popen([sys.executable, "-c", HOLDER, held], stdout=subprocess.PIPE, text=True)
                self.addCleanup(holder.stdout.close)
                self.addCleanup(holder.wait)
                self.addCleanup(holder.kill)
                self.assertEqual(holder.stdout.readline(), "held\n")
                done = restore_command(self.tree)  # while it lives
                self.assertEqual(done.returncode, 3)
                self.assertIn(f"the agent with pid {holder.pid} holds this board", done.stderr)
                holder.kill()
                done = restore_command(self.tree)
                self.assertEqual((done.returncode, done.stdout), (0, "nothing to restore\n"), done.stderr)
        self.check_clean_end()

    def test_what_an_earlier_agent_wrote_does_not_speak_for_the_holder(self):
        os.makedirs(self.tree.state, exist_ok=True)
        gone = subprocess.Popen(["true"])
        gone.wait()
        lock = os.path.join(self.tree.state, "lock")
        with open(lock, "w", encoding="ascii") as file:
            file.write(f"{gone.pid}\n")
            fcntl.flock(file, fcntl.LOCK_EX)
            done = restore_command(self.tree)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"the agent with pid {os.getpid()} holds this board", done.stderr)
        self.check_clean_end()

    def test_two_agents(self):
        client = self.at_work()
        before = self.tree.snapshot()
        other = self.start()
        error = self.refused("busy", other.hello)
        self.assertEqual(error["pid"], client.agent_pid)
        done = restore_command(self.tree)
        self.assertEqual((done.returncode, str(client.agent_pid) in done.stderr), (3, True), done.stderr)
        other.close()
        self.clients.remove(other)
        self.assertEqual(self.tree.snapshot(), before)
        self.measure(client)
        self.end(client)

    # The board.

    def test_knob_not_applied(self):
        self.tree.share_register()
        client = self.at_work(app=False)
        error = self.refused("not_applied", client.call, "set", knob="limits", domain="cpu", min_mhz=400, max_mhz=1200)
        self.assertNotEqual(error["requested"], error["actual"])
        self.end(client)

    def test_sensor_disappears(self):
        client = self.at_work()
        for name in ("in1_input", "curr1_input"):
            os.remove(self.tree.path(f"{fixture.HWMON}/{name}"))
        self.assertEqual((lost := client.event("lost"))["what"], "rail", lost)
        self.assertEqual(lost["name"], "VDD_IN")
        os.remove(self.tree.path(fixture.ZONE + "/temp"))
        state = client.call("state")
        self.assertEqual(client.event("lost"), {"event": "lost", "what": "temperature", "name": "cpu"})
        self.assertIsNone(state["rails"]["VDD_IN"]["power_w"])
        self.assertIsNone(state["temperatures_c"]["cpu"])
        result = client.call("infer", app="a", subnet="ok", repeat=20)
        self.check_result(result, 20)
        self.assertIsNone(result["energy_mj"]["VDD_IN"])
        client.call("state")
        self.assertEqual(client.events, [], "told once")
        self.end(client)

    def test_thermal_limit(self):
        client = self.at_work()
        load = client.send("occupy", load="b", unit="other", work_ms=600000)
        hanging = client.send("infer", app="a", subnet="hang", deadline_ms=60000)
        self.tree.set_temperature(96)
        event = client.event("thermal")
        self.assertEqual((event["name"], event["temperature_c"], event["limit_c"]), ("cpu", 96, 95))
        self.refused("thermal", client.wait, load)
        self.refused("thermal", client.wait, hanging, 3)
        self.refused("thermal", client.call, "infer", app="a", subnet="ok")
        self.refused("thermal", client.call, "occupy", load="c", unit="other")
        self.tree.set_temperature(60)
        self.measure(client)
        self.end(client)

    def test_disk_full(self):
        os.mkdir(self.tree.state)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", self.tree.state],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("a small disk cannot be mounted here: " + mounted.stderr.strip())
        try:
            filler = os.path.join(self.tree.state, "filler")
            with open(filler, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass
            client = self.start()
            client.hello()
            client.call("configure", **fixture.CONFIGURATION)
            for members in ({"knob": "frequency", "mhz": 800}, {"knob": "governor", "value": "performance"}):
                self.refused("io", client.call, "set", domain="cpu", **members)
                self.assertEqual(self.tree.changed(), [], "a knob whose value is not in the journal was written")
            os.remove(filler)
            client.call("set", knob="frequency", domain="cpu", mhz=800)
            # Full again: the journal holds what it needs, so all is restored.
            with open(filler, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass
            since = time.monotonic()
            client.process.stdin.close()
            self.restored("disk full: end of input", since, PROMPT_MS)
            os.remove(filler)
            self.check_clean_end()
        finally:
            for client in self.clients:
                client.close()
            self.clients.clear()
            subprocess.run(["umount", "-l", self.tree.state], check=True)

    # What is said.

    def test_lines_that_are_no_requests(self):
        client = self.at_work()
        before = self.tree.snapshot()
        deep = b'{"id":1,"op":' + b"[" * 30000 + b"]" * 30000 + b"}"
        for line in (b"", b"{", b"[]", b"7", b"\xff\xfe\x00", b'{"op":"ping"}', b'{"id":"x","op":"ping"}', deep,
                     b'{"id":1e400,"op":"ping"}', b'{"id":18446744073709551615,"op":"ping"}', b'{"id":1.5,"op":"ping"}',
                     b"x" * LONGEST_LINE, b'{"id":5,"op":"ping","pad":"' + b"y" * (1 << 20) + b'"}'):
            with self.subTest(line[:40]):
                client.write(line + b"\n")
                answer = client.message()
                self.assertEqual((answer["id"], answer["error"]["code"]), (None, "bad_request"), answer)
                self.assertLess(len(answer["error"]["message"]), 300)
        for line in (b'{"id":1000}', b'{"id":1000,"op":7}', b'{"id":1000,"op":"pling"}',
                     b'{"id":1000,"op":"ping","x":1}',
                     b'{"id":1000,"op":"hello","protocol":1,"lease_ms":2000}', b'{"id":1000,"op":"infer"}',
                     b'{"id":1000,"op":"infer","app":"a","subnet":"ok","repeat":1001}',
                     b'{"id":1000,"op":"infer","app":"a","subnet":"ok","repeat":1.5}',
                     b'{"id":1000,"op":"infer","app":"a","subnet":"ok","deadline_ms":-1}',
                     b'{"id":1000,"op":"monitor","period_ms":1}', b'{"id":1000,"op":"occupy","load":"","unit":"cpu"}',
                     b'{"id":1000,"op":"set","knob":"frequency","domain":"cpu","mhz":"800"}'):
            with self.subTest(line):
                client.write(line + b"\n")
                answer = client.message()
                self.assertEqual((answer["id"], answer["error"]["code"]), (1000, "bad_request"), answer)
        exactly = b'{"id":1001,"op":"ping"}'
        client.write(exactly + b" " * (LONGEST_LINE - 1 - len(exactly)) + b"\n")
        self.assertIn("ok", client.message())
        with open(f"/proc/{client.agent_pid}/status", encoding="ascii") as file:
            peak_kb = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
        self.assertLess(peak_kb, 64 * 1024)
        self.assertEqual(self.tree.snapshot(), before)
        self.measure(client)
        self.end(client)

    def test_line_without_end(self):
        client = self.at_work()
        def resident_kb():
            with open(f"/proc/{client.agent_pid}/status", encoding="ascii") as file:
                return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
        before = resident_kb()
        for _ in range(256):
            client.write(b"z" * (1 << 16))
        client.write(b"\n")
        self.assertEqual(client.message()["error"]["code"], "bad_request")
        self.assertLess(resident_kb() - before, 1024, "16 MB were kept")
        self.measure(client)
        self.end(client)

    def test_hello_comes_first(self):
        client = self.start()
        for op in ("ping", "probe", "set", "restore"):
            self.assertIn("hello", self.refused("bad_request", client.call, op)["message"])
        self.refused("bad_request", client.call, "hello", protocol=2, lease_ms=2000)
        self.refused("bad_request", client.call, "hello", protocol=1, lease_ms=99)
        client.hello()
        self.end(client)

    def test_same_number_twice(self):
        client = self.at_work()
        number = client.send("infer", app="a", subnet="hang", deadline_ms=200)
        client.write(json.dumps({"id": number, "op": "ping"}).encode() + b"\n")
        self.assertIsNone((answer := client.message())["id"], answer)
        self.refused("worker", client.wait, number)
        self.end(client)

    def test_values_that_are_not_allowed(self):
        client = self.at_work()
        before = self.tree.snapshot()
        for code, members in (("not_allowed", {"knob": "frequency", "domain": "cpu", "mhz": 801}),
                              ("not_allowed", {"knob": "frequency", "domain": "cpu", "mhz": 0}),
                              ("not_allowed", {"knob": "governor", "domain": "cpu", "value": "userspace"}),
                              ("not_allowed", {"knob": "governor", "domain": "cpu", "value": "schedutil\n1"}),
                              ("not_allowed", {"knob": "limits", "domain": "cpu", "min_mhz": 1200, "max_mhz": 400}),
                              ("not_allowed", {"knob": "cores", "unit": "both", "online": 3}),
                              ("not_allowed", {"knob": "cores", "unit": "both", "online": 0}),
                              ("not_found", {"knob": "frequency", "domain": "gpu", "mhz": 800}),
                              ("not_found", {"knob": "frequency", "domain": "../cpu", "mhz": 800}),
                              ("bad_request", {"knob": "voltage", "domain": "cpu"})):
            with self.subTest(members):
                self.refused(code, client.call, "set", **members)
                self.assertEqual(self.tree.snapshot(), before)
        self.end(client)

    def test_paths_that_lead_out(self):
        client = self.start()
        client.hello()
        for configuration in ({"domains": {"cpu": {"policy": "../../../../../etc"}}},
                              {"domains": {"cpu": {"policy": "cpu0/../cpu1"}}},
                              {"domains": {"gpu": {"devfreq": "../../etc"}}}, {"units": {"cpu": {"cpus": [7]}}},
                              {"units": {"cpu": {"cpus": [-1]}}}, {"thermal": {"t": {"type": "../x", "limit_c": 90}}},
                              {"rails": {"r": {"label": "../../etc/passwd"}}}, {"sampler_cpu": 9}):
            with self.subTest(configuration):
                with self.assertRaises(AgentError) as caught:
                    client.call("configure", **configuration)
                self.assertIn(caught.exception.code, ("not_allowed", "not_found", "bad_request"))
        self.end(client)

    def test_weights_outside_the_folder(self):
        folder = os.path.join(self.tree.folder, "weights")
        os.makedirs(os.path.join(folder, "folder.safetensors"))
        secret = os.path.join(self.tree.folder, "secret.safetensors")
        for name in (secret, os.path.join(folder, "good.safetensors"), os.path.join(folder, "good.pt")):
            with open(name, "wb") as file:
                file.write(bytes(16))
        os.symlink(secret, os.path.join(folder, "link.safetensors"))
        client = self.at_work("--allow-weights", folder)
        load = {"app": "b", "unit": "cpu", "executor": "command", "command": "faults", "subnets": {"ok": {}}}
        for code, path in (("not_allowed", secret), ("not_allowed", folder + "/../secret.safetensors"),
                           ("not_allowed", "../secret.safetensors"), ("not_allowed", "link.safetensors"),
                           ("not_allowed", "good.pt"), ("not_allowed", "folder.safetensors"),
                           ("not_allowed", "/etc/passwd"), ("not_found", "none.safetensors")):
            with self.subTest(path):
                self.refused(code, client.call, "load", weights=path, **load)
        client.call("load", weights="good.safetensors", **load)
        self.end(client)
        client = self.start()
        client.hello()
        client.call("configure", **fixture.CONFIGURATION)
        self.refused("not_allowed", client.call, "load", weights=folder + "/good.safetensors", **load)
        self.end(client)

    def test_programs_that_are_not_allowed(self):
        client = self.at_work()
        load = {"app": "b", "unit": "cpu", "subnets": {"ok": {}}}
        self.refused("not_allowed", client.call, "load", executor="command", command="/bin/sh", **load)
        self.refused("bad_request", client.call, "load", executor="command", command=["/bin/sh"], **load)
        self.refused("bad_request", client.call, "load", executor="replay", command="faults", **load)
        self.refused("not_found", client.call, "load", executor="/bin/sh", **load)
        self.end(client)


class FaultsOverPipe(Faults, unittest.TestCase):
    make_transport = Pipe


class FaultsOverSsh(Faults, unittest.TestCase):
    make_transport = Ssh

    def test_ssh_killed(self):
        client = self.at_work()
        since = time.monotonic()
        client.kill()
        self.restored("ssh: killed", since, PROMPT_MS)
        wait_gone([client.agent_pid, client.worker_pid])
        self.check_clean_end()

    def test_network_gone(self):
        client = self.at_work(lease_ms=LEASE_MS)
        client.process.send_signal(signal.SIGSTOP)  # nothing arrives any more, and nothing is closed
        since = time.monotonic()
        self.restored("ssh: stopped", since, LEASE_MS + PROMPT_MS)
        wait_gone([client.agent_pid, client.worker_pid])
        self.check_clean_end()


def tearDownModule():
    for (fault, transport), times in sorted(TIMES.items()):
        print(f"{fault:45s} {transport:5s} {' '.join(f'{ms:.1f}' for ms in times)} ms")


if __name__ == "__main__":
    unittest.main()
