"""Sweeps and explorations on many machines: Dask gives out the work, `dynasoc` does it.

    python3 -m dynasoc.distributed sweep SWEEP --out DIR --scheduler tcp://host:8786
    python3 -m dynasoc.distributed explore EXPLORATION --out DIR --scheduler tcp://host:8786

or, with a client of your own (dask_jobqueue's SLURMCluster, dask_kubernetes' KubeCluster, LocalCluster, …):

    from dask.distributed import Client
    from dynasoc.distributed import sweep
    sweep("sweep.json", "out/sweep", Client(cluster))

Workers need this package and the sweep's files at the same paths (a shared file system, or the same image); a worker whose
package or files differ refuses to work. Policies in Python go along: `sweep(..., policies={"streak": Streak})`. The directory is the one that `dynasoc sweep --out` makes and resumes: whatever is
killed (a worker, the scheduler, this process), finished batches stay in it and the same command goes on. The table is byte
for byte that of an undisturbed run on one machine.
"""
from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any, Union


from ._core import InputError, OutsideError
from .commands import command
from .manager import Registered, register, registered

PathLike = Union[str, "os.PathLike[str]"]
Policies = Mapping[str, Registered]


def run_points(words: Sequence[str], policies: Policies) -> tuple[bytes, float]:
    """What workers do for a sweep: the records of some points, and the seconds they took."""
    for name, policy in policies.items():
        register(policy.make, name, policy.version)
    began = time.perf_counter()
    return command(*words).encode(), time.perf_counter() - began


