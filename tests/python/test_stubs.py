"""The stubs are what the module says, the package is typed throughout, and a checker finds a user's mistakes."""
from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys
import textwrap

import pytest

import dynasoc
from dynasoc import _core

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = pathlib.Path(dynasoc.__file__).resolve().parent
STUBS = ROOT / "bindings" / "dynasoc" / "_core.pyi"


def environment() -> dict[str, str]:
    """For checkers: a source tree is not installed."""
    more = {"MYPYPATH": str(PACKAGE.parent)} if PACKAGE.parent == ROOT / "bindings" else {}
    return {**os.environ, **more}


def mypy(*arguments: object) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mypy")
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", ROOT / "build" / "mypy", *arguments]
    command = [str(word) for word in words]
    return subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False)


def test_stubs_are_those_of_the_module(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("pybind11_stubgen")
    again = tmp_path / "_core.pyi"
    subprocess.run([sys.executable, ROOT / "tools" / "stubs.py", "--output", again], cwd=ROOT, check=True)
    message = "tools/stubs.py makes them anew"
    assert again.read_text(encoding="utf-8").splitlines() == STUBS.read_text(encoding="utf-8").splitlines(), message


def test_stubs_come_with_the_package_and_name_all_there_is() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert (PACKAGE / "_core.pyi").read_text(encoding="utf-8") == STUBS.read_text(encoding="utf-8")
    tree = ast.parse(STUBS.read_text(encoding="utf-8"))
    named = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    named |= {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
    assert {name for name in vars(_core) if not name.startswith("_")} <= named


def enumerators(header: str, name: str) -> list[str]:
    """Of an enumeration in a C++ header, in order."""
    text = (ROOT / "sim" / header).read_text(encoding="utf-8")
    found = re.search(rf"enum class {name} [^{{]*{{(.*?)}};", text, re.DOTALL)
    assert found
    return re.findall(r"\w+", re.sub(r"//[^\n]*", "", found.group(1)))


@pytest.mark.parametrize(
    ("header", "name", "start"),
    [("manager/observation.hpp", "Trigger", "start"), ("manager/decision.hpp", "Constraint", "none")],
)
def test_literals_are_the_names_of_enumerations(header: str, name: str, start: str) -> None:
    literals = set(re.findall(rf"Literal\[('{start}'[^\]]*)\]", STUBS.read_text(encoding="utf-8")))
    assert [re.findall(r"'(\w+)'", one) for one in literals] == [enumerators(header, name)]


def test_the_whole_package_is_typed() -> None:
    checked = mypy(ROOT / "bindings" / "dynasoc")
    assert checked.returncode == 0, checked.stdout


USER = '''
    import numpy as np

    import dynasoc
    from dynasoc import policies
    from dynasoc.manager import CppPolicy


    class Ladder(dynasoc.Policy):
        """one sub-network down after a miss"""

        triggers = dynasoc.Triggers(completion=True, period_ms=50)

        def __init__(self, headroom: float = 0.15) -> None:
            self.headroom = headroom
            self.asked: dict[str, int] = {}

        def decide(self, seen: dynasoc.Observation) -> dynasoc.Decision | None:
            self.asked[seen.trigger] = self.asked.get(seen.trigger, 0) + 1
            if seen.trigger != "completion":
                return None
            app = seen.applications[seen.subject]
            last = app.last
            if last is None or last.subnet != app.subnet or app.latency_target_ms <= 0:
                return None
            room = 1 - last.latency_ms / app.latency_target_ms
            unit, domain = seen.units[app.unit], seen.domains[seen.units[app.unit].domains[0]]
            decision = dynasoc.Decision()
            if last.missed and app.subnet > 0:
                decision.subnet(app, app.subnet - 1, "missed by {} ms", last.latency_ms, margin=room, binding="latency")
            elif seen.latency_ms(app, app.subnet, unit, 0) < app.latency_target_ms:
                decision.frequency(domain, 0).mapping(app, unit, "{}", unit.name).lowest(domain, np.int64(0))
            decision.candidate(app, app.subnet, feasible=True)
            slowest: float = domain.opps_mhz[0] + sum(seen.rails_w.values()) + max(seen.temperatures_c, default=0.0)
            newest: list[float] = [sample.latency_ms for sample in app.recent(5)]
            return decision if newest and slowest > 0 else None


    scenario = dynasoc.Scenario.from_file("scenarios/claims/gpu-sharing.json").copy(duration_s=2, windows={})
    run = dynasoc.run(scenario, policy=Ladder(headroom=0.2), replications=2, progress=lambda share: None)
    ends = run[0].jobs.array["end"]
    late: int = int((ends > run[0].jobs.array["deadline"]).sum())
    energy: float = sum(replication.energy_j for replication in run)
    name: str = run.summary["policy"]["name"] if isinstance(run.summary.get("policy"), dict) else run.policy
    apps: list[str] = list(run.jobs.to_pandas()["app"].unique())
    ran = run.policies or []
    comparison = dynasoc.compare(scenario, {"ours": Ladder, "theirs": "dynamic-ofa"}, replications=2)
    means = comparison.to_pandas().query("metric == 'run.cost'")["mean"]
    of_file: CppPolicy = CppPolicy("pid", reference=0.8)
    print(late, energy, name, apps, len(ran), len(means), len(policies.__all__), of_file.name)
'''


def test_a_users_program_is_clean_and_runs(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "user.py"
    text = "from __future__ import annotations\n" + textwrap.dedent(USER)
    program.write_text(text, encoding="utf-8")
    checked = mypy(program)
    assert checked.returncode == 0, checked.stdout
    found = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    run = subprocess.run([sys.executable, program], cwd=ROOT, env=found, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


WRONG = '''
    from __future__ import annotations

    import dynasoc


    class Ladder(dynasoc.Policy):
        triggers = dynasoc.Triggers(complete=True)  # call-arg

        def decide(self, seen: dynasoc.Observation) -> dynasoc.Decision | None:
            app, domain = seen.applications[0], seen.domains[0]
            if seen.trigger == "complete":  # comparison-overlap
                return None
            late = app.last.missed  # union-attr
            dynasoc.Decision().subnet(app, 0.5)  # arg-type
            dynasoc.Decision().frequency(app, 0)  # arg-type
            dynasoc.Decision().subnet(app, 0, "", binding="lateness")  # arg-type
            app.subnet = 0  # misc
            app.no_such_thing  # attr-defined
            seen.idle_w(domain, 0)  # arg-type
            return app.subnet - 1  # return-value


    run = dynasoc.run("claims/gpu-sharing", seed="1")  # arg-type
    why: int = run.why()  # assignment
    dynasoc.compare("claims/gpu-sharing", ["none"], replicatons=2)  # call-arg
'''


def test_mistakes_are_found(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(textwrap.dedent(WRONG), encoding="utf-8")
    checked = mypy("--show-error-codes", program)
    found = dict(re.findall(r"wrong\.py:(\d+): error: .*\[([\w-]+)\]", checked.stdout))
    expected = {
        str(number): line.rsplit("# ", 1)[1]
        for number, line in enumerate(program.read_text(encoding="utf-8").splitlines(), 1)
        if "  # " in line
    }
    assert found == expected, checked.stdout


def test_signatures_hold_at_run_time_too() -> None:
    np = pytest.importorskip("numpy")
    decision = dynasoc.Decision()
    assert decision.subnet(np.int64(0), np.uint8(2)).frequency(0, True) is decision and len(decision) == 2
    for target, value in ((0, 1.0), ("camera", 0), (0, None)):
        with pytest.raises(TypeError, match="SupportsIndex"):
            decision.subnet(target, value)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="incompatible function arguments"):
        decision.subnet(0, 1, marge=0.1)  # type: ignore[call-arg]
    with pytest.raises(dynasoc.InputError, match='unknown constraint "latenc" .did you mean "latency"'):
        decision.subnet(0, 1, binding="latenc")  # type: ignore[arg-type]

    class Confused(dynasoc.Policy):
        def decide(self, seen: dynasoc.Observation) -> dynasoc.Decision:
            return dynasoc.Decision().subnet(seen.units[0], 0)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="Application"):
        dynasoc.run("claims/gpu-sharing", policy=Confused, record=False)
