"""Results as one page. What `dynasoc report` does, in this process."""

from __future__ import annotations

import json
from pathlib import Path

from .commands import Progress, command, option
from .files import PathLike


def report(
    directory: PathLike,
    output: PathLike | None = None,
    *,
    title: str | None = None,
    replication: int | None = None,
    runs: int | None = None,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Makes one page of the results in a directory: of a run, a comparison, a sweep or an exploration. Returns its path.

    output: the file (default: report.html in the directory); one that exists is replaced with `force` only. title: of the
    page. replication: of a run, which is shown in detail (default: 0). runs: of the others, most runs that can be opened in
    the page, which are simulated again (default: 8; 0: none). jobs: simulations at once. Throws InputError.
    """
    words = [
        *option("output", output),
        *option("title", title),
        *option("replication", replication),
        *option("runs", runs),
        *option("jobs", jobs),
        *option("force", force),
    ]
    return Path(json.loads(command("report", directory, *words, "--json", progress=progress))["file"])


__all__ = ["report"]
