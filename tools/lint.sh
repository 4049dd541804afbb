#!/usr/bin/env bash
# Checks formatting (.clang-format) of all C++ files and analyses the sources (.clang-tidy). --fix-format: format instead.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(find sim tests bindings/src -name "*.cpp" -o -name "*.hpp" | sort)
if [[ ${1-} == --fix-format ]]; then
  clang-format -i "${files[@]}"
  exit 0
fi

status=0
clang-format --dry-run --Werror "${files[@]}" || status=1

# clang-tidy compiles as the release build does, and needs its generated header.
cmake --preset release --log-level=WARNING >/dev/null
mapfile -t sources < <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' build/release/compile_commands.json | grep -F "$PWD/sim/" | sort -u)
printf '%s\0' "${sources[@]}" |
  xargs -0 -n 1 -P "${JOBS:-$(nproc)}" clang-tidy --quiet -p build/release 2> >(grep -vE '^[0-9]+ warnings? ' >&2) || status=1

[[ $status -eq 0 ]] && echo "lint: ${#files[@]} files, nothing found"
exit $status
