"""dynasoc.board: the same commands, with dictionaries; on a tree of files, with rehearsed latencies."""

import pathlib
import sys

import pytest

import dynasoc
from dynasoc import board

BOARD_TESTS = pathlib.Path(__file__).resolve().parents[1] / "board" / "fixtures"
CHANGES = {
    "duration_s": 1.2,
    "background": {},
    "windows": {},
    "governors.gpu": "nvhost_podgov",
    "governors.cpu": "schedutil",
}


@pytest.fixture()
def target(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BOARD_TESTS))
    import make_tree

    make_tree.build(BOARD_TESTS / "jetpack5.tree", tmp_path / "root")
    sys.modules.pop("make_tree", None)
    return board.Target(root=tmp_path / "root")


def test_a_target_is_the_options_of_the_command_line():
    words = board.Target("ssh://me@nx:2222", ssh_options=["-i", "key"], runners={"mine": "/opt/runner,fast"}).words()
    assert words == ["--target", "ssh://me@nx:2222", "--ssh-option=-i", "--ssh-option=key", "--runner", "mine=/opt/runner,fast"]


def test_probe_writes_a_platform_that_loads(target, tmp_path):
    answer = board.probe(target, name="nx", out=tmp_path / "platforms")
    assert sorted(answer["platform"]["domains"]) == ["cpu0", "cpu2", "cpu4", "emc", "gpu"]
    assert dynasoc.Platform.from_file(tmp_path / "platforms" / "nx.json").name == "nx"


def test_run_and_fork(target, tmp_path):
    shares = []
    summary = board.run("claims/gpu-sharing", target, executor="replay", changes=CHANGES, out=tmp_path / "run", progress=shares.append)
    assert summary["engine"] == "board"
    assert summary["apps"]["classifier"]["completed"] > 15
    assert shares and max(shares) <= 1
    other = board.fork(tmp_path / "run", at_s=0.5, policy="static(level=1)")
    assert other["apps"]["classifier"]["completed"] >= summary["apps"]["classifier"]["completed"] - 1


def test_what_fails_is_raised(target, tmp_path):
    with pytest.raises(dynasoc.InputError, match="knows the future"):
        board.run("claims/gpu-sharing", target, policy="oracle")
    with pytest.raises(board.BoardError, match="cannot be started"):
        board.probe(board.Target(agent="/nothing/agent"))
