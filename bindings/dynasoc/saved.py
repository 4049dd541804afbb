"""Results in a directory: what `dynasoc run --out` or `Run.save` left there, as DataFrames and Parquet files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .columns import _declared, with_descriptions
from .errors import InputError
from .files import PathLike

if TYPE_CHECKING:
    import pandas as pd


class SavedLog:
    """One table of a directory. Its columns are called as in the logs of a `Run`; texts are plain text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """Of the file."""

    @property
    def name(self) -> str:
        """jobs, decisions, candidates or timeline."""
        return self.path.stem

    def _frames(self, rows_at_once: int | None) -> Any:
        import pandas as pd

        columns = _declared()[self.name]
        kind = {column["name"]: column["type"] for column in columns}
        # Times as text: a float would lose nanoseconds.
        types: dict[str, Any] = {name: str for name, of in kind.items() if of in ("time", "text")}
        types |= {name: "float64" for name, of in kind.items() if of == "number"}
        types |= {name: "int64" for name, of in kind.items() if of == "integer"}
        header = pd.read_csv(self.path, nrows=0).columns
        # Before 3.1 pandas had to be asked for the nearest double; since then asking is deprecated.
        release = tuple(int(part) for part in pd.__version__.split(".")[:2])
        exact: dict[str, Any] = {"float_precision": "round_trip"} if release < (3, 1) else {}
        return pd.read_csv(
            self.path,
            dtype={name: types.get(name, "float64") for name in header if kind.get(name) != "boolean"},
            keep_default_na=False,
            na_values={name: [""] for name in header if types.get(name) is not str},
            chunksize=rows_at_once or 1_000_000_000,
            **exact,
        )

    def _as_logged(self, frame: pd.DataFrame, several: bool) -> pd.DataFrame:
        import numpy as np

        for column in _declared()[self.name]:
            name = column["name"]
            if name not in frame:
                continue
            if column["type"] == "boolean":
                frame[name] = frame[name].astype(bool)
            if column["type"] == "time":  # nine digits after the point, always
                digits = frame[name].str.replace(".", "", regex=False)
                known = (digits != "").to_numpy()
                nanoseconds = np.full(len(frame), np.iinfo(np.int64).min)
                nanoseconds[known] = digits[known].astype(np.int64)
                if self.name == "timeline":
                    frame[name] = nanoseconds * 1e-9
                else:
                    frame[name] = nanoseconds.view("m8[ns]")
                    frame = frame.rename(columns={name: name.removesuffix("_s")})
        return frame if several else frame.drop(columns="replication")

    def _several(self) -> bool:
        manifest: dict[str, Any] = json.loads((self.path.parent / "manifest.json").read_text(encoding="utf-8"))
        return bool(manifest["replications"] > 1)

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame; with a column `replication` where there are several."""
        import pandas as pd

        frames = [self._as_logged(frame, self._several()) for frame in self._frames(None)]
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def to_parquet(self, path: PathLike) -> Path:
        """Writes a Parquet file (needs pyarrow), a million rows at a time, whose columns say their unit and meaning.
        Returns its path. A file that is there is replaced once the new one is complete."""
        return write_parquet(path, self.name, (self._as_logged(f, self._several()) for f in self._frames(1_000_000)))

    def __repr__(self) -> str:
        return f"<{self.name} in {self.path.parent}>"


class Saved:
    """A directory of results. Complete: one whose run was stopped is refused by `load`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """Of the directory."""

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return content

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
    """Results that `dynasoc run --out` or `Run.save` wrote. Throws InputError for a directory without a manifest.json: a
    run that was stopped, or none."""
    path = Path(directory)
    if not (path / "manifest.json").is_file():
        raise InputError(f"{os.fspath(path)}: holds no results of a run that was finished: there is no manifest.json")
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
