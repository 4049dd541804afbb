#!/usr/bin/env python3
"""Draws the clock of one unit under several governors as SVG, one strip each, over the unit's load.

    tools/plot_governors.py UNIT NAME=DIRECTORY... [-o picture.svg] [--title TEXT] [--from S] [--to S]

DIRECTORY is an output directory of `dynasoc run`; its timeline.csv is drawn. Python's standard library only.
"""
import argparse
import csv
import pathlib
import sys

import plot_run
from plot_run import INK, LEFT, RIGHT, SOFT, WIDTH, Svg, nice_ticks, short

TOP, STRIP, GAP = 92, 68, 30
CLOCK, BUSY = "#3b3f9e", "#ffe3c2"


def read(directory, unit, begin, end):
    rows = []
    with open(pathlib.Path(directory) / "timeline.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if f"{unit}_mhz" not in row:
                sys.exit(f"plot_governors.py: {directory} knows no unit {unit}")
            at = float(row["time_s"])
            if begin <= at <= end:
                rows.append((at, float(row[f"{unit}_mhz"]), float(row[f"{unit}_utilisation"])))
    if not rows:
        sys.exit(f"plot_governors.py: {directory}/timeline.csv has no rows from {begin} to {end} s")
    return rows


def steps(points, x, y):
    """A staircase, its corners only."""
    path, last = "", None
    for at, value in points:
        if last is None:
            path = f"M{x(at):.1f} {y(value):.1f}"
        elif value != last:
            path += f"H{x(at):.1f}V{y(value):.1f}"
        last = value
    return path + f"H{x(points[-1][0]):.1f}"


def draw(unit, runs, title, begin, end):
    plot_run.HEIGHT = TOP + len(runs) * (STRIP + GAP) + 26
    data = [(name, read(directory, unit, begin, end)) for name, directory in runs]
    first = min(rows[0][0] for _, rows in data)
    last = max(rows[-1][0] for _, rows in data)
    low = min(mhz for _, rows in data for _, mhz, _ in rows)
    high = max(mhz for _, rows in data for _, mhz, _ in rows)
    if high == low:
        low, high = 0.9 * low, 1.1 * high

    def x(at):
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - first) / (last - first)

    svg = Svg(title, f"Clock of the {unit} under {', '.join(name for name, _ in runs)}, and when it was busy.")
    svg.text(LEFT, 36, title, size=17, weight="600")
    svg.text(LEFT, 58, f"clock of the {unit}, MHz; shaded where it has work", size=13, colour=SOFT)
    for i, (name, rows) in enumerate(data):
        top = TOP + i * (STRIP + GAP)

        def y(mhz):
            return top + STRIP * (1 - (mhz - low) / (high - low))

        since = None
        for (at, _, busy), (before, _, _) in zip(rows, [rows[0]] + rows):
            if busy > 0.02 and since is None:
                since = before
            if busy <= 0.02 and since is not None:
                svg.rect(x(since), top, x(before) - x(since), STRIP, BUSY)
                since = None
        if since is not None:
            svg.rect(x(since), top, x(last) - x(since), STRIP, BUSY)
        for mhz in (low, high):
            svg.line(LEFT, y(mhz), WIDTH - RIGHT, y(mhz), "#d8dde3", 0.7)
            svg.text(LEFT - 8, y(mhz) + 4, short(mhz), size=11.5, colour=SOFT, anchor="end")
        svg.add(f'<path d="{steps([row[:2] for row in rows], x, y)}" fill="none" stroke="{CLOCK}" stroke-width="1.6"/>')
        svg.text(LEFT, top - 6, name, size=13, colour=INK, weight="600")
    bottom = TOP + len(data) * (STRIP + GAP) - 12
    for tick in nice_ticks(first, last, 10):
        svg.text(x(tick), bottom + 12, short(tick), size=12, colour=SOFT, anchor="middle")
    svg.text(WIDTH - RIGHT, bottom + 30, "time, s", size=12, colour=SOFT, anchor="end")
    return svg.done()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("unit")
    parser.add_argument("runs", nargs="+", metavar="NAME=DIRECTORY")
    parser.add_argument("-o", "--output")
    parser.add_argument("--title", default="Response of governors")
    parser.add_argument("--from", dest="begin", type=float, default=0)
    parser.add_argument("--to", dest="end", type=float, default=float("inf"))
    options = parser.parse_args()
    runs = []
    for run in options.runs:
        name, equals, directory = run.partition("=")
        if not equals:
            parser.error(f"{run}: NAME=DIRECTORY is wanted")
        runs.append((name, directory))
    picture = draw(options.unit, runs, options.title, options.begin, options.end)
    if options.output:
        pathlib.Path(options.output).write_text(picture, encoding="utf-8")
    else:
        sys.stdout.write(picture)


if __name__ == "__main__":
    main()
