"""Results in a directory: the same tables as those of the run in memory, and Parquet files that say what they hold."""

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
