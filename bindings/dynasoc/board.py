"""A real board, from Python: what `dynasoc board` does, with dictionaries for answers.

    from dynasoc import board

    here = board.Target("ssh://nx@192.168.1.20")
    board.probe(here, out="platforms")
    board.profile(here, platform="platforms/xavier-nx.json", network="dynamic-ofa-gpu", out="measured", budget=0.2)
    print(board.validate("two-applications", here, data="measured", policies=["dynamic-ofa", "performance"])["within"])

Policies defined in Python run on boards as those in C++ do; they are asked in this process, in real time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from . import _core
from .commands import Progress, command, commas, option, settings
from .files import PathLike


@dataclass(frozen=True)
class Target:
    """A board and the way to its agent. name: `local` or `ssh://[user@]host[:port]`; root: folder that stands for the
    board's `/` (a fixture, a fake board); the rest as the options of `dynasoc board`."""

    name: str = "local"
    root: PathLike | None = None
    agent: PathLike | None = None
    state: PathLike | None = None
    ssh_options: Sequence[str] = ()
    runners: Mapping[str, str] = field(default_factory=dict)
    allow_weights: PathLike | None = None

    def words(self) -> list[str]:
        """The options of `dynasoc board` that say the same."""
        words = ["--target", self.name]
        for name in ("root", "agent", "state"):
            words += option(name, getattr(self, name))
        words += option("allow-weights", self.allow_weights)
        words += [f"--ssh-option={word}" for word in self.ssh_options]
        for name, program in self.runners.items():
            words += ["--runner", f"{name}={program}"]
        return words


AnyTarget = Union[Target, str, None]


def _target(target: AnyTarget) -> list[str]:
    if isinstance(target, Target):
        return target.words()
    return Target(target or "local").words()


def _scenario(
    data: PathLike | None, executor: str | None, weights: PathLike | None, changes: Mapping[str, Any] | None
) -> list[str]:
    return [*option("data", data), *option("executor", executor), *option("weights", weights), *settings(changes)]


def _answer(words: Sequence[Any], progress: Progress | None, good: Sequence[int] = (0,)) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(command("board", *words, "--json", good=good, progress=progress))
    return answer


def probe(target: AnyTarget = None, *, name: str | None = None, out: PathLike | None = None, force: bool = False) -> dict[str, Any]:
    """What a board is: `probe` (its answer), `platform` (ready for a file) and `notes` (what was guessed). out: where to
    write the platform file. Throws InputError; OutsideError for a board that does not answer."""
    return _answer(["probe", *_target(target), *option("name", name), *option("out", out), *option("force", force)], None)


def profile(
    target: AnyTarget = None,
    *,
    platform: PathLike,
    network: PathLike,
    out: PathLike,
    name: str | None = None,
    units: Iterable[str] | None = None,
    subnets: Iterable[str] | None = None,
    opps_mhz: Iterable[float] | None = None,
    memory_mhz: Iterable[float] | None = None,
    cores: Iterable[int] | None = None,
    budget: float | None = None,
    budget_s: float | None = None,
    accuracy: float | None = None,
    n: int | None = None,
    cool_down_ms: int | None = None,
    gap_ms: int | None = None,
    contention: bool = False,
    seed: int | None = None,
    executor: str | None = None,
    weights: PathLike | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measures latency and energy at a board's operating points, the most telling cells first; writes tables, a network
    and a platform under `out`, and returns the campaign's figures. budget: share of the cells (0 to 1); accuracy: relative
    half width of the 95 % interval that is good enough. Interrupted, the same call goes on. Throws InputError,
    OutsideError."""

    def numbers(values: Iterable[float] | None) -> str | None:
        return None if values is None else commas(str(value) for value in values)

    words: list[Any] = ["profile", *_target(target), "--platform", platform, "--network", network, "--out", out]
    words += [*option("name", name), *option("units", commas(units)), *option("subnets", commas(subnets))]
    words += [*option("opps-mhz", numbers(opps_mhz)), *option("memory-mhz", numbers(memory_mhz)), *option("cores", numbers(cores))]
    words += [*option("budget", budget), *option("budget-s", budget_s), *option("accuracy", accuracy), *option("n", n)]
    words += [*option("cool-down-ms", cool_down_ms), *option("gap-ms", gap_ms), *option("contention", contention), *option("seed", seed)]
    words += [*option("executor", executor), *option("weights", weights), *option("force", force)]
    return _answer(words, progress)


def run(
    scenario: PathLike,
    target: AnyTarget = None,
    *,
    policy: str | None = None,
    data: PathLike | None = None,
    out: PathLike | None = None,
    seed: int | None = None,
    replications: int | None = None,
    executor: str | None = None,
    weights: PathLike | None = None,
    changes: Mapping[str, Any] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Runs a scenario in real time on a board; the summary of `dynasoc.run`, from measurements. data: the folder that
    `profile` wrote. A board that is lost raises OutsideError; what was measured up to then is in `out`."""
    words = ["run", scenario, *_target(target), *_scenario(data, executor, weights, changes), *option("policy", policy)]
    words += [*option("out", out), *option("seed", seed), *option("replications", replications), *option("force", force)]
    return _answer(words, progress)


def validate(
    scenario: PathLike,
    target: AnyTarget = None,
    *,
    policies: str | Iterable[str] | None = None,
    tolerance: float | None = None,
    judge: str | Iterable[str] | None = None,
    replications: int | None = None,
    predictions: int | None = None,
    correct: PathLike | None = None,
    data: PathLike | None = None,
    out: PathLike | None = None,
    seed: int | None = None,
    executor: str | None = None,
    weights: PathLike | None = None,
    changes: Mapping[str, Any] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Runs a scenario on a board and in the simulator and compares: metrics with intervals, sub-networks by clock, where
    decisions part and why, the order of policies. `within` says whether all is within `tolerance` (relative). correct: a
    table to write. Throws InputError, OutsideError."""
    words = ["validate", scenario, *_target(target), *_scenario(data, executor, weights, changes)]
    words += [*option("policies", commas(policies)), *option("tolerance", tolerance), *option("judge", commas(judge))]
    words += [*option("replications", replications), *option("predictions", predictions), *option("correct", correct), *option("out", out), *option("seed", seed)]
    return _answer([*words, *option("force", force)], progress, good=(0, 1))


def fork(run: PathLike, *, at_s: float, policy: str, out: PathLike | None = None, force: bool = False) -> dict[str, Any]:
    """Goes on with a run recorded by `run(out=...)` in the simulator, under another policy from `at_s` on: the summary.
    Throws InputError."""
    return _answer(["fork", run, "--at", at_s, "--policy", policy, *option("out", out), *option("force", force)], None)


def restore(target: AnyTarget = None) -> list[dict[str, str]]:
    """Writes back what an agent that was killed has left changed on the board: the knobs. Throws OutsideError."""
    answer: list[dict[str, str]] = _answer(["restore", *_target(target)], None)["restored"]
    return answer


BoardError = _core.OutsideError
"""What a board (or anything else outside) raises when it fails."""

__all__ = ["BoardError", "Target", "fork", "probe", "profile", "restore", "run", "validate"]
