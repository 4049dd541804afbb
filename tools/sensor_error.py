#!/usr/bin/env python3
"""How wrong energies are that come from a power monitor's readings, for one short inference at a time.

    tools/sensor_error.py [--phases N] [--series FILE.csv]

Runs scenarios/sensors.json (one inference of 48.8 ms every 0.3 s on the GPU) with several settings of the monitor and
of who reads it, each at N phases of the inferences against the readings, and estimates the energy of an inference above
idle in the two usual ways:
  A  the newest reading at its end, less the idle reading, times its latency;
  B  the mean of all readings, less the idle reading, times the run, over the inferences.
Prints the error of each against what the simulated board drew: mean over phases, the smallest and the largest. --series writes
true power and readings of a few seconds, for a plot. Standard library only; DYNASOC_BINARY names the program.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "scenarios" / "sensors.json"
RAIL = "VDD_CPU_GPU_CV"
IDLE_W = 0.197  # of that rail in the platform file
# What the registers hold: one conversion of 1.1 ms (the chip's reset default), or 64 samples of all six inputs in turn,
# 64 x 6 x 1.1 ms. The chip visits a rail for one input in six; the mean over the whole cycle stands for its samples.
MONITORS = {"1.1 ms, at the reading": (0, 1.1), "1.1 ms, every 6.6 ms": (6.6, 1.1), "mean of 422 ms": (422.4, 422.4)}
READERS_MS = (1000, 100, 5)
PERIODS_MS = (300, 250)  # the second divides a second: 1 Hz meets every fourth inference at the same place


def run(binary, folder, monitor, reader_ms, period_ms, phase_ms):
    """Rows of timeline.csv and jobs.csv."""
    update_ms, averaging_ms = monitor
    board = json.loads((ROOT / "platforms" / "jetson-xavier-nx.json").read_text(encoding="utf-8"))
    board["sensors"]["ina3221"].update(period_ms=reader_ms, update_ms=update_ms, averaging_ms=averaging_ms)
    path = folder / "jetson-xavier-nx.json"
    path.write_text(json.dumps(board), encoding="utf-8")
    command = [binary, "run", str(SCENARIO), "--out", str(folder / "out"), "--force", "--quiet"]
    for setting in (f"platform={path}", f"timeline_ms={reader_ms}", f"applications.camera.arrivals.period_ms={period_ms}",
                    f"applications.camera.arrivals.phase_ms={phase_ms:.6f}"):
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, DYNASOC_DATA=str(ROOT)), check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return [list(csv.DictReader(open(folder / "out" / name, encoding="utf-8"))) for name in ("timeline.csv", "jobs.csv")]


def errors(timeline, jobs, reader_ms):
    """Relative errors of A and B."""
    readings = [float(row[RAIL + "_reading_w"] or "nan") for row in timeline]  # the n-th at n + 1 reading intervals
    done = [job for job in jobs if job["outcome"] != "unfinished" and job["end_s"]]
    true_mj = statistics.fmean(float(job["energy_mj"]) for job in done)
    single = []
    for job in done:
        newest = int(float(job["end_s"]) * 1000 / reader_ms + 1e-9) - 1
        if newest >= 0 and readings[newest] == readings[newest]:
            single.append((readings[newest] - IDLE_W) * float(job["latency_ms"]))
    known = [w for w in readings if w == w]
    seconds = len(readings) * reader_ms / 1000
    mean_mj = (statistics.fmean(known) - IDLE_W) * seconds * 1000 / len(done)
    return statistics.fmean(single) / true_mj - 1, mean_mj / true_mj - 1


def phase_ms(period_ms, i):
    """Phases spread evenly, on no grid that readings could share (multiples of the golden section)."""
    return period_ms * ((i + 1) * 0.6180339887 % 1)


def summary(values):
    mean, low, high = (round(100 * x) + 0 for x in (statistics.fmean(values), min(values), max(values)))
    return f"{mean:+d} % ({low:+d} to {high:+d})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phases", type=int, default=10, help="of the inferences against the readings (10)")
    parser.add_argument("--series", type=pathlib.Path, help="write three seconds of true power and readings to this file")
    options = parser.parse_args()
    if options.phases < 1:
        parser.error("--phases must be at least 1")
    binary = os.environ.get("DYNASOC_BINARY", "dynasoc")
    with tempfile.TemporaryDirectory(prefix="dynasoc-sensors-") as name:
        folder = pathlib.Path(name)
        if options.series:
            rows = ["time_s,true_w,instant_1hz_w,mean_1hz_w"]
            truth, _ = run(binary, folder, (0, 1.1), 5, 300, 40)
            shown = [run(binary, folder, monitor, 1000, 300, 40)[0] for monitor in ((0, 1.1), (422.4, 422.4))]
            for row in truth[:600]:
                second = int(float(row["time_s"]) + 1e-9) - 1
                values = [one[second][RAIL + "_reading_w"] if second >= 0 else "" for one in shown]
                rows.append(",".join([row["time_s"], row[RAIL + "_true_w"], *values]))
            options.series.write_text("\n".join(rows) + "\n", encoding="utf-8")
            return
        print("| inference every | register | read every | A: reading x latency | B: mean reading x time |")
        print("| --- | --- | --- | --- | --- |")
        for period_ms in PERIODS_MS:
            for label, monitor in MONITORS.items():
                for reader_ms in READERS_MS:
                    found = [errors(*run(binary, folder, monitor, reader_ms, period_ms, phase_ms(period_ms, i)),
                                    reader_ms) for i in range(options.phases)]
                    print(f"| {period_ms} ms | {label} | {reader_ms} ms | {summary([a for a, _ in found])} |"
                          f" {summary([b for _, b in found])} |", flush=True)


if __name__ == "__main__":
    main()
