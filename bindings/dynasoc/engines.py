"""The reference engine. SimGrid allows one simulation a process, so that it runs in a child and its records come back."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from . import _core
from .commands import command
from .files import Scenario, json_text
from .manager import PolicyLike, is_python, policy_text
from .results import Run


def run_with_simgrid(
    scenario: Scenario,
    policy: PolicyLike | None,
    seed: int | None,
    replications: int,
    jobs: int,
    logs: tuple[bool, bool, bool],
    progress: Callable[[float], None] | None,
) -> Run:
    """Runs a scenario on SimGrid. Throws InputError for a policy in Python, which lives in this process."""
    if policy is not None and is_python(policy):
        raise _core.InputError("engine simgrid: runs in a process of its own, where there is no policy in Python")
    if policy is not None:
        text = policy_text(policy)
        scenario = scenario.copy(policy=json.loads(Path(text).read_text() if text.endswith(".json") else text))
    if seed is not None:
        scenario = scenario.copy(seed=seed)
    with tempfile.TemporaryDirectory(prefix="dynasoc-") as folder:
        request = Path(folder) / "manifest.json"
        records = Path(folder) / "records"
        request.write_text(
            json_text(
                {
                    "manifest_version": 1,
                    "engine": "simgrid",
                    "seed": scenario.seed,
                    "replications": replications,
                    "folder": os.path.relpath(scenario.folder.resolve(), Path(folder).resolve()),
                    "inputs": [],
                    "scenario_name": scenario.name,
                    "scenario": scenario.to_json(),
                }
            ),
            encoding="utf-8",
        )
        command("run", request, "--quiet", "--jobs", jobs, "--records", records, progress=progress)
        return Run(_core.run_of_records(scenario._core, str(records), "simgrid", *logs))
