#!/usr/bin/env python3
"""Block tables of Dynamic-OFA's sub-networks, from their configurations and the super-network's block latencies.

    tools/derive_blocks.py            writes models/NETWORK/blocks.csv
    tools/derive_blocks.py --check    writes nothing; ends with status 1 where a file is not what it would write

For each sub-network of the networks below, its `config` in network.json chooses rows of
models/once-for-all-mbv3/jetson-xavier-nx.UNIT.blocks.csv, as models/once-for-all-mbv3/README.md describes and `dynasoc
search` does: stem, first block, the blocks of five stages up to their depths, head. The latencies are those rows', not
calibrated to the whole network's: only a block's share of their sum means something. A sub-network without a
configuration, or with one that the block table does not cover, gets no blocks, which is told; a network without any
gets no file. Standard library only.
"""
import csv
import io
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
SUPERNETWORK = MODELS / "once-for-all-mbv3"
NETWORKS = {"dynamic-ofa-gpu": "gpu", "dynamic-ofa-gpu-nets7": "gpu", "dynamic-ofa-cpu": "cpu"}
COLUMNS = ("subnet", "unit", "block", "latency_ms", "provenance", "source")
KEY = ("block", "input", "output", "expand", "kernel", "stride", "idskip", "se", "hs")


def shape(size, channels):
    return f"{size}x{size}x{channels}"


def chain(space, config):
    """(name, key of its row) of each block, in the order in which they run."""
    resolution = config["resolution"]
    size = (resolution - 1) // space["stem"]["stride"] + 1
    channels = space["stem"]["channels"]
    plain = ("",) * 6
    out = [("stem", (space["stem"]["block"], shape(resolution, 3), shape(size, channels), *plain))]
    first = space["first_block"]
    fixed = tuple(str(first[x]) for x in KEY[3:])
    out.append(("first", (first["block"], shape(size, channels), shape(size, first["channels"]), *fixed)))
    channels = first["channels"]
    slots = space["slots_per_stage"]
    for s, stage in enumerate(space["stages"]):
        for j in range(config["depths"][s]):
            slot = s * slots + j
            stride = stage["stride"] if j == 0 else 1
            after = (size - 1) // stride + 1
            numbers = (channels * config["expansions"][slot], config["kernels"][slot], stride, int(j > 0), stage["se"],
                       stage["hs"])
            out.append((f"stage {s + 1} block {j + 1}", (first["block"], shape(size, channels),
                                                         shape(after, stage["channels"]), *map(str, numbers))))
            size, channels = after, stage["channels"]
    for name, part in zip(("expansion", "pooling", "mixing", "classifier"), space["head"]):
        after = {"expansion": shape(size, part["channels"]), "classifier": str(part["channels"])}
        before = shape(size if name in ("expansion", "pooling") else 1, channels)
        out.append((name, (part["block"], before, after.get(name, shape(1, part["channels"])), *plain)))
        channels = part["channels"]
    return out


def block_rows(unit):
    path = SUPERNETWORK / f"jetson-xavier-nx.{unit}.blocks.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return path.name, {(int(row["resolution"]), *(row[x] for x in KEY)): row for row in csv.DictReader(file)}


def described(resolution, key):
    text = f"{resolution} px {key[0]} {key[1]} to {key[2]}"
    return text + (" expand {} kernel {}".format(*key[3:5]) if key[3] else "")


def derive(name, unit, space):
    """The rows of a network's blocks.csv."""
    network = json.loads((MODELS / name / "network.json").read_text(encoding="utf-8"))
    table, known = block_rows(unit)
    out = []
    if not any("config" in subnet for subnet in network["subnets"]):
        print(f"{name}: no blocks: the configurations of its sub-networks are not known", file=sys.stderr)
    for number, subnet in enumerate(network["subnets"], start=1):
        config = subnet.get("config", {})
        if config.get("supernetwork") != space["name"]:
            if config:
                print(f"{name}: L{number} has no blocks: it is not of {space['name']}", file=sys.stderr)
            continue
        if config.get("width") != space["width"]:
            print(f"{name}: L{number} has no blocks: its width is {config.get('width')}", file=sys.stderr)
            continue
        parts = [(block, key, known.get((config["resolution"], *key))) for block, key in chain(space, config)]
        missing = [described(config["resolution"], key) for _, key, row in parts if row is None]
        if missing:
            print(f"{name}: L{number} has no blocks: {table} has no row {missing[0]}", file=sys.stderr)
            continue
        for block, key, row in parts:
            source = f"once-for-all-mbv3/{table}, {described(config['resolution'], key)}: {row['source']}"
            out.append({"subnet": f"L{number}", "unit": unit, "block": block,
                        "latency_ms": f"{float(row['latency_ms_mean']):.6g}", "provenance": "derived", "source": source})
    return out


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    space = json.loads((SUPERNETWORK / "supernetwork.json").read_text(encoding="utf-8"))
    wrong = False
    for name, unit in NETWORKS.items():
        rows = derive(name, unit, space)
        path = MODELS / name / "blocks.csv"
        if not rows:
            continue
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        if not sys.argv[1:]:
            path.write_text(text.getvalue(), encoding="utf-8", newline="")
            print(f"{path.relative_to(ROOT)}: {len({row['subnet'] for row in rows})} sub-networks, {len(rows)} blocks")
        elif not path.exists() or path.read_text(encoding="utf-8") != text.getvalue():
            print(f"{path.relative_to(ROOT)} is not what this makes", file=sys.stderr)
            wrong = True
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
