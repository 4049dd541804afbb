#!/usr/bin/env bash
# The whole way on a fake board, with real inference: probe, profile, run, validate, and the fault suite twice.
#   tools/board_demo.sh [DIR]     results go to DIR (default: out/board-demo)
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-out/board-demo}
build=${DYNASOC_BUILD:-build/release}
scenario=scenarios/board/sharing.json
policies='dynamic-ofa,dynamic-ofa(dvfs=true),performance,schedutil,powersave'

say() { printf '\n==== %s\n' "$*"; }
run() {
  printf '$ dynasoc %s\n' "$*"
  "$build/dynasoc" "$@"
}

rm -rf "$out"
mkdir -p "$out"
say "a fake board: one core of this machine, its clock emulated, its power metered"
coproc board { exec "$build/dynasoc-fakeboard" --root "$out/board"; }
board_pid=$board_PID
trap 'kill "$board_pid" 2>/dev/null || true' EXIT
if ! read -r -t 20 answer <&"${board[0]}" || [[ $answer != ready* ]]; then
  wait "$board_pid" && status=0 || status=$?
  echo "skipped: the fake board does not run here (it needs a second core and the right to SCHED_FIFO)" >&2
  exit "$status"
fi
on_board=(--root "$out/board")

say "probe: what is it?"
run board probe "${on_board[@]}" --name fake-board --out "$out/platforms/"

say "profile: 20 % of the cells, the rest predicted; then, for the tables that are validated, 60 %"
run board profile "${on_board[@]}" --platform "$out/platforms/fake-board.json" --network dynamic-ofa-fake-board \
  --out "$out/twenty" --budget 20%
run board profile "${on_board[@]}" --platform "$out/platforms/fake-board.json" --network dynamic-ofa-fake-board \
  --out "$out" --budget 60% --gap-ms 40

say "run: the sharing scenario under two managers"
for policy in dynamic-ofa performance; do
  run board run "$scenario" "${on_board[@]}" --data "$out" --policy "$policy" --out "$out/run-$policy"
done

say "fork: what would the second have done from 6 s on, had the first run until then?"
run board fork "$out/run-dynamic-ofa" --at 6 --policy performance

say "validate: predicted against measured, all policies"
status=0
run board validate "$scenario" "${on_board[@]}" --data "$out" --policies "$policies" --replications 2 --judge cells,order \
  --out "$out/validation" --correct "$out/corrected.csv" || status=$?

say "faults, twice"
for round in 1 2; do
  DYNASOC_AGENT="$(realpath "$build/dynasoc-agent")" python3 tests/board/faults_test.py
done
exit "$status"
