from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .. import _core
from ..results import Comparison
from ._axes import COLOURS, FAINT, INK, SOFT, WARN, given_or_new, need_matplotlib, rows
from ._columns import numbers
from ._pareto import points_of_comparison
from ._words import facts, known, with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−") if value else "0"


def forest(comparison: Comparison, metric: str = "run.cost", *, relative: bool = False, ax: Axes | None = None) -> Axes:
    """Differences of a metric to the baseline's, in its unit, with 95 % intervals over paired replications.

    Decided differences (at 95 %, as `dynasoc compare` says) are filled, blue where they are better and vermilion where
    they are worse; the others are grey and open. relative: in percent of the baseline. Throws InputError for an unknown
    metric, a comparison of one policy, or a relative difference to nothing.
    """
    need_matplotlib()
    labels = [label for label in comparison.policies if label != comparison.baseline]
    if not labels:
        raise _core.InputError(f"nothing to compare: {comparison.baseline} is the only policy")
    known(metric, points_of_comparison(comparison).metrics, "metric")
    unit, better = facts(metric)
    policies = comparison.to_json()["policies"]
    deltas = [(policies[label].get(metric) or {}).get("delta_vs_baseline") or {} for label in labels]
    told = [delta.get("relative") or {} for delta in deltas] if relative else deltas
    if relative and all(one.get("mean") is None for one in told):
        raise _core.InputError(
            f"{metric}: no relative difference, for that of {comparison.baseline} is 0; say relative=False"
        )
    ax = given_or_new(ax, 7.5, 1.5 + 0.36 * len(labels))
    rows(ax, labels)
    for row, (delta, one) in enumerate(zip(deltas, told)):
        ends = one.get("ci95") or (None, None)
        mean, low, high = (numbers([one.get("mean"), *ends]) * (100.0 if relative else 1.0)).tolist()
        decided = math.isfinite(mean) and (delta.get("seeds") or {}).get("state") in ("decided", "exact")
        text = "no difference defined"
        if math.isfinite(mean):
            good = {"lower": mean < 0, "higher": mean > 0}.get(better)
            colour = FAINT if not decided or mean == 0 else INK if good is None else COLOURS[0] if good else WARN
            width = 2.6 if decided else 1.4
            ax.plot([low, high], [row, row], color=colour, linewidth=width, solid_capstyle="butt", zorder=2)
            inner = colour if decided else "white"
            ax.plot(mean, row, "s", markersize=7, color=colour, markerfacecolor=inner, markeredgewidth=1.4, zorder=3)
            text = _signed(mean) + (f" [{_signed(low)}, {_signed(high)}]" if low < high else "")
        beside = ax.get_yaxis_transform()
        ax.text(1.02, row, text, transform=beside, va="center", fontsize="small", color=INK if decided else SOFT)
    ax.axvline(0, color=INK, linewidth=1, zorder=1)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.08)
    way = "" if better == "neither" else f"; {better} is better"
    ax.set_xlabel(with_unit(f"{metric}: difference to {comparison.baseline}", "%" if relative else unit) + way)
    return ax
