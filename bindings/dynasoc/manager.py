"""Managers: what a policy is shown, what it answers, and policies written in Python."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import re
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union

from . import _core
from ._core import Application, Decision, Domain, Observation, Sample, Triggers, Unit
from .files import json_text


class Policy:
    """A runtime manager in Python. Subclass it, say when it wants to be asked, and decide:

        class Ladder(dynasoc.Policy):
            triggers = dynasoc.Triggers(completion=True)

            def __init__(self, headroom: float = 0.15) -> None:
                self.headroom = headroom

            def decide(self, seen):
                app = seen.applications[0]
                last = app.last
                if last is None or last.subnet != app.subnet:
                    return None
                if last.missed and app.subnet > 0:
                    return dynasoc.Decision().subnet(app, app.subnet - 1, "missed by {} ms", last.latency_ms)
                return None

    One object serves one run (one replication) or one board and keeps what it has learnt. `decide` must be a function of
    what it was shown and of its own state. An object given to `run` is a prototype: each replication gets a deep copy of
    it (they are in `Run.policies` afterwards). A class is called without arguments for each replication.
    """

    triggers: Triggers | Callable[[], Triggers] = Triggers(completion=True)
    """When it wants to be asked; it is always asked once at the start."""

    compute_cost_us: float = 0.0
    """Compute time of one decision [us], charged to the unit that the manager runs on: the writes take effect when it is
    done, and triggers until then are not asked about."""

    def decide(self, seen: Observation) -> Decision | None:
        """Knob writes, or None. `seen` is valid during this call only: keep its numbers, not the object."""
        raise NotImplementedError


class CppPolicy:
    """One of the simulator's own policies with its parameters; `dynasoc.policies` has a class for each."""

    name: str
    parameters: dict[str, Any]

    def __init__(self, name: str, **parameters: Any) -> None:
        self.name = name
        self.parameters = {key: value for key, value in parameters.items() if value is not None}

    def to_json(self) -> Any:
        """As a scenario's `policy` says it."""
        return {"name": self.name, **self.parameters} if self.parameters else self.name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.parameters.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CppPolicy) and (self.name, self.parameters) == (other.name, other.parameters)

    def __hash__(self) -> int:
        return hash((self.name, json.dumps(self.parameters, sort_keys=True, default=str)))


PolicyLike = Union[str, Mapping[str, Any], CppPolicy, Policy, "type[Policy]", Callable[[], Policy]]


def made(policy: Any) -> Any:
    """One of dynasoc.policies given as a class becomes one with its defaults; all else stays."""
    if isinstance(policy, type) and issubclass(policy, CppPolicy):
        make: Callable[[], CppPolicy] = policy  # those of dynasoc.policies know their name
        return make()
    return policy


def is_python(policy: object) -> bool:
    """Whether it is a policy whose rule is Python's."""
    return isinstance(policy, Policy) or (callable(policy) and not isinstance(policy, (str, Mapping, CppPolicy)))


def policy_text(policy: PolicyLike) -> str:
    """A C++ policy as JSON, as a scenario's `policy` would say it, or as the name of a file that does. Throws TypeError for a
    policy in Python."""
    if isinstance(policy, CppPolicy):
        return json_text(policy.to_json())
    if isinstance(policy, Mapping):
        return json_text(dict(policy))
    if isinstance(policy, str):
        return policy if policy.endswith(".json") else json.dumps(policy)
    raise TypeError(f"a policy is a name, a dictionary, one of dynasoc.policies or one in Python, not {policy!r}")


def kebab(name: str) -> str:
    """`HalveOnMiss` as files call it: `halve-on-miss`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


_TYPES: dict[Any, str] = {int: "integer", float: "number", bool: "boolean", str: "string"}


def _schema_of(make: Callable[..., Any]) -> dict[str, Any]:
    """Parameters of a class's __init__ (or of a function) as a JSON schema."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    target = make.__init__ if isinstance(make, type) else make  # type: ignore[misc]
    try:
        hints = typing.get_type_hints(target)
        signature = inspect.signature(make)
    except (NameError, TypeError, ValueError):
        return {"type": "object", "properties": {}}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        entry: dict[str, Any] = {}
        kind = _TYPES.get(hints.get(name))
        if kind:
            entry["type"] = kind
        default = parameter.default
        if default is parameter.empty:
            required.append(name)
        elif isinstance(default, (int, str, bool)) or (isinstance(default, float) and math.isfinite(default)):
            entry["default"] = default
        properties[name] = entry
    out: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        out["required"] = required
    return out


_REGISTERED: dict[str, Registered] = {}

P = TypeVar("P", bound=Callable[..., Any])


def register(make: P, name: str | None = None, version: str | None = None) -> P:
    """Makes a Python policy known by name to scenario files, `compare`, `sweep` and `explore` in this process, with the
    parameters of its `__init__`. Also a decorator. Returns `make`.

    `name`: default the class's, HalveOnMiss becoming halve-on-miss. Registering a name again replaces it; the
    simulator's own policies cannot be replaced (InputError). `version`: tells one state of its code from another, so that a
    sweep does not take results of the one for the other's; default: a hash of its source, which knows nothing of what the
    source calls.
    """
    called = name or kebab(getattr(make, "__name__", type(make).__name__))
    _REGISTERED[called] = Registered(make, introduce(make, called, version))
    return make


def introduce(make: Callable[..., Any], name: str, version: str | None = None) -> str:
    """Makes a policy known to the simulator alone: who asks for those registered (a sweep's worker processes, for instance)
    does not hear of it. Returns its version."""
    doc = (inspect.getdoc(make) or "a policy in Python").strip().split("\n")[0]
    stated = version or _version_of(make)
    _core.register_policy(name, doc, make, json.dumps(_schema_of(make)), stated)
    return stated


class Registered(typing.NamedTuple):
    """A policy in Python that is known by name."""

    make: Callable[..., Any]
    version: str


def registered() -> dict[str, Registered]:
    """The policies in Python that are known by name."""
    return dict(_REGISTERED)


def _version_of(make: Callable[..., Any]) -> str:
    """Tells one state of a policy's source from another, so that sweeps do not take results of the one for the other's."""
    members = dict(vars(make)) if isinstance(make, type) else {"": make}
    functions = [value for value in members.values() if inspect.isfunction(value)]
    try:
        if not functions or any(set(f.__code__.co_freevars) - {"__class__"} for f in functions):
            raise TypeError("what it closes over is not in its source")
        # By function: a notebook's classes have no file, but their methods have their lines.
        source = "".join(inspect.getsource(f) + repr(f.__defaults__) + repr(f.__kwdefaults__) for f in functions)
    except (OSError, TypeError):
        return uuid.uuid4().hex  # nobody can tell: nothing is taken over
    simple = {key: value for key, value in members.items() if isinstance(value, (bool, int, float, str, tuple))}
    return hashlib.sha256((source + repr(sorted(simple.items()))).encode()).hexdigest()[:16]


def entries() -> list[dict[str, Any]]:
    """Every policy there is: name, doc, source, schema of its parameters."""
    return _core.policy_entries()


def governors() -> list[dict[str, Any]]:
    """Every frequency governor there is: name, doc, source, schema of its parameters."""
    return _core.governor_entries()


__all__ = [
    "Application",
    "CppPolicy",
    "Decision",
    "Domain",
    "Observation",
    "Policy",
    "Registered",
    "Sample",
    "Triggers",
    "Unit",
    "entries",
    "governors",
    "register",
    "registered",
]
