"""What runs leave behind: summaries as dictionaries, logs as NumPy arrays and DataFrames, comparisons."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from . import _core
from .files import PathLike, Scenario
from .reporting import report

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

OUTCOMES: tuple[str, ...] = _core.outcomes()
"""Names of the codes in the column `outcome` of a job log."""


def _categorical(codes: Any, names: Sequence[str]) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names)))


class Log:
    """Rows of one kind, of one or more replications. `array` looks at the simulator's own memory where it can."""

    _table = ""  # its name in files

    def __init__(self, run: Run, replications: Sequence[int]) -> None:
        self._run = run
        self._replications = list(replications)

    # The rows of a replication as a structured array; and its columns as people want them, by name.
    def _array(self, replication: int) -> np.ndarray[Any, Any]:
        raise NotImplementedError

    def _columns(self, replication: int, rows: slice = slice(None)) -> dict[str, Any]:
        array = self._array(replication)[rows]
        return {name: array[name] for name in array.dtype.names or ()}

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The rows as a read-only structured array, of a single replication: take `run[i]` where there are several."""
        if len(self._replications) != 1:
            raise ValueError(f"the run has {len(self._replications)} replications: take one, as in run[0].jobs.array")
        return self._array(self._replications[0])

    def __len__(self) -> int:
        return sum(len(self._array(r)) for r in self._replications)

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame; with a column `replication` where there are several."""
        import pandas as pd

        frames = [pd.DataFrame(self._columns(r), copy=False) for r in self._replications]
        if len(frames) == 1:
            return frames[0]
        for replication, frame in zip(self._replications, frames):
            frame.insert(0, "replication", replication)
        return pd.concat(frames, ignore_index=True)

    def to_parquet(self, path: PathLike) -> Path:
        """Writes the columns of `to_pandas` to a Parquet file (needs pyarrow), a million rows at a time; the file says
        unit and meaning of each. Returns its path. A file that is there is replaced once the new one is complete."""
        from .saved import write_parquet

        return write_parquet(path, self._table, self._frames(1_000_000))

    def _frames(self, rows_at_once: int) -> Iterator[pd.DataFrame]:
        import pandas as pd

        for replication in self._replications:
            size = len(self._array(replication))
            for begin in range(0, max(size, 1), rows_at_once):
                frame = pd.DataFrame(self._columns(replication, slice(begin, begin + rows_at_once)), copy=False)
                if len(self._replications) > 1:
                    frame.insert(0, "replication", replication)
                yield frame

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} rows>"


class Jobs(Log):
    """A row an inference, in order of completion (frames that never ran where they were given up).

    Columns of `array`: `arrival`, `start`, `end`, `deadline` (timedelta64[ns] since the beginning; NaT where it does not
    apply), `job` (number of the frame), `energy_mj` (above idle; 0 without a result), `isolated_ms` (what it would have taken alone), and the
    codes `app`, `subnet` (0 is L1), `unit`, `outcome` (of OUTCOMES). They are the simulator's memory, not a copy.

    `to_pandas` names the codes and adds `latency_ms` (arrival to result) and `accuracy`, both nan without a result; its
    other columns share the simulator's memory.
    """

    _table = "jobs"

    def _array(self, replication: int) -> np.ndarray[Any, Any]:
        self._run._need("jobs")
        return self._run._core.jobs(replication)

    def _columns(self, replication: int, rows: slice = slice(None)) -> dict[str, Any]:
        import numpy as np

        array = self._array(replication)[rows]
        names = self._run._names
        done = array["end"].view("i8") != np.iinfo(np.int64).min
        latency_ms = (array["end"].view("i8") - array["arrival"].view("i8")) * 1e-6
        latency_ms[~done] = np.nan
        applications = names["applications"]
        most = max(len(app["accuracy"]) for app in applications)
        accuracies = np.full((len(applications), most), np.nan)
        for index, app in enumerate(applications):
            accuracies[index, : len(app["accuracy"])] = app["accuracy"]
        accuracy = accuracies[array["app"], array["subnet"]].astype(np.float32)
        accuracy[~done] = np.nan
        return {
            "app": _categorical(array["app"].astype(np.int16), [app["name"] for app in applications]),
            "job": array["job"],
            "arrival": array["arrival"],
            "start": array["start"],
            "end": array["end"],
            "deadline": array["deadline"],
            "outcome": _categorical(array["outcome"].view("i1"), OUTCOMES),
            "unit": _categorical(array["unit"].astype(np.int16), names["units"]),
            "subnet": _categorical(array["subnet"].astype(np.int16), [f"L{i + 1}" for i in range(most)]),
            "accuracy": accuracy,
            "latency_ms": latency_ms,
            "energy_mj": array["energy_mj"],
            "isolated_ms": array["isolated_ms"],
        }


