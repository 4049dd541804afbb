"""What the columns of logs mean: as the simulator declares them (`dynasoc list columns`), for Parquet files."""

from __future__ import annotations

import functools
import re
from typing import Any

from . import _core
from .checks import listing

_NOT_IN_FILES = {"isolated_ms": ("ms", "what it would have taken alone from its dispatch on; nan if it never ran")}


@functools.cache
def _declared() -> dict[str, list[dict[str, str]]]:
    return {table["name"]: table["columns"] for table in listing("columns")}


def described(table: str, column: str) -> tuple[str, str]:
    """Unit and meaning of a column of `jobs`, `decisions`, `candidates` or `timeline`. Times that are durations are
    called as in the files, without `_s`. Throws KeyError for a column that is not declared."""
    for known in _declared()[table]:
        name = known["name"]
        pattern = re.sub("^(UNIT|NODE|RAIL|APP)_", ".+_", name)
        if column == name or (pattern != name and re.fullmatch(pattern, column)):
            return known["unit"], known["doc"]
        if known["type"] == "time" and column == name.removesuffix("_s"):
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
