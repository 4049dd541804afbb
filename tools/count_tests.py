#!/usr/bin/env python3
"""Counts test cases: count_tests.py RESULTS.xml

Reads ctest's JUnit file and, beside it, one NAME.cases file for each entry that is an executable of many cases (written by
tests/main.cpp). Names what failed, ends with `N passed, N failed`, and exits with 1 unless some passed and none failed.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def main(results: pathlib.Path) -> int:
    passed, failed, skipped = 0, [], []
    for entry in ElementTree.parse(results).getroot().iter("testcase"):
        name, status = entry.get("name"), entry.get("status")
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

    for kind, names in (("skipped", skipped), ("FAILED", failed)):
        for name in names:
            print(f"{kind}: {name}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
