"""Running scenarios and comparing managers, in this process."""

from __future__ import annotations

import itertools
import json
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Union

from . import _core
from .files import PathLike, ScenarioLike, scenario_of
from .manager import CppPolicy, PolicyLike, introduce, is_python, made, policy_text
from .results import Comparison, Run

Progress = Callable[[float], None]
_CALLS = itertools.count(1)
_LOGS = ("jobs", "decisions", "timeline")


def _whole(name: str, value: int, least: int, most: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise _core.InputError(f"{name}={value!r}: must be a whole number") from None
    if not least <= number <= most:
        raise _core.InputError(f"{name}={number}: must be from {least} to {most}")
    return number


def _recording(record: Union[bool, Iterable[str]]) -> tuple[bool, bool, bool]:
    if isinstance(record, bool):
        return (record, record, record)
    wanted = [record] if isinstance(record, str) else list(record)
    for one in wanted:
        if one not in _LOGS:
            raise _core.InputError(f"record: unknown log {one!r} (known: {', '.join(_LOGS)})")
    return ("jobs" in wanted, "decisions" in wanted, "timeline" in wanted)


def run(
    scenario: ScenarioLike,
    *,
    policy: PolicyLike | None = None,
    seed: int | None = None,
    replications: int | None = None,
    engine: str = "native",
    jobs: int = 1,
    record: Union[bool, Iterable[str]] = True,
    set: Mapping[str, Any] | None = None,
    folder: PathLike = ".",
    progress: Progress | None = None,
) -> Run:
    """Simulates a scenario: a Scenario, a path, a known name, or dictionaries (names in them count from `folder`).

    policy: instead of the scenario's: an entry of the command line's --policies (`pid(reference=0.8)`,
    `none+schedutil`), a file ending in .json, `dynasoc.policies.X(...)`, a dictionary, or a policy in Python (an object
    of which each replication runs a deep copy, or a class). seed, replications: instead of the scenario's. engine:
    native (in this process) or simgrid (in a child process; C++ policies only, and of texts plain names and files).
    jobs: replications at once, in threads; with a policy in Python it has no effect, for Python runs one thread at a
    time. record: which logs to keep, of jobs, decisions and timeline; False for summaries and metrics alone. set:
    changes by dotted path. progress: called with the share done.

    Ctrl-C ends it. Throws InputError for anything wrong in the scenario or the arguments.
    """
    loaded = scenario_of(scenario, folder)
    if set:
        loaded = loaded.copy(set=set)
    count = loaded.replications if replications is None else _whole("replications", replications, 1, 100_000)
    if seed is not None:
        seed = _whole("seed", seed, 0, 9_000_000_000_000_000)
    logs = _recording(record)
    policy = made(policy)
    threads = _whole("jobs", jobs, 1, 1024)
    if engine == "simgrid":
        from .engines import run_with_simgrid

        return run_with_simgrid(loaded, policy, seed, count, threads, logs, progress)
    if engine != "native":
        raise _core.InputError(f"engine {engine!r}: must be native or simgrid")
    python = policy if policy is not None and is_python(policy) else None
    text = None if policy is None or python is not None else policy_text(policy)
    return Run(_core.run(loaded._core, text, python, seed, count, threads, *logs, progress))


def compare(
    scenario: ScenarioLike,
    policies: Union[Sequence[PolicyLike], Mapping[str, PolicyLike], str],
    *,
    baseline: str | int = 0,
    replications: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    metrics: Union[str, Sequence[str]] = (),
    until_decided: str | None = None,
    anatomy: bool = True,
    set: Mapping[str, Any] | None = None,
    folder: PathLike = ".",
    progress: Progress | None = None,
) -> Comparison:
    """Runs a scenario under each policy on the same arrivals and the same noise.

    policies: a list (or a dictionary by label) of names as on the command line (`schedutil`, `pid(reference=0.8)`,
    `dynamic-ofa+powersave`, a file ending in .json), `dynasoc.policies.X(...)`, dictionaries, or policies in Python.
    baseline: label or index. replications: the most; default 30, or the scenario's if that is more. until_decided: stop
    as soon as every difference to the baseline in this metric is decided. anatomy: split regret, where the policy
    oracle takes part. jobs: runs at once; default all cores, 1 with a policy in Python. metrics: checked to exist.
    """
    loaded = scenario_of(scenario, folder)
    if set:
        loaded = loaded.copy(set=set)
    python = False
    entries: list[tuple[str, str]] = []
    ours: list[str] = []  # names of contenders in Python, known for this call alone
    for label, policy in _labelled(policies):
        policy = made(policy)
        if is_python(policy):
            python = True
            name = f"{label}#{next(_CALLS)}"  # another thread's comparison may have one of this label too
            introduce(_maker(policy), name)
            ours.append(name)
            entries.append((label, json.dumps({"name": name})))
        elif isinstance(policy, str):
            entries.append((label, policy))
            python = python or _core.runs_python(policy.split("(")[0].split("+")[0])
        else:
            text = policy_text(policy)
            parsed = json.loads(text)
            entries.append((label, text if isinstance(parsed, dict) else json.dumps({"name": parsed})))
            python = python or _core.runs_python(parsed["name"] if isinstance(parsed, dict) else parsed)
    labels = [label for label, _ in entries]
    for label in labels:
        if labels.count(label) > 1:
            raise _core.InputError(f"two policies are called {label!r}: give labels, as in {{label: policy}}")
    if not labels:
        raise _core.InputError("no policies: which managers take part?")
    if isinstance(baseline, str):
        if baseline not in labels:
            raise _core.InputError(f"baseline {baseline!r} is not among the policies (known: {', '.join(labels)})")
        index = labels.index(baseline)
    else:
        if not -len(labels) <= baseline < len(labels):
            raise _core.InputError(f"baseline {baseline}: there are {len(labels)} policies ({', '.join(labels)})")
        index = range(len(labels))[baseline]
    threads = 1 if python else _whole("jobs", jobs if jobs is not None else (os.cpu_count() or 1), 1, 1024)
    try:
        core = _core.compare(
            loaded._core,
            entries,
            index,
            None if seed is None else _whole("seed", seed, 0, 9_000_000_000_000_000),
            None if replications is None else _whole("replications", replications, 1, 100_000),
            threads,
            until_decided or "",
            anatomy,
            [metrics] if isinstance(metrics, str) else list(metrics),
            progress,
        )
    finally:
        for name in ours:
            _core.forget_policy(name)
    return Comparison(core, labels, labels[index])


def _maker(policy: Any) -> Callable[[], Any]:
    if isinstance(policy, type) or not hasattr(policy, "decide"):
        return policy  # type: ignore[no-any-return]
    import copy

    def prototype() -> Any:
        return copy.deepcopy(policy)

    prototype.__doc__ = policy.__doc__
    return prototype


def _labelled(
    policies: Union[Sequence[PolicyLike], Mapping[str, PolicyLike], str],
) -> list[tuple[str, PolicyLike]]:
    if isinstance(policies, str):
        return [(one.strip(), one.strip()) for one in _split(policies)]
    if isinstance(policies, Mapping):
        if "name" not in policies:
            return list(policies.items())
        policies = [policies]  # one policy with its parameters
    out: list[tuple[str, PolicyLike]] = []
    for policy in policies:
        if isinstance(policy, str):
            out.append((policy, policy))
        elif isinstance(policy, CppPolicy):
            text = ",".join(f"{k}={v}" for k, v in policy.parameters.items())
            out.append((f"{policy.name}({text})" if text else policy.name, policy))
        elif isinstance(policy, Mapping):
            out.append((str(policy.get("name", "?")), policy))
        else:
            out.append((getattr(policy, "__name__", type(policy).__name__), policy))
    return out


def _split(text: str) -> list[str]:
    """At the commas outside of parentheses."""
    out, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            out.append("")
        else:
            out[-1] += letter
    return out


__all__ = ["compare", "run"]
