"""Latency/energy tables: what `dynasoc table ...` does, with DataFrames in and out."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from .commands import command, option
from .files import Network, PathLike

if TYPE_CHECKING:
    import pandas as pd

TableLike = Union[PathLike, Network]


def _path(table: TableLike) -> str:
    return os.fspath(table.path) if isinstance(table, Network) else os.fspath(table)


def _frame(text: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(io.StringIO(text))


def _written(words: Sequence[str], output: PathLike | None, force: bool, good: Sequence[int] = (0,)) -> pd.DataFrame:
    """Runs a subcommand that writes a table, and reads that."""
    if output is None:
        return _frame(command("table", *words, good=good))
    command("table", *words, "--output", output, *option("force", force), good=good)
    return _frame(Path(output).read_text(encoding="utf-8"))


def show(table: TableLike, name: str | None = None, unit: str | None = None) -> pd.DataFrame:
    """A row a cell: sub-network, unit, clocks [MHz], latency [ms], energy [mJ], provenance and source.

    table: a file, a network, or a network's name; name: which table of the network (default: its first). Throws
    InputError.
    """
    import pandas as pd

    words = [*option("table", name), *option("unit", unit), "--json"]
    return pd.DataFrame(json.loads(command("table", "show", _path(table), *words))["cells"])


def fit(table: TableLike, p: float | None = None) -> dict[str, Any]:
    """How latency follows clocks and cores, by group: coefficients with intervals, residuals, cross-validated error.

    Errors and shares are fractions. p: holds the overlap at this value (1 to 64). Throws InputError.
    """
    answer: dict[str, Any] = json.loads(command("table", "fit", _path(table), *option("p", p), "--json"))
    return answer


def fill(
    network: TableLike,
    platform: PathLike | None = None,
    name: str | None = None,
    output: PathLike | None = None,
    force: bool = False,
) -> pd.DataFrame:
    """The table with the cells that it lacks, at every operating point, marked derived. Throws InputError."""
    words = ["fill", _path(network), *option("table", name), *option("platform", platform)]
    return _written(words, output, force)


def merge(
    *tables: TableLike,
    output: PathLike | None = None,
    tolerance: float | None = None,
    allow_mixed: bool = False,
    force: bool = False,
) -> pd.DataFrame:
    """Pools several measurements of the same cells; where they disagree by more than `tolerance` (a fraction), a warning
    says so. Throws InputError."""
    words = ["merge", *map(_path, tables), *option("tolerance", tolerance), *option("allow-mixed", allow_mixed)]
    return _written(words, output, force, good=(0, 1))


def lint(
    *tables: TableLike, rule: str | Sequence[str] = (), accept: PathLike | None = None
) -> list[dict[str, Any]]:
    """What is suspicious: rule, severity, file, rows (as an editor counts them), message. Throws InputError."""
    rules = [rule] if isinstance(rule, str) else rule
    words = [*map(_path, tables), *(word for one in rules for word in option("rule", one)), *option("accept", accept)]
    findings: list[dict[str, Any]] = json.loads(command("table", "lint", *words, "--json", good=(0, 1)))["findings"]
    return findings


def import_(
    form: str, *inputs: PathLike, output: PathLike | None = None, force: bool = False, **options: Any
) -> pd.DataFrame:
    """Published numbers, or your own samples, as a table; `dynasoc table import --help` has the forms and their options.

        table.import_("samples", "log.csv", skip=10, source="which board, clocks, versions, date", meter="which rail")

    Throws InputError.
    """
    words = ["import", form, *(os.fspath(one) for one in inputs)]
    for key, value in options.items():
        words += option(key, value)
    return _written(words, output, force)


def power(recipe: PathLike, write: bool = False) -> dict[str, Any]:
    """A platform's power points from measured rows, and how well they predict what they have not seen. Throws InputError."""
    answer: dict[str, Any] = json.loads(
        command("table", "power", recipe, *option("write", write), "--json", good=(0, 1))
    )
    return answer


__all__ = ["fill", "fit", "import_", "lint", "merge", "power", "show"]
