#!/usr/bin/env bash
# Makes the generated parts of README.md and docs/ again: tools/docs.sh [--check]. --check: only says what is out of date.
# Needs build/release/dynasoc (`make build`), or another program named by DYNASOC_BINARY.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 tools/docs.py "$@"
