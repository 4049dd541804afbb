from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _core
from ..files import Network, PathLike
from ._axes import far_apart, given_or_new, logarithmic, need_matplotlib, note
from ._columns import Columns, columns_of, numbers
from ._words import column_label, known, short, with_unit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ._decimate import Array

_LETTERS = {"measured": "m", "digitised": "d", "derived": "*"}  # as `dynasoc table show` marks them
_CLOCKS = {
    "f_gpu_mhz": ("gpu clock", "MHz"),
    "f_cpu_mhz": ("cpu clock", "MHz"),
    "f_emc_mhz": ("emc clock", "MHz"),
    "cores": ("cores", ""),
}


def _table_of(given: Any, table: str | None) -> tuple[dict[str, list[Any]], str]:
    """A table's columns, and what it is called."""
    if isinstance(given, (str, os.PathLike)):
        if os.fspath(given).endswith(".csv"):
            return _core.table(os.fspath(given), ""), Path(given).name
        given = Network.from_file(given)
    if isinstance(given, Network):
        tables = dict(given.tables)
        name = known(table or given.to_json().get("default_table") or next(iter(tables), ""), tables, "table")
        return _core.table(os.fspath(given.path), name), f"{given.to_json()['name']}, table {name}"
    return columns_of(given), "table"


def _operating_points(columns: Columns, rows: Sequence[int]) -> tuple[list[int], list[str], str]:
    """Of each row the place of its clocks among all, in ascending order; then these places' labels, and the axis'."""
    import numpy as np

    clocks = []
    for name, words in _CLOCKS.items():
        values = numbers(columns[name][row] for row in rows) if name in columns else np.array([])
        if np.isfinite(values).any():
            clocks.append((words, np.nan_to_num(values, nan=-1.0).tolist()))
    points = list(zip(*(values for _, values in clocks))) or [()] * len(rows)
    distinct = sorted(set(points))
    varying = [i for i in range(len(clocks)) if len({point[i] for point in distinct}) > 1]
    varying = varying or list(range(len(clocks)))[:1]
    # Below each other they are read best, and need the most room.
    between = "\n" if len(distinct) <= 8 else " / "
    labels = [between.join("-" if point[i] < 0 else f"{point[i]:.10g}" for i in varying) for point in distinct]
    label = " / ".join(with_unit(*clocks[i][0]) for i in varying) or "operating point [–]"
    same = [
        f"{words} {values[0]:.10g} {unit}".strip()
        for i, ((words, unit), values) in enumerate(clocks)
        if i not in varying
    ]
    at = {point: place for place, point in enumerate(distinct)}
    return [at[point] for point in points], labels, "\n".join([label, *filter(None, [", ".join(same)])])


def table_heatmap(
    network_or_table: Network | PathLike | pd.DataFrame | Columns,
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
    need_matplotlib()
    import numpy as np
    from matplotlib.colors import LogNorm, Normalize

    columns, title = _table_of(network_or_table, table)
    for name in ("subnet", "unit"):
        known(name, columns, "column")
    if value not in columns:
        # Of texts there is nothing to draw: it is no column that was meant.
        known(value, [name for name, column in columns.items() if np.isfinite(numbers(column)).any()], "column")
    units = list(dict.fromkeys(map(str, columns["unit"])))
    if not units:
        raise _core.InputError(f"{title}: the table has no rows")
    unit = units[0] if unit is None else known(unit, units, "unit")
    rows = [i for i, one in enumerate(columns["unit"]) if str(one) == unit]
    places, labels, x_label = _operating_points(columns, rows)
    subnets = sorted({str(columns["subnet"][i]) for i in rows}, key=lambda name: [*map(int, re.findall(r"\d+", name))])
    # Energies and powers rest on something else than latencies do.
    kind = "energy_provenance" if re.match(r"energy|power|idle", value) else "provenance"
    cells = np.full((len(subnets), len(labels)), np.nan)
    marks = np.full(cells.shape, "", dtype=object)
    for i, place, number in zip(rows, places, numbers(columns[value][i] for i in rows)):
        at = subnets.index(str(columns["subnet"][i])), place
        cells[at] = number
        marks[at] = _LETTERS.get(str(columns[kind][i]), "") if kind in columns and math.isfinite(number) else ""

    long = " / " in labels[0]
    width = 2.6 + max(2.4, 0.62 * len(labels))
    ax = given_or_new(ax, min(16.0, width), min(14.0, (2.9 if long else 1.9) + 0.32 * max(2, len(subnets))))
    told = cells[np.isfinite(cells)].tolist()
    limits = min(told, default=0.0), max(told, default=1.0)
    norm = LogNorm(*limits) if far_apart(told) else Normalize(*limits)
    image = ax.imshow(np.ma.masked_invalid(cells), aspect="auto", cmap="cividis", norm=norm, interpolation="nearest")
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, aspect=max(15, len(subnets)))
    bar.set_label(column_label(value))
    if far_apart(told):
        logarithmic(bar.ax.yaxis)
    ax.set_xticks(range(len(labels)), labels, fontsize="small")
    if len(labels) > 8:
        ax.tick_params(axis="x", rotation=90 if long else 60)
    every = max(1, math.ceil(len(subnets) / 60))
    ax.set_yticks(range(0, len(subnets), every), subnets[::every], fontsize="small")
    ax.set(xlabel=x_label, ylabel="sub-network")
    shown = ", ".join(f"{letter} {name}" for name, letter in _LETTERS.items() if (marks == letter).any())
    ax.set_title(f"{title}, {unit}" + (f" ({shown})" if shown else ""), fontsize="medium", loc="left")
    if not told:
        note(ax, f"the table states no {value}")
    _cell_texts(ax, cells, marks, norm)
    return ax


def _four_digits(value: float) -> str:
    return f"{value:#.4g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else short(value).replace(",", "")


def _cell_texts(ax: Axes, cells: Array, marks: Array, norm: Any) -> None:
    """What is in each cell, as large as it fits; where numbers would be too small, the mark alone."""
    import numpy as np

    figure = ax.figure.figure
    figure.draw_without_rendering()  # the layout is known only then
    box, size = ax.get_position(), figure.get_size_inches()
    wide = 72 * size[0] * box.width / cells.shape[1]
    high = 72 * size[1] * box.height / cells.shape[0]
    told = [(int(i), int(j)) for i, j in np.argwhere(np.isfinite(cells))]
    texts = [f"{_four_digits(float(cells[at]))} {marks[at]}".strip() for at in told]
    longest = max(map(len, texts), default=1)
    # A letter is about 0.6 of its size wide.
    fonts = {angle: min(9.0, 0.75 * b, 1.55 * a / longest) for angle, a, b in ((0, wide, high), (90, high, wide))}
    rotation = 90 if fonts[0] < 6 and fonts[90] > fonts[0] else 0
    font = fonts[rotation]
    if font < 4.5:
        texts, rotation, font = [str(marks[at]) for at in told], 0, 4.5
    for (i, j), text in zip(told, texts):
        colour = "black" if norm(cells[i, j]) > 0.5 else "white"
        ax.text(j, i, text, ha="center", va="center", fontsize=font, rotation=rotation, color=colour)