class TimelineLog(Log):
    """Samples of everything that is worth a plot, every `timeline_ms` of the scenario. Powers are means since the last
    sample. Columns of `array`: `time` (timedelta64[ns]), then numbers; `to_pandas` has `time_s` instead."""

    _table = "timeline"

    def _array(self, replication: int) -> np.ndarray[Any, Any]:
        self._run._need("timeline")
        return self._run._core.timeline(replication)

    def _columns(self, replication: int, rows: slice = slice(None)) -> dict[str, Any]:
        columns = super()._columns(replication, rows)
        return {"time_s": columns.pop("time").view("i8") * 1e-9, **columns}


class _Texts(Log):
    def _raw(self, replication: int) -> dict[str, Any]:
        raise NotImplementedError

    def _columns(self, replication: int, rows: slice = slice(None)) -> dict[str, Any]:
        return {name: column[rows] for name, column in self._raw(replication).items()}

    def _array(self, replication: int) -> np.ndarray[Any, Any]:
        import numpy as np

        columns = self._raw(replication)
        size = len(next(iter(columns.values())))
        kinds = [(name, "O" if isinstance(column, list) else column.dtype) for name, column in columns.items()]
        out = np.empty(size, dtype=kinds)
        for name, column in columns.items():
            out[name] = column
        return out


class Decisions(_Texts):
    """A row a knob written: time, policy (`board` for throttling and power modes), target, knob, from, to, reason,
    margin, decision (number), trigger, binding constraint, slack. Texts make it a copy."""

    _table = "decisions"

    def _raw(self, replication: int) -> dict[str, Any]:
        self._run._need("decisions")
        return self._run._core.decisions(replication)


class Candidates(_Texts):
    """A row a choice that a decision looked at."""

    _table = "candidates"

    def _raw(self, replication: int) -> dict[str, Any]:
        self._run._need("decisions")
        return self._run._core.candidates(replication)


class Replication:
    """One replication of a run."""

    def __init__(self, run: Run, index: int) -> None:
        self.run = run
        self.index = index

    @property
    def jobs(self) -> Jobs:
        """A row an inference."""
        return Jobs(self.run, [self.index])

    @property
    def decisions(self) -> Decisions:
        """A row a knob written."""
        return Decisions(self.run, [self.index])

    @property
    def candidates(self) -> Candidates:
        """A row a choice looked at."""
        return Candidates(self.run, [self.index])

    @property
    def timeline(self) -> TimelineLog:
        """Samples over time."""
        return TimelineLog(self.run, [self.index])

    @property
    def metrics(self) -> dict[str, float]:
        """Every metric of `dynasoc list metrics` that a replication has, by name; nan where it is undefined."""
        return self.run._core.metrics(self.index)

    @property
    def energy_j(self) -> float:
        """Of the whole board, after the warm-up."""
        return self.run._core.energy_j(self.index)

    def why(self, most: int = 40) -> str:
        """The first decisions as text: what changed, why, what bound it, what else was looked at."""
        self.run._need("decisions")
        return self.run._core.why(self.index, most)

    def to_perfetto(self, path: PathLike) -> Path:
        """Writes a trace that Perfetto and chrome://tracing open. Returns its path."""
        for log in ("jobs", "decisions", "timeline"):
            self.run._need(log)
        self.run._core.write_trace(os.fspath(path), self.index)
        return Path(path)

    def __repr__(self) -> str:
        return f"<Replication {self.index} of {self.run!r}>"


