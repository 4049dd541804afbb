#!/usr/bin/env bash
# Runs RTM-Bench into out/rtm-bench (which it goes on from), makes its page, and puts the tables into docs/rtm-bench.md.
set -euo pipefail
cd "$(dirname "$0")/.."

dynasoc=${DYNASOC_BINARY:-build/release/dynasoc}
began=$SECONDS
tables=$(mktemp)
trap 'rm -f "$tables"' EXIT
"$dynasoc" rank rtm-bench --out out/rtm-bench --markdown "$tables"
printf '%d s\n' $((SECONDS - began))
"$dynasoc" report out/rtm-bench --force
python3 - "$tables" <<'PY'
import pathlib
import sys

page = pathlib.Path("docs/rtm-bench.md")
begin, end = "<!-- rtm-bench: begin -->\n", "<!-- rtm-bench: end -->\n"
text = page.read_text()
before, after = text.split(begin)[0], text.split(end)[1]
page.write_text(before + begin + pathlib.Path(sys.argv[1]).read_text() + end + after)
PY
