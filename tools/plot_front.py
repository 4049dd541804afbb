#!/usr/bin/env python3
"""Draws what an exploration found as SVG: every configuration by two objectives, the front with error bars, the knee.

    tools/plot_front.py out/bursty-camera -o picture.svg [--x METRIC] [--y METRIC]

Reads front.json, front.csv and all.csv of a directory of `dynasoc explore … --out DIR`; by default the first two
objectives. Python's standard library only.
"""
import argparse
import csv
import json
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from plot_run import FAINT, INK, PAPER, SOFT, Svg, WIDTH, nice_ticks, short  # noqa: E402

LEFT, RIGHT, TOP, HEIGHT = 84, 28, 100, 360
FRONT, KNEE = "#3b3f9e", "#c92a2a"
# What became of a configuration: colour and words.
STANDINGS = {"dominated": ("#2b8a8a", "dominated, all replications"), "dropped": ("#f08c00", "dropped by the race"),
             "infeasible": ("#adb5bd", "breaks a constraint")}


def number(text):
    return float(text) if text else math.nan


def label(objective):
    unit = f", {objective['unit']}" if objective["unit"] and len(objective["unit"]) <= 6 else ""
    return f"{objective['metric']}{unit} ({objective['better']} is better)"


def read(directory, name):
    with open(directory / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def draw(directory, x_metric=None, y_metric=None):
    directory = pathlib.Path(directory)
    answer = json.loads((directory / "front.json").read_text(encoding="utf-8"))
    front, every = read(directory, "front.csv"), read(directory, "all.csv")
    objectives = {one["metric"]: one for one in answer["objectives"]}
    names = list(objectives)
    if not front:
        sys.exit(f"plot_front.py: {directory} has no front: no configuration keeps the constraints")
    if len(names) < 2 and not (x_metric and y_metric):
        sys.exit("plot_front.py: one objective makes no picture")
    axes = [x_metric or names[0], y_metric or names[1]]
    for axis in axes:
        if axis not in objectives:
            sys.exit(f"plot_front.py: {axis} is not an objective (there are: {', '.join(names)})")

    bounds = []
    for axis in axes:
        values = [number(row[axis + end]) for row in front for end in ("", ".low", ".high")]
        values = [value for value in values if math.isfinite(value)]
        low, high = min(values), max(values)
        # Of the rest, what is not far away: the front is what the picture is of.
        near = [number(row[axis + ".placed"]) for row in every]
        near = [value for value in near if low - 0.6 * (high - low) <= value <= high + 0.6 * (high - low)]
        low, high = min([low] + near), max([high] + near)
        pad = 0.05 * ((high - low) or abs(high) or 1)
        bounds.append((low - pad, high + pad))

    def x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - bounds[0][0]) / (bounds[0][1] - bounds[0][0])

    def y(value):
        return TOP + HEIGHT * (bounds[1][1] - value) / (bounds[1][1] - bounds[1][0])

    def inside(row):
        return all(low <= number(row[axis + ".placed"]) <= high for axis, (low, high) in zip(axes, bounds))

    counts = answer["configurations"]
    title = answer["title"] or answer["exploration"]
    svg = Svg(title, f"{len(front)} configurations on the front of {counts['configurations']}, with 95 % intervals.")
    svg.text(LEFT, 36, title, size=min(18, round(18 * 76 / len(title), 1)), weight="600")
    svg.text(LEFT, 58, f"{answer['algorithm']['kind']}, seed {answer['seed']}: {counts['configurations']} configurations, "
             f"{answer['simulations']['search']} simulations", size=13, colour=SOFT)
    for tick in nice_ticks(*bounds[0], 9):
        svg.line(x(tick), TOP, x(tick), TOP + HEIGHT, FAINT, 0.7)
        svg.text(x(tick), TOP + HEIGHT + 18, short(tick), size=12.5, colour=SOFT, anchor="middle")
    for tick in nice_ticks(*bounds[1], 7):
        svg.line(LEFT, y(tick), WIDTH - RIGHT, y(tick), FAINT, 0.7)
        svg.text(LEFT - 9, y(tick) + 4.5, short(tick), size=12.5, colour=SOFT, anchor="end")
    svg.text(LEFT - 40, TOP - 12, label(objectives[axes[1]]), size=12.5, colour=SOFT)
    svg.text(WIDTH - RIGHT, TOP + HEIGHT + 38, label(objectives[axes[0]]), size=12.5, colour=SOFT, anchor="end")

    hidden = 0
    for standing in ("infeasible", "dropped", "dominated"):
        for row in every:
            if row["standing"] != standing or not row[axes[0] + ".placed"] or not row[axes[1] + ".placed"]:
                continue
            if not inside(row):
                hidden += 1
                continue
            svg.dot(x(number(row[axes[0] + ".placed"])), y(number(row[axes[1] + ".placed"])), STANDINGS[standing][0])
    if len(names) == 2:  # the front as a line that dominates: a step to each point
        ordered = sorted(front, key=lambda row: number(row[axes[0]]))
        for before, after in zip(ordered, ordered[1:]):
            turn = (after, before) if objectives[axes[0]]["better"] == "lower" else (before, after)
            corner = x(number(turn[0][axes[0]])), y(number(turn[1][axes[1]]))
            for row in (before, after):
                svg.line(x(number(row[axes[0]])), y(number(row[axes[1]])), *corner, FRONT, 1.2)
    for row in front:
        knee = row["knee"] == "1"
        colour, at_x, at_y = KNEE if knee else FRONT, x(number(row[axes[0]])), y(number(row[axes[1]]))
        for axis, horizontal in zip(axes, (True, False)):
            low, high = number(row[axis + ".low"]), number(row[axis + ".high"])
            if math.isfinite(low) and math.isfinite(high):
                ends = (x(low), at_y, x(high), at_y) if horizontal else (at_x, y(low), at_x, y(high))
                svg.line(*ends, colour, 1.4)
        svg.add(f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="{6 if knee else 4.5}" fill="{colour}" stroke="{PAPER}"/>')
        if knee:
            svg.text(at_x + 10, at_y + 20, "knee", size=13, colour=KNEE, weight="600", halo=True)

    at = LEFT
    legend = [(FRONT, f"front, mean and 95 % ({len(front)})")] + [
        (colour, f"{words} ({counts[standing]})") for standing, (colour, words) in STANDINGS.items() if counts[standing]]
    for colour, words in legend:
        svg.add(f'<circle cx="{at + 5:.1f}" cy="{TOP + HEIGHT + 66:.1f}" r="4.5" fill="{colour}"/>')
        svg.text(at + 15, TOP + HEIGHT + 70.5, words, size=12.5, colour=INK)
        at += 34 + 6.6 * len(words)
    if hidden:
        svg.text(LEFT, TOP + HEIGHT + 90, f"{hidden} lie outside of the picture", size=11.5, colour=SOFT)
    return svg.done()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", help="directory of `dynasoc explore … --out DIR`")
    parser.add_argument("-o", "--output", help="file to write (default: standard output)")
    parser.add_argument("--x", help="objective to the right (default: the first)")
    parser.add_argument("--y", help="objective upwards (default: the second)")
    options = parser.parse_args()
    try:
        picture = draw(options.directory, options.x, options.y)
    except FileNotFoundError as error:
        sys.exit(f"plot_front.py: {error.filename}: no such file; `dynasoc explore FILE --out DIR` makes it")
    if options.output:
        pathlib.Path(options.output).write_text(picture, encoding="utf-8")
    else:
        sys.stdout.write(picture)


if __name__ == "__main__":
    main()
