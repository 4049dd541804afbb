"""Many scenarios: sweeps, explorations, searches for sub-networks. What the commands of these names do, in this process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from . import _core
from .commands import Progress, command, commas, option, settings
from .files import File, PathLike, Scenario, json_text
from .manager import registered
from .reporting import report

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    import pandas as pd


class Sweep:
    """What a sweep came to: a row for each point and replication."""

    def __init__(self, summary: dict[str, Any], path: Path | None) -> None:
        self.summary = summary
        self.path = path
        """Of the table, where it was given a directory."""

    def to_pandas(self) -> pd.DataFrame:
        """The table: `point`, a column for each axis, `replication`, a column for each metric."""
        import pandas as pd

        if self.path is not None:
            return pd.read_csv(self.path)
        table = self.summary["table"]
        return pd.DataFrame(table["rows"], columns=table["columns"])

    @property
    def warnings(self) -> list[str]:
        """What is not wrong, and worth knowing."""
        return list(self.summary.get("warnings", []))

    def report(self, output: PathLike | None = None, **options: Any) -> Path:
        """One page of it, where it was given a directory; `options` as of `dynasoc.report`. Returns its path."""
        if self.path is None:
            raise ValueError("this sweep has no directory: give it one with sweep(..., out=...)")
        return report(self.path.parent, output, **options)

    def __len__(self) -> int:
        return int(self.summary["points"])

    def __repr__(self) -> str:
        return f"<Sweep: {len(self)} points{f', {self.path}' if self.path else ''}>"


class Exploration:
    """What an exploration came to: configurations that no other dominates."""

    def __init__(self, summary: dict[str, Any], front: str, everything: str, path: Path | None = None) -> None:
        self.summary = summary
        self._front, self._all = front, everything
        self.path = path
        """The directory that it was given, if any."""

    @property
    def feasible(self) -> bool:
        """Whether any configuration keeps the constraints."""
        return not self.summary.get("infeasible")

    @property
    def front(self) -> pd.DataFrame:
        """A row for each configuration on the front: its members, and each metric with its 95 % interval."""
        return _csv(self._front)

    @property
    def all(self) -> pd.DataFrame:
        """The same for every configuration that was looked at."""
        return _csv(self._all)

    def scenario(self, base: Scenario, row: int) -> Scenario:
        """`base` with the members that row `row` of the front has, ready to run."""
        return base.copy(set=self.summary["front"][row]["set"])

    def report(self, output: PathLike | None = None, **options: Any) -> Path:
        """One page of it, where it was given a directory; `options` as of `dynasoc.report`. Returns its path."""
        if self.path is None:
            raise ValueError("this exploration has no directory: give it one with explore(..., out=...)")
        return report(self.path, output, **options)

    def __repr__(self) -> str:
        return f"<Exploration {self.summary['exploration']!r}: {len(self.summary.get('front', []))} on the front>"


class Search:
    """What a search for sub-networks came to."""

    def __init__(self, summary: dict[str, Any]) -> None:
        self.summary = summary

    @property
    def front(self) -> pd.DataFrame:
        """A row for each sub-network on the front; its architecture is in the column `config`."""
        import pandas as pd

        return pd.DataFrame(self.summary["front"])

    def __repr__(self) -> str:
        return f"<Search {self.summary['title']!r}: {len(self.summary['front'])} on the front>"


def _csv(text: str) -> pd.DataFrame:
    import io

    import pandas as pd

    return pd.read_csv(io.StringIO(text))


@contextlib.contextmanager
def _as_file(given: Union[PathLike, File, Mapping[str, Any]], folder: PathLike) -> Iterator[str]:
    """A path of what may be an object; one that is written stands in the folder that names in it count from."""
    if not isinstance(given, (File, Mapping)):
        yield os.fspath(given)
        return
    data = given.to_json() if isinstance(given, File) else dict(given)
    place = given.folder if isinstance(given, Scenario) else Path(folder)
    name = re.sub(r"[^\w-]", "_", str(data.get("name") or "unnamed"))
    with tempfile.TemporaryDirectory(prefix=".dynasoc-", dir=place if os.access(place, os.W_OK) else None) as own:
        # One level further down: what is relative must be said from there.
        path = Path(own) / f"{name}.json"
        path.write_text(json_text(_moved(data, place, Path(os.path.relpath(place.resolve(), Path(own).resolve())))), encoding="utf-8")
        yield os.fspath(path)


def _known_file(path: str, ending: str = "") -> str:
    """A file that stands among the scenarios by its name there, as `search/small`; any other text as it is. `ending`: what
    a name may leave out."""
    if not os.path.exists(path):
        for name in (path + ending, path):
            with contextlib.suppress(_core.InputError):
                return _core.find("scenario", name)
    return path


def _moved(value: Any, place: Path, up: Path) -> Any:
    """Names of files in `place`, and relative paths to whatever is there, said from another folder."""
    if isinstance(value, Mapping):
        return {key: _moved(member, place, up) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_moved(member, place, up) for member in value]
    if isinstance(value, str) and 0 < len(value) < 4096 and "\0" not in value and not value.startswith("/"):
        there = place / value
        if there.is_file() or ("/" in value and there.exists()):
            return os.fspath(up / value)
    return value


def _axis(values: Any) -> Any:
    """A range as files say it, so that a million points are not a list of a million numbers."""
    if isinstance(values, range) and len(values) > 1 and values.step > 0:
        return {"from": values[0], "to": values[-1], "step": values.step}
    return values


def _names_python(*texts: Any) -> bool:
    """Whether one of these names a policy in Python."""
    said = json.dumps(texts, default=str)
    return any(json.dumps(name) in said for name in registered())


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def worker_processes(count: int) -> Iterator[tuple[ProcessPoolExecutor, int]]:
    """Processes that know every policy that this one has registered, a notebook's too."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), _ignore_interrupts)
    try:
        yield executor, count
    except BrokenProcessPool:
        raise _core.OutsideError("a worker process ended by itself; finished batches are kept") from None
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def sweep(
    file: Union[PathLike, Scenario, Mapping[str, Any]],
    out: PathLike | None = None,
    *,
    axes: Mapping[str, Any] | None = None,
    metrics: str | Sequence[str] | None = None,
    jobs: int | None = None,
    client: Any = None,
    force: bool = False,
    folder: PathLike = ".",
    progress: Progress | None = None,
) -> Sweep:
    """Runs every combination of a scenario's list-valued fields.

    file: a sweep file, a scenario, or dictionaries (names in them count from `folder`). out: directory that keeps finished
    points: made, resumed or brought up to date; without it the table is in memory. axes: fields by dotted path; a list (or
    a range) makes one an axis: `{"policy": ["none", "streak"], "seed": range(1, 31)}`. metrics: columns; `"all"` for all.
    jobs: points at once (default: all cores), in threads, or in worker processes where a policy in Python takes part.
    client: a dask.distributed client that does the work instead; needs `out`. force: begin anew in `out`.

    Ctrl-C ends it; with `out` the same call goes on. Throws InputError.
    """
    workers = jobs or os.cpu_count() or 1
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(_as_file(file, folder))
        words = [*settings({key: _axis(value) for key, value in (axes or {}).items()})]
        words += option("metrics", commas(metrics))
        content = Path(path).read_text(encoding="utf-8") if os.path.isfile(path) else path
        python = bool(registered()) and (_names_python(axes or {}) or any(f'"{n}"' in content for n in registered()))
        if client is None and not (python and workers > 1):
            kept = [*option("out", out), *option("force", force), "--jobs", "1" if python else str(workers), "--json"]
            summary = json.loads(command("sweep", path, *words, *kept, progress=progress))
            return Sweep(summary, Path(summary["results"]) if summary["results"] else None)

        from . import distributed

        if client is not None and out is None:
            raise _core.InputError("a sweep on a client needs a directory: out=...")
        directory = Path(out) if out is not None else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if force:
            command("sweep", path, *words, "--out", directory, "--force", "--pending")
        summary = distributed.sweep(
            _known_file(path),
            directory,
            client if client is not None else stack.enter_context(worker_processes(workers)),
            options=words,
            progress=None if progress is None else lambda done, total: progress(done / total),
        )
        if out is not None:
            return Sweep(summary, Path(summary["results"]))
        import csv

        with open(summary["results"], newline="", encoding="utf-8") as table:
            columns, *rows = csv.reader(table)
        summary["table"] = {"columns": columns, "rows": [[_value(cell) for cell in row] for row in rows]}
        return Sweep(summary, None)


