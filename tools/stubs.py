#!/usr/bin/env python3
"""Writes the type stubs of dynasoc._core, from the signatures that the module itself gives (pybind11-stubgen).

    tools/stubs.py [--output bindings/dynasoc/_core.pyi]

The module is the one that `import dynasoc` finds; in a source tree without an installed package, that in bindings/.
"""
from __future__ import annotations

import argparse
import logging
import pathlib
import sys
import types
from typing import Any, Optional

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAME = "dynasoc._core"


def module() -> types.ModuleType:
    """dynasoc._core, its exceptions among its own classes: they call themselves dynasoc's."""
    try:
        import dynasoc._core as core
    except ModuleNotFoundError:
        sys.path.append(str(ROOT / "bindings"))
        import dynasoc._core as core
    for value in vars(core).values():
        if isinstance(value, type) and issubclass(value, Exception):
            value.__module__ = NAME
    return core


def stubs() -> str:
    """The text of the stub file. Throws RuntimeError for a signature that no checker could read."""
    from pybind11_stubgen import CLIArgs, arg_parser, stub_parser_from_args
    from pybind11_stubgen.printer import Printer
    from pybind11_stubgen.structs import QualifiedName

    problems: list[str] = []

    class Problems(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            problems.append(record.getMessage())

    handler = Problems(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        parser: Any = stub_parser_from_args(arg_parser().parse_args([NAME], namespace=CLIArgs()))
        parsed = parser.handle_module(QualifiedName.from_str(NAME), module())
        parser.finalize()
    finally:
        logging.getLogger().removeHandler(handler)
    if problems:
        raise RuntimeError("\n".join(problems))
    for attribute in parsed.attributes:
        if attribute.name != "__all__":
            attribute.value = None  # versions: they change by themselves
    lines = Printer(invalid_expr_as_ellipses=False).print_module(parsed)
    return "# Made by tools/stubs.py from the module itself.\n" + "\n".join(line.rstrip() for line in lines) + "\n"


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "bindings" / "dynasoc" / "_core.pyi")
    given = parser.parse_args(arguments)
    given.output.write_text(stubs(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