class Run(Sequence[Replication]):
    """Replications of one scenario under one manager: `run[0]` is the first; logs of the run hold all of them. It stays in its
    process: what can be sent to another are `summary`, `metrics` and DataFrames."""

    def __init__(self, core: _core.Run) -> None:
        self._core = core
        self._summary: dict[str, Any] | None = None
        self._names_cache: dict[str, Any] | None = None
        self._saved: Path | None = None

    @property
    def _names(self) -> dict[str, Any]:
        if self._names_cache is None:
            self._names_cache = self._core.scenario.names
        return self._names_cache

    def _need(self, log: str) -> None:
        if not getattr(self._core, f"has_{log}"):
            raise ValueError(f"the {log} of this run were not kept: say record=True or record=[{log!r}]")

    @property
    def scenario(self) -> Scenario:
        """What was simulated."""
        return Scenario(self._core.scenario)

    @property
    def policy(self) -> str:
        """Name of the manager."""
        return self._core.policy

    @property
    def policies(self) -> list[Any] | None:
        """The Python policies that ran, by replication, as they were in the end; None for a policy given by name."""
        return self._core.policies

    @property
    def seed(self) -> int:
        """Of all random streams."""
        return self._core.seed

    @property
    def engine(self) -> str:
        """native or simgrid."""
        return self._core.engine

    @property
    def summary(self) -> dict[str, Any]:
        """What `dynasoc run --json` prints; several replications are pooled."""
        if self._summary is None:
            self._summary = self._core.summary()
        return self._summary

    @property
    def metrics(self) -> pd.DataFrame:
        """A row a replication, a column a metric."""
        import pandas as pd

        return pd.DataFrame([self._core.metrics(r) for r in range(len(self))])

    @property
    def jobs(self) -> Jobs:
        """A row an inference, all replications."""
        return Jobs(self, range(len(self)))

    @property
    def decisions(self) -> Decisions:
        """A row a knob written, all replications."""
        return Decisions(self, range(len(self)))

    @property
    def candidates(self) -> Candidates:
        """A row a choice looked at, all replications."""
        return Candidates(self, range(len(self)))

    @property
    def timeline(self) -> TimelineLog:
        """Samples over time, all replications."""
        return TimelineLog(self, range(len(self)))

    def why(self, most: int = 40) -> str:
        """The first decisions of the first replication as text."""
        return self[0].why(most)

    def to_perfetto(self, path: PathLike) -> Path:
        """Writes a trace of the first replication that Perfetto and chrome://tracing open. Returns its path."""
        return self[0].to_perfetto(path)

    def save(self, directory: PathLike, force: bool = False) -> Path:
        """Writes the output directory of `dynasoc run --out`, manifest included. Throws InputError for a directory that
        holds anything, unless `force`. Returns its path."""
        for log in ("jobs", "decisions", "timeline"):
            self._need(log)
        self._core.save(os.fspath(directory), force, ["(Python)"])
        self._saved = Path(directory)
        return self._saved

    def report(self, output: PathLike | None = None, **options: Any) -> Path:
        """One page of the run, from the directory where it was saved last; `options` as of `dynasoc.report`. Returns its
        path."""
        if self._saved is None:
            raise ValueError("a report is made of a directory: save the run first, run.save(directory)")
        return report(self._saved, output, **options)

    def __len__(self) -> int:
        return len(self._core)

    @overload
    def __getitem__(self, index: int) -> Replication: ...
    @overload
    def __getitem__(self, index: slice) -> list[Replication]: ...
    def __getitem__(self, index: int | slice) -> Replication | list[Replication]:
        if isinstance(index, slice):
            return [Replication(self, i) for i in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"the run has replications 0 to {len(self) - 1}, not {index}")
        return Replication(self, at)

    def __iter__(self) -> Iterator[Replication]:
        return (Replication(self, i) for i in range(len(self)))

    def __str__(self) -> str:
        return self._core.text(100)

    def __repr__(self) -> str:
        count = len(self)
        return f"<Run of {self._core.scenario.name!r} under {self.policy}, {count} replication{'s' * (count != 1)}>"


class Comparison:
    """Competing managers on common random numbers: the same arrivals and the same noise for each."""

    def __init__(self, core: _core.Comparison, policies: Sequence[str], baseline: str) -> None:
        self._core = core
        self._json: dict[str, Any] | None = None
        self.policies = list(policies)
        """Labels, in order."""
        self.baseline = baseline
        """Label of the one that the others are compared with."""

    def to_json(self) -> dict[str, Any]:
        """What `dynasoc compare --json` prints."""
        if self._json is None:
            self._json = self._core.to_json()
        return self._json

    def to_pandas(self) -> pd.DataFrame:
        """Tidy: policy, metric, mean, ci95_lo, ci95_hi, delta_mean, delta_ci95_lo, delta_ci95_hi; delta is the paired
        difference to the baseline, nan for the baseline itself."""
        import pandas as pd

        rows = []
        for policy, metrics in self.to_json()["policies"].items():
            for metric, value in metrics.items():
                if not isinstance(value, Mapping) or "mean" not in value:
                    continue
                delta = value.get("delta_vs_baseline") or {}
                lo, hi = value.get("ci95") or (None, None)
                delta_lo, delta_hi = delta.get("ci95") or (None, None)
                rows.append((policy, metric, value["mean"], lo, hi, delta.get("mean"), delta_lo, delta_hi))
        names = ["mean", "ci95_lo", "ci95_hi", "delta_mean", "delta_ci95_lo", "delta_ci95_hi"]
        frame = pd.DataFrame(rows, columns=["policy", "metric", *names])
        frame[names] = frame[names].astype(float)
        return frame

    def values(self, metric: str | None = None) -> pd.DataFrame:
        """By replication, tidy: policy, replication, metric, value. `metric`: one alone, by name."""
        import pandas as pd

        if metric is None:
            import io

            return pd.read_csv(io.StringIO(self._core.csv()))
        frames = []
        for index, policy in enumerate(self.policies):
            values = self._core.values(index, metric)
            frames.append(
                pd.DataFrame(
                    {"policy": policy, "replication": range(len(values)), "metric": metric, "value": values}
                )
            )
        return pd.concat(frames, ignore_index=True)

    def text(
        self,
        metrics: Sequence[str] = (
            "platform.energy_j",
            "run.miss_rate",
            "apps.APP.latency_ms.mean",
            "run.accuracy",
            "run.cost",
        ),
    ) -> str:
        """The table that `dynasoc compare` prints."""
        return self._core.text(list(metrics))

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.policies)} with {self.baseline}>"


__all__: Sequence[str] = [
    "Candidates",
    "Comparison",
    "Decisions",
    "Jobs",
    "Log",
    "OUTCOMES",
    "Replication",
    "Run",
    "TimelineLog",
]
