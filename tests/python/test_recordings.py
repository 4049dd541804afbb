"""dynasoc.trace: the commands on recordings, with dictionaries."""

import csv
import pathlib

import pytest

import dynasoc
from dynasoc import trace

TRACES = pathlib.Path(__file__).resolve().parents[1] / "traces"


def column(path, name):
    with open(path, encoding="utf-8") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_a_log_becomes_a_timeline_that_a_governor_is_held_against(tmp_path):
    report = trace.import_tegrastats([TRACES / "jetpack5.log"], out=tmp_path / "t.csv", check="jetson-xavier-nx", background=tmp_path / "b.json")
    assert report["taken"] == report["rows"] == 4
    assert report["check"]["clocks"] == []
    assert (tmp_path / "b.json").exists()
    assert trace.import_tegrastats(TRACES / "jetpack5.log", interval_ms=700)["rows"] == 4
    answer = trace.conformance(tmp_path / "t.csv", governor="nvhost_podgov", platform="jetson-xavier-nx", changes={"load_max": 500},
                               out=tmp_path / "both.csv")  # fmt: skip
    assert answer["rows"] == len(column(tmp_path / "both.csv", "ours_mhz")) == 4
    assert answer["governor"]["load_max"] == 500
    with pytest.raises(dynasoc.InputError, match="exists already"):
        trace.import_tegrastats(TRACES / "jetpack5.log", out=tmp_path / "t.csv")
    trace.import_tegrastats(TRACES / "jetpack5.log", out=tmp_path / "t.csv", force=True)


@pytest.mark.parametrize("read, name", [(trace.import_ftrace, "ftrace.txt"), (trace.import_perfetto, "kernel.pftrace")])
def test_jobs_of_a_kernel_trace(read, name, tmp_path):
    report = read(TRACES / name, window_ms=50, arrivals="dnn worker", arrivals_out=tmp_path / "jobs.csv")
    assert report["rows"] == 6
    assert column(tmp_path / "jobs.csv", "latency_ms") == ["32", "30"]


def test_loadgen_and_any_csv(tmp_path):
    report = trace.import_loadgen(TRACES / "loadgen-server", out=tmp_path / "a.csv", scenario=tmp_path / "s.json", replay=True, network="dynamic-ofa-gpu")
    assert report["latency"]["p99"]["agrees"] is True
    assert dynasoc.run(tmp_path / "s.json", set={"duration_s": 1}).summary["apps"]["loadgen"]["completed"] > 0
    report = trace.import_csv(TRACES / "requests.csv", {"arrival_s": "stamp_ns", "duration_s": "took_us:us"}, out=tmp_path / "r.csv")
    assert report["taken"] == 4
    assert column(tmp_path / "r.csv", "duration_s") == ["0.0145", "0.0151", "", "0.0139"]
