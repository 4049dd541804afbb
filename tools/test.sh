#!/usr/bin/env bash
# Builds a preset and runs its tests: tools/test.sh [PRESET]. The last line is `N passed, N failed`.
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
python3 tools/count_tests.py "$results"