def _value(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError:
        return cell or None


def merge(*parts: PathLike, out: PathLike | None = None, force: bool = False) -> Sweep:
    """Collects the shards of a sweep in one directory, and writes the table. Throws InputError where points are missing."""
    words = [*option("out", out), *option("force", force), "--json"]
    summary = json.loads(command("merge", *parts, *words))
    return Sweep(summary, Path(summary["results"]))


def explore(
    file: Union[PathLike, Mapping[str, Any]],
    out: PathLike | None = None,
    *,
    set: Mapping[str, Any] | None = None,
    seed: int | None = None,
    replications: int | None = None,
    racing: bool = True,
    jobs: int | None = None,
    client: Any = None,
    force: bool = False,
    folder: PathLike = ".",
    progress: Progress | None = None,
) -> Exploration:
    """Looks for the configurations of a scenario that no other dominates, by an exploration file, its name or dictionaries.

    out: directory for the answer and for going on; without it the answer is in memory. set: changes of the file by dotted
    path. seed, replications: instead of the file's. racing: give up early what cannot be on the front. jobs: simulations
    at once (default: all cores; 1 with policies in Python). client: a dask.distributed client that simulates instead.

    An exploration that no configuration can satisfy gives an empty front: see `Exploration.feasible`. Throws InputError.
    """
    with contextlib.ExitStack() as stack:
        path = _known_file(stack.enter_context(_as_file(file, folder)), ".explore")
        directory = Path(out) if out is not None else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        words = [
            *settings(set),
            *option("seed", seed),
            *option("replications", replications),
            *option("no-racing", not racing),
            *option("force", force),
        ]
        content = Path(path).read_text(encoding="utf-8") if os.path.isfile(path) else ""
        python = _names_python(set or {}) or any(f'"{name}"' in content for name in registered())
        if client is None:
            kept = ["--out", os.fspath(directory), *option("jobs", 1 if python else jobs), "--json"]
            summary = json.loads(command("explore", path, *words, *kept, good=(0, 1), progress=progress))
        else:
            from . import distributed

            if force:  # once: what follows goes on
                command("explore", path, *words, "--out", directory, "--pending", os.devnull, "--json", good=(0, 1))
                words.remove("--force")
            told = None if progress is None else lambda done, total: progress(done / total)
            summary = distributed.explore(path, directory, client, options=words, progress=told)
        read = [(directory / name) for name in ("front.csv", "all.csv")]
        front, everything = (one.read_text(encoding="utf-8") if one.exists() else "" for one in read)
        return Exploration(summary, front, everything, directory if out is not None else None)


def search(
    file: Union[PathLike, Mapping[str, Any]],
    out: PathLike | None = None,
    *,
    set: Mapping[str, Any] | None = None,
    seed: int | None = None,
    export: PathLike | None = None,
    kernel: str | None = None,
    jobs: int | None = None,
    force: bool = False,
    folder: PathLike = ".",
    progress: Progress | None = None,
) -> Search:
    """Searches a super-network for sub-networks that are fast and accurate, by a search file, the name of one that comes
    along (`search/small`) or dictionaries.

    out: directory for front.csv, generations.csv and search.json. set: changes of the file by dotted path. export:
    directory for the network that was found. kernel: instruction set of the predictor. Throws InputError.
    """
    with _as_file(file, folder) as given:
        path = _known_file(given)
        words = [
            *settings(set),
            *option("seed", seed),
            *option("out", out),
            *option("export", export),
            *option("kernel", kernel),
            *option("jobs", jobs),
            *option("force", force),
        ]
        return Search(json.loads(command("search", path, *words, "--json", progress=progress)))


__all__ = ["Exploration", "Search", "Sweep", "explore", "merge", "search", "sweep"]
