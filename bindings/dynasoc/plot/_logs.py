"""Logs of runs as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Union

from .. import _core
from ..results import OUTCOMES, Replication, Run
from ._words import known

if TYPE_CHECKING:
    from ._decimate import Array

RunLike = Union[Run, Replication]


def whole(run: RunLike) -> Run:
    return run.run if isinstance(run, Replication) else run


def replication_of(run: RunLike, index: int) -> Replication:
    return run if isinstance(run, Replication) else run[index]


def need_logs(run: RunLike, logs: Iterable[str], what: str) -> None:
    wanted = list(logs)
    missing = [log for log in wanted if not getattr(whole(run)._core, f"has_{log}")]
    if missing:
        raise _core.InputError(
            f"{what} needs the log {' and '.join(missing)}, which this run did not keep: "
            f"say record=True or record={wanted!r}"
        )


def application_codes(run: RunLike, application: str | None) -> list[int]:
    names = [app["name"] for app in whole(run)._names["applications"]]
    return list(range(len(names))) if application is None else [names.index(known(application, names, "application"))]


def window(run: Replication, from_s: float | None, to_s: float | None) -> tuple[float, float]:
    begin = 0.0 if from_s is None else float(from_s)
    end = float(run.run._names["duration_s"]) if to_s is None else float(to_s)
    if not begin < end:
        raise _core.InputError(f"from_s={begin:g}, to_s={end:g}: the stretch must have a length")
    return begin, end


def seconds(times: Array) -> Array:
    """Times of a log; nan where they do not apply. Rounded as `to_pandas` does, so that both have the same rows."""
    import numpy as np

    nanoseconds = times.view("i8")
    return np.where(nanoseconds == np.iinfo(np.int64).min, np.nan, nanoseconds * 1e-9)


def latency_ms(jobs: Array) -> Array:
    return (seconds(jobs["end"]) - seconds(jobs["arrival"])) * 1e3


def became(jobs: Array, *outcomes: str) -> Array:
    """Which frames had one of these outcomes."""
    import numpy as np

    return np.isin(jobs["outcome"].view("u1"), [OUTCOMES.index(one) for one in outcomes])
