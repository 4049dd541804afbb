"""Labels beside points, where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

    from ._decimate import Array

# Where a label may stand, the best place first: right or left, and how many points away upwards.
_AROUND = ((7, 6), (7, -6), (-7, 6), (-7, -6), (0, 10), (0, -10), (10, 18), (10, -18), (-10, 18), (-10, -18))


def place_labels(ax: Axes, values: Array, texts: Sequence[str], colours: Sequence[str]) -> None:
    """Each at the first place around its point where it covers nothing else; `values`: of x and of y the mean and the
    ends of its interval, by point. Points at one place share a label."""
    import numpy as np
    from matplotlib import patheffects
    from matplotlib.transforms import Bbox

    x, y = values
    figure = ax.figure.figure
    figure.draw_without_rendering()  # places of things are known only then
    inside, point = ax.get_window_extent(), figure.dpi / 72
    dots = ax.transData.transform(np.column_stack([x[0], y[0]]))

    def boxes(to_x: Array, to_y: Array, margin: float) -> list[Bbox]:
        """From each point to the end of a bar, where there is one."""
        to = np.where(np.isnan([to_x, to_y]), [x[0], y[0]], [to_x, to_y])
        ends = ax.transData.transform(to.T)
        low, high = np.minimum(dots, ends) - margin * point, np.maximum(dots, ends) + margin * point
        return [Bbox(box) for box in np.stack([low, high], axis=1)]

    halos = boxes(x[0], y[0], 10)  # so near another point one would take it for its label
    taken = [box for end in x[1:] for box in boxes(end, y[0], 1)]
    taken += [box for end in y[1:] for box in boxes(x[0], end, 1)]
    together: dict[tuple[int, ...], list[int]] = {}
    for i, dot in enumerate((dots / point).round().tolist()):
        together.setdefault(tuple(dot), []).append(i)

    # Long ones first, while there is room.
    for own in sorted(together.values(), key=lambda own: -sum(len(texts[i]) for i in own)):
        label = ax.annotate(
            ", ".join(texts[i] for i in own),
            (x[0, own[0]], y[0, own[0]]),
            _AROUND[0],
            textcoords="offset points",
            fontsize="small",
            color=colours[own[0]],
            path_effects=[patheffects.withStroke(linewidth=2.5, foreground="white")],
        )
        others = taken + [halo for i, halo in enumerate(halos) if i not in own]

        def put(place: tuple[int, int]) -> Bbox:
            dx, dy = place
            label.set_position(place)
            label.set_horizontalalignment("left" if dx > 0 else "right" if dx < 0 else "center")
            label.set_verticalalignment("bottom" if dy > 0 else "top")
            return label.get_window_extent()

        def cost(place: tuple[int, int]) -> int:
            box = put(place)
            return 2 * box.count_overlaps(others) + (inside.count_contains(box.get_points()) < 2)

        taken.append(put(min(_AROUND, key=cost)))
