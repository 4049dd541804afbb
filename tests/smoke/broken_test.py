"""Every broken file of tests/broken gets one line, at the right place, that says what is wrong; and nothing else happens.

tests/broken/expected.txt holds, for each file, its name and below it, indented, the line that `dynasoc lint` prints when it
is run in tests/broken. After a deliberate change of a message: `python3 tests/smoke/broken_test.py --print` prints the file
anew; read what changed.
"""
import os
import subprocess
import sys

ROOT = os.environ.get("DYNASOC_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DYNASOC = os.path.abspath(os.environ.get("DYNASOC_BINARY", os.path.join(ROOT, "build", "release", "dynasoc")))
CORPUS = os.path.join(ROOT, "tests", "broken")
HELPERS = "parts"  # files that broken ones name

failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


def snapshot():
    return {
        os.path.join(folder, name): os.stat(os.path.join(folder, name)).st_mtime_ns
        for folder, _, names in os.walk(CORPUS)
        for name in names
    }


def read_expected():
    head, cases, name = [], {}, None
    with open(os.path.join(CORPUS, "expected.txt"), encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("#"):
                head.append(line)
            elif line.startswith("  "):
                check(name is not None, f"expected.txt: a message without a file: {line}")
                cases[name] = line[2:]
                name = None
            elif line:
                check(name is None, f"expected.txt: {name} has no message")
                name = line
    return head, cases


def lint(name):
    return subprocess.run([DYNASOC, "lint", name], cwd=CORPUS, capture_output=True, timeout=60)


def check_place(message, where):
    """The place exists, and where the message speaks of a key or quotes a word, that is what stands there."""
    parts = message.split(": ")
    file, line, column = parts[0].rsplit(":", 2) if parts[0].count(":") >= 2 else (parts[0], None, None)
    if line is None:
        check(not os.path.isfile(os.path.join(CORPUS, file)), f"{where}: no place in a file that is there: {message}")
        return
    with open(os.path.join(CORPUS, file), "rb") as text:
        content = text.read()
    if "UTF-16" in message:
        return
    lines = content.decode("utf-8-sig", errors="replace").split("\n")
    line, column = int(line), int(column)
    check(1 <= line <= len(lines), f"{where}: line {line} of {len(lines)}")
    check(1 <= column <= len(lines[line - 1]) + 1, f"{where}: column {column}, the line has {len(lines[line - 1])}")
    if ": --set " in message:
        return  # the words are about what would be set, the place is where that is written
    for told in ("unknown key ", "unknown value ", "unknown kind ", "unknown column ", "unknown unit ", "no such "):
        if told in message and '"' in message:
            word = message.split('"')[1]
            at = lines[line - 1][column - 1:].lstrip('"')
            check(at.startswith(word) or file.endswith(".csv") and "unknown column" in told,
                  f"{where}: {word} does not stand at {line}:{column} but {at[:20]!r}")


def main():
    head, cases = read_expected()
    if "--print" in sys.argv:
        print("\n".join(head) + "\n")
        for name in cases:
            print(f"{name}\n  {lint(name).stderr.decode().rstrip()}")
        return 0
    before = snapshot()
    check(len(cases) >= 100, f"only {len(cases)} cases")
    for name, expected in cases.items():
        result = lint(name)
        check(result.returncode == 2, f"{name}: status {result.returncode}")
        check(result.stdout == b"", f"{name}: stdout {result.stdout[:100]!r}")
        message = result.stderr.decode()
        check(message.count("\n") == 1 and message.endswith("\n"), f"{name}: not one line: {message!r}")
        check(message.rstrip("\n") == expected, f"{name}:\n    expected {expected}\n    got      {message.rstrip()}")
        check_place(message, name)
    # All of them at once: a line each, in order.
    together = subprocess.run([DYNASOC, "lint", *cases], cwd=CORPUS, capture_output=True, timeout=60)
    check(together.returncode == 2, f"all at once: status {together.returncode}")
    check(together.stderr.decode().splitlines() == list(cases.values()), "all at once: not the lines of each alone")
    # None is left out.
    files = {os.path.relpath(path, CORPUS) for path in before}
    named = set(cases) | {os.path.join(os.path.dirname(name), "minimal.csv") for name in cases if name.startswith("network")}
    for path in sorted(files - named - {"expected.txt"}):
        check(path.startswith(HELPERS + os.sep), f"{path} is not in expected.txt")
    after = snapshot()
    check(before == after, f"files were written: {sorted(set(after.items()) ^ set(before.items()))[:5]}")

    print(f"{len(cases)} broken files, {len(failures)} complaints")
    for failure in failures:
        print("  " + failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
