#!/usr/bin/env python3
"""Counts test cases: count_tests.py RESULTS.xml…

Reads JUnit files of ctest and of pytest; beside ctest's, one NAME.cases file for each entry that is an executable of many
cases (written by tests/main.cpp). Names what failed, ends with `N passed, N failed`, and exits with 1 unless some passed in
each file and none failed.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count(results: pathlib.Path) -> tuple[int, list[str], list[str]]:
    passed, failed, skipped = 0, [], []
    for entry in ElementTree.parse(results).getroot().iter("testcase"):
        name, status = entry.get("name"), entry.get("status")
        if status is None:  # pytest says it by what is inside
            where = f"{entry.get('classname')}: {name}"
            if entry.find("failure") is not None or entry.find("error") is not None:
                failed.append(where)
            elif entry.find("skipped") is not None:
                skipped.append(where)
            else:
                passed += 1
            continue
        log = results.parent / f"{name}.cases"
        cases = [line.split("\t", 1) for line in log.read_text().splitlines()] if log.exists() else None
        broken = [f"{name}: {case}" for outcome, case in cases or [] if outcome == "failed"]
        passed += sum(outcome == "passed" for outcome, _ in cases or [])
        failed += broken
        if status == "fail" and not broken:  # a crash or a time-out leaves no case behind
            failed.append(name)
        elif status == "run" and cases is None:
            passed += 1
        elif status not in ("run", "fail"):
            skipped.append(name)

    return passed, failed, skipped


def main(files: list[pathlib.Path]) -> int:
    counts = []
    for file in files:
        counts.append(count(file) if file.exists() else (0, [f"{file}: no results"], []))
    for kind, names in (("skipped", [n for c in counts for n in c[2]]), ("FAILED", [n for c in counts for n in c[1]])):
        for name in names:
            print(f"{kind}: {name}")
    failed = sum(len(c[1]) for c in counts)
    print(f"{sum(c[0] for c in counts)} passed, {failed} failed")
    return 0 if all(c[0] for c in counts) and not failed else 1


if __name__ == "__main__":
    sys.exit(main([pathlib.Path(name) for name in sys.argv[1:]]))
