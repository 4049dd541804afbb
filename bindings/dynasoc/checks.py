"""Is that file right, and does that claim still hold: what `dynasoc lint` and `dynasoc check` do, and what there is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import _core
from .commands import Progress, command, option
from .files import PathLike


def lint(*files: PathLike) -> list[dict[str, Any]]:
    """Validates files of any kind and what they name: for each, `file`, `kind`, `ok` and, where it is not, `message`."""
    findings: list[dict[str, Any]] = json.loads(command("lint", *files, "--json", good=(0, 2)))
    return findings


def check(
    *files: PathLike,
    only: Sequence[str] = (),
    update: bool = False,
    junit: PathLike | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluates claim files and suites (or folders of them; without any, the claims that came with the package).

    Of claims: what was published, what we get, and whether the verdicts are those stored in the files (`as_stored`). Of suites:
    every expectation with its numbers, what else moved since the baseline was stored, and whether all hold (`holds`: the
    claims' verdicts and the suites' expectations). only: names of claims, of suites, or SUITE/RUN. update: stores what the suites
    gave as what is expected from now on; the answer is still that from before. junit: file for the results in JUnit's XML. Throws
    InputError."""
    if not files:
        files = (Path(_core.find("scenario", "claims/gpu-sharing")).parent,)
    words = [*(word for name in only for word in option("only", name)), *option("jobs", jobs), "--json"]
    words += [*option("update", update), *option("junit", junit)]
    answer: dict[str, Any] = json.loads(
        command("check", *files, *words, good=(0, 1), progress=progress)
    )
    return answer


def listing(kind: str) -> list[Any]:
    """What there is to name: policies, governors, networks, platforms, scenarios, traces, metrics or columns."""
    answer: list[Any] = json.loads(command("list", kind, "--json"))
    return answer


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of file: scenario, platform, network, claim, suite, sweep, search, exploration or
    ranking."""
    answer: dict[str, Any] = json.loads(command("schema", kind))
    return answer


def rank(
    ranking: PathLike = "rtm-bench",
    add: Sequence[str] = (),
    policies: Sequence[str] = (),
    scenarios: Sequence[str] = (),
    short: bool = False,
    replications: int | None = None,
    out: PathLike | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Ranks managers over the scenarios of a ranking (a file, or a name): regret to the oracle, ranks with intervals.

    add: managers beside the file's, as `dynasoc compare --policies` takes them; those registered by this program, in Python
    too, are among the names. policies: instead of the file's. out: directory for finished cells and the results; the same
    call goes on there. The answer is `dynasoc rank --json`'s: `policies` by rank, and the `sentence` that may be concluded.
    Throws InputError."""
    words = [word for name, entries in (("add", add), ("policies", policies), ("scenarios", scenarios)) if entries
             for word in option(name, ",".join(entries))]
    words += [*option("short", short), *option("replications", replications), *option("out", out), *option("jobs", jobs)]
    answer: dict[str, Any] = json.loads(command("rank", ranking, *words, "--json", progress=progress))
    return answer


__all__ = ["check", "lint", "listing", "rank", "schema"]
