#!/usr/bin/env python3
"""Draws one application of a run as SVG: latency of every inference, target, other load, sub-network and accuracy.

    tools/plot_run.py out/gpu-sharing -o picture.svg [--app NAME] [--replication N]

Reads jobs.csv, manifest.json and summary.json of an output directory of `dynasoc run`. Python's standard library only.
"""
import argparse
import csv
import json
import math
import pathlib
import sys
from html import escape

WIDTH, HEIGHT = 960, 560
LEFT, RIGHT = 76, 24
TOP, PLOT_HEIGHT = 104, 266          # latency
STRIP_TOP, STRIP_HEIGHT = 404, 70    # accuracy
INK, SOFT, FAINT, PAPER = "#1f2933", "#616e7c", "#e4e7eb", "#ffffff"
LOAD, TARGET = "#fdecea", "#c92a2a"
# From the least to the most accurate sub-network that ran: told apart by lightness too, not by hue alone.
COLOURS = ["#f08c00", "#2b8a8a", "#3b3f9e", "#9c36b5", "#5c940d", "#a61e4d", "#495057"]


def nice_ticks(low, high, count):
    """Round numbers from low to high, about `count` of them."""
    step = 10 ** math.floor(math.log10((high - low) / count))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= count:
            step *= factor
            break
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def short(x):
    return f"{x:.10g}" if abs(x) < 1e6 else f"{x:.3g}"


