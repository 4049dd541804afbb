"""Results in a directory: the same tables as those of the run in memory, and Parquet files that say what they hold."""

import json
import os
import re
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_run import cli

import dynasoc

LOGS = ("jobs", "decisions", "candidates", "timeline")


@pytest.mark.parametrize("replications", [1, 2])
def test_a_directory_has_the_tables_of_its_run(sharing, tmp_path, replications):
    run = dynasoc.run(sharing, replications=replications)
    saved = dynasoc.load(run.save(tmp_path / "out"))
    assert saved.manifest["replications"] == replications
    for log in LOGS:
        ours, theirs = getattr(saved, log).to_pandas(), getattr(run, log).to_pandas()
        assert len(ours) > 0
        if log == "jobs":
            theirs = theirs.drop(columns="isolated_ms")  # is in memory alone
            # An empty cell for exactly those that have no result; in memory they have used nothing.
            done = theirs["outcome"].isin(["met", "missed"])
            assert (ours["energy_mj"].notna() == done).all()
            assert (theirs.loc[~done, "energy_mj"] == 0).all()
            ours, theirs = ours[done], theirs[done]
        # What has no value is an empty cell; codes are plain text, and what is a float32 in memory is rounded there.
        if log == "decisions":
            # Counts of run.candidates, which a file cannot ask.
            options = run.candidates.to_pandas()
            keys = [key for key in ("replication", "decision") if key in options]
            for row in ours.to_dict("records"):
                own = options[(options[keys] == [row[key] for key in keys]).all(axis=1)]
                assert (row["candidates"], row["feasible"]) == (len(own), own["feasible"].sum())
            ours = ours.drop(columns=["candidates", "feasible"])
        pd.testing.assert_frame_equal(ours, theirs[ours.columns], check_dtype=False, check_categorical=False, rtol=1e-6)
        assert set(theirs.columns) == set(ours.columns)


def test_parquet_files_say_what_they_hold_and_go_with_their_results(root, sharing, tmp_path):
    out = tmp_path / "out"
    run = dynasoc.run(sharing)
    saved = dynasoc.load(run.save(out))
    paths = saved.to_parquet()
    assert [path.name for path in paths] == [f"{log}.parquet" for log in LOGS]
    for log, path in zip(LOGS, paths):
        schema = pq.read_schema(path)
        assert schema.metadata[b"table"] == log.encode()
        assert schema.metadata[b"dynasoc"] == dynasoc.__version__.encode()
        assert all(schema.field(name).metadata[b"description"] for name in schema.names)
        pd.testing.assert_frame_equal(pd.read_parquet(path), getattr(saved, log).to_pandas(), check_dtype=False)
    jobs = pq.read_schema(out / "jobs.parquet")
    assert (jobs.field("energy_mj").metadata[b"unit"], jobs.field("arrival").metadata[b"unit"]) == (b"mJ", b"ns")
    # They are results: another run takes their place, and they go.
    again = cli(root, "run", "minimal", "--out", out, "--force", "--quiet")
    assert (again.returncode, again.stderr) == (0, "")
    assert not list(out.glob("*.parquet"))


def test_what_is_not_finished_is_not_loaded(tmp_path):
    with pytest.raises(dynasoc.InputError, match=r"no manifest\.json"):
        dynasoc.load(tmp_path)


@pytest.fixture(scope="module")
def results(root, tmp_path_factory):
    """A directory of results: read it, copy it, do not change it."""
    scenario = dynasoc.Scenario.from_file(os.fspath(root / "scenarios/claims/gpu-sharing.json"))
    return dynasoc.run(scenario).save(tmp_path_factory.mktemp("results") / "out")


@pytest.fixture
def damaged(results, tmp_path):
    """A copy to break."""
    return shutil.copytree(results, tmp_path / "damaged")


def fault(directory, log="jobs"):
    """What is said of a table, to whoever reads it and to whoever makes a Parquet file; after the name of the file."""
    said = []
    for read in (lambda: getattr(dynasoc.load(directory), log).to_pandas(), lambda: dynasoc.load(directory).to_parquet()):
        with pytest.raises(dynasoc.InputError) as error:
            read()
        said.append(str(error.value))
    assert said[0] == said[1]
    assert "\n" not in said[0]
    assert not list(directory.glob(f"{log}.parquet*"))
    file, _, text = said[0].partition(f"{log}.csv:")
    assert file == f"{directory}{os.sep}"
    return text


@pytest.mark.parametrize("cells", [2, 5, 11, 12])
def test_a_file_that_is_cut_in_a_row_is_refused(damaged, cells):
    file = damaged / "jobs.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:100]) + b",".join(lines[100].split(b",")[:cells])[:-1])
    assert fault(damaged) == f"101:1: row: the row has {cells} cells, the header 13"


def test_a_file_that_is_cut_in_its_last_cell_is_refused(damaged):
    file = damaged / "jobs.csv"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:100])[:-2])  # a digit is gone as well
    assert fault(damaged) == "100:1: row: does not end with a line end: cut?"


