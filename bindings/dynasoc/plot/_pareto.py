from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core
from ..exploring import Exploration
from ..files import PathLike
from ..results import Comparison
from ._axes import COLOURS, FAINT, INK, SOFT, WARN, given_or_new, legend, need_matplotlib, note, tidy
from ._columns import Columns, columns_of, csv_columns, numbers
from ._place import place_labels
from ._words import facts, known, with_unit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ._decimate import Array

_FEW = 12  # points that get a label each
_CLOUD = {"infeasible": "x", "dropped": "v", "dominated": "o"}  # what became of configurations off the front


class Points(NamedTuple):
    """What a front is drawn of."""

    labels: list[str]
    metrics: dict[str, Array]  # rows: mean, and both ends of its interval; a column a point
    knee: Array
    everything: dict[str, list[Any]]  # the columns of all.csv, where there are any


def _points_of_table(front: dict[str, list[Any]], everything: dict[str, list[Any]]) -> Points:
    import numpy as np

    size = len(next(iter(front.values()), []))
    metrics = {}
    for name in sorted(front, key=lambda name: f"{name}.low" not in front):  # what has intervals is what was asked for
        if name in ("configuration", "knee", "replications") or re.search(r"\.(low|high|to_knee)$", name):
            continue
        columns = [front.get(one, [math.nan] * size) for one in (name, f"{name}.low", f"{name}.high")]
        values = np.array([numbers(column) for column in columns])
        if f"{name}.low" in front or np.isfinite(values).any():
            metrics[name] = values
    labels = [f"#{one}" for one in front.get("configuration", range(size))]
    knee = np.array([str(one) in ("1", "True") for one in front.get("knee", [0] * size)], dtype=bool)
    return Points(labels, metrics, knee, everything)


def points_of_comparison(comparison: Comparison) -> Points:
    import numpy as np

    policies = [comparison.to_json()["policies"][label] for label in comparison.policies]
    metrics = {}
    for name, value in (item for policy in policies for item in policy.items()):
        if name not in metrics and isinstance(value, Mapping) and "mean" in value:
            said = [policy.get(name) or {} for policy in policies]
            rows = [(one.get("mean"), *(one.get("ci95") or (None, None))) for one in said]
            metrics[name] = np.array([numbers(column) for column in zip(*rows)])
    return Points(comparison.policies, metrics, np.zeros(len(policies), dtype=bool), {})


def _points_of_directory(path: Path) -> Points:
    front, everything = (path / "front.csv", path / "all.csv") if path.is_dir() else (path, path.parent / "all.csv")
    if not front.is_file():
        raise _core.InputError(f"{front}: no such file; `dynasoc explore FILE --out DIR` makes it")
    texts = [one.read_text(encoding="utf-8") if one.is_file() else "" for one in (front, everything)]
    return _points_of_table(*map(csv_columns, texts))


def _points(front: Any) -> Points:
    if isinstance(front, Comparison):
        return points_of_comparison(front)
    if isinstance(front, Exploration):
        return _points_of_table(csv_columns(front._front), csv_columns(front._all))
    if isinstance(front, (str, os.PathLike)):
        return _points_of_directory(Path(front))
    return _points_of_table(columns_of(front), {})


def _cloud(everything: dict[str, list[Any]], names: Sequence[str]) -> dict[str, Array]:
    """Places of the configurations off the front, by what became of them."""
    import numpy as np

    if not everything:
        return {}
    # Where those given up early would stand with all replications.
    placed = [f"{n}.placed" if f"{n}.placed" in everything else known(n, everything, "metric") for n in names]
    places = np.array([numbers(everything[name]) for name in placed])
    standings = np.array([str(one) for one in everything.get("standing", ["dominated"] * places.shape[1])])
    there = np.isfinite(places).all(axis=0)
    cloud = {standing: places[:, there & (standings == standing)] for standing in _CLOUD}
    return {standing: found for standing, found in cloud.items() if found.size}


def _limits(front: Array, cloud: Array) -> tuple[float, float]:
    """Of an axis: room for the front, and for what is not far from it, for the front is what the picture is of."""
    import numpy as np

    shown = front[np.isfinite(front)]
    if len(shown):
        reach = 0.6 * float(np.ptp(shown))
        cloud = cloud[(cloud >= shown.min() - reach) & (cloud <= shown.max() + reach)]
    shown = np.concatenate([shown, cloud])
    if not len(shown):
        return 0.0, 1.0
    pad = 0.1 * (float(np.ptp(shown)) or abs(float(shown[0])) or 1.0)
    return float(shown.min()) - pad, float(shown.max()) + pad


def _not_dominated(x: Array, y: Array) -> Array:
    """Which points (lower is better in both) no other one is at least as good as, and better somewhere."""
    import numpy as np

    out = np.zeros(len(x), dtype=bool)
    best, at = math.inf, math.nan
    for i in np.lexsort((y, x)):
        if y[i] < best or (y[i] == best and x[i] == at):
            out[i], best, at = True, y[i], x[i]
    return out


