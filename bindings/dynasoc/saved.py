"""Results in a directory: what `dynasoc run --out` or `Run.save` left there, as DataFrames and Parquet files."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from .columns import _declared, quoted, with_descriptions, wrong
from .errors import InputError
from .files import PathLike

if TYPE_CHECKING:
    import pandas as pd


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():  # a pipe would wait for somebody to write to it
            raise InputError(f"{path}: is not a file")
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _json_object(path: Path) -> dict[str, Any]:
    with _opened(path) as file:
        text = file.read()
    try:
        content = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{path}: not valid UTF-8") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}:{error.colno}: not JSON, or cut: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a JSON object")
    return content


def _rows(path: Path) -> Iterator[tuple[int, bytes, bool]]:
    """The rows of a CSV file as they stand there: number of the first line, bytes, whether there are quotes. A row goes
    over several lines where a quoted cell does; empty lines are none."""
    with _opened(path) as file:
        parts: list[bytes] = []
        first, quotes = 0, 0
        for number, line in enumerate(file, 1):
            if not parts and b'"' not in line:  # nearly all
                if len(line) > 2 or line not in (b"\n", b"\r\n"):
                    yield number, line, False
                continue
            first = first if parts else number
            parts.append(line)
            quotes += line.count(b'"')
            if quotes % 2 == 0:
                yield first, b"".join(parts), True
                parts = []
        if parts:
            raise InputError(f"{path}:{first}:1: row: a quote that is opened in this row is never closed")


def _cells(path: Path, line: int, row: bytes) -> list[str]:
    try:
        return next(csv.reader([row.decode("utf-8")], strict=True))
    except UnicodeDecodeError:
        raise InputError(f"{path}:{line}:1: row: not valid UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path}:{line}:1: row: {error}") from None


def _checked_header(path: Path, table: str) -> list[str]:
    """The columns of a CSV file, once it is sure that they are those of the table, and that each row has as many cells:
    pandas fills up those that are missing. Counts bytes; a million rows take a fraction of what reading them does."""
    header: list[str] = []
    row = b""
    line = 1
    for line, row, has_quotes in _rows(path):
        if not header:
            try:
                header = _cells(path, line, row)
            except InputError:  # of a row; this one is the header
                raise InputError(f"{path}:{line}:1: header: not valid UTF-8, or not CSV") from None
            fault = wrong(table, header)
            if fault:
                raise InputError(f"{path}:{line}:1: header: {fault}")
            continue
        count = len(_cells(path, line, row)) if has_quotes else row.count(b",") + 1
        if count != len(header):
            raise InputError(f"{path}:{line}:1: row: the row has {count} cells, the header {len(header)}")
        if not row.isascii():
            _cells(path, line, row)
    if not header:
        raise InputError(f"{path}:1:1: header: the file is empty; a line with the columns' names is expected")
    if not row.endswith(b"\n"):  # has all its cells, but the last may lack digits
        raise InputError(f"{path}:{line}:1: row: does not end with a line end: cut?")
    return header


def _fault(cell: str, kind: str) -> str | None:
    """What is wrong with a cell of a column of this type; None if nothing is."""
    if kind == "time" and cell and not re.fullmatch(r"[0-9]{1,9}\.[0-9]{9}", cell, re.ASCII):
        return f"{quoted(cell)} is not a time in s with nine digits after the point"
    if kind == "integer" and not (re.fullmatch("-?[0-9]+", cell, re.ASCII) and abs(int(cell[:25])) < 2**63):
        return f"{quoted(cell)} is not a whole number"
    if kind == "boolean" and cell not in ("0", "1"):
        return f"{quoted(cell)} is not 0 or 1"
    if kind == "number" and cell:
        try:
            math.isnan(float(cell))
        except ValueError:
            return f"{quoted(cell)} is not a number"
    return None


class SavedLog:
    """One table of a directory. Its columns are called as in the logs of a `Run`; texts are plain text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """Of the file."""

    @property
    def name(self) -> str:
        """jobs, decisions, candidates or timeline."""
        return self.path.stem

    def _read(self, rows_at_once: int | None) -> Iterator[pd.DataFrame]:
        import pandas as pd

        header = _checked_header(self.path, self.name)
        kind = {column["name"]: column["type"] for column in _declared()[self.name]}
        # Times as text: a float would lose nanoseconds.
        of_kind = {"time": str, "text": str, "integer": "int64", "boolean": "int64", "number": "float64"}
        types: dict[str, Any] = {name: of_kind[kind.get(name, "number")] for name in header}
        # Before 3.1 pandas had to be asked for the nearest double; since then asking is deprecated.
        release = tuple(int(part) for part in pd.__version__.split(".")[:2])
        exact: dict[str, Any] = {"float_precision": "round_trip"} if release < (3, 1) else {}
        several = self._several()
        with pd.read_csv(
            self.path,
            dtype=types,
            keep_default_na=False,
            na_values={name: [""] for name in header if types[name] is not str},
            chunksize=rows_at_once or 1_000_000_000,
            **exact,
        ) as reader:
            for frame in reader:
                yield self._as_logged(frame, several)

    def _frames(self, rows_at_once: int | None) -> Iterator[pd.DataFrame]:
        frames = self._read(rows_at_once)
        while True:
            try:
                frame = next(frames, None)
            except InputError:
                raise
            except (ValueError, OverflowError) as error:
                raise self._wrong_cell(error) from None
            if frame is None:
                return
            yield frame

    def _wrong_cell(self, error: Exception) -> InputError:
        """Where the cell is that could not be read, which pandas does not say."""
        kind = {column["name"]: column["type"] for column in _declared()[self.name]}
        header: list[str] = []
        for line, row, _ in _rows(self.path):
            cells = _cells(self.path, line, row)
            if not header:
                header = cells
                continue
            for name, cell in zip(header, cells):
                fault = _fault(cell, kind.get(name, "number"))
                if fault:
                    return InputError(f"{self.path}:{line}: {name}: {fault}")
        return InputError(f"{self.path}: cannot be read: {' '.join(str(error).split())}")

    def _as_logged(self, frame: pd.DataFrame, several: bool) -> pd.DataFrame:
        import numpy as np

        for column in _declared()[self.name]:
            name = column["name"]
            if name not in frame:
                continue
            if column["type"] == "boolean":
                if not frame[name].isin((0, 1)).all():
                    raise ValueError(f"{name}: not 0 or 1")
                frame[name] = frame[name].astype(bool)
            if column["type"] == "time":  # nine digits after the point, always
                digits = frame[name].str.replace(".", "", regex=False)
                known = (digits != "").to_numpy()
                if not (frame[name][known].str.get(-10) == ".").all():
                    raise ValueError(f"{name}: not nine digits after the point")
                nanoseconds = np.full(len(frame), np.iinfo(np.int64).min)
                nanoseconds[known] = digits[known].astype(np.int64)
                if self.name == "timeline":
                    frame[name] = nanoseconds * 1e-9
                else:
                    frame[name] = nanoseconds.view("m8[ns]")
                    frame = frame.rename(columns={name: name.removesuffix("_s")})
        return frame if several else frame.drop(columns="replication")

    def _several(self) -> bool:
        path = self.path.parent / "manifest.json"
        count = _json_object(path).get("replications")
        if not isinstance(count, int):
            raise InputError(f"{path}: /replications: how many there are is expected")
        return count > 1

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame; with a column `replication` where there are several. Throws InputError for a file that is missing,
        cut or not this table."""
        import pandas as pd

        frames = list(self._frames(None))
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def to_parquet(self, path: PathLike) -> Path:
        """Writes a Parquet file (needs pyarrow), a million rows at a time, whose columns say their unit and meaning.
        Returns its path. A file that is there is replaced once the new one is complete. Throws InputError as
        `to_pandas`, and writes nothing then."""
        return write_parquet(path, self.name, self._frames(1_000_000))

    def __repr__(self) -> str:
        return f"<{self.name} in {self.path.parent}>"


class Saved:
    """A directory of results. Complete: one whose run was stopped is refused by `load`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """Of the directory."""

    def _json(self, name: str) -> dict[str, Any]:
        return _json_object(self.path / name)

    @property
    def manifest(self) -> dict[str, Any]:
        """What is needed to make the run again."""
        return self._json("manifest.json")

    @property
    def summary(self) -> dict[str, Any]:
        """What `dynasoc run --json` printed."""
        return self._json("summary.json")

    @property
    def jobs(self) -> SavedLog:
        """A row an inference, all replications."""
        return SavedLog(self.path / "jobs.csv")

    @property
    def decisions(self) -> SavedLog:
        """A row a knob written, all replications."""
        return SavedLog(self.path / "decisions.csv")

    @property
    def candidates(self) -> SavedLog:
        """A row a choice looked at, all replications."""
        return SavedLog(self.path / "candidates.csv")

    @property
    def timeline(self) -> SavedLog:
        """Samples over time, all replications."""
        return SavedLog(self.path / "timeline.csv")

    def to_parquet(self, directory: PathLike | None = None) -> list[Path]:
        """Writes jobs.parquet, decisions.parquet, candidates.parquet and timeline.parquet beside the files that they
        are made of, or into another directory. Returns their paths."""
        to = self.path if directory is None else Path(directory)
        to.mkdir(parents=True, exist_ok=True)
        logs = (self.jobs, self.decisions, self.candidates, self.timeline)
        return [log.to_parquet(to / f"{log.name}.parquet") for log in logs]

    def __repr__(self) -> str:
        return f"<Results in {self.path}>"


