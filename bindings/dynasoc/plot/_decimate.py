"""What is left out of long logs without a difference in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

BINS = 2000  # across a panel: more than it has pixels
MANY = 4 * BINS  # fewer are drawn as they are


def extremes(x: Array, y: Array, sample: bool = False) -> Array:
    """Which points to draw so that the picture is that of all: of each pixel-wide stretch of x (ascending) those with
    the least and the greatest y. `sample`: an even share of the others too, for clouds, which are dense inside."""
    import numpy as np

    kept: Array = np.flatnonzero(np.isfinite(y))
    if len(kept) <= MANY:
        return kept
    x, y = x[kept], y[kept]
    begins = np.unique(np.searchsorted(x, np.linspace(x[0], x[-1], BINS, endpoint=False)))
    sizes = np.diff(np.append(begins, len(x)))
    chosen = [np.array([0, len(x) - 1])]
    for reduce in (np.minimum, np.maximum):
        hits = np.flatnonzero(y == np.repeat(reduce.reduceat(y, begins), sizes))
        chosen.append(hits[np.searchsorted(hits, begins)])  # the first of each stretch
    if sample:
        chosen.append(np.arange(0, len(x), max(1, len(x) // MANY)))
    kept = kept[np.unique(np.concatenate(chosen))]
    return kept


def merged(begin: Array, end: Array, width: float) -> list[tuple[float, float]]:
    """Bars as (begin, length); where there are too many to see, those that begin in one stretch of `width` as one."""
    import numpy as np

    if len(begin) > MANY:
        order = np.argsort(begin, kind="stable")
        begin, end = begin[order], end[order]
        firsts = np.flatnonzero(np.diff(np.floor(begin / width), prepend=-np.inf))
        begin, end = begin[firsts], np.maximum.reduceat(end, firsts)
    return list(zip(begin.tolist(), (end - begin).tolist()))


def thinned(at: Array, begin: float, end: float) -> Array:
    """Instants within the stretch, at most one a pixel."""
    import numpy as np

    inside = at[(at >= begin) & (at <= end)]
    if len(inside) > BINS:
        inside = inside[np.unique(np.floor((inside - begin) * (BINS / (end - begin))), return_index=True)[1]]
    return inside


def corners(values: Array, total: int) -> tuple[Array, Array]:
    """The steps of a distribution through sorted values; where they are many, those that differ by a pixel."""
    import numpy as np

    size = len(values)
    if not size:
        return values, values
    chosen = np.arange(size)
    if size > MANY:
        by_value = np.searchsorted(values, np.linspace(values[0], values[-1], BINS), side="right") - 1
        chosen = np.unique(np.concatenate([by_value, np.linspace(0, size - 1, BINS).astype(int)]))
    return np.append(values[0], values[chosen]), np.append(0, (chosen + 1) / total)