def _errors(ax: Axes, values: Array, **style: Any) -> None:
    """Points with what is known of their intervals."""
    import numpy as np

    if values.size:
        # Without an interval there is nothing to draw, and a little below zero is what rounding leaves.
        xerr, yerr = (np.nan_to_num(np.maximum([mean - low, high - mean], 0)) for mean, low, high in values)
        ax.errorbar(values[0, 0], values[1, 0], xerr=xerr, yerr=yerr, capsize=2, elinewidth=1.1, **style)


def pareto(
    front: Comparison | Exploration | PathLike | pd.DataFrame | Columns,
    x: str | None = None,
    y: str | None = None,
    *,
    everything: pd.DataFrame | Columns | None = None,
    better: Mapping[str, str] | None = None,
    labels: bool | Sequence[str] | None = None,
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
    need_matplotlib()
    import numpy as np

    points = _points(front)
    of_policies = isinstance(front, Comparison)
    defaults = ["platform.energy_j", "run.miss_rate"] if of_policies else list(points.metrics)[:2]
    if len(defaults) < 2 and (x is None or y is None):
        raise _core.InputError("a front needs two metrics, x and y")
    names = [given or default for given, default in zip((x, y), [*defaults, "", ""])]
    values = np.array([points.metrics[known(name, points.metrics, "metric")] for name in names])
    cloud = _cloud(points.everything if everything is None else columns_of(everything), names)
    ways = [(better or {}).get(name, facts(name)[1]) for name in names]
    for name, way in zip(names, ways):
        if way not in ("lower", "higher", "neither"):
            raise _core.InputError(f"better: {name} is {way!r}, must be lower or higher")
    there = np.isfinite(values[:, 0]).all(axis=0)
    if labels is None:
        labels = int(there.sum()) <= _FEW
    texts = points.labels if isinstance(labels, bool) else [str(one) for one in labels]
    if len(texts) != len(there):
        raise _core.InputError(f"labels: {len(texts)} texts for {len(there)} points")

    ax = given_or_new(ax)
    tidy(ax)
    for axis, name, way, between in zip((ax.xaxis, ax.yaxis), names, ways, (", ", "\n")):
        ending = "" if way == "neither" else f"{between}{way} is better"
        axis.set_label_text(with_unit(name, facts(name)[0]) + ending)
    off = np.hstack([np.empty((2, 0)), *cloud.values()])
    limits = np.array([_limits(values[i][:, there], off[i]) for i in (0, 1)])
    ax.set(xlim=limits[0], ylim=limits[1])
    low, high = limits.T[:, :, None]
    for standing, places in cloud.items():
        seen = places[:, ((places >= low) & (places <= high)).all(axis=0)]
        total, outside = places.shape[1], places.shape[1] - seen.shape[1]
        label = f"{standing} ({total}, {outside} outside)" if outside else f"{standing} ({total})"
        ax.plot(*seen, _CLOUD[standing], markersize=3.5, color=FAINT, alpha=0.55, label=label, zorder=1)
    if not there.any():
        note(ax, f"no {'policies' if of_policies else 'configurations'} on the front")
        legend(ax)
        return ax

    signs = [-1 if way == "higher" else 1 for way in ways]
    best = there.copy()
    best[there] = _not_dominated(signs[0] * values[0, 0, there], signs[1] * values[1, 0, there])
    # What a point dominates ends where the next one begins: a step, which way depends on which side of x is good.
    line = values[:, 0, best][:, np.argsort(values[0, 0, best], kind="stable")]
    where = "post" if signs[0] > 0 else "pre"
    ax.step(*line, where=where, color=COLOURS[0], linewidth=1, alpha=0.7, zorder=2)  # type: ignore[arg-type]
    # An exploration's front may have more than two metrics: there, none of its points is behind.
    on_front, name = (best, "not dominated") if of_policies else (there, "front, mean and 95 %")
    behind, knee = there & ~on_front, points.knee & on_front
    for zorder, which, marker, size, shade, label in (
        (2, behind, "o", 5, FAINT, f"dominated ({behind.sum()})"),
        (3, on_front & ~knee, "o", 5, COLOURS[0], f"{name} ({on_front.sum()})"),
        (4, knee, "D", 6, WARN, "knee"),
    ):
        _errors(ax, values[:, :, which], fmt=marker, markersize=size, color=shade, label=label, zorder=zorder)
    legend(ax)
    if labels is not False:
        shown = [i for i in np.flatnonzero(there).tolist() if texts[i]]
        colours = [SOFT if behind[i] else WARN if knee[i] else INK for i in shown]
        place_labels(ax, values[:, :, shown], [texts[i] for i in shown], colours)
    return ax
