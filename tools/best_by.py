#!/usr/bin/env python3
"""Who wins, for each value of an axis: reads a sweep's results.csv. Standard library only.

    tools/best_by.py out/sweep/results.csv --by AXIS --choose AXIS --metric METRIC

For each value of --by, the values of --choose in order of the mean of --metric over all else, with the 95 % interval of the
difference to the best, paired over the rows that share everything but --choose (the same seed: the same arrivals and noise).
`=` marks those whose interval holds 0: they may be as good.
"""
import argparse
import csv
import math
import sys
from collections import defaultdict


def t_quantile(n):
    """97.5 % quantile of Student's t with n degrees of freedom (from 4 on by Cornish and Fisher's series, within 0.3 %)."""
    if n < 4:
        return (math.nan, 12.7062, 4.3027, 3.1824)[n]
    z = 1.959963984540054
    return (z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
            + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3))


def mean(values):
    return sum(values) / len(values) if values else math.nan


def half_width(values):
    if len(values) < 2:
        return math.nan
    centre = mean(values)
    return t_quantile(len(values) - 1) * math.sqrt(sum((x - centre) ** 2 for x in values) / (len(values) - 1) / len(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("table")
    parser.add_argument("--by", required=True, help="axis: one block for each of its values")
    parser.add_argument("--choose", required=True, help="axis whose values compete")
    parser.add_argument("--metric", required=True, help="column of which less is better")
    parser.add_argument("--show", default="", help="further columns, separated by commas")
    parser.add_argument("--all", action="store_true", help="all of them, not only those that may be the best and the next")
    given = parser.parse_args()
    with open(given.table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        sys.exit(f"{given.table}: has no rows")
    show = [column for column in given.show.split(",") if column]
    for column in (given.by, given.choose, given.metric, *show):
        if column not in rows[0]:
            sys.exit(f"{given.table}: has no column {column!r} (it has {', '.join(rows[0])})")
    axes = list(rows[0])[1:list(rows[0]).index("replication") + 1]
    groups = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row[given.metric] == "":
            continue
        rest = tuple(row[axis] for axis in axes if axis not in (given.by, given.choose))
        groups[row[given.by]][row[given.choose]][rest] = row
    width = max(len(row[given.choose]) for row in rows)
    for by, competitors in groups.items():
        values = {name: {rest: float(row[given.metric]) for rest, row in found.items()} for name, found in competitors.items()}
        order = sorted(values, key=lambda name: mean(list(values[name].values())))
        best = order[0]
        print(f"{given.by} = {by}")
        beaten = 0
        for name in order:
            shared = sorted(set(values[name]) & set(values[best]))
            differences = [values[name][rest] - values[best][rest] for rest in shared]
            wide = half_width(differences)
            as_good = name != best and not mean(differences) > wide
            beaten += name != best and not as_good
            line = f"  {'*' if name == best else '=' if as_good else ' '} {name:{width}}  {mean(list(values[name].values())):.4f}"
            line += " " * 20 if name == best else f"  +{mean(differences):.4f} ±{wide:.4f}  "
            for column in show:
                numbers = [float(row[column]) for row in competitors[name].values() if row[column]]
                line += f"  {column} {mean(numbers):.4g}" if numbers else f"  {column} -"
            print(line.rstrip())
            if beaten == 1 and not given.all:
                break


if __name__ == "__main__":
    main()
