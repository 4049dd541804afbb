"""Recordings of real boards: what `dynasoc trace` does, with dictionaries.

    from dynasoc import trace

    trace.import_tegrastats("board.log", out="board.csv")
    print(trace.conformance("board.csv", governor="nvhost_podgov", platform="jetson-xavier-nx")["agreement"])

Each importer returns its report: `taken`, `dropped`, `remarks`, `notes`, `columns`, `rows`. Without `out` nothing is written.
Files are written whole or not at all, and none is replaced without `force`. All throw InputError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .commands import Progress, command, option, settings
from .files import PathLike

Report = dict[str, Any]


def _answer(words: Sequence[Any], progress: Progress | None, good: Sequence[int] = (0,)) -> Report:
    answer: Report = json.loads(command("trace", *words, "--json", good=good, progress=progress))
    return answer


def _common(
    out: PathLike | None,
    force: bool,
    check: PathLike | None = None,
    background: PathLike | None = None,
    background_window_s: float | None = None,
) -> list[str]:
    words = [*option("output", out), *option("force", force), *option("check", check), *option("background", background)]
    return words + option("background-window", background_window_s)


def import_tegrastats(
    files: PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    interval_ms: float | None = None,
    check: PathLike | None = None,
    background: PathLike | None = None,
    background_window_s: float | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """A timeline from logs of NVIDIA's tegrastats, read one after the other. check: a platform that clocks and rails are held
    against; background: a file for the load as a scenario's background."""
    words: list[Any] = ["import", "tegrastats", *([files] if isinstance(files, (str, bytes)) or not isinstance(files, Sequence) else files)]
    words += _common(out, force, check, background, background_window_s) + option("interval-ms", interval_ms)
    return _answer(words, progress)


def _import_kernel(
    kind: str,
    file: PathLike,
    out: PathLike | None,
    window_ms: float | None,
    arrivals: str | None,
    arrivals_out: PathLike | None,
    check: PathLike | None,
    background: PathLike | None,
    background_window_s: float | None,
    force: bool,
    progress: Progress | None,
) -> Report:
    words: list[Any] = ["import", kind, file, *_common(out, force, check, background, background_window_s)]
    words += [*option("window-ms", window_ms), *option("arrivals", arrivals), *option("arrivals-out", arrivals_out)]
    return _answer(words, progress)


def import_ftrace(
    file: PathLike,
    *,
    out: PathLike | None = None,
    window_ms: float | None = None,
    arrivals: str | None = None,
    arrivals_out: PathLike | None = None,
    check: PathLike | None = None,
    background: PathLike | None = None,
    background_window_s: float | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """A timeline from the text of the kernel's tracer, with rows of `window_ms`. arrivals: a task (name or pid) or a trace
    marker, whose activations go to `arrivals_out`."""
    return _import_kernel("ftrace", file, out, window_ms, arrivals, arrivals_out, check, background, background_window_s, force, progress)


def import_perfetto(
    file: PathLike,
    *,
    out: PathLike | None = None,
    window_ms: float | None = None,
    arrivals: str | None = None,
    arrivals_out: PathLike | None = None,
    check: PathLike | None = None,
    background: PathLike | None = None,
    background_window_s: float | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """The same from a binary Perfetto trace."""
    return _import_kernel("perfetto", file, out, window_ms, arrivals, arrivals_out, check, background, background_window_s, force, progress)


def import_loadgen(
    folder: PathLike,
    *,
    out: PathLike | None = None,
    scenario: PathLike | None = None,
    replay: bool = False,
    network: PathLike | None = None,
    platform: PathLike | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Arrivals from MLPerf LoadGen's logs; `latency` compares the logged figures with the samples'. scenario: also write one,
    of `network` and `platform`, with LoadGen's arrival process or (replay) with `out`."""
    words: list[Any] = ["import", "loadgen", folder, *_common(out, force), *option("scenario", scenario), *option("replay", replay)]
    words += [*option("network", network), *option("platform", platform)]
    return _answer(words, progress)


def import_csv(
    file: PathLike,
    columns: Mapping[str, str],
    *,
    out: PathLike | None = None,
    keep_times: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Arrivals or a timeline from any CSV file. columns: `{"arrival_s": "ts:ns", "latency_ms": "took:us"}`, a column of the
    result from one of the file and its unit."""
    words: list[Any] = ["import", "csv", file, "--columns", ",".join(f"{to}={of}" for to, of in columns.items())]
    return _answer([*words, *_common(out, force), *option("keep-times", keep_times)], progress)


def conformance(
    timeline: PathLike,
    *,
    governor: str,
    platform: PathLike,
    domain: str | None = None,
    changes: Mapping[str, Any] | None = None,
    mode: str | None = None,
    settle_ms: float | None = None,
    utilisation: str | None = None,
    mhz: str | None = None,
    out: PathLike | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Replays the recorded load of a clock through one of our governors: `agreement` is the share of rows with the same OPP.
    changes: the governor's parameters; out: both clocks over time."""
    words: list[Any] = ["conformance", timeline, "--governor", governor, "--platform", platform, *settings(changes)]
    words += [*option("domain", domain), *option("mode", mode), *option("settle-ms", settle_ms), *option("utilisation", utilisation)]
    words += [*option("mhz", mhz), *option("out", out), *option("force", force)]
    return _answer(words, progress)


__all__ = ["conformance", "import_csv", "import_ftrace", "import_loadgen", "import_perfetto", "import_tegrastats"]
