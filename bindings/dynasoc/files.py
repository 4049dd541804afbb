"""Scenarios, platforms and networks as objects: attributes for every field, copies with changes, JSON out and in."""

from __future__ import annotations

import copy as _copy
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Union

from . import _core

PathLike = Union[str, "os.PathLike[str]"]


def plain(value: Any) -> Any:
    """What `json` cannot write, as something it can: NumPy's numbers and arrays, paths, our own objects."""
    if hasattr(value, "to_json"):
        return value.to_json()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (Record, Mapping)):
        return dict(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (set, frozenset, range)):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def json_text(value: Any) -> str:
    """JSON of a value, which may hold NumPy numbers, paths and objects with `to_json`."""
    try:
        return json.dumps(value, indent=2, default=plain, allow_nan=False)
    except ValueError as error:
        raise _core.InputError(f"cannot be written as JSON: {error}") from None


class Record(Mapping[str, Any]):
    """A JSON object whose members are attributes too: `network.subnets[0].accuracy`. Read-only."""

    __slots__ = ("_data",)

    def __init__(self, data: dict[str, Any]) -> None:
        object.__setattr__(self, "_data", data)

    def __getitem__(self, key: str) -> Any:
        return wrap(self._data[key])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _member(self._data, name, "record")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("read-only: use copy() of the object that it came from")

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._data]

    def __repr__(self) -> str:
        return f"Record({self._data!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Record, (self._data,))

    def to_json(self) -> dict[str, Any]:
        """A copy as plain dictionaries and lists."""
        return _copy.deepcopy(self._data)


def wrap(value: Any) -> Any:
    """Objects as records, lists of them likewise."""
    if isinstance(value, dict):
        return Record(value)
    if isinstance(value, list):
        return [wrap(member) for member in value]
    return value


def _member(data: Mapping[str, Any], name: str, what: str) -> Any:
    try:
        return wrap(data[name])
    except KeyError:
        import difflib

        near = difflib.get_close_matches(name, list(data), 1)
        hint = f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(data)})"
        raise AttributeError(f"the {what} has no field {name!r}{hint}") from None


def overrides_of(changes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Changes as the command line's `--set`: dotted path and JSON."""
    return [(path, json_text(value)) for path, value in changes.items()]


class File:
    """What scenarios, platforms and networks have in common."""

    _what = "file"
    _data: dict[str, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name != "path":
            raise AttributeError(f"a {self._what} is read-only: use copy({name}=...)")
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _member(self._data, name, self._what)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._data]

    def to_json(self) -> dict[str, Any]:
        """The file as plain dictionaries and lists."""
        raise NotImplementedError

    def save(self, path: PathLike) -> Path:
        """Writes the file, replacing one that is there. Returns its path."""
        to = Path(path)
        partial = to.with_name(to.name + ".partial")
        partial.write_text(json_text(self.to_json()) + "\n", encoding="utf-8")
        partial.replace(to)
        return to


class Scenario(File):
    """A scenario, all names resolved. Every field of the file is an attribute, defaults filled in:
    `scenario.duration_s`, `scenario.applications["camera"].weight`.

    Immutable: `copy` gives another one with changes. Throws InputError for anything wrong in it.
    """

    _what = "scenario"

    def __init__(self, core: _core.Scenario) -> None:
        self._core = core
        self._fields: dict[str, Any] | None = None

    @property
    def _data(self) -> dict[str, Any]:  # type: ignore[override]
        if self._fields is None:
            self._fields = self._core.fields()
        return self._fields

    @classmethod
    def from_file(cls, path: PathLike, set: Mapping[str, Any] | None = None) -> Scenario:
        """Reads a scenario file, the name of one that `dynasoc list scenarios` knows, or a run's manifest.json.

        `set`: changes by dotted path, `{"applications.camera.weight": 2}`, as `--set` of the command line.
        """
        return cls(_core.scenario_from_file(_core.find("scenario", os.fspath(path)), overrides_of(set or {})))

    @classmethod
    def from_json(cls, data: Mapping[str, Any], folder: PathLike = ".", name: str = "scenario") -> Scenario:
        """The same from dictionaries and lists; names of files in it count from `folder`."""
        return cls(_core.scenario_from_text(json_text(data), os.fspath(folder), name, []))

    def copy(self, set: Mapping[str, Any] | None = None, **changes: Any) -> Scenario:
        """Another scenario: `changes` by field, `set` by dotted path. What a change does not name stays."""
        data = self._core.document()
        data.setdefault("name", self._core.name)
        for key, value in changes.items():
            data[key] = value
        return Scenario(
            _core.scenario_from_text(
                json_text(data), self._core.folder, str(data.get("name") or "scenario"), overrides_of(set or {})
            )
        )

    def to_json(self) -> dict[str, Any]:
        """The file with includes and changes, without defaults."""
        return self._core.document()

    @property
    def folder(self) -> Path:
        """From which names in it are resolved."""
        return Path(self._core.folder)

    @property
    def inputs(self) -> list[Path]:
        """Every file that was read."""
        return [Path(one) for one in self._core.inputs]

    @property
    def warnings(self) -> list[str]:
        """What is not wrong, and worth knowing."""
        return self._core.warnings

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that a replication of it has."""
        return self._core.metrics

    def __repr__(self) -> str:
        return f"Scenario({self._core.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_scenario_again, (self.to_json(), self._core.folder, self._core.name))


def _scenario_again(data: dict[str, Any], folder: str, name: str) -> Scenario:
    return Scenario.from_json({"name": name, **data}, folder, name)


D = TypeVar("D", bound="_DataFile")


class _DataFile(File):
    """A file that scenarios name."""

    path: Path

    def __init__(self, data: Mapping[str, Any], path: PathLike = ".") -> None:
        self._data = _copy.deepcopy(dict(data))
        self.path = Path(path)

    @staticmethod
    def _read(path: str) -> dict[str, Any]:
        raise NotImplementedError

    @classmethod
    def from_file(cls: type[D], path: PathLike) -> D:
        """Reads a file, or the name of one that `dynasoc list` knows. Throws InputError."""
        found = _core.find(cls._what, os.fspath(path))
        return cls(cls._read(found), found)

    def copy(self: D, **changes: Any) -> D:
        """Another one with changed fields. It is checked when it is saved and used."""
        return type(self)({**self._data, **changes}, self.path)

    def to_json(self) -> dict[str, Any]:
        return _copy.deepcopy(self._data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._data.get('name')!r})"


class Platform(_DataFile):
    """A board: units, frequency domains, power, thermal network, sensors. Every field of the file is an attribute."""

    _what = "platform"
    _read = staticmethod(_core.platform)


class Network(_DataFile):
    """A dynamic DNN: its sub-networks in order, its tables. Every field of the file is an attribute. `from_file` takes the
    folder of a network.json too."""

    _what = "network"
    _read = staticmethod(_core.network)


ScenarioLike = Union[Scenario, PathLike, Mapping[str, Any]]


def scenario_of(given: ScenarioLike, folder: PathLike = ".") -> Scenario:
    """A scenario from whatever names one: an object, a path, a known name, dictionaries."""
    if isinstance(given, Scenario):
        return given
    if isinstance(given, Mapping):
        return Scenario.from_json(given, folder)
    return Scenario.from_file(given)


__all__: Sequence[str] = ["File", "Network", "Platform", "Record", "Scenario"]
