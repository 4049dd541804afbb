#!/usr/bin/env bash
# Which lines of sim/ the tests run: builds the preset `coverage`, runs the tests, prints a table by folder, and writes
# build/coverage/report.txt (every file, with its lines that never ran) and build/coverage/html/. Needs gcovr (Debian).
# COVERAGE_TESTS: a regular expression of ctest entries (all but smoke/docs_test: it types the documents' commands, for most
# of half an hour here, and what only they run is not tested by that).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v gcovr >/dev/null || { echo "tools/coverage.sh: no gcovr (Debian: gcovr)" >&2; exit 3; }
jobs=${JOBS:-$(nproc)}
cmake --preset coverage --log-level=WARNING >/dev/null
cmake --build --preset coverage --parallel "$jobs"
which=(-E smoke/docs_test)
if [[ -n ${COVERAGE_TESTS:-} ]]; then which=(-R "$COVERAGE_TESTS"); fi
find build/coverage -name '*.gcda' -delete
# Fewer random samples: they run the same lines again. One that fails is told, and its lines count.
DYNASOC_TEST_SCALE=${DYNASOC_TEST_SCALE:-0.1} ctest --preset coverage --parallel "$jobs" "${which[@]}" ||
  echo "tools/coverage.sh: not all tests passed; see above" >&2

mkdir -p build/coverage/html
# Templates count as run where any of their instances is.
gcovr --root . --filter 'sim/' --exclude-throw-branches --exclude-unreachable-branches \
  --gcov-ignore-parse-errors -j "$jobs" \
  --txt build/coverage/report.txt --html-details build/coverage/html/index.html --json-summary build/coverage/summary.json build/coverage
python3 tools/coverage_table.py build/coverage/summary.json
echo "each file and its lines that never ran: build/coverage/report.txt, build/coverage/html/index.html"
