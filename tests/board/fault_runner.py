#!/usr/bin/env python3
"""A runner whose sub-networks are faults: each is named after what happens when it is run."""
import json
import os
import sys
import time


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def infer(request):
    subnet = request["subnet"]
    start_ns = time.monotonic_ns()
    latency_ms = []
    for _ in range(request.get("repeat", 1)):
        begin_ns = time.monotonic_ns()
        time.sleep(0.001)
        latency_ms.append((time.monotonic_ns() - begin_ns) / 1e6)
    result = {"start_ns": start_ns, "end_ns": time.monotonic_ns(), "latency_ms": latency_ms}
    if subnet == "crash":
        sys.stderr.write("out of memory, say\n")
        sys.stderr.flush()
        os.abort()
    elif subnet == "hang":
        time.sleep(3600)
    elif subnet == "rubbish":
        print("this is no JSON")
        sys.stdout.flush()
    elif subnet == "long":
        sys.stdout.write("x" * (1 << 20) + "\n")
        sys.stdout.flush()
    elif subnet == "end":
        sys.exit(5)
    elif subnet == "deaf":  # its output ends, and it does not
        os.close(1)
        time.sleep(3600)
    elif subnet == "elsewhen":  # times of another clock
        answer({"ok": {**result, "start_ns": time.time_ns(), "end_ns": time.time_ns()}})
    elif subnet == "few":  # fewer latencies than repetitions
        answer({"ok": {**result, "latency_ms": latency_ms[:-1]}})
    elif subnet == "refuse":
        answer({"error": {"message": "not today"}})
    elif subnet == "shout":  # on standard error, more than is kept
        sys.stderr.write("y" * 100000 + "\nlast words\n")
        sys.stderr.flush()
        os.abort()
    elif subnet == "afterwards":  # a good answer, and then the end
        answer({"ok": result})
        os.abort()
    else:
        answer({"ok": result})


for line in sys.stdin:
    asked = json.loads(line)
    if asked["op"] == "quit":
        break
    if asked["op"] == "infer":
        infer(asked)
        continue
    if "crash_at_load" in asked["subnets"]:
        os.abort()
    answer({"ok": {"subnets": {name: {"build_ms": 0, "macs_m": None, "parameters": None} for name in asked["subnets"]},
                   "memory_mb": 0, "shared_weights": False}})
