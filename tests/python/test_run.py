"""Scenarios as objects, runs, logs as arrays: what crosses the border, and that it crosses whole."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import pytest

import dynasoc


def cli(root, *arguments):
    program = os.environ.get("DYNASOC_BINARY", str(root / "build/release/dynasoc"))
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, cwd=root)


def test_a_scenario_has_its_fields_with_defaults(sharing):
    assert sharing.duration_s == sharing.to_json()["duration_s"]
    assert sharing.thermal is True  # a default
    app = next(iter(sharing.applications.values()))
    assert app.network == "dynamic-ofa-gpu"
    with pytest.raises(AttributeError, match="did you mean 'duration_s'"):
        sharing.duration
    assert "applications" in dir(sharing)


def test_copies_change_what_they_are_asked_to_change(sharing):
    name = next(iter(sharing.applications))
    other = sharing.copy(duration_s=2, set={f"applications.{name}.weight": 2.5})
    assert (other.duration_s, other.applications[name].weight) == (2, 2.5)
    assert sharing.duration_s != 2
    assert other.copy().to_json() == other.to_json()
    with pytest.raises(dynasoc.InputError, match="duration_s"):
        sharing.copy(duration_s=-1)
    with pytest.raises(dynasoc.InputError, match='did you mean "duration_s"'):
        sharing.copy(durations=2)


def test_messages_are_those_of_the_program(root, tmp_path):
    path = tmp_path / "wrong.json"
    path.write_text('{\n  "platform": "jetson-xavier-nx",\n  "duration_s": 1,\n  "applications": {},\n  "polcy": "none"\n}\n')
    with pytest.raises(dynasoc.InputError) as caught:
        dynasoc.Scenario.from_file(path)
    assert str(caught.value) == cli(root, "run", path).stderr.strip()
    assert isinstance(caught.value, ValueError)


def test_a_run_gives_the_programs_summary(root, sharing):
    run = dynasoc.run(sharing, replications=3)
    ours = json.loads(json.dumps(run.summary))
    theirs = json.loads(cli(root, "run", "scenarios/claims/gpu-sharing.json", "--replications", 3, "--json").stdout)
    assert ours == theirs
    assert len(run) == 3 and len(list(run)) == 3
    assert run[-1].index == 2
    with pytest.raises(IndexError):
        run[3]


def test_saved_results_are_the_programs_bytes(root, sharing, tmp_path):
    dynasoc.run(sharing).save(tmp_path / "ours")
    cli(root, "run", "scenarios/claims/gpu-sharing.json", "--out", tmp_path / "theirs")
    for name in ("jobs.csv", "decisions.csv", "candidates.csv", "timeline.csv", "trace.json", "summary.json"):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes(), name
    again = dynasoc.Scenario.from_file(tmp_path / "ours" / "manifest.json")
    assert dynasoc.run(again).summary["apps"] == dynasoc.run(sharing).summary["apps"]
    with pytest.raises(dynasoc.InputError, match="already holds files"):
        dynasoc.run(sharing).save(tmp_path / "ours")


def test_jobs_are_the_simulators_memory_and_agree_with_the_file(sharing, tmp_path):
    run = dynasoc.run(sharing.copy(duration_s=3))
    run.save(tmp_path / "out")
    with open(tmp_path / "out" / "jobs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    array = run.jobs.array
    assert len(rows) == len(run.jobs) == len(array) > 50
    assert not array.flags.owndata and not array.flags.writeable
    assert np.shares_memory(array, run[0].jobs.array)
    frame = run.jobs.to_pandas()
    assert list(frame.outcome) == [row["outcome"] for row in rows]
    assert list(frame.subnet) == [row["subnet"] for row in rows]
    assert list(frame.unit) == [row["unit"] for row in rows]
    assert list(frame.app) == [row["app"] for row in rows]
    for column in ("latency_ms", "accuracy", "energy_mj"):
        theirs = np.array([float(row[column]) if row[column] else np.nan for row in rows])
        told = np.isfinite(theirs) if column == "energy_mj" else slice(None)  # without a result: 0 here, nothing there
        assert np.allclose(frame[column][told], theirs[told], rtol=1e-6, equal_nan=True), column
    for column in ("arrival", "start", "end", "deadline"):
        theirs = [float(row[column + "_s"]) if row[column + "_s"] else np.nan for row in rows]
        assert np.allclose(frame[column].dt.total_seconds(), theirs, atol=1e-9, equal_nan=True), column


def test_arrays_outlive_their_run(sharing):
    array = dynasoc.run(sharing).jobs.array
    copy = array.copy()
    for _ in range(20):
        dynasoc.run(sharing)
    for name in array.dtype.names:
        column = array[name]  # what does not apply equals nothing, itself included
        assert ((column == copy[name]) | ((column != column) & (copy[name] != copy[name]))).all(), name


def test_a_frame_that_never_ran_has_no_times():
    scenario = dynasoc.Scenario.from_file("claims/gpu-sharing").copy(duration_s=0.5)
    jobs = dynasoc.run(scenario).jobs
    frame = jobs.to_pandas()
    unfinished = frame[frame.outcome == "unfinished"]
    assert len(unfinished) > 0
    assert unfinished.end.isna().all() and unfinished.latency_ms.isna().all() and unfinished.accuracy.isna().all()


def test_other_logs(sharing):
    run = dynasoc.run(sharing, replications=2)
    timeline = run.timeline.to_pandas()
    assert set(timeline.replication) == {0, 1}
    assert timeline.columns[1] == "time_s" and "power_w" in timeline
    assert np.isclose(timeline.time_s.iloc[0], sharing.timeline_ms * 1e-3)
    with pytest.raises(ValueError, match=r"run\[0\]"):
        run.timeline.array
    decisions = run[0].decisions.to_pandas()
    assert {"subnet", "frequency"} >= set(decisions.knob) and decisions.time.is_monotonic_increasing
    assert decisions.reason.str.len().min() > 0
    assert len(run[0].decisions.array) == len(decisions)
    assert run[0].metrics["run.cost"] == pytest.approx(run.metrics["run.cost"][0])
    kept = dynasoc.run(sharing, record=["jobs"])
    with pytest.raises(ValueError, match="timeline"):
        kept.timeline.to_pandas()
    with pytest.raises(dynasoc.InputError, match="unknown log"):
        dynasoc.run(sharing, record="job")


def test_parquet_and_perfetto(sharing, tmp_path):
    run = dynasoc.run(sharing, replications=2)
    for log in (run.jobs, run.decisions, run.timeline, run.candidates):
        path = log.to_parquet(tmp_path / "log.parquet")
        pd.testing.assert_frame_equal(
            pd.read_parquet(path), log.to_pandas(), check_dtype=False, check_categorical=False
        )
    assert len(json.loads(run.to_perfetto(tmp_path / "trace.json").read_text())["traceEvents"]) > 100
    assert not list(tmp_path.glob("*.partial"))


def test_compare_is_the_programs(root, sharing):
    policies = ["none", "dynamic-ofa", "pid(reference=0.8)", "schedutil"]
    ours = dynasoc.compare(sharing, policies, replications=4, baseline="dynamic-ofa")
    arguments = ("--policies", ",".join(policies), "--replications", 4, "--baseline", "dynamic-ofa", "--json")
    theirs = json.loads(cli(root, "compare", "scenarios/claims/gpu-sharing.json", *arguments).stdout)
    assert json.loads(json.dumps(ours.to_json())) == theirs
    frame = ours.to_pandas()
    cost = frame[(frame.metric == "run.cost") & (frame.policy == "none")].iloc[0]
    assert cost.ci95_lo <= cost["mean"] <= cost.ci95_hi and not np.isnan(cost.delta_mean)
    values = ours.values("run.cost")
    assert len(values) == 16
    assert values[values.policy == "none"].value.mean() == pytest.approx(cost["mean"])
    with pytest.raises(dynasoc.InputError, match="not among the policies"):
        dynasoc.compare(sharing, ["none", "pid"], baseline="pdi")
    with pytest.raises(dynasoc.InputError, match="did you mean"):
        dynasoc.compare(sharing, ["none", "dynamic-ofaa"])


def test_policies_are_classes_with_the_registrys_parameters(sharing):
    from dynasoc import policies

    assert "reference" in str(__import__("inspect").signature(policies.Pid))
    assert "Source:" in policies.Pid.__doc__
    by_class = dynasoc.run(sharing, policy=policies.Pid(reference=0.8))
    by_dict = dynasoc.run(sharing, policy={"name": "pid", "reference": 0.8})
    assert by_class.summary["apps"] == by_dict.summary["apps"]
    assert by_class.summary["apps"] == dynasoc.run(sharing.copy(policy=policies.Pid(reference=0.8))).summary["apps"]
    with pytest.raises(TypeError, match="did you mean 'reference'"):
        policies.Pid(referense=0.8)
    with pytest.raises(dynasoc.InputError, match="reference"):
        dynasoc.run(sharing, policy=policies.Pid(reference=30))


def test_threads_simulate_side_by_side_with_one_result(sharing):
    alone = dynasoc.run(sharing, record=False).summary
    results = [None] * 4

    def work(i):
        results[i] = dynasoc.run(sharing, record=False).summary

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [alone] * 4
    assert dynasoc.run(sharing, replications=4, jobs=4).summary == dynasoc.run(sharing, replications=4).summary


LONG = """
import dynasoc, time, sys
scenario = dynasoc.Scenario.from_file("claims/gpu-sharing").copy(duration_s=1e6, windows={})
print("ready", flush=True)
try:
    dynasoc.run(scenario, record=False, replications=4, jobs=%d)
    print("ended")
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_a_long_run_at_once(root, jobs):
    process = subprocess.Popen(
        [sys.executable, "-c", LONG % jobs], stdout=subprocess.PIPE, text=True, cwd=root, env=dict(os.environ)
    )
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        pressed = time.time()
        process.send_signal(signal.SIGINT)
        word, at = process.stdout.readline().split()
        assert word == "interrupted"
        # 0.1 s is what is promised on a quiet machine; a busy one may take its time.
        assert float(at) - pressed < 2
    finally:
        process.kill()
        process.wait()


