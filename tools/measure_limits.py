#!/usr/bin/env python3
"""Measures what reading the largest files that make sense takes, in time and memory: measure_limits.py [DYNASOC]."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def measure(words, cwd):
    """Status, seconds and the largest resident set in MB of a program."""
    code = ("import os,resource,subprocess,sys,time\nbegan=time.monotonic()\n"
            "status=subprocess.call(sys.argv[1:],stdout=subprocess.DEVNULL)\n"
            "print(status,time.monotonic()-began,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024)")
    out = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL)
    status, seconds, megabytes = out.stdout.split()
    return int(status), float(seconds), float(megabytes)


def table(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("subnet,unit,cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,latency_ms_mean,latency_ms_std,n,provenance,source\n")
        for i in range(rows):  # clocks within 0.1 % of each other would be the same
            clocks = ",".join(f"{500 * 1.02 ** (i // 10 // 50 ** axis % 50):.2f}" for axis in range(3))
            file.write(f"L{i % 10 + 1},gpu,,{clocks},{10 + i % 7}.25,0.5,100,derived,made up\n")


def trace(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("arrival_s\n")
        for i in range(rows):
            file.write(f"{i * 1e-4:.4f}\n")


def main(dynasoc):
    dynasoc = os.path.abspath(dynasoc)
    with tempfile.TemporaryDirectory() as folder:
        def there(name):
            return os.path.join(folder, name)

        table(there("table.csv"), 1_000_000)
        trace(there("trace.csv"), 10_000_000)
        app = {"network": "example", "arrivals": {"kind": "trace", "file": there("trace.csv")}, "targets": [{"latency_ms": 30}]}
        with open(there("trace.json"), "w", encoding="utf-8") as file:
            json.dump({"platform": "minimal", "duration_s": 1, "applications": {"a": app}}, file)
        app = {"network": "example", "arrivals": {"kind": "periodic", "period_ms": 500}, "targets": [{"latency_ms": 30}]}
        with open(there("applications.json"), "w", encoding="utf-8") as file:
            json.dump({"platform": "minimal", "duration_s": 1, "applications": {f"a{i}": app for i in range(10_000)}}, file)
        with open(there("large.json"), "w", encoding="utf-8") as file:
            file.write('{"comment": [' + "1," * (100 << 19) + "1]}")
        with open(there("numbers.json"), "w", encoding="utf-8") as file:
            file.write('{"comment": [' + "1," * (15 << 20) + "1]}")
        print(f"{'input':52} {'time':>8} {'memory':>10}")
        for what, words in (("table of 10^6 rows: lint", ["lint", there("table.csv")]),
                            ("table of 10^6 rows: table lint", ["table", "lint", there("table.csv")]),
                            ("arrivals trace of 10^7 rows, run for 1 s", ["run", there("trace.json")]),
                            ("scenario of 10^4 applications, run for 1 s", ["run", there("applications.json")]),
                            ("JSON of 15 million numbers (30 MB), refused", ["lint", there("numbers.json")]),
                            ("JSON of 100 MB, refused", ["lint", there("large.json")])):
            status, seconds, megabytes = measure([dynasoc, *words], ROOT)
            refused = what.endswith("refused")
            if (status == 2) != refused:
                sys.exit(f"{what}: status {status}")
            print(f"{what:52} {seconds:6.1f} s {megabytes:7.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "release", "dynasoc")))
