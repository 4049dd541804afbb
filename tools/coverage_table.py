#!/usr/bin/env python3
"""Sums a summary of gcovr by folder: coverage_table.py SUMMARY.json."""
import collections
import json
import pathlib
import sys


def folder_of(name):
    parts = pathlib.PurePath(name).parts[:-1]
    return "/".join(parts[:3] if parts[1:2] in (("board",), ("explore",), ("manager",)) else parts[:2])


def main(path):
    with open(path, encoding="utf-8") as file:
        files = json.load(file)["files"]
    lines = collections.defaultdict(lambda: [0, 0])
    for entry in files:
        for folder in (folder_of(entry["filename"]), "all of sim"):
            lines[folder][0] += entry["line_covered"]
            lines[folder][1] += entry["line_total"]
    print(f"{'folder':32} {'lines':>8} {'run':>8} {'share':>8}")
    for folder in sorted(lines, key=lambda name: (name == "all of sim", name)):
        run, total = lines[folder]
        print(f"{folder:32} {total:8} {run:8} {100 * run / max(total, 1):7.1f}%")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
