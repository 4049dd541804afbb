"""Figures: fronts, runs over time, schedules, distributions, comparisons, tables.

    from dynasoc import plot

    run = dynasoc.run("claims/gpu-sharing")
    plot.timeline(run)[0].figure.savefig("run.png")

Each function draws on the axes that it is given, or on a new figure, and returns them. Needs matplotlib, which is
imported when something is drawn. Logs are thinned to what can be seen: highest and lowest values always stay.
"""

from __future__ import annotations

import csv
import functools
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union

from . import _core
from .checks import listing
from .exploring import Exploration
from .files import Network, PathLike
from .results import OUTCOMES, Comparison, Replication, Run

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

    Array = np.ndarray[Any, np.dtype[Any]]

RunLike = Union[Run, Replication]
Columns = Mapping[str, Sequence[Any]]

# Okabe and Ito's colours, which most eyes tell apart; vermilion is kept for what is late or worse.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#7A5195")
_WARN, _INK, _FAINT, _SHADE = "#D55E00", "#222222", "#9AA5B1", "#E9ECEF"
_SOFT = "#616E7C"
_STYLES = ("-", "--", "-.", ":")
_BINS = 2000  # across a panel: more than it has pixels
_STRETCHES = 300  # of means, where samples are too dense to see each
_FEW = 12  # points that get a label each
_LETTERS = {"measured": "m", "digitised": "d", "derived": "*"}  # as `dynasoc table show` marks them


# ---------------------------------------------------------------- axes and words


def _subplots(rows: int, width: float, height: float, ratios: Sequence[float] | None = None) -> Array:
    """A new figure with panels below each other that share their x axis."""
    from matplotlib import pyplot

    grid = {"height_ratios": list(ratios)} if ratios else {}
    _, axes = pyplot.subplots(
        rows, 1, sharex=True, squeeze=False, figsize=(width, height), layout="constrained", gridspec_kw=grid
    )
    flat: Array = axes[:, 0]
    return flat


def _need_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("dynasoc.plot needs matplotlib: pip install dynasoc[plot]") from None


def _axes(ax: Axes | None, width: float = 7.0, height: float = 4.4) -> Axes:
    out: Axes = _subplots(1, width, height)[0] if ax is None else ax
    return out


def _tidy(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=_SHADE, linewidth=0.7)
    ax.set_axisbelow(True)


def _legend(ax: Axes, handles: Sequence[Any] = (), title: str = "") -> None:
    """Beside the panel, where it hides nothing: `handles`, or whatever has a label."""
    handles = handles or ax.get_legend_handles_labels()[0]
    if handles:
        ax.legend(
            handles=handles,
            title=title or None,
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0,
            frameon=False,
            fontsize="small",
            title_fontsize="x-small",
            alignment="left",
        )


def _note(ax: Axes, text: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=_SOFT, bbox=box)


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _known(name: str, names: Iterable[str], what: str) -> str:
    """`name`, if there is one. Throws InputError with the nearest one."""
    import difflib

    known = list(names)
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1)
    if near:
        raise _core.InputError(f"unknown {what} {name!r} (did you mean {near[0]!r}?)")
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    raise _core.InputError(f"unknown {what} {name!r} (known: {listed or 'none'})")


@functools.lru_cache(maxsize=None)
def _metrics() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """For each metric: its names, unit, and which way is better."""
    return tuple(
        (re.compile(re.sub(r"\b(APP|UNIT|LEVEL)\b", ".+", re.escape(one["name"]))), one["unit"], one["better"])
        for one in listing("metrics")
    )


def _facts(name: str) -> tuple[str, str]:
    """Unit of a metric or a column, and which way is better."""
    for pattern, unit, better in _metrics():
        if pattern.fullmatch(name):
            return unit.replace("the network's", "network's"), better
    units = {"ms": "ms", "s": "s", "mj": "mJ", "j": "J", "w": "W", "mhz": "MHz", "hz": "1/s", "mb": "MB", "c": "°C"}
    found = re.search(r"_(ms|s|mj|j|w|mhz|hz|mb|c)(?=_|$)", name)
    return units[found[1]] if found else "", "higher" if "accuracy" in name else "lower"


def _with_unit(words: str, unit: str) -> str:
    return f"{words} [{unit or '–'}]"


def _column_label(name: str) -> str:
    """`latency_ms_mean` as `latency, mean [ms]`."""
    unit = _facts(name)[0]
    words = (
        re.sub(r"_(ms|s|mj|j|w|mhz|hz|mb|c)(?=_|$)", ",", name, count=1)
        .strip(",")
        .replace(",_", ", ")
        .replace("_", " ")
    )
    return _with_unit(words, unit)


def _short(value: float) -> str:
    """Four digits that matter, as people write them."""
    if not math.isfinite(value):
        return "-"
    return (
        f"{value:.4g}"
        if 1e-4 <= abs(value) < 1e4 or value == 0
        else f"{value:,.0f}" if abs(value) < 1e7 else f"{value:.3g}"
    )


# ---------------------------------------------------------------- what is drawn


def _replication(run: RunLike, index: int) -> Replication:
    return run if isinstance(run, Replication) else run[index]


def _need_logs(run: RunLike, logs: Iterable[str], what: str) -> None:
    core = (run.run if isinstance(run, Replication) else run)._core
    wanted = list(logs)
    missing = [log for log in wanted if not getattr(core, f"has_{log}")]
    if missing:
        raise _core.InputError(
            f"{what} needs the log {' and '.join(missing)}, which this run did not keep: "
            f"say record=True or record={wanted!r}"
        )


def _application_codes(names: Mapping[str, Any], application: str | None) -> list[int]:
    known = [app["name"] for app in names["applications"]]
    return list(range(len(known))) if application is None else [known.index(_known(application, known, "application"))]


def _seconds(times: Array) -> Array:
    """Times of a log as numbers; nan where they do not apply."""
    import numpy as np

    nanoseconds = times.view("i8")
    out: Array = nanoseconds * 1e-9
    out[nanoseconds == np.iinfo(np.int64).min] = np.nan
    return out


def _latency_ms(jobs: Array) -> Array:
    out: Array = (_seconds(jobs["end"]) - _seconds(jobs["arrival"])) * 1e3
    return out


def _outcome(jobs: Array, *outcomes: str) -> Array:
    import numpy as np

    out: Array = np.isin(jobs["outcome"].view("u1"), [OUTCOMES.index(one) for one in outcomes])
    return out


def _window(run: Replication, from_s: float | None, to_s: float | None) -> tuple[float, float]:
    begin = 0.0 if from_s is None else float(from_s)
    end = float(run.run._names["duration_s"]) if to_s is None else float(to_s)
    if not begin < end:
        raise _core.InputError(f"from_s={begin:g}, to_s={end:g}: the stretch must have a length")
    return begin, end


