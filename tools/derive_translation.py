#!/usr/bin/env python3
"""A table of a translator on the Jetson Xavier NX, where nobody has measured one: from published ranges of another board.

    tools/derive_translation.py            writes models/dynamic-hat-jetson-xavier-nx-derived
    tools/derive_translation.py --check    writes nothing; ends with status 1 where a file is not what it would write

Dynamic-HAT (arXiv 2107.08199, abstract) switches among SubTransformers on a Jetson Nano: 0.356 to 1.526 s on the GPU, 2.9 to
7.31 s on the CPU, less than 1 s a switch. Which SubTransformers, with which BLEU, its abstract does not say. Those of HAT for
the TITAN Xp (WMT14 En-De) stand in, with their published BLEU. On the GPU a line maps their measured latencies on the TITAN
Xp onto the Nano's range; on the CPU a line maps their operations (their latencies on a CPU were not published) onto its
range. The Xavier NX is the faster board, by a factor that nobody measured for these networks: the Nano's seconds stand for
it unchanged, and are an upper bound. Standard library only.
"""
import csv
import io
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
FROM = "hat-transformer-wmt14-en-de-titan-xp"
NAME = "dynamic-hat-jetson-xavier-nx-derived"
TABLE = "jetson-xavier-nx.nano-range.csv"
GPU_MS, CPU_MS = (356, 1526), (2900, 7310)
CLOCKS = {"gpu": ("", "1420.8", "1109.25", "1600"), "cpu": ("6", "1420.8", "", "1600")}  # caps of the default power mode
COLUMNS = ("subnet", "unit", "cores", "f_cpu_mhz", "f_gpu_mhz", "f_emc_mhz", "latency_ms_mean", "provenance", "source")
BOARD = "a Jetson Nano's range (arXiv 2107.08199, abstract), taken as an upper bound for the Xavier NX, where nobody measured"


def line(values, ends):
    low, high = min(values), max(values)
    return [ends[0] + (x - low) / (high - low) * (ends[1] - ends[0]) for x in values]


def files():
    """Name -> text."""
    origin = json.loads((MODELS / FROM / "network.json").read_text(encoding="utf-8"))
    with (MODELS / FROM / origin["tables"]["hat"]["file"]).open(newline="", encoding="utf-8") as file:
        measured = [float(row["latency_ms_mean"]) for row in csv.DictReader(file)]
    flops = [subnet["config"]["flops_g"] for subnet in origin["subnets"]]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for unit, values, ends, what in (
            ("gpu", measured, GPU_MS, "by a line from this SubTransformer's {:g} ms on a TITAN Xp (57.1 to 208.1 ms)"),
            ("cpu", flops, CPU_MS, "by a line from this SubTransformer's {:g} GFLOPs (1.87 to 3.17)")):
        for number, (value, ms) in enumerate(zip(values, line(values, ends)), start=1):
            writer.writerow((f"L{number}", unit, *CLOCKS[unit], f"{ms:.0f}", "derived",
                             f"{ends[0] / 1000:g} to {ends[1] / 1000:g} s on the {unit.upper()}, {BOARD}; " +
                             what.format(value)))
    scaling = json.loads((MODELS / "dynamic-ofa-gpu" / "network.json").read_text(encoding="utf-8"))["scaling"]
    scaling |= json.loads((MODELS / "dynamic-ofa-cpu" / "network.json").read_text(encoding="utf-8"))["scaling"]
    for shape in scaling.values():
        shape["source"] = "borrowed from Dynamic-OFA's networks, no translator was measured at two clocks: " + shape["source"]
    network = {
        "name": NAME,
        "title": "A translator on the Xavier NX, derived: HAT SubTransformers within a Jetson Nano's published range",
        "accuracy_metric": "BLEU",
        "source": "BLEU: " + origin["source"] + ", searched for the TITAN Xp; latencies: Dynamic-HAT, arXiv 2107.08199 (ranges "
                  "of its abstract, Jetson Nano), spread over these SubTransformers by tools/derive_translation.py: no cell was "
                  "measured, on this board or another",
        "subnets": origin["subnets"],
        "switch_cost": {"time_ms": 1000, "provenance": "derived",
                        "source": "an upper bound: Dynamic-HAT (arXiv 2107.08199) reports switching below 1 s on the Jetson Nano"},
        "default_table": "nano-range",
        "tables": {"nano-range": {"file": TABLE, "platform": "jetson-xavier-nx",
                                  "note": "derived from a Jetson Nano's range, upper bounds; clocks taken as the caps of "
                                          "15W_6CORE"}},
        "scaling": scaling,
    }
    return {TABLE: table.getvalue(), "network.json": json.dumps(network, indent=2, ensure_ascii=False) + "\n"}


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    wrong = False
    folder = MODELS / NAME
    for name, text in files().items():
        path = folder / name
        if not sys.argv[1:]:
            folder.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is not what this makes", file=sys.stderr)
            wrong = True
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