def run_evaluations(words: Sequence[str], policies: Policies, lines: bytes) -> tuple[bytes, float]:
    """What workers do for an exploration: the journal's lines of some evaluations, and the seconds they took."""
    for name, policy in policies.items():
        register(policy.make, name, policy.version)
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile(prefix="dynasoc-", suffix=".jsonl") as file:
        file.write(lines)
        file.flush()
        return command(*words, "--evaluate", file.name).encode(), time.perf_counter() - began


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[Any]:
    """Nobody else works on the directory meanwhile: `dynasoc` locks this file too. Gives it, opened for appending."""
    with open(path, "ab", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{path.parent}: another process is working on it") from None
        try:
            yield file
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # processes that were forked meanwhile have the file too


def write_whole(path: pathlib.Path, content: bytes) -> None:
    """Writes a file that is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def remember_inputs(directory: pathlib.Path, lines: Sequence[bytes]) -> None:
    """Adds `input TAB hash TAB path` lines to the directory's inputs.tsv. Raises InputError where a file is known otherwise."""
    path = directory / "inputs.tsv"
    known: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        fnv, _, name = line.partition("\t")
        known[name] = fnv
    fresh = ""
    for told in lines:
        _, fnv, input_path = told.decode().rstrip("\n").split("\t", 2)
        name = os.path.relpath(input_path, directory.resolve())
        if name not in known:
            fresh += f"{fnv}\t{name}\n"
        if known.setdefault(name, fnv) != fnv:
            raise InputError(f"{input_path}: was changed while the sweep ran, or is another file on a worker")
    if fresh:
        with open(path, "ab", buffering=0) as file:
            write_all(file, fresh.encode())


def write_all(file: Any, content: bytes) -> None:
    """An unbuffered file may take less than it was given."""
    while content:
        content = content[file.write(content):]


class Batches:
    """Cuts ranges of points into batches of about `target_s` seconds of work, as learnt from those that came back."""

    def __init__(self, ranges: list[list[int]], batch: int | None, target_s: float) -> None:
        self.ranges, self.fixed, self.target_s = ranges[::-1], batch, target_s
        self.points_per_s: float | None = None

    def learn(self, points: int, seconds: float) -> None:
        rate = points / max(seconds, 1e-6)
        self.points_per_s = rate if self.points_per_s is None else 0.7 * self.points_per_s + 0.3 * rate

    def take(self) -> tuple[int, int] | None:
        if not self.ranges:
            return None
        first_try = 32  # until a rate is known
        size = self.fixed or (first_try if self.points_per_s is None else int(self.points_per_s * self.target_s))
        begin, end = self.ranges.pop()
        cut = min(end, begin + max(1, size))
        if cut < end:
            self.ranges.append([cut, end])
        return begin, cut


def executor_of(client: Any) -> tuple[Executor, Callable[[], int]]:
    """Of a dask.distributed client, or (executor, workers): what takes work, and how many can work at once now."""
    if isinstance(client, tuple):
        executor, workers = client
        return executor, lambda: int(workers)
    # Not pure: a batch that is done again, after a worker was lost, gives the same bytes but is a task of its own.
    return client.get_executor(pure=False), lambda: max(1, sum(client.nthreads().values()))


def run_batches(
    client: Any,
    batches: Batches,
    work: Callable[..., tuple[bytes, float]],
    arguments: Callable[[int, int], tuple[Any, ...]],
    keep: Callable[[int, int, bytes], None],
) -> int:
    """Keeps every worker busy with two batches of `work(*arguments(begin, end))`; `keep` is called with what comes back.
    Returns the batches done."""
    executor, workers = executor_of(client)
    running: dict[Future[tuple[bytes, float]], tuple[int, int]] = {}
    done = 0
    try:
        while True:
            while len(running) < 2 * workers():
                batch = batches.take()
                if batch is None:
                    break
                running[executor.submit(work, *arguments(*batch))] = batch
            if not running:
                return done
            # Woken now and then: workers may have joined, and Ctrl-C wants to be heard.
            completed, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in completed:
                begin, end = running.pop(future)
                output, seconds = future.result()
                keep(begin, end, output)
                done += 1
                batches.learn(end - begin, seconds)
    finally:
        for future in running:
            future.cancel()


def sweep(
    file: PathLike,
    out: PathLike,
    client: Any,
    *,
    options: Sequence[str] = (),
    batch: int | None = None,
    target_s: float = 2.0,
    policies: Mapping[str, Callable[..., Any]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Runs the points of a sweep that `out` lacks on the workers of a dask.distributed client, and writes its table.

    `options` go to `dynasoc sweep`: `--set` and `--metrics`, nothing else. `batch` fixes the points of a task; else tasks take about
    `target_s` seconds. Returns {"points", "missing", "batches", "seconds", "points_per_s", "results"}. Raises InputError for
    bad input, a directory that holds something else, or workers that have another program or other files.
    """
    directory, file = pathlib.Path(out).absolute(), str(pathlib.Path(file).absolute())
    known = _known(policies, client)
    began = time.perf_counter()
    batches_done, missing_at_first = 0, 0
    while True:
        state = json.loads(command("sweep", file, *options, "--out", str(directory), "--pending"))
        missing_at_first = missing_at_first or state["missing"]
        if state["missing"] == 0:
            break
        finished = state["points"] - state["missing"]

        def arguments(begin: int, end: int, fingerprint: str = state["fingerprint"]) -> tuple[list[str], Policies]:
            points = ["--points", f"{begin}:{end}", "--jobs", "1", "--expect", fingerprint]
            return ["sweep", file, *options, *points], known

        def keep(begin: int, end: int, output: bytes, total: int = state["points"]) -> None:
            nonlocal finished
            # What the worker read is on record before the points that rest on it.
            lines = output.splitlines(keepends=True)
            remember_inputs(directory, [line for line in lines if line.startswith(b"input\t")])
            # Named by its range: what is done twice after a kill is overwritten by the same bytes.
            records = b"".join(line for line in lines if not line.startswith(b"input\t"))
            write_whole(directory / "points" / f"000000-{begin}-{end}.points", records)
            finished += end - begin
            if progress is not None:
                progress(finished, total)

        with locked(directory / "lock"):
            if json.loads((directory / "sweep.json").read_bytes())["fingerprint"] != state["fingerprint"]:
                raise InputError(f"{directory}: another process has made another sweep of it")
            pending = Batches(state["pending"], batch, target_s)
            batches_done += run_batches(client, pending, run_points, arguments, keep)
    seconds = time.perf_counter() - began
    table = json.loads(command("merge", str(directory), "--json"))
    return {
        "points": table["points"],
        "rows": table["rows"],
        "missing": missing_at_first,
        "batches": batches_done,
        "seconds": seconds,
        "points_per_s": missing_at_first / seconds,
        "results": table["results"],
    }


def explore(
    file: PathLike,
    out: PathLike,
    client: Any,
    *,
    options: Sequence[str] = (),
    batch: int | None = None,
    target_s: float = 2.0,
    policies: Mapping[str, Callable[..., Any]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Runs an exploration whose simulations are done by the workers of a dask.distributed client.

    The search itself is here and cheap: it asks for the simulations of a generation, and goes on when they are there.
    Returns what `dynasoc explore --json` prints, with "evaluations_distributed" and "seconds" besides. Raises as `sweep`.
    """
    directory, file = pathlib.Path(out).absolute(), str(pathlib.Path(file).absolute())
    known = _known(policies, client)
    began, distributed, waits = time.perf_counter(), 0, Batches([], batch, target_s)
    with tempfile.TemporaryDirectory(prefix="dynasoc-") as scratch:
        pending = pathlib.Path(scratch) / "pending.jsonl"
        while True:
            words = ["explore", file, *options, "--out", str(directory), "--pending", str(pending), "--json"]
            answer = json.loads(command(*words, good=(0, 1)))  # 1: no configuration keeps the constraints
            lines = pending.read_bytes().splitlines(keepends=True) if pending.exists() else []
            if not lines:
                break
            waits.ranges = [[0, len(lines)]]
            finished = 0

            def arguments(begin: int, end: int, these: list[bytes] = lines) -> tuple[list[str], Policies, bytes]:
                return ["explore", file, *options, "--jobs", "1"], known, b"".join(these[begin:end])

            def keep(begin: int, end: int, output: bytes, total: int = len(lines)) -> None:
                nonlocal finished
                write_all(journal, output)
                finished += end - begin
                if progress is not None:
                    progress(finished, total)

            with locked(directory / "evaluations.tsv") as journal:
                run_batches(client, waits, run_evaluations, arguments, keep)
            distributed += len(lines)
            pending.unlink()
    return {**answer, "evaluations_distributed": distributed, "seconds": time.perf_counter() - began}


def _known(policies: Mapping[str, Callable[..., Any]] | None, client: Any) -> Policies:
    """Policies in Python that go to the workers: those registered by name, and these. Processes of our own were forked
    from this one and know them."""
    for name, make in (policies or {}).items():
        register(make, name)
    return {} if isinstance(client, tuple) else registered()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m dynasoc.distributed", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("what", choices=["sweep", "explore"])
    parser.add_argument("file", help="a sweep or an exploration")
    parser.add_argument("--out", required=True, help="its directory: made, or resumed")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--scheduler", help="address of a dask scheduler, tcp://host:8786")
    where.add_argument("--local", type=positive, metavar="N", help="start N worker processes on this machine")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="as of dynasoc")
    parser.add_argument("--batch", type=positive, help="points a task (default: as many as take about two seconds)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    given = parser.parse_args(arguments)
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        print("dynasoc.distributed needs Dask: Debian's python3-distributed, or `pip install distributed`", file=sys.stderr)
        return 3
    show = sys.stderr.isatty() and not given.json

    def progress(done: int, total: int) -> None:
        if show:
            print(f"\r\033[K{done:,} of {total:,}", end="", file=sys.stderr)

    options = [word for one in given.set for word in ("--set", one)]
    try:
        with contextlib.ExitStack() as stack:
            if given.local:
                cluster = stack.enter_context(
                    LocalCluster(n_workers=given.local, threads_per_worker=1, dashboard_address=":0")
                )
                client = stack.enter_context(Client(cluster))
            else:
                client = stack.enter_context(Client(given.scheduler, timeout="10s"))
            work = sweep if given.what == "sweep" else explore
            answer = work(given.file, given.out, client, options=options, batch=given.batch, progress=progress)
    except InputError as refused:
        print(refused, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; finished batches are kept, the same command goes on", file=sys.stderr)
        return 130
    except OutsideError as outside:
        print(outside, file=sys.stderr)
        return 3
    except Exception as outside:  # Dask's own: a worker killed too often, a scheduler that is not there, …
        print(f"{given.scheduler or 'local workers'}: {type(outside).__name__}: {outside}", file=sys.stderr)
        return 3
    finally:
        if show:
            print("\r\033[K", end="", file=sys.stderr)
    infeasible = given.what == "explore" and answer.get("infeasible")
    if given.json:
        print(json.dumps(answer, indent=2))
    elif infeasible:
        print(f"no configuration keeps the constraints: {json.dumps(infeasible)}", file=sys.stderr)
    elif given.what == "sweep":
        print(
            f"{answer['points']:,} points, {answer['missing']:,} of them now in {answer['batches']:,} batches, "
            f"{answer['points_per_s']:,.0f} points/s; {answer['results']}"
        )
    else:
        print(f"{answer['evaluations_distributed']:,} simulations by workers in {answer['seconds']:.1f} s; {given.out}")
    return 1 if infeasible else 0


if __name__ == "__main__":
    sys.exit(main())
