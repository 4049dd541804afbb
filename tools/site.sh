#!/usr/bin/env bash
# Builds the documentation as a site in build/site (or in the folder named): tools/site.sh [DIR]. Strict: a page that is not in
# the navigation, or a link or anchor that leads nowhere, is an error. mkdocs and its theme come from PyPI into build/venv-site.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=build/venv-site
if ! cmp -s tools/site-requirements.txt "$venv/requirements.txt"; then
  "${PYTHON:-python3}" -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r tools/site-requirements.txt
  cp tools/site-requirements.txt "$venv/requirements.txt"  # last: an installation cut short is made again
fi
# The theme's advertisement for its successor, and Python's caches in tools/.
export NO_MKDOCS_2_WARNING=1 PYTHONDONTWRITEBYTECODE=1
site=${1:-build/site}
if ! said=$("$venv/bin/mkdocs" build --strict --site-dir "$(realpath -m "$site")" 2>&1); then
  grep -v '^INFO' <<<"$said" >&2
  exit 1
fi
echo "$site/index.html"