def load(directory: PathLike) -> Saved:
    """Results that `dynasoc run --out` or `Run.save` wrote. Throws InputError for a directory without a manifest.json (a
    run that was stopped, or none) or with one that is cut. Tables are looked at when they are read, not here."""
    path = Path(directory)
    if not (path / "manifest.json").is_file():
        raise InputError(f"{os.fspath(path)}: holds no results of a run that was finished: there is no manifest.json")
    _json_object(path / "manifest.json")
    return Saved(path)


def write_parquet(path: PathLike, table: str, frames: Any) -> Path:
    """DataFrames, one after another, as a Parquet file with described columns. Complete or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    to = Path(path)
    partial = to.with_name(to.name + ".partial")
    writer = None
    try:
        for frame in frames:
            rows = pa.Table.from_pandas(frame, preserve_index=False)
            if writer is None:
                writer = pq.ParquetWriter(os.fspath(partial), with_descriptions(rows.schema, table))
            writer.write_table(rows.cast(writer.schema))
        if writer is None:
            raise ValueError("there is nothing to write")
        writer.close()
    except BaseException:
        if writer is not None:
            writer.close()
        partial.unlink(missing_ok=True)
        raise
    partial.replace(to)
    return to


__all__ = ["Saved", "SavedLog", "load"]