def _extremes(x: Array, y: Array, sample: bool = False) -> Array:
    """Which points to draw so that the picture is that of all: of each pixel-wide stretch of x (ascending) those with
    the least and the greatest y. `sample`: an even share of the others too, for clouds, which are dense inside."""
    import numpy as np

    kept = np.flatnonzero(np.isfinite(y))
    if len(kept) <= 4 * _BINS:
        return kept
    if len(kept) < len(y):
        x, y = x[kept], y[kept]
    else:
        y = np.ascontiguousarray(y)
    begins = np.unique(np.searchsorted(x, np.linspace(x[0], x[-1], _BINS, endpoint=False)))
    sizes = np.diff(np.append(begins, len(x)))
    chosen = [np.array([0, len(x) - 1])]
    for reduce in (np.minimum, np.maximum):
        hits = np.flatnonzero(y == np.repeat(reduce.reduceat(y, begins), sizes))
        chosen.append(hits[np.searchsorted(hits, begins)])  # the first of each stretch
    if sample:
        chosen.append(np.arange(0, len(x), max(1, len(x) // (4 * _BINS))))
    out: Array = kept[np.unique(np.concatenate(chosen))]
    return out


def _merged(begin: Array, end: Array, width: float) -> list[tuple[float, float]]:
    """Bars as (begin, length); where there are too many to see, those that begin in one stretch of `width` as one."""
    import numpy as np

    if len(begin) > 4 * _BINS:
        order = np.argsort(begin, kind="stable")
        begin, end = begin[order], end[order]
        firsts = np.flatnonzero(np.diff(np.floor(begin / width), prepend=-np.inf))
        begin, end = begin[firsts], np.maximum.reduceat(end, firsts)
    return list(zip(begin.tolist(), (end - begin).tolist()))


def _thinned(at: Array, begin: float, end: float) -> Array:
    """Instants within the stretch, at most one a pixel."""
    import numpy as np

    inside = at[(at >= begin) & (at <= end)]
    if len(inside) <= _BINS:
        return inside
    out: Array = inside[np.unique(np.floor((inside - begin) * (_BINS / (end - begin))), return_index=True)[1]]
    return out


def _numbers(values: Iterable[Any]) -> Array:
    """As floats; nan for what is empty, `-` or missing."""
    import numpy as np

    def number(value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            return math.nan

    return np.array([number(value) for value in values], dtype=float)


def _columns_of(table: Any) -> dict[str, list[Any]]:
    """Columns of anything like a DataFrame: a list for each name. Throws InputError for what is not."""
    if not hasattr(table, "columns") and not isinstance(table, Mapping):
        raise _core.InputError(f"a table has columns: a DataFrame, or lists by name, not {type(table).__name__}")
    return {str(name): list(table[name]) for name in getattr(table, "columns", table)}


def _csv_columns(lines: Iterable[str]) -> dict[str, list[Any]]:
    header, *rows = list(csv.reader(lines)) or [[]]
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


# ---------------------------------------------------------------- fronts


class _Points(NamedTuple):
    """What a front is drawn of: a value, and the ends of its interval, by metric and point."""

    labels: list[str]
    metrics: dict[str, tuple[Array, Array, Array]]
    everything: dict[str, list[Any]]  # the columns of all.csv, where there are any
    knee: list[bool]
    what: str


def _points_of_table(front: dict[str, list[Any]], everything: dict[str, list[Any]]) -> _Points:
    import numpy as np

    size = len(next(iter(front.values()), []))
    with_interval = [name for name in front if f"{name}.low" in front and not name.endswith(".to_knee")]
    others = [
        name
        for name, values in front.items()
        if name not in ("configuration", "knee", "replications")
        and not re.search(r"\.(low|high|to_knee)$", name)
        and name not in with_interval
        and np.isfinite(_numbers(values)).any()
    ]
    nothing = np.full(size, np.nan)
    metrics = {
        name: (_numbers(front[name]), _numbers(front[f"{name}.low"]), _numbers(front[f"{name}.high"]))
        for name in with_interval
    }
    metrics.update({name: (_numbers(front[name]), nothing, nothing) for name in others})
    labels = [f"#{one}" for one in front.get("configuration", range(size))]
    knee = [str(one) in ("1", "True") for one in front.get("knee", [0] * size)]
    return _Points(labels, metrics, everything, knee, "configurations")


def _points_of_comparison(comparison: Comparison) -> _Points:
    policies = comparison.to_json()["policies"]
    labels = [label for label in comparison.policies if label in policies]
    names = dict.fromkeys(
        metric
        for label in labels
        for metric, value in policies[label].items()
        if isinstance(value, Mapping) and "mean" in value
    )
    metrics = {}
    for name in names:
        of = [policies[label].get(name) or {} for label in labels]
        ends = [one.get("ci95") or (None, None) for one in of]
        metrics[name] = (
            _numbers(one.get("mean") for one in of),
            _numbers(end[0] for end in ends),
            _numbers(end[1] for end in ends),
        )
    return _Points(labels, metrics, {}, [False] * len(labels), "policies")


def _points_of_directory(path: Path) -> _Points:
    directory = path if path.is_dir() else path.parent
    front = directory / "front.csv" if path.is_dir() else path
    if not front.is_file():
        raise _core.InputError(f"{front}: no such file; `dynasoc explore FILE --out DIR` makes it")
    everything = directory / "all.csv"
    read = [
        _csv_columns(one.read_text(encoding="utf-8").splitlines()) if one.is_file() else {}
        for one in (front, everything)
    ]
    return _points_of_table(*read)


def _points(front: Any, everything: Any) -> _Points:
    if isinstance(front, Comparison):
        return _points_of_comparison(front)
    if isinstance(front, Exploration):
        points = _points_of_table(*(_csv_columns(text.splitlines()) for text in (front._front, front._all)))
    elif isinstance(front, (str, os.PathLike)):
        points = _points_of_directory(Path(front))
    else:
        points = _points_of_table(_columns_of(front), {})
    return points if everything is None else points._replace(everything=_columns_of(everything))


def _not_dominated(x: Array, y: Array) -> Array:
    """Which points (lower is better in both) no other one is at least as good as, and better somewhere."""
    import numpy as np

    out = np.zeros(len(x), dtype=bool)
    best, at = math.inf, math.nan
    for i in np.lexsort((y, x)):
        if y[i] < best or (y[i] == best and x[i] == at):
            out[i], best, at = True, y[i], x[i]
    return out


# Where a label may stand, the best place first: right or left, and how many points away upwards.
_AROUND = ((7, 6), (7, -6), (-7, 6), (-7, -6), (0, 10), (0, -10), (10, 18), (10, -18), (-10, 18), (-10, -18))


def _place_labels(ax: Axes, values: Sequence[Sequence[Array]], texts: Sequence[str], colours: Sequence[str]) -> None:
    """Labels beside their points: each at the first place around it where it covers nothing else; `values` as for
    `_errors`. Points at one place share a label."""
    import numpy as np
    from matplotlib import patheffects
    from matplotlib.transforms import Bbox

    figure = ax.figure.figure
    figure.draw_without_rendering()  # places of things are known only then
    near = figure.dpi / 72
    (x, *x_ends), (y, *y_ends) = values
    dots = ax.transData.transform(np.column_stack([x, y]))

    def boxes(to_x: Array, to_y: Array, margin: float) -> list[Bbox]:
        """From each point to the end of a bar, where there is one."""
        ends = np.column_stack([np.where(np.isnan(to_x), x, to_x), np.where(np.isnan(to_y), y, to_y)])
        corners = np.stack([dots, ax.transData.transform(ends)])
        low, high = corners.min(axis=0) - margin * near, corners.max(axis=0) + margin * near
        return [Bbox.from_extents(*a, *b) for a, b in zip(low, high)]

    together: dict[tuple[int, int], list[int]] = {}
    for i, (at_x, at_y) in enumerate(dots.tolist()):
        together.setdefault((round(at_x / near), round(at_y / near)), []).append(i)
    halos = boxes(x, y, 10)  # so near another point one would take it for its label
    taken = [box for end in x_ends for box in boxes(end, y, 1)] + [box for end in y_ends for box in boxes(x, end, 1)]
    inside = ax.get_window_extent()

    def cost(box: Bbox, own: Sequence[int]) -> int:
        covered = sum(
            bool(box.overlaps(other)) for other in [*taken, *(h for i, h in enumerate(halos) if i not in own)]
        )
        outside = box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1
        return 2 * covered + int(outside)

    # Long ones first, while there is room.
    for own in sorted(together.values(), key=lambda own: -sum(len(texts[i]) for i in own)):
        label = ax.annotate(
            ", ".join(texts[i] for i in own),
            (x[own[0]], y[own[0]]),
            _AROUND[0],
            textcoords="offset points",
            fontsize="small",
            color=colours[own[0]],
            path_effects=[patheffects.withStroke(linewidth=2.5, foreground="white")],
        )

        def put(place: tuple[int, int]) -> Bbox:
            dx, dy = place
            label.set_position(place)
            label.set_horizontalalignment("left" if dx > 0 else "right" if dx < 0 else "center")
            label.set_verticalalignment("bottom" if dy > 0 else "top")
            return label.get_window_extent()

        taken.append(put(min(_AROUND, key=lambda place: cost(put(place), own))))


def _errors(ax: Axes, values: Sequence[Sequence[Array]], which: Array, **style: Any) -> None:
    """Points with what is known of their intervals; `values`: of x and of y the mean and both ends."""
    import numpy as np

    if not which.any():
        return
    # Without an interval there is nothing to draw, and a little below zero is what rounding leaves.
    spans = [
        [np.nan_to_num(np.maximum(part[which], 0)) for part in (mean - low, high - mean)] for mean, low, high in values
    ]
    style = {"capsize": 2, "elinewidth": 1.1, "linestyle": "none", **style}
    ax.errorbar(values[0][0][which], values[1][0][which], xerr=spans[0], yerr=spans[1], **style)


def pareto(
    front: Union[Comparison, Exploration, PathLike, pd.DataFrame, Columns],
    x: str | None = None,
    y: str | None = None,
    *,
    everything: Union[pd.DataFrame, Columns, None] = None,
    better: Mapping[str, str] | None = None,
    labels: Union[bool, Sequence[str], None] = None,
    ax: Axes | None = None,
) -> Axes:
    """A front by two metrics, with 95 % intervals both ways; what is dominated in these two is faint.

    front: an Exploration, its directory, its front.csv (a path or a DataFrame), or a Comparison, whose points are
    policies. x, y: metrics, in their units; by default an exploration's first two, a comparison's energy and miss rate.
    everything: all.csv as a DataFrame, for points off the front; a directory has it. better: "lower" or "higher" by
    metric, where it is not what `dynasoc list metrics` says. labels: texts by point; True or False; by default where
    points are few.

    Far-off points that are not on the front are not shown; the legend says how many. Throws InputError for an unknown
    metric or a directory without a front.
    """
    _need_matplotlib()
    import numpy as np

    ax = _axes(ax)
    points = _points(front, everything)
    defaults = ["platform.energy_j", "run.miss_rate"] if isinstance(front, Comparison) else list(points.metrics)[:2]
    if len(defaults) < 2 and (x is None or y is None):
        raise _core.InputError("a front needs two metrics, x and y")
    names = [given or default for given, default in zip((x, y), [*defaults, "", ""])]
    axes, signs = [], []
    for name in names:
        axes.append(points.metrics[_known(name, points.metrics, "metric")])
        way = (better or {}).get(name, _facts(name)[1])
        if way not in ("lower", "higher", "neither"):
            raise _core.InputError(f"better: {name} is {way!r}, must be lower or higher")
        signs.append(-1 if way == "higher" else 1)
        axis = ax.xaxis if len(axes) == 1 else ax.yaxis
        ending = "" if way == "neither" else f"{', ' if len(axes) == 1 else chr(10)}{way} is better"
        axis.set_label_text(_with_unit(name, _facts(name)[0]) + ending)
    _tidy(ax)

    # Of the rest, what is not far away: the front is what the picture is of.
    there = np.isfinite(axes[0][0]) & np.isfinite(axes[1][0])
    cloud = _cloud(points.everything, names)
    limits = []
    for axis_index, (mean, low, high) in enumerate(axes):
        ends = np.concatenate([part[there][np.isfinite(part[there])] for part in (mean, low, high)])
        near = np.concatenate([group[axis_index] for group in cloud.values()]) if cloud else np.array([])
        if len(ends):
            reach = 0.6 * float(np.ptp(ends))
            near = near[(near >= ends.min() - reach) & (near <= ends.max() + reach)]
        ends = np.concatenate([ends, near])
        if len(ends):
            pad = 0.1 * (float(np.ptp(ends)) or abs(float(ends[0])) or 1.0)
            limits.append((float(ends.min()) - pad, float(ends.max()) + pad))
        else:
            limits.append((0.0, 1.0))
    ax.set_xlim(*limits[0])
    ax.set_ylim(*limits[1])

    markers = {"dominated": "o", "dropped": "v", "infeasible": "x"}
    for standing, (cloud_x, cloud_y) in cloud.items():
        seen = (
            (cloud_x >= limits[0][0])
            & (cloud_x <= limits[0][1])
            & (cloud_y >= limits[1][0])
            & (cloud_y <= limits[1][1])
        )
        outside = f", {len(seen) - int(seen.sum())} outside" if not seen.all() else ""
        ax.plot(
            cloud_x[seen],
            cloud_y[seen],
            linestyle="none",
            marker=markers.get(standing, "o"),
            markersize=3.5,
            color=_FAINT,
            alpha=0.55,
            label=f"{standing} ({len(seen)}{outside})",
            zorder=1,
        )
    if not there.any():
        _note(ax, f"no {points.what} on the front")
        _legend(ax)
        return ax

    best = np.zeros(len(there), dtype=bool)
    best[there] = _not_dominated(signs[0] * axes[0][0][there], signs[1] * axes[1][0][there])
    line = np.flatnonzero(best)[np.argsort(axes[0][0][best], kind="stable")]
    if isinstance(front, Comparison):
        on_front, behind, words = best, there & ~best, ("not dominated", "dominated")
    else:
        on_front, behind, words = there, there & False, ("front, mean and 95 %", "")
    # What a point dominates ends where the next one begins: a step, which way depends on which side of x is good.
    ax.step(
        axes[0][0][line],
        axes[1][0][line],
        where="post" if signs[0] > 0 else "pre",
        color=_COLOURS[0],
        linewidth=1,
        alpha=0.7,
        zorder=2,
    )
    knee = np.array(points.knee, dtype=bool) & on_front
    behind_words, front_words = f"{words[1]} ({int(behind.sum())})", f"{words[0]} ({int(on_front.sum())})"
    _errors(ax, axes, behind, fmt="o", markersize=5, color=_FAINT, label=behind_words, zorder=2)
    _errors(ax, axes, on_front & ~knee, fmt="o", markersize=5, color=_COLOURS[0], label=front_words, zorder=3)
    _errors(ax, axes, knee, fmt="D", markersize=6, color=_WARN, label="knee", zorder=4)
    _legend(ax)

    if labels is None:
        labels = int(there.sum()) <= _FEW
    if labels is not False:
        texts = points.labels if labels is True else [str(one) for one in labels]
        if len(texts) != len(there):
            raise _core.InputError(f"labels: {len(texts)} texts for {len(there)} points")
        shown = [i for i in np.flatnonzero(there).tolist() if texts[i]]
        colours = [_SOFT if behind[i] else _WARN if knee[i] else _INK for i in shown]
        places = [[part[shown] for part in axis] for axis in axes]
        _place_labels(ax, places, [texts[i] for i in shown], colours)
    return ax


def _cloud(everything: dict[str, list[Any]], names: Sequence[str]) -> dict[str, tuple[Array, Array]]:
    """Places of the configurations off the front, by what became of them."""
    import numpy as np

    if not everything:
        return {}
    # Where those given up early would stand with all replications.
    axes = [
        _numbers(everything[f"{n}.placed" if f"{n}.placed" in everything else _known(n, everything, "metric")])
        for n in names
    ]
    standings = np.array([str(one) for one in everything.get("standing", ["dominated"] * len(axes[0]))])
    out = {}
    for standing in ("infeasible", "dropped", "dominated"):
        which = (standings == standing) & np.isfinite(axes[0]) & np.isfinite(axes[1])
        if which.any():
            out[standing] = (axes[0][which], axes[1][which])
    return out


# ---------------------------------------------------------------- a run over time


# Panels of the sampled log: end of the columns' names, whose they are, what the axis says.
_SAMPLED = {
    "power": ("_power_w", "units", "power [W]"),
    "frequency": ("_mhz", "units", "clock [MHz]"),
    "utilisation": ("_utilisation", "units", "busy [share]"),
    "temperature": ("_temperature_c", "", "temperature [°C]"),
    "subnet": ("_subnet", "applications", "sub-network [level]"),
    "accuracy": ("_subnet", "applications", "accuracy"),
    "waiting": ("_waiting", "applications", "waiting [frames]"),
}


def _step_targets(targets: Sequence[tuple[float, float]], begin: float, end: float) -> tuple[list[float], list[float]]:
    """A latency target over time as the corners of a line; a gap where there is none."""
    x, y = [], []
    for (since, target), (until, _) in zip(targets, [*targets[1:], (end, 0.0)]):
        since, until = max(since, begin), min(until, end)
        if since < until:
            x += [since, until]
            y += [target or math.nan] * 2
    return x, y


def _latency_panel(ax: Axes, one: Replication, code: int, begin: float, end: float) -> None:
    import numpy as np

    app = one.run._names["applications"][code]
    jobs = one.jobs.array
    jobs = jobs[jobs["app"] == code]
    done, arrival, latency = _seconds(jobs["end"]), _seconds(jobs["arrival"]), _latency_ms(jobs)
    inside = (done >= begin) & (done <= end)
    for outcome, marker, colour, size in (("met", ".", _colour(code), 4), ("missed", "x", _WARN, 4)):
        which = np.flatnonzero(inside & _outcome(jobs, outcome))
        if len(which):
            kept = which[_extremes(done[which], latency[which], sample=True)]
            ax.plot(
                done[kept],
                latency[kept],
                linestyle="none",
                marker=marker,
                markersize=size,
                markeredgewidth=0.9,
                color=colour,
                label=f"{outcome} ({len(which)})",
            )
    gone = arrival[_outcome(jobs, "dropped", "rejected")]
    gone = gone[(gone >= begin) & (gone <= end)]
    if len(gone):
        # No latency to draw: on the lower edge, where they arrived.
        ax.plot(
            _thinned(np.sort(gone), begin, end),
            np.zeros(len(_thinned(np.sort(gone), begin, end))),
            linestyle="none",
            marker="^",
            markersize=4,
            color=_INK,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            label=f"dropped, rejected ({len(gone)})",
        )
    x, y = _step_targets(app["targets"], begin, end)
    if np.isfinite(y).any():
        ax.plot(x, y, linestyle=":", color=_INK, linewidth=1.4, label="target")
    if not inside.any():
        _note(ax, "no frame was completed")
    ax.margins(y=0.1)  # room for the ticks of decisions
    several = len(one.run._names["applications"]) > 1
    ax.set_ylabel(f"{app['name']}\nlatency [ms]" if several else "latency [ms]")


def _mean_and_extremes(ax: Axes, x: Array, y: Array, **style: Any) -> float:
    """A line through means over stretches of time, shaded from the least to the greatest. Returns their length."""
    import numpy as np

    begins = np.unique(np.linspace(0, len(x), _STRETCHES, endpoint=False).astype(int))
    sizes = np.diff(np.append(begins, len(x)))
    ends = x[np.append(begins[1:], len(x)) - 1]
    low, high = np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)
    ax.fill_between(ends, low, high, step="pre", color=style["color"], alpha=0.18, linewidth=0)
    ax.step(ends, np.add.reduceat(y, begins) / sizes, where="pre", **style)
    return float(ends[-1] - ends[0]) / (len(ends) - 1)


def _sampled_panel(ax: Axes, one: Replication, kind: str, codes: Sequence[int], begin: float, end: float) -> str:
    """Returns what to say over the legend."""
    import numpy as np

    names = one.run._names
    samples = one.timeline.array
    ending, whose, label = _SAMPLED[kind]
    apps = names["applications"]
    time = _seconds(samples["time"])
    inside = np.flatnonzero((time >= begin) & (time <= end))
    if whose == "units":
        lines = {unit: f"{unit}{ending}" for unit in names["units"]}
    elif whose == "applications":
        lines = {apps[code]["name"]: f"{apps[code]['name']}{ending}" for code in codes}
    else:
        lines = {one[: -len(ending)]: one for one in samples.dtype.names or () if one.endswith(ending)}
    if kind == "power":
        lines = {"board": "power_w", **lines}
    # A mean belongs to the time before its sample, a state to the time after.
    title = ""
    where: Literal["pre", "post"] = "pre" if kind in ("power", "utilisation") else "post"
    for index, (name, column) in enumerate(
        (name, column) for name, column in lines.items() if column in (samples.dtype.names or ())
    ):
        values = samples[column][inside].astype(float)
        colour = _INK if name == "board" else _colour(index - (kind == "power"))
        if whose == "applications":
            code = next(code for code in codes if apps[code]["name"] == name)
            colour = _colour(code)
            if kind == "accuracy":
                values = np.array(apps[code]["accuracy"])[values.astype(int) - 1]
        style: dict[str, Any] = {
            "color": colour,
            "linestyle": _STYLES[0 if name == "board" else index // len(_COLOURS) % len(_STYLES)],
            "linewidth": 1.2,
            "label": name,
        }
        if kind in ("power", "utilisation") and len(inside) > 2 * _STRETCHES:
            length = _mean_and_extremes(ax, time[inside], values, **style)
            title = f"means of {_short(length)} s,\nextremes shaded"
        else:
            kept = _extremes(time[inside], values)
            ax.step(time[inside][kept], values[kept], where=where, **style)
    if not len(inside) or not ax.lines:
        _note(ax, "no sample" if not len(inside) else "nothing of this kind in the log")
    if kind in ("subnet", "waiting"):
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        low, high = ax.dataLim.intervaly if len(inside) and ax.lines else (0, 1)
        ax.set_ylim(low - 0.4, max(high, low + 1) + 0.4)  # one level alone is no scale
        if kind == "subnet":
            ax.yaxis.set_major_formatter(FuncFormatter(lambda level, _: f"L{level:.0f}"))
    else:
        ax.margins(y=0.1)
    if kind == "accuracy":
        metric = " / ".join(dict.fromkeys(apps[code]["accuracy_metric"] or "–" for code in codes))
        label = metric if "[" in metric else _with_unit("accuracy", metric)
    ax.set_ylabel(label)
    return title


def _background(axes: Array, one: Replication, begin: float, end: float) -> None:
    """Other load, shaded, and the warm-up, hatched; named above the first panel."""
    names = one.run._names
    spans = [("warm-up", 0.0, names["warmup_s"])] if names["warmup_s"] > 0 else []
    for name, load in one.run.scenario.background.items():
        spans.append((f"{name} on {load.unit}", load.from_s, load.to_s or names["duration_s"]))
    for row, (text, since, until) in enumerate(spans):
        since, until = max(since, begin), min(until, end)
        if since >= until:
            continue
        for ax in axes:
            if text == "warm-up":
                ax.axvspan(
                    since, until, facecolor="none", edgecolor=_FAINT, alpha=0.5, hatch="///", linewidth=0, zorder=0
                )
            elif (since, until) != (begin, end):  # all of it would be a colour of the paper
                ax.axvspan(since, until, color=_SHADE, alpha=0.8, linewidth=0, zorder=0)
        axes[0].annotate(
            text,
            (since, 1),
            (0, 2 + 9 * row),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize="x-small",
            color=_SOFT,
            va="bottom",
        )


def timeline(
    run: RunLike,
    application: str | None = None,
    *,
    replication: int = 0,
    panels: Sequence[str] = ("latency", "subnet", "power", "frequency"),
    from_s: float | None = None,
    to_s: float | None = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray[Any, Any]:
    """A replication over time [s], panels below each other.

    latency [ms]: a dot a frame at its completion, its target dotted, late ones crossed, those given up as triangles on
    the lower edge; a panel for each application, or for `application` alone. subnet: level in force. accuracy: that
    level's, in the network's metric. power [W], frequency [MHz], temperature [°C], utilisation, waiting: by unit, node
    or application, as sampled every `timeline_ms`. Decisions are ticks along the upper edges (full lines where they are
    few); other load is shaded, the warm-up hatched. from_s, to_s: a part of the run.

    axes: one for each panel. Returns them as an array. Throws InputError for an unknown application or panel, or a log
    that was not kept: jobs for latency, timeline for the others. Without a log of decisions there are no ticks.
    """
    _need_matplotlib()
    import numpy as np

    one = _replication(run, replication)
    codes = _application_codes(one.run._names, application)
    kinds = [
        _known(kind, ["latency", *_SAMPLED], "panel") for kind in ([panels] if isinstance(panels, str) else panels)
    ]
    needed = dict.fromkeys("jobs" if kind == "latency" else "timeline" for kind in kinds)
    _need_logs(one, needed, "the timeline")
    begin, end = _window(one, from_s, to_s)
    wanted = [(kind, code) for kind in kinds for code in (codes if kind == "latency" else [-1])]
    if not wanted:
        raise _core.InputError(f"panels: none (known: latency, {', '.join(_SAMPLED)})")
    if axes is None:
        ratios = [1.6 if kind == "latency" else 1.0 for kind, _ in wanted]
        drawn = _subplots(len(wanted), 9.0, 0.7 + 1.4 * sum(ratios), ratios)
        drawn[0].figure.suptitle(f"{one.run.scenario.name}, manager {one.run.policy}", fontsize="medium")
    else:
        drawn = np.array(list(axes), dtype=object)
        if len(drawn) != len(wanted):
            raise _core.InputError(f"axes: {len(drawn)} for {len(wanted)} panels")
    titles = []
    for ax, (kind, code) in zip(drawn, wanted):
        if kind == "latency":
            _latency_panel(ax, one, code, begin, end)
            titles.append("")
        else:
            titles.append(_sampled_panel(ax, one, kind, codes, begin, end))
        _tidy(ax)
    _background(drawn, one, begin, end)
    if one.run._core.has_decisions:
        at = _thinned(np.unique(_seconds(one.decisions._raw(one.index)["time"])), begin, end)
        for ax in drawn:
            ax.vlines(
                at,
                0 if len(at) <= 2 * _FEW else 0.93,
                1,
                transform=ax.get_xaxis_transform(),
                color=_FAINT,
                linewidth=0.6,
                label="decision" if len(at) and ax is drawn[0] else None,
                zorder=1,
            )
    for ax, title in zip(drawn, titles):
        ax.set_xlim(begin, end)
        _legend(ax, title=title)
    drawn[-1].set_xlabel("time [s]")
    if axes is None:
        drawn[0].figure.align_ylabels(list(drawn))
    return drawn


def gantt(
    run: RunLike,
    from_s: float | None = None,
    to_s: float | None = None,
    *,
    application: str | None = None,
    replication: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Which processing unit executed what over time [s]: a row a unit, in it a lane for each application that ran.

    Bars go from a frame's start to its result (or to the run's end); late ones are outlined. from_s, to_s: a part of
    the run. Throws InputError for an unknown application or a run without the log of jobs.
    """
    _need_matplotlib()
    import numpy as np
    from matplotlib.patches import Patch

    one = _replication(run, replication)
    _need_logs(one, ["jobs"], "the Gantt chart")
    names = one.run._names
    codes = _application_codes(names, application)
    begin, end = _window(one, from_s, to_s)
    jobs = one.jobs.array
    start, stop = _seconds(jobs["start"]), _seconds(jobs["end"])
    stop = np.where(np.isnan(stop) & _outcome(jobs, "unfinished"), names["duration_s"], stop)
    ran = (stop > begin) & (start < end) & np.isin(jobs["app"], codes)
    late = _outcome(jobs, "missed")
    lanes = {
        unit: [code for code in codes if (ran & (jobs["unit"] == unit) & (jobs["app"] == code)).any()]
        for unit in range(len(names["units"]))
    }
    rows = [unit for unit, found in lanes.items() if found] or list(lanes)
    ax = _axes(ax, 9.0, 1.5 + 0.45 * sum(max(1, len(lanes[unit])) for unit in rows))
    any_late = False
    for row, unit in enumerate(rows):
        for lane, code in enumerate(lanes[unit]):
            height = 0.8 / len(lanes[unit])
            mine = ran & (jobs["unit"] == unit) & (jobs["app"] == code)
            for missed in (False, True):
                which = mine & (late == missed)
                if not which.any():
                    continue
                any_late = any_late or missed
                bars = _merged(np.maximum(start[which], begin), np.minimum(stop[which], end), (end - begin) / _BINS)
                faintest = 0.4 * min(1.0, 300 / len(bars))
                pixels = float(np.median([length for _, length in bars])) / (end - begin) * _BINS
                ax.broken_barh(
                    bars,
                    (row - 0.4 + lane * height, height * 0.92),
                    facecolor=_colour(code),
                    # Thin ones would be nothing but edge.
                    edgecolor=_INK if missed else "white",
                    linewidth=(min(1.2, max(faintest, pixels / 20)) if missed else 0.5 if pixels > 20 else 0),
                    zorder=3 if missed else 2,
                    snap=False,  # to whole pixels, what is thinner would vanish
                )
    used = [code for code in codes if any(code in found for found in lanes.values())]
    handles = [Patch(facecolor=_colour(code), label=names["applications"][code]["name"]) for code in used]
    if any_late:
        handles.append(Patch(facecolor="none", edgecolor=_INK, linewidth=1.2, label="missed"))
    _tidy(ax)
    ax.grid(False, axis="y")
    ax.set_xlim(begin, end)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks(range(len(rows)), [names["units"][unit] for unit in rows])
    ax.set_xlabel("time [s]")
    ax.set_ylabel("processing unit")
    if handles:
        _legend(ax, handles)
    else:
        _note(ax, "nothing ran")
    return ax


# ---------------------------------------------------------------- distributions


def _labelled(runs: Any) -> list[tuple[str, RunLike]]:
    if isinstance(runs, (Run, Replication)):
        return [("", runs)]
    if isinstance(runs, Mapping):
        return [(str(label), run) for label, run in runs.items()]
    listed = list(runs)
    labels = [(one.run if isinstance(one, Replication) else one).policy for one in listed]
    if len(set(labels)) < len(labels):  # the same manager more than once
        labels = [f"{label} ({i})" for i, label in enumerate(labels)]
    return list(zip(labels, listed))


def _frames(run: RunLike) -> Iterator[Array]:
    """The logs of jobs that take part: of every replication, without the warm-up."""
    whole = run.run if isinstance(run, Replication) else run
    for one in [run] if isinstance(run, Replication) else list(run):
        jobs = one.jobs.array
        yield jobs[_seconds(jobs["arrival"]) >= whole._names["warmup_s"]]


def _job_values(jobs: Array, column: str, app: Mapping[str, Any]) -> Array:
    """A column of frames, nan where there was no result."""
    import numpy as np

    if column == "latency_ms":
        return _latency_ms(jobs)
    values = (
        np.array(app["accuracy"], dtype=float)[jobs["subnet"]] if column == "accuracy" else jobs[column].astype(float)
    )
    out: Array = np.where(_outcome(jobs, "met", "missed"), values, np.nan)
    return out


def cdf(
    runs: Union[RunLike, Sequence[RunLike], Mapping[str, RunLike]],
    column: str = "latency_ms",
    *,
    application: str | None = None,
    lost: bool = False,
    log: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Empirical distributions of latency_ms [ms], energy_mj [mJ], isolated_ms [ms] or accuracy of frames.

    runs: one, several, or a dictionary by label; replications are pooled, the warm-up is left out. A curve for each
    application, or for `application` alone. Frames without a result are left out and told in the legend; with `lost`
    those dropped or rejected count as never done, and a curve ends below 1. log: a logarithmic axis; by default where
    medians are more than a factor of 10 apart. The latency targets are drawn as dotted lines.

    Throws InputError for an unknown column or application, or a run without the log of jobs.
    """
    _need_matplotlib()
    import numpy as np

    labelled = _labelled(runs)
    _known(column, ["latency_ms", "energy_mj", "isolated_ms", "accuracy"], "column")
    for label, run in labelled:
        _need_logs(run, ["jobs"], f"the distribution{f' of {label}' if label else ''}")
    ax = _axes(ax)
    known = dict.fromkeys(app["name"] for _, run in labelled for app in _names(run)["applications"])
    wanted = list(known) if application is None else [_known(application, known, "application")]
    medians: list[float] = []
    metrics: list[str] = []
    targets: dict[float, str] = {}
    for index, (label, run) in enumerate(labelled):
        logs = list(_frames(run))
        for code, app in enumerate(_names(run)["applications"]):
            if app["name"] not in wanted:
                continue
            jobs = np.concatenate([one[one["app"] == code] for one in logs])
            values = _job_values(jobs, column, app)
            values = np.sort(values[np.isfinite(values)])
            gone = int(_outcome(jobs, "dropped", "rejected").sum())
            words = " – ".join(part for part in (label, app["name"] if len(wanted) > 1 or not label else "") if part)
            if gone:
                words += f" ({100 * gone / (len(values) + gone):.3g} % without a result)"
            if not len(values):
                words += " (no frame was completed)" if not gone else ""
            x, y = _cdf_corners(values, len(values) + (gone if lost else 0))
            which = wanted.index(app["name"])
            many = len(labelled) > 1
            ax.plot(
                x,
                y,
                drawstyle="steps-post",
                color=_colour(index if many else which),
                linestyle=_STYLES[(which if many else 0) % len(_STYLES)],
                linewidth=1.5,
                label=words,
            )
            if len(values):
                medians.append(float(np.median(values)))
            if column == "latency_ms":
                colour = _WARN if many else _colour(which)
                targets.update({target: colour for _, target in app["targets"] if target})
            if column == "accuracy":
                metrics.append(app["accuracy_metric"])
    for target, colour in sorted(targets.items()):
        ax.axvline(target, linestyle=":", color=colour, linewidth=1.3, zorder=1, label=f"target {_short(target)} ms")
    if log or (log is None and medians and min(medians) > 0 and max(medians) > 10 * min(medians)):
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    _tidy(ax)
    ax.set_ylim(0, 1.02)
    metric = " / ".join(dict.fromkeys(metrics))
    ax.set_xlabel(
        _column_label(column) if column != "accuracy" else metric if "[" in metric else _with_unit("accuracy", metric)
    )
    ax.set_ylabel("share of frames [–]")
    if not medians:
        _note(ax, "no frame was completed")
    _legend(ax)
    return ax


def _names(run: RunLike) -> dict[str, Any]:
    return (run.run if isinstance(run, Replication) else run)._names


def _cdf_corners(values: Array, total: int) -> tuple[Array, Array]:
    """Corners of the steps through sorted values; where they are many, those that differ by a pixel either way."""
    import numpy as np

    if not len(values):
        return values, values
    size = len(values)
    chosen = np.arange(size)
    if size > 4 * _BINS:
        by_value = np.searchsorted(values, np.linspace(values[0], values[-1], _BINS), side="right") - 1
        chosen = np.unique(np.concatenate([by_value, np.linspace(0, size - 1, _BINS).astype(int)]))
    return np.append(values[0], values[chosen]), np.append(0, (chosen + 1) / total)


# ---------------------------------------------------------------- comparisons


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−") if value else "0"


def forest(comparison: Comparison, metric: str = "run.cost", *, relative: bool = False, ax: Axes | None = None) -> Axes:
    """Differences of a metric to the baseline's, in its unit, with 95 % intervals over paired replications.

    Decided differences (at 95 %, as `dynasoc compare` says) are filled, blue where they are better and vermilion where
    they are worse; the others are grey and open. relative: in percent of the baseline. Throws InputError for an unknown
    metric, a comparison of one policy, or a relative difference to nothing.
    """
    _need_matplotlib()
    answer = comparison.to_json()["policies"]
    labels = [label for label in comparison.policies if label != comparison.baseline]
    if not labels:
        raise _core.InputError(f"nothing to compare: {comparison.baseline} is the only policy")
    _known(metric, _points_of_comparison(comparison).metrics, "metric")
    unit, better = _facts(metric)
    ax = _axes(ax, 7.5, 1.5 + 0.36 * len(labels))
    shown = 0
    for row, label in enumerate(labels):
        delta = (answer[label].get(metric) or {}).get("delta_vs_baseline") or {}
        said = delta.get("relative") or {} if relative else delta
        scale = 100.0 if relative else 1.0
        mean, low, high = (_numbers([said.get("mean"), *(said.get("ci95") or (None, None))]) * scale).tolist()
        if not math.isfinite(mean):
            text = "no difference defined"
        else:
            shown += 1
            decided = (delta.get("seeds") or {}).get("state") in ("decided", "exact")
            good = {"lower": mean < 0, "higher": mean > 0}.get(better)
            colour = _FAINT if not decided or mean == 0 else _INK if good is None else _COLOURS[0] if good else _WARN
            if math.isfinite(low) and math.isfinite(high):
                ax.plot(
                    [low, high],
                    [row, row],
                    color=colour,
                    linewidth=2.6 if decided else 1.4,
                    solid_capstyle="butt",
                    zorder=2,
                )
            ax.plot(
                [mean],
                [row],
                marker="s",
                markersize=7,
                color=colour,
                markerfacecolor=colour if decided else "white",
                markeredgewidth=1.4,
                linestyle="none",
                zorder=3,
            )
            text = _signed(mean) + (f" [{_signed(low)}, {_signed(high)}]" if low < high else "")
        ax.text(
            1.02,
            row,
            text,
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize="small",
            color=_INK if shown and math.isfinite(mean) and decided else _SOFT,
        )
    if not shown and relative:
        raise _core.InputError(
            f"{metric}: no relative difference, for that of {comparison.baseline} is 0; say relative=False"
        )
    ax.axvline(0, color=_INK, linewidth=1, zorder=1)
    _tidy(ax)
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_yticks(range(len(labels)), labels)
    ax.margins(x=0.08)
    way = "" if better == "neither" else f"; {better} is better"
    ax.set_xlabel(_with_unit(f"{metric}: difference to {comparison.baseline}", "%" if relative else unit) + way)
    return ax


# ---------------------------------------------------------------- tables


def _table_of(given: Any, table: str | None) -> tuple[dict[str, list[Any]], str]:
    """A table's columns, and what it is called."""
    if isinstance(given, (str, os.PathLike)) and os.fspath(given).endswith(".csv"):
        return _core.table(os.fspath(given), ""), Path(given).name
    if isinstance(given, (str, os.PathLike)):
        given = Network.from_file(given)
    if isinstance(given, Network):
        tables = dict(given.tables)
        name = table or given.to_json().get("default_table") or next(iter(tables), "")
        _known(name, tables, "table")
        return _core.table(os.fspath(given.path), name), f"{given.to_json()['name']}, table {name}"
    return _columns_of(given), "table"


_CLOCKS = ("f_gpu_mhz", "f_cpu_mhz", "f_emc_mhz", "cores")


def _operating_points(
    columns: Mapping[str, Sequence[Any]], rows: Sequence[int]
) -> tuple[list[tuple[float, ...]], list[str], str]:
    """Of each row its clocks; then the distinct ones' labels, in ascending order, and what the axis says."""
    import numpy as np

    clocks = {name: _numbers(columns[name][row] for row in rows) for name in _CLOCKS if name in columns}
    clocks = {name: values for name, values in clocks.items() if np.isfinite(values).any()}
    points = [tuple(-1.0 if math.isnan(value) else value for value in point) for point in zip(*clocks.values())] or [
        ()
    ] * len(rows)
    distinct = sorted(set(points))
    words = {name: name.split("_")[1] + " clock" if name.startswith("f_") else name for name in clocks}
    units = {name: "MHz" if name.startswith("f_") else "–" for name in clocks}
    varying = [i for i in range(len(clocks)) if len({point[i] for point in distinct}) > 1] or list(
        range(min(1, len(clocks)))
    )
    # Below each other they are read best, and need the most room.
    between = "\n" if len(distinct) <= 8 else " / "
    labels = [between.join("-" if point[i] < 0 else _plain(point[i]) for i in varying) for point in distinct]
    names = list(clocks)
    label = " / ".join(_with_unit(words[names[i]], units[names[i]]) for i in varying) or "operating point [–]"
    rest = [
        f"{words[name]} {_plain(distinct[0][i])}{' MHz' if units[name] == 'MHz' else ''}"
        for i, name in enumerate(names)
        if i not in varying
    ]
    return points, labels, label + (f"\n{', '.join(rest)}" if rest else "")


def _plain(value: float) -> str:
    return f"{value:.10g}"


def table_heatmap(
    network_or_table: Union[Network, PathLike, pd.DataFrame, Columns],
    table: str | None = None,
    *,
    unit: str | None = None,
    value: str = "latency_ms_mean",
    ax: Axes | None = None,
) -> Axes:
    """A latency/energy table: sub-networks by operating points of a unit, each cell with its value and its provenance.

    network_or_table: a Network, its name or file, a table's CSV file, or a DataFrame with its columns
    (docs/formats.md). table: which one of the network, by name; its default otherwise. unit: processing unit; the
    table's first by default. value: a column of numbers: latency_ms_mean [ms], energy_mj [mJ], power_w [W], ...
    Marks are those of `dynasoc table show`: m measured, d digitised, * derived. Cells that the table lacks stay white;
    of rows with the same operating point the last counts. Colours are logarithmic where values are more than
    a factor of 10 apart.

    Throws InputError for an unknown table, unit or column.
    """
    _need_matplotlib()
    import numpy as np
    from matplotlib.colors import LogNorm, Normalize

    columns, title = _table_of(network_or_table, table)
    for name in ("subnet", "unit"):
        _known(name, columns, "column")
    numeric = [
        name for name in columns if name not in ("subnet", "unit") and np.isfinite(_numbers(columns[name])).any()
    ]
    _known(value, [*numeric, *(name for name in columns if name == value)], "column")
    units = list(dict.fromkeys(str(one) for one in columns["unit"]))
    if not units:
        raise _core.InputError(f"{title}: the table has no rows")
    unit = units[0] if unit is None else _known(unit, units, "unit")
    rows = [i for i, one in enumerate(columns["unit"]) if str(one) == unit]
    points, labels, x_label = _operating_points(columns, rows)
    places = {point: i for i, point in enumerate(sorted(set(points)))}
    subnets = sorted(
        {str(columns["subnet"][i]) for i in rows}, key=lambda name: [int(n) for n in re.findall(r"\d+", name)]
    )
    # Energies and powers rest on something else than latencies do.
    kind = "energy_provenance" if re.match(r"energy|power|idle", value) else "provenance"
    cells = np.full((len(subnets), len(labels)), np.nan)
    marks = np.full(cells.shape, "", dtype=object)
    for i, point, number in zip(rows, points, _numbers(columns[value][i] for i in rows)):
        at = subnets.index(str(columns["subnet"][i])), places[point]
        cells[at] = number
        marks[at] = _LETTERS.get(str(columns[kind][i]), "") if kind in columns and math.isfinite(number) else ""

    ax = _axes(
        ax,
        min(16.0, 2.6 + max(2.4, 0.62 * len(labels))),
        min(14.0, (2.9 if " / " in labels[0] else 1.9) + 0.32 * max(2, len(subnets))),
    )
    told = cells[np.isfinite(cells)]
    wide = len(told) > 0 and told.min() > 0 and told.max() > 10 * told.min()
    limits = (float(told.min()), float(told.max())) if len(told) else (0.0, 1.0)
    norm = LogNorm(*limits) if wide else Normalize(*limits)
    image = ax.imshow(np.ma.masked_invalid(cells), aspect="auto", cmap="cividis", norm=norm, interpolation="nearest")
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, aspect=max(15, len(subnets)))
    bar.set_label(_column_label(value))
    if wide:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda number, _: _short(number)))
        bar.ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(range(len(labels)), labels, fontsize="small")
    if len(labels) > 8:
        ax.tick_params(axis="x", rotation=90 if " / " in labels[0] else 60)
    every = max(1, math.ceil(len(subnets) / 60))
    ax.set_yticks(range(0, len(subnets), every), subnets[::every], fontsize="small")
    ax.set_xlabel(x_label)
    ax.set_ylabel("sub-network")
    shown = [f"{letter} {name}" for name, letter in _LETTERS.items() if (marks == letter).any()]
    ax.set_title(f"{title}, {unit}" + (f" ({', '.join(shown)})" if shown else ""), fontsize="medium", loc="left")
    if not len(told):
        _note(ax, f"the table states no {value}")
    _cell_texts(ax, cells, marks, norm)
    return ax


def _four_digits(value: float) -> str:
    return (
        f"{value:#.4g}".rstrip(".")
        if 1e-3 <= abs(value) < 1e4
        else f"{value:.0f}" if 1e4 <= abs(value) < 1e6 else _short(value)
    )


def _cell_texts(ax: Axes, cells: Array, marks: Array, norm: Any) -> None:
    """What is in each cell, as large as it fits; where numbers would be too small, the mark alone."""
    figure = ax.figure.figure
    figure.draw_without_rendering()  # the layout is known only then
    box, size = ax.get_position(), figure.get_size_inches()
    wide = 72 * size[0] * box.width / cells.shape[1]
    high = 72 * size[1] * box.height / cells.shape[0]
    texts = {
        (i, j): f"{_four_digits(cells[i, j])} {marks[i, j]}".strip()
        for i in range(cells.shape[0])
        for j in range(cells.shape[1])
        if math.isfinite(cells[i, j])
    }
    longest = max((len(text) for text in texts.values()), default=1)
    # A letter is about 0.6 of its size wide.
    fonts = {angle: min(9.0, 0.75 * b, 1.55 * a / longest) for angle, a, b in ((0, wide, high), (90, high, wide))}
    rotation = 90 if fonts[0] < 6 and fonts[90] > fonts[0] else 0
    font = fonts[rotation]
    for (i, j), text in texts.items():
        light = float(norm(cells[i, j])) > 0.5
        ax.text(
            j,
            i,
            text if font >= 4.5 else marks[i, j],
            ha="center",
            va="center",
            fontsize=max(font, 4.5),
            rotation=rotation if font >= 4.5 else 0,
            color="black" if light else "white",
        )


__all__ = ["cdf", "forest", "gantt", "pareto", "table_heatmap", "timeline"]
