"""Scenarios that the tests share. Paths count from the source tree."""

import os
import pathlib

import pytest

import dynasoc

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_source_tree(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture
def sharing():
    """The sharing experiment, short."""
    return dynasoc.Scenario.from_file(os.fspath(ROOT / "scenarios/claims/gpu-sharing.json"))
