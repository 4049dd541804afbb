"""Every notebook runs from top to bottom in an empty folder, and is stored clean: no outputs, no paths of somebody's machine."""

import json
import os
import pathlib
import re

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

import dynasoc  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "bindings/notebooks").glob("*.ipynb"))
TIMEOUT_S = 300  # of one cell, on a busy machine

ABSOLUTE = re.compile(r"(?<![\w.~:/<-])/(?:home|root|tmp|usr|work|mnt|opt|var|Users)/|\b[A-Z]:\\")


def by_name(paths):
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def test_there_are_notebooks():
    assert {"quick-start", "build-a-table-for-your-board", "write-your-own-manager", "choose-sub-networks"} <= {
        path.stem for path in NOTEBOOKS
    }


@by_name(NOTEBOOKS)
def test_a_notebook_is_stored_clean(path):
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n") and not text.endswith("\n\n")
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert not cell.metadata, f"{cell.id}: metadata {dict(cell.metadata)}"
        assert not ABSOLUTE.search(cell.source), f"{cell.id}: an absolute path"
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, f"{cell.id}: outputs"
    # As a program would write it, so that a change of one cell is a change of its lines alone.
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@by_name(NOTEBOOKS)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    # The kernel imports the package that the tests import, and draws as a notebook does.
    package = pathlib.Path(dynasoc.__file__).resolve().parents[1]
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(package), before])))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    failure = ""
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        failed = next(
            cell for cell in notebook.cells if any(out.output_type == "error" for out in cell.get("outputs", ()))
        )
        failure = f"{path.name}, cell {failed.id}:\n" + re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    if failure:
        pytest.fail(failure, pytrace=False)
    printed = [
        f"{cell.id}: {output.text}"
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert not printed, "\n".join(printed)
