"""The command line in this process: every command that has no function of its own, and what the others are made of."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Union

from . import _core
from .files import json_text

Progress = Callable[[float], None]
Word = Union[str, "os.PathLike[str]", int, float]


def command(*words: Word, good: Sequence[int] = (0,), progress: Progress | None = None) -> str:
    """What `dynasoc WORDS...` prints on its standard output: `dynasoc.command("list", "policies", "--json")`.

    What it warns of becomes warnings. progress: called with the share done. Ctrl-C ends it; whatever is on disk is then
    complete or resumable. Throws InputError, OutsideError and InternalError with the command's own text, and InputError
    for an exit status that is not among `good`.
    """
    status, output, errors = _core.command([os.fspath(w) if isinstance(w, os.PathLike) else str(w) for w in words], progress)
    if status not in good:
        raise _core.InputError(errors.strip() or output.strip() or f"dynasoc {words[0]} ended with status {status}")
    for line in errors.splitlines():
        if line.startswith("warning: "):
            warnings.warn(line.removeprefix("warning: "), stacklevel=3)
    return output


def option(name: str, value: Any) -> list[str]:
    """`--name value`, or nothing where the value is None or False; a flag where it is True."""
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    return [f"--{name}", os.fspath(value) if isinstance(value, os.PathLike) else str(value)]


def settings(changes: Mapping[str, Any] | None) -> list[str]:
    """`--set path=value` for each change."""
    return [word for path, value in (changes or {}).items() for word in ("--set", f"{path}={json_text(value)}")]


def commas(values: str | Iterable[str] | None) -> str | None:
    """What an option takes that wants a list."""
    return values if values is None or isinstance(values, str) else ",".join(values)


def main() -> int:
    """The program `dynasoc` that an installation of this package puts on the PATH."""
    program = _core.program("dynasoc")
    if program is not None:
        os.execv(program, [program, *sys.argv[1:]])
    print("dynasoc: the program is missing from this installation", file=sys.stderr)
    return 3


__all__ = ["command", "main"]
