"""Names, units and numbers as the figures say them."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable

from .. import _core
from ..checks import listing

_UNITS = {"ms": "ms", "s": "s", "mj": "mJ", "j": "J", "w": "W", "mhz": "MHz", "hz": "1/s", "mb": "MB", "c": "°C"}
_SUFFIX = re.compile(rf"_({'|'.join(_UNITS)})(?=_|$)")


def known(name: str, names: Iterable[str], what: str) -> str:
    """`name`, if there is one. Throws InputError with the nearest one."""
    there = list(names)
    if name in there:
        return name
    near = difflib.get_close_matches(name, there, 1)
    if near:
        raise _core.InputError(f"unknown {what} {name!r} (did you mean {near[0]!r}?)")
    listed = ", ".join(there[:20]) + (", ..." if len(there) > 20 else "")
    raise _core.InputError(f"unknown {what} {name!r} (known: {listed or 'none'})")


@functools.lru_cache(maxsize=None)
def _metrics() -> list[tuple[re.Pattern[str], str, str]]:
    """For each metric: its names, unit, and which way is better."""
    return [
        (re.compile(re.sub(r"\b(APP|UNIT|LEVEL)\b", ".+", re.escape(one["name"]))), one["unit"], one["better"])
        for one in listing("metrics")
    ]


def facts(name: str) -> tuple[str, str]:
    """Unit of a metric or a column, and which way is better."""
    for pattern, unit, better in _metrics():
        if pattern.fullmatch(name):
            return unit.replace("the network's", "network's"), better
    found = _SUFFIX.search(name)
    return _UNITS[found[1]] if found else "", "higher" if "accuracy" in name else "lower"


def with_unit(words: str, unit: str) -> str:
    return f"{words} [{unit or '–'}]"


def column_label(name: str) -> str:
    """`latency_ms_mean` as `latency, mean [ms]`."""
    words = _SUFFIX.sub(",", name, count=1).strip(",").replace(",_", ", ").replace("_", " ")
    return with_unit(words, facts(name)[0])


def accuracy_label(applications: Iterable[dict[str, str]]) -> str:
    metric = " / ".join(dict.fromkeys(app["accuracy_metric"] or "–" for app in applications))
    return metric if "[" in metric else with_unit("accuracy", metric)


def short(value: float) -> str:
    """Four digits that matter, as people write them."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
