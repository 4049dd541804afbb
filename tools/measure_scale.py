#!/usr/bin/env python3
"""Measures what docs/scale.md reckons with: throughput of a distributed sweep against the number of worker processes, Dask's own
cost of a task, bytes of a point, and the speed of merging. A real scheduler and real worker processes on the loopback interface.

    tools/measure_scale.py [--points 8000] [--workers 1,2,4] [--json]

Needs Dask (Debian: python3-distributed) in the Python that runs it, and build/release/dynasoc.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bindings"))
SWEEP = ROOT / "scenarios" / "sweeps" / "bench.json"


def nothing(number):
    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--points", type=int, default=8000, help="a multiple of 100")
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--tasks", type=int, default=4000, help="empty tasks that the scheduler is timed on")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    try:
        import distributed
    except ImportError:
        sys.exit("Dask is missing (Debian: python3-distributed)")
    from dynasoc.distributed import program, sweep

    options = ["--set", f'seed={{"from": 1, "to": {given.points // 100}}}']
    out = {"cores": os.cpu_count(), "dask": distributed.__version__, "points": given.points, "workers": []}
    with tempfile.TemporaryDirectory(prefix="dynasoc-scale-") as scratch:
        folder = pathlib.Path(scratch)
        began = time.perf_counter()
        subprocess.run([program(), "sweep", SWEEP, *options, "--out", folder / "alone", "--jobs", "1", "--quiet"], check=True)
        out["alone_points_per_s"] = given.points / (time.perf_counter() - began)
        for count in map(int, given.workers.split(",")):
            with distributed.LocalCluster(n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None,
                                          host="127.0.0.1") as cluster, distributed.Client(cluster) as client:
                answer = sweep(SWEEP, folder / f"of{count}", client, options=options)
                same = (folder / f"of{count}" / "results.csv").read_bytes() == (folder / "alone" / "results.csv").read_bytes()
                began = time.perf_counter()
                client.gather(client.map(nothing, range(given.tasks), pure=False))
                out["workers"].append({"workers": count, "points_per_s": answer["points_per_s"], "batches": answer["batches"],
                                       "same_table": same, "ms_per_task": 1e3 * (time.perf_counter() - began) / given.tasks})
        points = sum(path.stat().st_size for path in (folder / "alone" / "points").iterdir())
        out["bytes_per_point"] = points / given.points
        out["csv_bytes_per_point"] = (folder / "alone" / "results.csv").stat().st_size / given.points
        began = time.perf_counter()
        subprocess.run([program(), "merge", folder / "alone", "--quiet"], check=True)
        out["merged_points_per_s"] = given.points / (time.perf_counter() - began)
        began = time.perf_counter()
        subprocess.run([program(), "sweep", SWEEP, *options, "--points", "0:1", "--jobs", "1"], check=True,
                       stdout=subprocess.DEVNULL)
        out["batch_start_ms"] = 1e3 * (time.perf_counter() - began)
    if given.json:
        print(json.dumps(out, indent=2))
        return
    print(f"{given.points} points of a minute at 30 fps; {out['cores']} cores; Dask {out['dask']}")
    print(f"one process without Dask          {out['alone_points_per_s']:8.0f} points/s")
    for row in out["workers"]:
        print(f"{row['workers']} worker process{'' if row['workers'] == 1 else 'es'} {'  ' if row['workers'] == 1 else ''}"
              f"               {row['points_per_s']:8.0f} points/s in {row['batches']} batches, "
              f"{'the same table' if row['same_table'] else 'ANOTHER TABLE'}; an empty task {row['ms_per_task']:.2f} ms")
    print(f"a point takes {out['bytes_per_point']:.0f} bytes in points/ and {out['csv_bytes_per_point']:.0f} in results.csv")
    print(f"merging {out['merged_points_per_s']:.0f} points/s; a batch starts in {out['batch_start_ms']:.1f} ms")


if __name__ == "__main__":
    main()
