#!/usr/bin/env bash
# Fuzzes every parser with clang's libFuzzer under its sanitizers, FUZZ_S seconds each (600), JOBS at a time (1), and prints
# a table of executions, coverage and findings: tools/fuzz.sh [TARGET…]. Needs clang-16 and its runtime (Debian: clang-16
# libclang-rt-16-dev). What is learnt stays in build/fuzz/corpus; a text that breaks something in build/fuzz/findings, with
# the command that shows it again. Ends with status 1 if there was one, or if a target never ran.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v clang++-16 >/dev/null || { echo "tools/fuzz.sh: no clang++-16 (Debian: clang-16)" >&2; exit 3; }
seconds=${FUZZ_S:-600}
jobs=${JOBS:-1}
build=build/fuzz
program=$build/tests/dynasoc-fuzz

# Before anything is built for them: a target is declared with its name.
mapfile -t known < <(sed -n 's/.*\.name = "\([^"]*\)".*/\1/p' tests/fuzz/*.cpp | sort)
targets=("$@")
[[ $# -gt 0 ]] || targets=("${known[@]}")
for target in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $target "* ]] ||
    { echo "tools/fuzz.sh: unknown target $target (known: ${known[*]})" >&2; exit 2; }
done

cmake --preset fuzz --log-level=WARNING >/dev/null
cmake --build --preset fuzz --parallel "$jobs" --target dynasoc-fuzz

mkdir -p "$build"/{corpus,findings,logs,dictionaries}

# A finding is kept by libFuzzer under the name of its kind and content.
one() {
  local target=$1
  local corpus=$build/corpus/$target log=$build/logs/$target.log
  mkdir -p "$corpus" "$build/findings/$target"
  "$program" "$target" --seeds "$corpus"
  "$program" "$target" --dictionary >"$build/dictionaries/$target"
  local words=()
  [[ ! -s $build/dictionaries/$target ]] || words=(-dict="$build/dictionaries/$target")  # libFuzzer refuses an empty one
  # Leaks are looked for in the test suites' sanitizer build; a text of a scenario's size is mutated, not one of megabytes.
  # The address space is bounded by the limit on memory, a text's time by the timeout: both are findings. What libFuzzer
  # keeps as slow is none.
  ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS} "$program" "$target" "$corpus" "${words[@]}" \
    -max_total_time="$seconds" -max_len=20000 -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -detect_leaks=0 \
    -artifact_prefix="$build/findings/$target/" >"$log" 2>&1 </dev/null || true
}
export -f one
export build program seconds
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'one {}'

status=0
printf '\n%-16s %12s %10s %8s %9s %9s\n' target executions per_s edges corpus findings
for target in "${targets[@]}"; do
  log=$build/logs/$target.log
  stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -n 1; }
  executed=$(stat number_of_executed_units)
  edges=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d ' ' -f 2 || true)
  mapfile -t found < <(find "$build/findings/$target" -type f ! -name 'slow-unit-*' -newer "$build/dictionaries/$target" | sort)
  printf '%-16s %12s %10s %8s %9s %9s\n' "$target" "${executed:--}" "$(stat average_exec_per_sec)" \
    "${edges:--}" "$(find "$build/corpus/$target" -type f | wc -l)" "${#found[@]}"
  if [[ ! ${executed:-0} -gt 0 ]]; then  # it ended before it said how many
    status=1
    printf '  did not run to its end: %s\n' "$(tail -n 1 "$log" | cut -c 1-200)"
  fi
  for file in "${found[@]}"; do
    status=1
    printf '  %s\n  again: %s %s %s\n' "$(grep -m 1 -E '^FINDING|ERROR: |runtime error' "$log" | cut -c 1-200)" \
      "$program" "$target" "$file"
  done
done
exit "$status"
