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
    """The JSON Schema of a kind of file: scenario, platform, network, claim, suite, sweep, search or exploration."""
    answer: dict[str, Any] = json.loads(command("schema", kind))
    return answer


__all__ = ["check", "lint", "listing", "schema"]
