"""Reports: the page that the command makes, from Python."""

import pytest

import dynasoc

SHORT = {"duration_s": 1}


def test_a_report_is_the_commands(root, tmp_path):
    run = dynasoc.run("minimal", record=True, set=SHORT)
    with pytest.raises(ValueError, match="save the run first"):
        run.report()
    run.save(tmp_path / "run")
    path = run.report(title="Mine")
    assert path == tmp_path / "run" / "report.html"
    assert "<title>Mine</title>" in path.read_text()
    with pytest.raises(dynasoc.InputError, match="exists already"):
        run.report()
    shares = []
    assert dynasoc.report(tmp_path / "run", tmp_path / "other.html", progress=shares.append) == tmp_path / "other.html"
    with pytest.raises(dynasoc.InputError, match="no such directory"):
        dynasoc.report(tmp_path / "none")


def test_sweeps_report_where_they_have_a_directory(root, tmp_path):
    sweep = dynasoc.sweep("minimal", axes={"policy": ["none", "dynamic-ofa"]}, out=tmp_path / "sweep")
    assert sweep.report(tmp_path / "sweep.html", runs=1).stat().st_size > 100_000
    with pytest.raises(ValueError, match="no directory"):
        dynasoc.sweep("minimal", axes={"seed": [1]}).report()