class Svg:
    def __init__(self, title, description):
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            'role="img" aria-labelledby="t d" font-family="system-ui, -apple-system, \'Segoe UI\', \'DejaVu Sans\', '
            'Helvetica, Arial, sans-serif">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape(description)}</desc>',
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="10" fill="{PAPER}" stroke="#cbd2d9"/>',
        ]

    def add(self, line):
        self.lines.append(line)

    def text(self, x, y, text, size=13, colour=INK, anchor="start", weight="normal", halo=False):
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}"'
                 + (f' font-weight="{weight}"' if weight != "normal" else "")
                 + (f' stroke="{PAPER}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"' if halo else "")
                 + f'>{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour=FAINT, width=1.0, dash=""):
        self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"'
                 + (f' stroke-dasharray="{dash}"' if dash else "") + "/>")

    def rect(self, x, y, width, height, fill, opacity=1.0):
        self.add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" fill="{fill}"'
                 + (f' fill-opacity="{opacity}"' if opacity < 1 else "") + "/>")

    def dot(self, x, y, colour):
        self.add(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.8" fill="{colour}" fill-opacity="0.75"/>')

    def done(self):
        return "\n".join(self.lines + ["</svg>"]) + "\n"


def segments_of(jobs, cuts):
    """Stretches of inferences at one sub-network, cut where other load comes or goes (by end, as a run's windows are)."""
    out = []
    for job in jobs:
        if out and out[-1][-1]["subnet"] == job["subnet"] and not any(
                out[-1][-1]["end"] < cut <= job["end"] for cut in cuts):
            out[-1].append(job)
        else:
            out.append([job])
    return out


def draw(directory, app=None, replication=0):
    directory = pathlib.Path(directory)
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    scenario = manifest["scenario"]
    names = list(summary["apps"])
    app = app or names[0]
    if app not in names:
        sys.exit(f"plot_run.py: there is no application {app} in {directory} (there are: {', '.join(names)})")

    jobs = []
    with open(directory / "jobs.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["app"] == app and int(row["replication"]) == replication and row["latency_ms"]:
                jobs.append({"arrival": float(row["arrival_s"]), "end": float(row["end_s"]), "subnet": row["subnet"],
                             "latency": float(row["latency_ms"]), "accuracy": float(row["accuracy"]),
                             "outcome": row["outcome"]})
    if not jobs:
        sys.exit(f"plot_run.py: {app} completed no inference in replication {replication}")
    jobs.sort(key=lambda job: job["end"])

    duration = float(summary["duration_s"])
    targets = [(t.get("from_s", 0), t["latency_ms"]) for t in scenario["applications"].get(app, {}).get("targets", [])
               if t.get("latency_ms")]
    loads = [(name, load.get("from_s", 0), load.get("to_s") or duration, load["unit"])
             for name, load in scenario.get("background", {}).items()]
    cuts = [edge for _, begin, end, _ in loads for edge in (begin, end)]
    levels = sorted({job["subnet"] for job in jobs}, key=lambda name: int(name[1:]))
    colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(levels)}
    segments = segments_of(jobs, cuts)

    low = min([job["latency"] for job in jobs] + [t for _, t in targets])
    high = max([job["latency"] for job in jobs] + [t for _, t in targets])
    pad = max(high - low, 0.02 * high) * 0.12
    low, high = max(0.0, low - pad), high + pad

    def x(t):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(t, 0), duration) / duration

    def y(ms):
        return TOP + PLOT_HEIGHT * (high - ms) / (high - low)

    title = scenario.get("title") or summary["scenario"]
    policy = summary["policy"]["name"] if isinstance(summary["policy"], dict) else summary["policy"]
    platform = summary["platform"]["name"] + (", " + summary["platform"]["mode"] if summary["platform"].get("mode") else "")
    svg = Svg(title, f"Latency of {len(jobs)} simulated inferences of {app} over {short(duration)} s, with its target, other "
                     "load and the sub-network in force.")
    svg.text(LEFT, 36, title, size=min(18, round(18 * 76 / len(title), 1)), weight="600")  # long ones smaller
    svg.text(LEFT, 58, f"simulated {platform}; manager {policy}; each dot is one inference of “{app}”", size=13, colour=SOFT)

    # Other load: a shaded stretch over both panels.
    for i, (name, begin, end, unit) in enumerate(loads):
        svg.rect(x(begin), TOP, x(end) - x(begin), PLOT_HEIGHT, LOAD)
        svg.rect(x(begin), STRIP_TOP, x(end) - x(begin), STRIP_HEIGHT, LOAD)
        svg.line(x(begin), TOP - 16, x(begin), TOP + PLOT_HEIGHT, TARGET, 1.2)
        svg.text(x(begin) + 6, TOP - 6 - 16 * i, f"“{name}” arrives on the {unit} at {short(begin)} s", size=12.5, colour=TARGET)

    for tick in nice_ticks(low, high, 7):
        svg.line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "#d8dde3" if loads else FAINT, 0.7)
        svg.text(LEFT - 9, y(tick) + 4.5, short(tick), size=12.5, colour=SOFT, anchor="end")
    svg.text(LEFT - 40, TOP - 10, "latency, ms", size=12.5, colour=SOFT)

    for i, (begin, ms) in enumerate(targets):
        end = targets[i + 1][0] if i + 1 < len(targets) else duration
        svg.line(x(begin), y(ms), x(end), y(ms), TARGET, 1.6, "7 4")
    for job in jobs:
        svg.dot(x(job["end"]), y(job["latency"]), colour[job["subnet"]])
    for begin, ms in targets:
        svg.text(x(begin) + 7, y(ms) - 7, f"target {short(ms)} ms", size=13, colour=TARGET, weight="600", halo=True)
    # The mean of each stretch, labelled where there is room for the label.
    for segment in segments:
        mean = sum(job["latency"] for job in segment) / len(segment)
        begin, end = x(segment[0]["arrival"]), x(segment[-1]["end"])
        svg.line(begin, y(mean), end, y(mean), INK, 2)
        if end - begin > 64:
            label, below = f"mean {mean:.1f} ms", any(abs(mean - ms) < 0.1 * (high - low) and mean <= ms for _, ms in targets)
            spread = max(job["latency"] for job in segment) if not below else min(job["latency"] for job in segment)
            at = y(spread) + (18 if below else -9)
            svg.text((begin + end) / 2, at, label, size=13, anchor="middle", weight="600", halo=True)

    # What a switch costs is seen as a gap: no frame is served meanwhile.
    for before, after in zip(segments, segments[1:]):
        begin, end = x(before[-1]["end"]), x(after[0]["arrival"])
        if before[-1]["subnet"] != after[0]["subnet"] and end - begin > 34:
            middle, at = (begin + end) / 2, TOP + PLOT_HEIGHT - 8
            svg.line(begin + 2, at - 4, end - 2, at - 4, SOFT, 1)
            svg.text(middle, at - 20, "switch", size=11, colour=SOFT, anchor="middle")
            svg.text(middle, at - 8, f"{after[0]['arrival'] - before[-1]['end']:.2g} s", size=11, colour=SOFT, anchor="middle")

    # Sub-network and accuracy underneath.
    accuracies = [job["accuracy"] for job in jobs]
    spread = max(accuracies) - min(accuracies) or 1.0
    bottom = min(accuracies) - 0.75 * spread

    def strip(a):
        return STRIP_TOP + 5 + (STRIP_HEIGHT - 5) * (max(accuracies) - a) / (max(accuracies) - bottom)

    svg.text(LEFT - 40, STRIP_TOP - 10, f"sub-network and accuracy, {summary['apps'][app]['accuracy']['metric']}", size=12.5,
             colour=SOFT)
    for i, segment in enumerate(segments):
        first, subnet, accuracy = segment[0], segment[0]["subnet"], segment[0]["accuracy"]
        begin = x(0 if i == 0 else first["arrival"])
        end = x(duration if i + 1 == len(segments) else segments[i + 1][0]["arrival"])
        top = strip(accuracy)
        svg.rect(begin, top, end - begin, STRIP_TOP + STRIP_HEIGHT - top, colour[subnet], 0.28)
        svg.line(begin, top, end, top, colour[subnet], 3)
        if end - begin > 76:
            svg.text((begin + end) / 2, STRIP_TOP + STRIP_HEIGHT - 9, f"{subnet}: {accuracy:.2f}", size=13, anchor="middle",
                     weight="600")
        elif end - begin > 20:
            svg.text((begin + end) / 2, STRIP_TOP + STRIP_HEIGHT - 9, subnet, size=13, anchor="middle", weight="600")
    svg.line(LEFT, STRIP_TOP + STRIP_HEIGHT, WIDTH - RIGHT, STRIP_TOP + STRIP_HEIGHT, "#9aa5b1")
    svg.line(LEFT, TOP + PLOT_HEIGHT, WIDTH - RIGHT, TOP + PLOT_HEIGHT, "#9aa5b1")
    for tick in nice_ticks(0, duration, 12):
        svg.line(x(tick), STRIP_TOP + STRIP_HEIGHT, x(tick), STRIP_TOP + STRIP_HEIGHT + 4, "#9aa5b1")
        svg.text(x(tick), STRIP_TOP + STRIP_HEIGHT + 18, short(tick), size=12.5, colour=SOFT, anchor="middle")
    svg.text(WIDTH - RIGHT, STRIP_TOP + STRIP_HEIGHT + 36, "time, s", size=12.5, colour=SOFT, anchor="end")

    rests = summary["apps"][app].get("provenance", summary["provenance"])
    shares = ", ".join(f"{100 * share:.3g} % {name}" for name, share in rests.items() if share)
    svg.text(LEFT, HEIGHT - 22, f"dynasoc {manifest['dynasoc']}, seed {summary['seed']}; latencies: {shares}", size=11.5, colour=SOFT)
    return svg.done()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", help="output directory of `dynasoc run … --out DIR`")
    parser.add_argument("-o", "--output", help="file to write (default: standard output)")
    parser.add_argument("--app", help="application to draw (default: the first)")
    parser.add_argument("--replication", type=int, default=0)
    options = parser.parse_args()
    try:
        picture = draw(options.directory, options.app, options.replication)
    except FileNotFoundError as error:
        sys.exit(f"plot_run.py: {error.filename}: no such file; `dynasoc run SCENARIO --out DIR` makes it")
    if options.output:
        pathlib.Path(options.output).write_text(picture, encoding="utf-8")
    else:
        sys.stdout.write(picture)


if __name__ == "__main__":
    main()
