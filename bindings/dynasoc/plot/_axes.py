"""Panels, and what all of them share: colours, grid, legend, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._words import short

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Okabe and Ito's colours, which most eyes tell apart; vermilion is kept for what is late or worse.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#7A5195")
WARN, INK, SOFT, FAINT, SHADE = "#D55E00", "#222222", "#616E7C", "#9AA5B1", "#E9ECEF"
STYLES = ("-", "--", "-.", ":")


def colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def need_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError("dynasoc.plot needs matplotlib: pip install dynasoc[plot]") from None


def new_axes(ratios: Sequence[float], width: float, height: float) -> np.ndarray[Any, Any]:
    """A new figure with panels below each other that share their x axis; `ratios` of their heights."""
    from matplotlib import pyplot

    size, heights = (width, height), {"height_ratios": list(ratios)}
    _, axes = pyplot.subplots(
        len(ratios), 1, sharex=True, squeeze=False, figsize=size, layout="constrained", gridspec_kw=heights
    )
    flat: np.ndarray[Any, Any] = axes[:, 0]
    return flat


def given_or_new(ax: Axes | None, width: float = 7.0, height: float = 4.4) -> Axes:
    out: Axes = new_axes([1], width, height)[0] if ax is None else ax
    return out


def tidy(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=SHADE, linewidth=0.7)
    ax.set_axisbelow(True)


def rows(ax: Axes, labels: Sequence[str]) -> None:
    """One below the other, the first on top."""
    tidy(ax)
    ax.grid(False, axis="y")
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_yticks(range(len(labels)), labels)


def logarithmic(axis: Axis) -> None:
    """Ticks that people would write on a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


def far_apart(values: Sequence[float]) -> bool:
    """Whether a logarithmic scale shows them better."""
    return min(values, default=0) > 0 and max(values) > 10 * min(values)


def legend(ax: Axes, handles: Sequence[Any] = (), title: str = "") -> None:
    """Beside the panel, where it hides nothing: `handles`, or whatever has a label."""
    handles = handles or ax.get_legend_handles_labels()[0]
    if handles:
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
        fonts: dict[str, Any] = {"fontsize": "small", "title_fontsize": "x-small", "alignment": "left"}
        ax.legend(handles=handles, title=title or None, frameon=False, **place, **fonts)


def note(ax: Axes, text: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=SOFT, bbox=box)
