"""Tables as lists by name, whatever they are given as: plots need no pandas."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core

if TYPE_CHECKING:
    from ._decimate import Array

Columns = Mapping[str, Sequence[Any]]


def columns_of(table: Any) -> dict[str, list[Any]]:
    """Columns of anything like a DataFrame. Throws InputError for what is not."""
    if not hasattr(table, "columns") and not isinstance(table, Mapping):
        raise _core.InputError(f"a table has columns: a DataFrame, or lists by name, not {type(table).__name__}")
    return {str(name): list(table[name]) for name in getattr(table, "columns", table)}


def csv_columns(text: str) -> dict[str, list[Any]]:
    header, *rows = list(csv.reader(text.splitlines())) or [[]]
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


def numbers(values: Iterable[Any]) -> Array:
    """As floats; nan for what is empty, `-` or missing."""
    import numpy as np

    def number(value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            return math.nan

    return np.array([number(value) for value in values], dtype=float)
