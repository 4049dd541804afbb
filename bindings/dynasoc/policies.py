"""The simulator's own policies, a class for each: `policies.Pid(reference=0.8)`.

The classes come from the registry that the simulator itself reads; `dynasoc list policies` shows the same. What they
make can stand wherever a policy can: in `run`, `compare`, or as a scenario's `policy`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _core
from .manager import CppPolicy


def class_name(name: str) -> str:
    """`dynamic-ofa` as a class: `DynamicOfa`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[-_.]", name))


def _class_of(entry: dict[str, Any]) -> type[CppPolicy]:
    name: str = entry["name"]
    properties: dict[str, Any] = entry["schema"].get("properties", {})
    required = set(entry["schema"].get("required", []))
    known = [key for key in properties if key != "comment"]

    def __init__(self: CppPolicy, **parameters: Any) -> None:
        for key in parameters:
            if key not in known:
                import difflib

                near = difflib.get_close_matches(key, known, 1)
                hint = f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(known) or 'none'})"
                raise TypeError(f"{class_name(name)} has no parameter {key!r}{hint}")
        CppPolicy.__init__(self, name, **parameters)

    lines = [f"{entry['doc']}.", "", f"Source: {entry['source']}", ""]
    signature = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for key in known:
        described = properties[key]
        default = described.get("default", None)
        lines.append(f"{key} (default {default!r}): {described.get('description', '')}")
        signature.append(
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if key in required else default,
            )
        )
    __init__.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    return type(
        class_name(name), (CppPolicy,), {"__doc__": "\n".join(lines), "__init__": __init__, "__module__": __name__}
    )


_CLASSES: dict[str, type[CppPolicy]] = {
    class_name(entry["name"]): _class_of(entry) for entry in _core.policy_entries() if entry["source"] != "Python"
}
globals().update(_CLASSES)
__all__ = ["class_name", *_CLASSES]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., CppPolicy]: ...
