"""DynaSoC: a simulator and design-space explorer for runtime managers of dynamic DNNs on embedded boards.

    import dynasoc

    run = dynasoc.run("claims/gpu-sharing")
    print(run.summary["apps"]["classifier"]["latency_ms"]["mean"])
    run.jobs.to_pandas()

The modules mirror the simulator's layers: `files` (scenarios, platforms, networks) and `table`, `manager` and `policies`,
`running`, `results` and `reporting`, `exploring` and `distributed`, `board`, `trace`, `checks`, `commands`, and beside them `gym` and `plot`. Everything here is imported when it is first
used: NumPy, pandas, matplotlib and gymnasium are needed only by what uses them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _core
from ._core import InputError, InternalError, OutsideError
from .checks import check, lint, listing, rank, schema
from .commands import command
from .exploring import Exploration, Search, Sweep, explore, merge, search, sweep
from .files import Network, Platform, Record, Scenario
from .manager import Application, Decision, Domain, Observation, Policy, Sample, Triggers, Unit, register
from .reporting import report
from .results import Candidates, Comparison, Decisions, Jobs, Replication, Run, TimelineLog
from .running import compare, run
from .saved import Saved, load

__version__: str = _core.__version__

_MODULES = ("board", "distributed", "gym", "plot", "policies", "table", "trace")

if TYPE_CHECKING:
    from . import board as board
    from . import distributed as distributed
    from . import gym as gym
    from . import plot as plot
    from . import policies as policies
    from . import table as table
    from . import trace as trace


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])


__all__ = [
    "Application",
    "Candidates",
    "Comparison",
    "Decision",
    "Decisions",
    "Domain",
    "Exploration",
    "InputError",
    "InternalError",
    "Jobs",
    "Network",
    "Observation",
    "OutsideError",
    "Platform",
    "Policy",
    "Record",
    "Replication",
    "Run",
    "Sample",
    "Saved",
    "Scenario",
    "Search",
    "Sweep",
    "TimelineLog",
    "Triggers",
    "Unit",
    "check",
    "command",
    "compare",
    "explore",
    "lint",
    "listing",
    "load",
    "merge",
    "rank",
    "register",
    "report",
    "run",
    "schema",
    "search",
    "sweep",
]
