#!/usr/bin/env bash
# Makes every table of models/ again, by the commands that stand in models/*/raw/README.md (a test compares the outcome).
# tools/remake_tables.sh [fill|import]: only those commands. Wanted after a change of a format, a platform's power or the
# latency model. Needs build/release/dynasoc (`make build`), or another program named by DYNASOC_BINARY.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${DYNASOC_BINARY:-build/release/dynasoc}")
for readme in models/*/raw/README.md; do
  folder=$(dirname "$(dirname "$readme")")
  { grep -E "^dynasoc table (${1:-import|fill}) " "$readme" || true; } | while read -r line; do
    (cd "$folder" && eval "'$program' ${line#dynasoc } --force")
  done
done