def test_progress_can_end_a_run(sharing):
    class Enough(Exception):
        pass

    def progress(share):
        assert 0 <= share <= 1
        raise Enough

    for jobs in (1, 2):
        with pytest.raises(Enough):
            dynasoc.run(sharing.copy(duration_s=1e5, windows={}), record=False, replications=2, jobs=jobs, progress=progress)


def test_memory_stays_flat_over_many_runs(sharing):
    import resource

    short = sharing.copy(duration_s=0.2, windows={})
    for _ in range(500):
        dynasoc.run(short)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3000):
        dynasoc.run(short).jobs.array
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb < 4096


def test_importing_needs_neither_numpy_nor_pandas():
    code = "import sys, dynasoc; print([m for m in ('numpy', 'pandas', 'matplotlib', 'gymnasium') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_scenarios_are_read_only(sharing):
    with pytest.raises(AttributeError, match="copy"):
        sharing.duration_s = 1
    platform = dynasoc.Platform.from_file("jetson-xavier-nx")
    with pytest.raises(AttributeError, match="copy"):
        platform.static_power_w = 1
    assert platform.copy(static_power_w=1).static_power_w == 1


def test_a_timeline_that_would_not_fit_is_refused(sharing):
    with pytest.raises(dynasoc.InputError, match="2 million is the most"):
        dynasoc.run(sharing.copy(duration_s=1e6, windows={}, timeline_ms=0.1))


def test_files_of_policies_have_their_place_in_messages(sharing, tmp_path):
    path = tmp_path / "bad.policy.json"
    path.write_text('{"name": "pid",\n "refrence": 0.8}')
    with pytest.raises(dynasoc.InputError, match=r"bad\.policy\.json:2:2: /refrence"):
        dynasoc.run(sharing, policy=str(path))
    with pytest.raises(dynasoc.InputError, match="no such file"):
        dynasoc.run(sharing, policy="not-there.json")
    with pytest.raises(dynasoc.InputError, match="baseline 7"):
        dynasoc.compare(sharing, ["none"], baseline=7)
    assert dynasoc.compare(sharing, {"name": "pid", "reference": 0.8}, replications=1).policies == ["pid"]
