"""What the columns of logs mean: as the simulator declares them (`dynasoc list columns`), for Parquet files."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from . import _core
from .checks import listing

_NOT_IN_FILES = {"isolated_ms": ("ms", "what it would have taken alone from its dispatch on; nan if it never ran")}


@functools.cache
def _declared() -> dict[str, list[dict[str, str]]]:
    return {table["name"]: table["columns"] for table in listing("columns")}


def _pattern(name: str) -> str:
    return re.sub("^(UNIT|NODE|RAIL|APP)_", ".+_", name)


def _is(declared: str, column: str) -> bool:
    return column == declared or (
        _pattern(declared) != declared and re.fullmatch(_pattern(declared), column, re.DOTALL) is not None
    )


def wrong(table: str, header: list[str]) -> str | None:
    """What is wrong with the columns of a file of `table`, in one line; None if nothing is. Those that are named after units,
    nodes, rails and applications may be missing."""
    declared = [column["name"] for column in _declared()[table]]
    for name in declared:
        if name not in header and _pattern(name) == name:
            return f"the column {quoted(name)} is missing"
    for index, column in enumerate(header):
        if column in header[:index]:
            return f"the column {quoted(column)} appears twice"
        if not any(_is(name, column) for name in declared):
            return f"unknown column {quoted(column)}"
    return None


def quoted(text: str) -> str:
    """In quotes, on one line, and short enough for it."""
    return json.dumps(text if len(text) <= 60 else text[:57] + "...", ensure_ascii=False)


def described(table: str, column: str) -> tuple[str, str]:
    """Unit and meaning of a column of `jobs`, `decisions`, `candidates` or `timeline`. Times that are durations are
    called as in the files, without `_s`. Throws KeyError for a column that is not declared."""
    for known in _declared()[table]:
        if _is(known["name"], column):
            return known["unit"], known["doc"]
        if known["type"] == "time" and column == known["name"].removesuffix("_s"):
            return "ns", known["doc"]
    if column in _NOT_IN_FILES:
        return _NOT_IN_FILES[column]
    raise KeyError(f"{table} has no column {column!r}")


def with_descriptions(schema: Any, table: str) -> Any:
    """An Arrow schema whose fields say `unit` and `description` in their metadata, and the whole which `table` it is."""
    for index, field in enumerate(schema):
        unit, doc = described(table, field.name)
        schema = schema.set(index, field.with_metadata({"unit": unit, "description": doc}))
    return schema.with_metadata(
        {**(schema.metadata or {}), b"table": table.encode(), b"dynasoc": _core.__version__.encode()}
    )


__all__ = ["described", "with_descriptions"]
