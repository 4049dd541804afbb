#!/usr/bin/env python3
"""Writes loadgen-server/: what MLPerf LoadGen writes of a Server run, with invented times. Standard library only."""
import json
import pathlib
import random

FOLDER = pathlib.Path(__file__).resolve().parent / "loadgen-server"
random.seed(20)
at, samples = 5_000_000.0, []
for number in range(200):
    at += random.expovariate(1 / 20e6)
    samples.append((number, int(at), random.randrange(2_000, 90_000), int(random.lognormvariate(0, 0.4) * 9e6)))
latencies = sorted(sample[3] for sample in samples)
figures = {"min": latencies[0], "max": latencies[-1], "mean": sum(latencies) // len(latencies)}
percentiles = {p: latencies[int(len(latencies) * p / 100)] for p in (50.0, 90.0, 95.0, 97.0, 99.0, 99.9)}


def line(key, value):
    event = {"key": key, "value": value, "time_ms": 1.5, "namespace": "mlperf::logging", "event_type": "POINT_IN_TIME",
             "metadata": {"is_error": False, "is_warning": False, "file": "loadgen.cc", "line_no": 1, "pid": 7, "tid": 8}}
    return ":::MLLOG " + json.dumps(event) + "\n"


with open(FOLDER / "mlperf_log_detail.txt", "w", encoding="utf-8") as file:
    for key, value in [("loadgen_version", "4.1"), ("requested_scenario", "Server"), ("requested_server_target_qps", 50),
                       ("requested_server_target_latency_ns", 30000000), ("effective_scenario", "Server"),
                       ("effective_target_qps", 50), ("effective_target_latency_ns", 30000000),
                       ("effective_samples_per_query", 1), ("generated_query_count", 200), ("result_validity", "VALID")]:
        file.write(line(key, value))
    for name, value in figures.items():
        file.write(line(f"result_{name}_latency_ns", value))
    for percentile, value in percentiles.items():
        file.write(line(f"result_{percentile:.2f}_percentile_latency_ns", value))

RULE = "=" * 48
with open(FOLDER / "mlperf_log_summary.txt", "w", encoding="utf-8") as file:
    file.write(f"{RULE}\nMLPerf Results Summary\n{RULE}\nSUT name : made up\nScenario : Server\nMode     : PerformanceOnly\n"
               f"Completed samples per second    : 49.80\nResult is : VALID\n\n{RULE}\nAdditional Stats\n{RULE}\n"
               f"Min latency (ns)                : {figures['min']}\nMax latency (ns)                : {figures['max']}\n"
               f"Mean latency (ns)               : {figures['mean']}\n")
    for percentile, value in percentiles.items():
        file.write(f"{percentile:.2f} percentile latency (ns)   : {value}\n")
    file.write(f"\n{RULE}\nTest Parameters Used\n{RULE}\nsamples_per_query : 1\ntarget_qps : 50\ntarget_latency (ns): 30000000\n")

with open(FOLDER / "mlperf_log_trace.json", "w", encoding="utf-8") as file:
    file.write('{"traceEvents":[\n')
    for number, start, delay, latency in samples:
        file.write(f'{{"name":"Sample","cat":"default","ph":"b","id":{number},"pid":7,"tid":8,"ts":{start / 1000:.3f},'
                   f'"args":{{"sample_seq":{number},"query_seq":{number},"sample_idx":{number % 16},'
                   f'"issue_start_ns":{delay},"complete_ns":{latency}}}}},\n')
        file.write(f'{{"name":"Sample","cat":"default","ph":"e","id":{number},"pid":7,"tid":8,'
                   f'"ts":{(start + latency) / 1000:.3f}}},\n')
    file.write('{"name":"LastTrace"}\n],\n"displayTimeUnit":"ns"}\n')
