"""Commands as functions: what they give is what the program prints, and policies in Python take part."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree

import pandas as pd
import pytest

import dynasoc
from dynasoc import table

SMALL = {"algorithm.population": 12, "algorithm.generations": 2, "replications": 6}
EXPLORATION = "scenarios/explore/bursty-camera.explore.json"


def cli(root, *arguments, status=0):
    program = os.environ.get("DYNASOC_BINARY", str(root / "build/release/dynasoc"))
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, cwd=root)
    assert done.returncode == status, done.stderr
    return done.stdout


class Steps(dynasoc.Policy):
    """down at every miss"""

    def __init__(self, by: int = 1) -> None:
        self.by = by

    def decide(self, seen):
        app = seen.applications[0]
        if app.last is not None and app.last.missed and app.subnet >= self.by:
            return dynasoc.Decision().subnet(app, app.subnet - self.by)
        return None


class Raises(dynasoc.Policy):
    def decide(self, seen):
        raise ZeroDivisionError("on purpose")


def test_a_command_prints_what_the_program_prints(root):
    assert dynasoc.command("list", "governors") == cli(root, "list", "governors")
    assert dynasoc.command("run", "scenarios/minimal.json") == cli(root, "run", "scenarios/minimal.json")
    with pytest.raises(dynasoc.InputError, match='did you mean "sweep"'):
        dynasoc.command("swep")
    with pytest.raises(dynasoc.InputError, match="must be at least 1|from 1"):
        dynasoc.command("run", "scenarios/minimal.json", "--replications", 0)


def test_lists_schemas_checks(root):
    assert dynasoc.listing("policies") == json.loads(cli(root, "list", "policies", "--json"))
    assert dynasoc.schema("sweep") == json.loads(cli(root, "schema", "sweep"))
    checked = dynasoc.check("scenarios/claims", only=["dynamic-ofa-speedup-gpu"])
    assert checked["as_stored"] and checked["claims"][0]["verdict"] == "reproduced"


def test_checks_suites(tmp_path):
    expect = [{"kind": "baseline", "metric": "run.cost"}, {"kind": "limit", "metric": "apps.camera.jobs", "most": 25}]
    suite = tmp_path / "x.suite.json"
    suite.write_text(json.dumps({"title": "t", "runs": {"one": {"scenario": "minimal", "replications": 2, "expect": expect}}}))
    results = tmp_path / "x.xml"
    assert not dynasoc.check(suite)["holds"]  # nothing is stored yet
    dynasoc.check(suite, update=True)
    checked = dynasoc.check(suite, junit=results)
    assert checked["holds"] and checked["claims"] == []
    assert [one["state"] for one in checked["suites"][0]["runs"][0]["findings"]] == ["holds", "holds"]
    assert ElementTree.parse(results).getroot().get("failures") == "0"
    with pytest.raises(dynasoc.InputError, match="no claim, suite"):
        dynasoc.check(suite, only=["y"])


def test_lint_tells_and_does_not_raise(tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"platform": "jetson-xavier-nx", "duration_s": -1, "applications": {}}')
    good, wrong = dynasoc.lint("scenarios/minimal.json", bad)
    assert good["ok"] and not wrong["ok"] and "duration_s" in wrong["message"]


def test_a_sweep_is_the_programs(root, tmp_path):
    axes = {"policy": ["none", "dynamic-ofa"], "seed": range(1, 4)}
    ours = dynasoc.sweep("docs/example/first.json", axes=axes, metrics=["run.cost", "run.miss_rate"])
    words = ["--set", 'policy=["none","dynamic-ofa"]', "--set", "seed=[1,2,3]", "--metrics", "run.cost,run.miss_rate"]
    theirs = tmp_path / "theirs.csv"
    theirs.write_text(cli(root, "sweep", "docs/example/first.json", *words))
    pd.testing.assert_frame_equal(ours.to_pandas(), pd.read_csv(theirs), check_dtype=False)
    assert len(ours) == 6 and ours.path is None
    kept = dynasoc.sweep("docs/example/first.json", tmp_path / "out", axes=axes, metrics="run.cost")
    assert kept.path == tmp_path / "out" / "results.csv" and kept.summary["simulated"] == 6
    again = dynasoc.sweep("docs/example/first.json", tmp_path / "out", axes=axes, metrics="run.cost")
    assert again.summary["simulated"] == 0


def test_a_sweep_of_an_object(sharing):
    by_object = dynasoc.sweep(sharing.copy(duration_s=3), axes={"seed": [1, 2]}, metrics="run.cost").to_pandas()
    runs = [dynasoc.run(sharing.copy(duration_s=3), seed=seed)[0].metrics["run.cost"] for seed in (1, 2)]
    assert list(by_object["run.cost"]) == pytest.approx(runs)
    assert not list(pathlib.Path(sharing.folder).glob(".dynasoc-*"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_policies_in_python_sweep(jobs, tmp_path):
    dynasoc.register(Steps, "steps-in-python")
    axes = {"policy": ["none", "steps-in-python", {"name": "steps-in-python", "by": 2}], "seed": [1, 2]}
    swept = dynasoc.sweep("docs/example/first.json", tmp_path / "out", axes=axes, metrics="run.cost", jobs=jobs)
    rows = swept.to_pandas()
    scenario = dynasoc.Scenario.from_file("docs/example/first.json")
    for by in (1, 2):
        for seed in (1, 2):
            run = dynasoc.run(scenario, policy=Steps(by), seed=seed)
            said = "steps-in-python" if by == 1 else '{"name":"steps-in-python","by":2}'
            row = rows[(rows.policy == said) & (rows.seed == seed)]
            assert list(row["run.cost"]) == pytest.approx([run[0].metrics["run.cost"]])


def test_a_policy_that_cannot_be_pickled_sweeps(tmp_path):
    class Local(Steps):
        pass

    dynasoc.compare("docs/example/first.json", ["none", Local], replications=1)  # leaves nothing behind
    dynasoc.register(lambda: Local(2), "local")
    swept = dynasoc.sweep("docs/example/first.json", axes={"policy": ["local"], "seed": [1, 2]}, metrics="run.cost", jobs=2)
    assert len(swept) == 2


def test_a_changed_policy_is_run_again(tmp_path):
    axes = {"policy": ["none", "changing"]}
    simulated = []
    for version in ("one", "one", "two"):
        dynasoc.register(Steps, "changing", version)
        swept = dynasoc.sweep("docs/example/first.json", tmp_path / "out", axes=axes, metrics="run.cost", jobs=1)
        simulated.append(swept.summary["simulated"])
    assert simulated == [2, 0, 1]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_in_a_sweep_surfaces(jobs, tmp_path):
    dynasoc.register(Raises, "raises")
    with pytest.raises(ZeroDivisionError, match="on purpose") as caught:
        dynasoc.sweep("docs/example/first.json", tmp_path / "out", axes={"policy": ["raises"]}, jobs=jobs)
    told = "".join(__import__("traceback").format_exception(caught.value))
    assert "in decide" in told
    dynasoc.register(Steps, "raises")  # mended, the same directory goes on
    assert len(dynasoc.sweep("docs/example/first.json", tmp_path / "out", axes={"policy": ["raises"]}, jobs=jobs)) == 1


def test_an_exploration_is_the_programs(root, tmp_path):
    ours = dynasoc.explore(EXPLORATION, set=SMALL)
    words = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    cli(root, "explore", EXPLORATION, *words, "--out", tmp_path / "theirs", "--quiet")
    pd.testing.assert_frame_equal(ours.front, pd.read_csv(tmp_path / "theirs" / "front.csv"))
    pd.testing.assert_frame_equal(ours.all, pd.read_csv(tmp_path / "theirs" / "all.csv"))
    assert ours.feasible
    base = dynasoc.Scenario.from_file("scenarios/explore/bursty-camera.json")
    runs = dynasoc.run(ours.scenario(base, 0), replications=SMALL["replications"])
    energies = [replication.metrics["platform.energy_j"] for replication in runs]
    told = ours.summary["front"][0]["metrics"]["platform.energy_j"]["mean"]
    assert sum(energies) / len(energies) == pytest.approx(told, rel=1e-9)


def test_names_lead_to_what_came_along(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert dynasoc.explore("explore/bursty-camera", set=SMALL).feasible
    assert dynasoc.search("search/small", seed=1).summary["front"]
    assert len(dynasoc.sweep("minimal", axes={"seed": [1, 2]}, metrics="run.cost")) == 2
    assert dynasoc.check(only=["dynamic-ofa-speedup-gpu"])["as_stored"]


def test_a_search_is_the_programs(root):
    ours = dynasoc.search("scenarios/search/small.json", seed=1)
    theirs = json.loads(cli(root, "search", "scenarios/search/small.json", "--seed", 1, "--json"))
    assert ours.summary["front"] == theirs["front"] and len(ours.front) == len(theirs["front"])


def test_tables(root, tmp_path):
    cells = table.show("dynamic-ofa-gpu", unit="gpu")
    assert set(cells.provenance) <= {"measured", "digitised", "derived"} and (cells.latency_ms_mean > 0).all()
    filled = table.fill("dynamic-ofa-gpu", platform="jetson-xavier-nx", output=tmp_path / "filled.csv")
    assert len(filled) > len(cells) and (tmp_path / "filled.csv").exists()
    with pytest.raises(dynasoc.InputError, match="exists"):
        table.fill("dynamic-ofa-gpu", platform="jetson-xavier-nx", output=tmp_path / "filled.csv")
    fitted = table.fit("models/dynamic-ofa-gpu/jetson-xavier-nx.fig4.csv")
    assert set(fitted["groups"]) == {f"L{i} gpu" for i in range(1, 7)}
    assert {"rule", "severity", "file"} <= set(table.lint("models/dynamic-ofa-gpu")[0])
    samples = table.import_(
        "samples", "docs/example/samples.csv", skip=2, source="made up", meter="made up", output=tmp_path / "own.csv"
    )
    assert len(samples) == 9 and set(samples.provenance) == {"measured"}
    (tmp_path / "again.csv").write_text((tmp_path / "own.csv").read_text())
    merged = table.merge(tmp_path / "own.csv", tmp_path / "again.csv")
    assert (merged.n == 2 * samples.n).all()
    with pytest.raises(dynasoc.InputError, match="source"):
        table.import_("samples", "docs/example/samples.csv")


def test_the_reference_engine_runs_in_a_child_and_agrees(sharing):
    short = sharing.copy(duration_s=3)
    native, simgrid = dynasoc.run(short, replications=2), dynasoc.run(short, replications=2, engine="simgrid")
    assert simgrid.engine == "simgrid"
    assert native.summary["apps"] == simgrid.summary["apps"]
    ends = [run[1].jobs.array["end"].view("i8") for run in (native, simgrid)]
    assert (ends[0] == ends[1]).all()
    with pytest.raises(dynasoc.InputError, match="no policy in Python"):
        dynasoc.run(short, policy=Steps, engine="simgrid")


INTERRUPTED = """
import signal, sys, dynasoc
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background of a shell ignore it
print("ready", flush=True)
try:
    dynasoc.sweep("docs/example/first.json", sys.argv[1], axes={"duration_s": [20_000], "seed": range(1, 2001)}, jobs=2)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_ends_a_sweep_which_can_go_on(root, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True, cwd=root
    )
    try:
        assert process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 30
        while not list((tmp_path / "out").glob("points/*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.communicate(timeout=30)[0] == "interrupted\n"
        assert time.monotonic() - began < 3  # 0.1 s on a quiet machine, and what was finished is written
    finally:
        process.kill()  # where that failed, it would go on for an hour
    axes = ["--set", "duration_s=[20000]", "--set", 'seed={"from": 1, "to": 2000, "step": 1}']
    words = ["sweep", "docs/example/first.json", *axes, "--out", tmp_path / "out", "--pending"]
    state = json.loads(dynasoc.command(*words))
    assert 0 < state["missing"] < state["points"] == 2000


def test_a_name_does_not_lead_out_of_the_folder(sharing, tmp_path):
    data = dict(sharing.to_json(), name="../../evil", duration_s=1, windows={})
    swept = dynasoc.sweep(data, axes={"seed": [1, 2]}, metrics="run.cost", folder=tmp_path / "a" / "..")
    assert len(swept) == 2 and not list(tmp_path.parent.glob("evil*"))


def test_files_beside_a_scenario_are_found_from_objects_too(tmp_path):
    (tmp_path / "arrivals.csv").write_text("arrival_s\n0.1\n0.2\n0.4\n")
    scenario = {
        "platform": "minimal",
        "duration_s": 1,
        "applications": {"a": {"network": "example", "unit": "gpu", "arrivals": {"kind": "trace", "file": "arrivals.csv"}}},
    }
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    for folder in (tmp_path, link):
        assert dynasoc.run(scenario, folder=folder).summary["apps"]["a"]["jobs"] == 3
        assert len(dynasoc.sweep(scenario, axes={"seed": [1, 2]}, metrics="run.cost", folder=folder)) == 2
        assert dynasoc.run(scenario, folder=folder, engine="simgrid", record=["jobs"]).summary["apps"]["a"]["jobs"] == 3
