"""Sweeps and explorations on Dask: a real scheduler and real worker processes on the loopback interface."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("DYNASOC_SOURCE_DIR", str(ROOT))
os.environ.setdefault("DYNASOC_BINARY", str(ROOT / "build/release/dynasoc"))
sys.path.insert(0, str(ROOT / "tests/smoke"))

import sweep_test  # noqa: E402


class Distributed(sweep_test.SweepTest):
    """A real scheduler and real worker processes on the loopback interface."""

    def setUp(self):
        super().setUp()
        self.started = []
        self.addCleanup(self.stop)

    def start(self, *words):
        environment = {**os.environ, "DYNASOC_BINARY": str(sweep_test.DYNASOC)}
        process = subprocess.Popen([sys.executable, "-m", *map(str, words)], cwd=self.folder, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.started.append(process)
        return process

    def stop(self):
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()

    def test_an_exploration_on_workers_gives_the_answer_of_one_process(self):
        small = ["--set", "algorithm.population=12", "--set", "algorithm.generations=3", "--set", "replications=6"]
        file = sweep_test.ROOT / "scenarios" / "explore" / "bursty-camera.explore.json"
        done = sweep_test.run("explore", file, *small, "--out", self.folder / "alone", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        client = self.start("dynasoc.distributed", "explore", file, *small, "--out", self.folder / "out", "--local", 2,
                            "--batch", 40, "--json")
        output, _ = client.communicate(timeout=120)
        self.assertEqual(client.returncode, 0, output)
        for name in ("front.csv", "all.csv", "front.json"):
            self.assertEqual((self.folder / "out" / name).read_bytes(), (self.folder / "alone" / name).read_bytes(), name)

    def test_a_worker_is_killed_and_nothing_is_lost(self):
        file = self.write(dict(sweep_test.SWEEP, duration_s=60, seed={"from": 1, "to": 400}))
        self.sweep("calm", file=file)
        address = self.folder / "scheduler.json"
        self.start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard",
                   "--scheduler-file", address)
        workers = [self.start("distributed.cli.dask_worker", "--scheduler-file", address, "--nthreads", 1, "--no-dashboard",
                              "--host", "127.0.0.1", "--no-nanny") for _ in range(3)]
        deadline = time.monotonic() + 60
        while not address.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        where = json.loads(address.read_text(encoding="utf-8"))["address"]
        client = self.start("dynasoc.distributed", "sweep", file, "--out", self.folder / "out", "--scheduler", where,
                            "--batch", 20, "--json")
        points = self.folder / "out" / "points"
        while len(list(points.glob("*.points"))) < 5 and client.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertIsNone(client.poll(), "the sweep was over before a worker could be killed")
        os.killpg(workers[0].pid, signal.SIGKILL)
        output, _ = client.communicate(timeout=120)
        self.assertEqual(client.returncode, 0, output)
        answer = json.loads(output[output.index("{"):])
        self.assertEqual(answer["points"], 3200)
        self.assertEqual(self.table("out"), self.table("calm"))
