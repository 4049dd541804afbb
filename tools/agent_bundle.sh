#!/usr/bin/env bash
# Packs what a board needs to build dynasoc-agent: its sources, nlohmann/json's headers, the licences.
#   tools/agent_bundle.sh [FILE]     default: build/dynasoc-agent.tar.gz
set -euo pipefail
cd "$(dirname "$0")/.."

file=${1:-build/dynasoc-agent.tar.gz}
headers=$(printf '#include <nlohmann/json.hpp>\n' | c++ -x c++ -M - | tr ' \\' '\n\n' | grep -m 1 'nlohmann/json\.hpp$')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/dynasoc-agent/include" "$(dirname "$file")"
cp -r sim/board/agent/. "$folder/dynasoc-agent/"
cp -r "$(dirname "$headers")" "$folder/dynasoc-agent/include/"
cp LICENSE NOTICE "$folder/dynasoc-agent/"
cp tools/runner.py "$folder/dynasoc-agent/"
tar -czf "$file" -C "$folder" dynasoc-agent
echo "$file: unpack it on the board, then"
echo "  cmake -S dynasoc-agent -B build -DNLOHMANN_JSON_INCLUDE=\$PWD/dynasoc-agent/include && cmake --build build"
