#!/usr/bin/env bash
# Makes build/venv: a virtual environment with the Python package as a wheel would install it, and all that its extras, its
# tests and its notebooks need (from PyPI). Quick when nothing has changed. PYTHON names the interpreter (default: python3).
set -euo pipefail
cd "$(dirname "$0")/.."

venv=build/venv
if [[ ! -x $venv/bin/pip ]]; then
  "${PYTHON:-python3}" -m venv --clear "$venv"
fi
# pybind11 of one version: the type stubs that are kept, and held against the module, follow its wording.
# By the name that CMake finds by itself, where ccache has the same files compiled already; Python would say g++.
export CXX=${CXX:-c++}
# Without isolation the build's tools stay where they are from one time to the next, and CMake compiles only what changed.
"$venv/bin/pip" install --quiet --disable-pip-version-check "scikit-build-core>=0.10" "pybind11~=3.1.0"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation ${CI:+-C cmake.define.DYNASOC_SIMGRID=ON} \
  '.[all,test]'
