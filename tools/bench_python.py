#!/usr/bin/env python3
"""Measures the Python package on this machine: bench_python.py [--quick] [--json]

What a call adds, policies written in Python, environments for learners, job logs as DataFrames, importing. A figure is the
best of some rounds: what disturbs a machine makes things slower only. `make bench` runs it after `dynasoc bench`.
"""
from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import threading
import time
from typing import Any, Callable

import numpy as np

import dynasoc
import dynasoc.gym
from dynasoc import _core

KNOBS = {"clocks": 6}
CAMERA = "claims/energy-vs-governors"  # a camera on the GPU: 0.1 s of simulated time between decisions
DOOR = "learning/door-camera"  # one on the CPU, under schedutil and beside another program: 1.5 s


class Looks(dynasoc.Policy):
    """Looks at the newest inference and acts on a miss: what a small policy does."""

    def decide(self, seen: dynasoc.Observation) -> dynasoc.Decision | None:
        if seen.trigger != "completion":
            return None
        app = seen.applications[seen.subject]
        last = app.last
        if last is not None and last.missed and app.subnet > 0:
            return dynasoc.Decision().subnet(app, app.subnet - 1, "missed by {} ms", last.latency_ms)
        return None


def best(rounds: int, work: Callable[[], float]) -> float:
    return min(work() for _ in range(rounds))


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def call(runs: int) -> dict[str, float]:
    """A run of a second of simulated time, 25 frames."""
    scenario = dynasoc.Scenario.from_file("minimal")
    native = best(5, lambda: _core.seconds_of_run(scenario._core, runs))

    def from_python() -> float:
        return seconds(lambda: [dynasoc.run(scenario, record=False) for _ in range(runs)]) / runs

    python = best(5, from_python)
    return {"native_us": native * 1e6, "python_us": python * 1e6, "added_us": (python - native) * 1e6}


def policy(duration_s: float) -> dict[str, float]:
    """The standard workload, asked at each completion; the simulation's own time is in it."""
    scenario = dynasoc.Scenario.from_file("bench/standard").copy(duration_s=duration_s, policy="none")
    run = dynasoc.run(scenario, policy=Looks, record=False)
    decisions = sum(app["completed"] for app in run.summary["apps"].values())
    with_policy = best(3, lambda: seconds(lambda: dynasoc.run(scenario, policy=Looks, record=False)))
    without = best(3, lambda: seconds(lambda: dynasoc.run(scenario, record=False)))
    return {
        "decisions_per_s": decisions / with_policy,
        "added_ns_per_decision": (with_policy - without) / decisions * 1e9,
    }


def environments(steps: int) -> dict[str, float]:
    """Choices are drawn anew every ten decisions: each change of a sub-network or a clock is work for the board."""
    rng = np.random.default_rng(1)
    boards = 256

    def steps_per_s(scenario: str, count: int) -> float:
        batch = dynasoc.gym.VectorManagerEnv(scenario, boards, KNOBS)
        sizes = batch.single_action_space.nvec
        drawn = [rng.integers(0, sizes, (boards, len(sizes))) for _ in range(16)]
        batch.reset(seed=1)
        walk = best(5, lambda: seconds(lambda: [batch.step(drawn[i // 10 % 16]) for i in range(count)]))
        return boards * count / walk

    single = dynasoc.gym.ManagerEnv(CAMERA, KNOBS)
    single.reset(seed=1)
    drawn = [single.action_space.sample() for _ in range(16)]

    def of_single() -> float:
        def walk() -> None:
            for i in range(10 * steps):
                if single.step(drawn[i // 10 % 16])[3]:
                    single.reset()

        return seconds(walk)

    return {
        "batch_steps_per_s": steps_per_s(CAMERA, steps),
        "batch_steps_per_s_door": steps_per_s(DOOR, steps // 4),
        "single_steps_per_s": 10 * steps / best(3, of_single),
    }


def resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def frames(jobs: int) -> dict[str, float]:
    """A job log as a DataFrame; what it adds to memory, over the log itself."""
    scenario = dynasoc.Scenario.from_file("bench/standard")
    scenario = scenario.copy(duration_s=jobs / 195)
    run = dynasoc.run(scenario, record=["jobs"], policy="none")
    run.jobs.to_pandas().iloc[:1]  # pandas is there
    before = resident_mb()
    began = time.perf_counter()
    frame = run.jobs.to_pandas()
    elapsed = time.perf_counter() - began
    return {
        "jobs": len(frame),
        "seconds": elapsed,
        "log_mb": run.jobs.array.nbytes / 1e6,
        "added_mb": resident_mb() - before,
        "shares_memory": float(np.shares_memory(frame["end"].to_numpy(), run.jobs.array)),
    }


def threads(duration_s: float) -> dict[str, float]:
    """Two simulations at once against one after the other."""
    scenario = dynasoc.Scenario.from_file("bench/standard").copy(duration_s=duration_s)

    def work() -> None:
        dynasoc.run(scenario, record=False)

    def together() -> float:
        both = [threading.Thread(target=work) for _ in range(2)]
        return seconds(lambda: ([one.start() for one in both], [one.join() for one in both]))

    return {"speed_up_of_two": best(3, lambda: seconds(lambda: (work(), work()))) / best(3, together)}


def importing(rounds: int) -> dict[str, float]:
    def of(code: str) -> float:
        return best(rounds, lambda: seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True)))

    return {"import_ms": 1e3 * (of("import dynasoc") - of("pass"))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, a few seconds: rough figures")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    small = given.quick
    answer = {
        "call": call(200 if small else 2000),
        "policy": policy(300 if small else 3000),
        "environments": environments(200 if small else 2000),
        "threads": threads(1000 if small else 20_000),
        "frames": frames(100_000 if small else 10_000_000),
        "importing": importing(3 if small else 10),
    }
    if given.json:
        print(json.dumps(answer, indent=2))
        return 0
    c, p, e, f = answer["call"], answer["policy"], answer["environments"], answer["frames"]
    print("PYTHON")
    print(f"  a run of 25 frames       {c['python_us']:,.1f} us, {c['added_us']:,.1f} us over C++ ({c['native_us']:,.1f} us)")
    print(f"  a policy in Python       {p['decisions_per_s']:,.0f} decisions/s, simulation included; "
          f"{p['added_ns_per_decision']:,.0f} ns each")
    print(f"  256 boards for learners  {e['batch_steps_per_s']:,.0f} steps/s on one core (0.1 s of simulated time each); "
          f"{e['batch_steps_per_s_door']:,.0f} where a step is 1.5 s under schedutil")
    print(f"  one board                {e['single_steps_per_s']:,.0f} steps/s")
    print(f"  two threads              {answer['threads']['speed_up_of_two']:.2f}x one")
    print(f"  jobs to pandas           {f['jobs']:,} in {f['seconds']:.2f} s; {f['added_mb']:,.0f} MB beside a log of "
          f"{f['log_mb']:,.0f} MB{', which it shares' if f['shares_memory'] else ''}")
    print(f"  import dynasoc           {answer['importing']['import_ms']:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