def test_each_row_has_its_cells_in_quotes_or_not(damaged):
    file = damaged / "jobs.csv"
    text = file.read_text()
    lines = text.splitlines(keepends=True)
    for line in (2, 50, len(lines) - 1):  # a comma inside a cell is none between two
        short = lines[line].replace("classifier,", '"a, b ""c""\n",').rsplit(",", 1)[0] + "\n"
        file.write_text("".join([*lines[:line], short, *lines[line + 1 :]]))
        assert fault(damaged) == f"{line + 1}:1: row: the row has 12 cells, the header 13"
    file.write_text("".join([*lines[:-1], lines[-1].replace("classifier", '"classi')]))
    assert fault(damaged) == f"{len(lines)}:1: row: a quote that is opened in this row is never closed"
    file.write_text("".join([*lines[:-1], lines[-1].rstrip("\n") + ",1\n"]))
    assert fault(damaged) == f"{len(lines)}:1: row: the row has 14 cells, the header 13"
    whole = [line if at % 7 else line.replace("classifier", '"a, b ""c""\n"') + "\r\n" for at, line in enumerate(lines)]
    file.write_text("".join(whole), newline="")
    frame = dynasoc.load(damaged).jobs.to_pandas()
    assert len(frame) == len(lines) - 1
    assert set(frame["app"]) == {"classifier", 'a, b "c"\n'}


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "1:1: header: the file is empty; a line with the columns' names is expected"),
        (b"\x7fELF\xff\xfe\x00\n\x80", "1:1: header: not valid UTF-8, or not CSV"),
        (b"a,b\n1,2", '1:1: header: the column "replication" is missing'),
        (None, " no such file"),
    ],
)
def test_what_is_no_table_is_refused(damaged, content, said):
    file = damaged / "jobs.csv"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert fault(damaged) == said


@pytest.mark.parametrize(
    "log, old, new, said",
    [
        ("jobs", "accuracy", "acuracy", '1:1: header: the column "accuracy" is missing'),
        ("jobs", ",energy_mj\n", ",energy_mj,more\n", '1:1: header: unknown column "more"'),
        ("jobs", ",energy_mj\n", ",energy_mj,app\n", '1:1: header: the column "app" appears twice'),
        ("timeline", "gpu_utilisation", "gpu_use", '1:1: header: unknown column "gpu_use"'),
        ("jobs", ",L4,77.54,", ",L4,?,", '2: accuracy: "?" is not a number'),
        ("jobs", ",L4,77.54,", ",L\udcff,77.54,", "2:1: row: not valid UTF-8"),
        ("jobs", "classifier,0,", "classifier,,", '2: job: "" is not a whole number'),
        # It would be read as 5 ns.
        ("jobs", "0.000000000", "0.5", '2: arrival_s: "0.5" is not a time in s with nine digits after the point'),
        ("candidates", ",0,0\n", ",0,yes\n", '2: chosen: "yes" is not 0 or 1'),
    ],
)
def test_columns_and_cells_of_another_kind_are_refused(damaged, log, old, new, said):
    file = damaged / f"{log}.csv"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1), errors="surrogateescape")
    assert fault(damaged, log) == said


@pytest.mark.parametrize(
    "content, said",
    [
        (b'{\n "replications": [1,', ":2:21: not JSON, or cut: Expecting value"),
        (b'{"a": "\xff"}', ": not valid UTF-8"),
        (b"[]", ": not a JSON object"),
    ],
)
def test_a_manifest_that_is_cut_is_refused(damaged, content, said):
    file = damaged / "manifest.json"
    whole = json.loads(file.read_text())
    file.write_bytes(content)
    with pytest.raises(dynasoc.InputError, match=f"^{re.escape(f'{file}{said}')}$"):
        dynasoc.load(damaged)
    del whole["replications"]
    file.write_text(json.dumps(whole))
    with pytest.raises(dynasoc.InputError, match=r"manifest\.json: /replications: "):
        dynasoc.load(damaged).jobs.to_pandas()
    summary = damaged / "summary.json"
    summary.unlink()
    with pytest.raises(dynasoc.InputError, match=r"summary\.json: no such file$"):
        _ = dynasoc.load(damaged).summary


def test_a_table_without_rows_is_one(damaged):
    for log in LOGS:
        file = damaged / f"{log}.csv"
        file.write_text(file.read_text().partition("\n")[0] + "\n")
        assert len(getattr(dynasoc.load(damaged), log).to_pandas()) == 0
    assert len(dynasoc.load(damaged).to_parquet()) == len(LOGS)


def test_documents_say_how_tables_in_memory_differ(root, sharing, tmp_path):
    run = dynasoc.run(sharing)
    saved = dynasoc.load(run.save(tmp_path / "out"))

    def kind(frame, name):
        if name not in frame:
            return "not there"
        return "text" if pd.api.types.is_string_dtype(frame[name].dtype) else str(frame[name].dtype)

    differ = {}
    for log in LOGS:
        ours, theirs = getattr(saved, log).to_pandas(), getattr(run, log).to_pandas()
        for name in {*ours, *theirs}:
            kinds = kind(theirs, name), kind(ours, name)
            if kinds[0] != kinds[1]:
                differ[log, name] = tuple("there" if "not there" in kinds and one != "not there" else one for one in kinds)
        same = [name for name in ours if name in theirs and (log, name) not in differ]
        pd.testing.assert_frame_equal(ours[same], theirs[same], check_exact=True)
    said = {}
    table = (root / "docs/outputs.md").read_text(encoding="utf-8").partition("| of a `Run` | loaded |\n")[2].partition("\n\n")[0]
    for row in table.splitlines()[1:]:
        logs, names, memory, loaded = (cell.strip() for cell in row.strip("|").split("|"))
        kinds = tuple(re.split("[:;]", cell)[0] for cell in (memory, loaded))
        for log in logs.split(", "):
            for name in re.findall("`(.+?)`", names):
                if name in getattr(run, log).to_pandas() or name in getattr(saved, log).to_pandas():
                    said[log, name] = kinds
    assert said == differ
    ours, theirs = saved.jobs.to_pandas(), run.jobs.to_pandas()
    done = ours["energy_mj"].notna()
    for name in ("accuracy", "energy_mj"):
        assert (ours.loc[done, name].astype("float32") == theirs.loc[done, name]).all()
