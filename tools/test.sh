#!/usr/bin/env bash
# Builds a preset and runs its tests: tools/test.sh [PRESET]. The last line is `N passed, N failed`. The release preset's
# include those of the Python package, on an installed wheel.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
jobs=${JOBS:-$(nproc)}
results=$PWD/build/$preset/tests/results.xml

# Where it counts the reference engine must not go missing unnoticed: CI insists on SimGrid.
cmake --preset "$preset" --log-level=WARNING ${CI:+-DDYNASOC_SIMGRID=ON} >/dev/null
cmake --build --preset "$preset" --parallel "$jobs"

rm -f "$results" "build/$preset/tests/"*.cases
ctest --preset "$preset" --parallel "$jobs" --output-junit "$results" || true  # judged by the results
counted=("$results")
if [[ $preset == release ]]; then
  python_results=$PWD/build/$preset/tests/python.xml
  rm -f "$python_results"
  tools/python.sh
  DYNASOC_BINARY=$PWD/build/$preset/dynasoc build/venv/bin/python -m pytest -q -p no:cacheprovider --junitxml="$python_results" || true
  counted+=("$python_results")
fi
python3 tools/count_tests.py "${counted[@]}"
