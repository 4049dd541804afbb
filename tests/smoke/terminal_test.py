#!/usr/bin/env python3
"""What a person at a terminal sees: progress that fits the window and leaves nothing behind, colours where they are wanted,
tables that fit. In a pseudo-terminal, read through an emulator of the few codes that the program uses. Nothing is timed: a
test waits for what must come."""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

ROOT = pathlib.Path(os.environ.get("DYNASOC_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent)).resolve()
DYNASOC = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()
PATIENCE_S = 120  # of which a test uses what it takes

ENDLESS = """{"platform": "minimal", "duration_s": 1e8, "applications": {"camera": {"network": "example", "unit": "gpu",
              "arrivals": {"kind": "periodic", "period_ms": 30}}}}"""


def screen(text, columns):
    """The lines that a terminal shows in the end."""
    lines, row, column = [[]], 0, 0
    for code, letter in re.findall(r"\x1b\[([0-9;]*[A-Za-z])|([\s\S])", text):
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row += 1
        elif letter:
            if column == columns:
                row, column = row + 1, 0
            while len(lines) <= row:
                lines.append([])
            lines[row] += [" "] * (column - len(lines[row]))
            lines[row][column:column + 1] = [letter]
            column += 1
        elif code == "K":
            while len(lines) <= row:
                lines.append([])
            del lines[row][column:]
        elif code.endswith("A"):
            row = max(0, row - int(code[:-1] or 1))
        elif code == "J":
            del lines[row + 1:]
            del lines[row][column:]
        elif not code.endswith("m"):
            raise AssertionError(f"a code that nobody expects: {code}")
    return ["".join(line).rstrip() for line in lines]


class Terminal:
    """The program in a window."""

    def __init__(self, *words, columns=80, cwd=ROOT, **environment):
        self.master, slave = pty.openpty()
        self.text = ""
        self.resize(columns)
        # Its controlling terminal: gone with this test, even where that is killed, and the program hears of it.
        owned = lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0)
        kept = {name: value for name, value in os.environ.items()
                if name not in ("NO_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "COLUMNS")}
        self.process = subprocess.Popen([DYNASOC, *map(str, words)], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                                        cwd=cwd, start_new_session=True, preexec_fn=owned,
                                        env={**kept, "TERM": "xterm", **environment})
        os.close(slave)

    def resize(self, columns):
        self.columns = columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, until=None):
        """Reads until the pattern was seen in what is new, or until the end."""
        begin, deadline, raw = len(self.text), time.monotonic() + PATIENCE_S, b""
        while time.monotonic() < deadline:
            if until and re.search(until, self.text[begin:]):
                return self.text[begin:]
            if not select.select([self.master], [], [], 1)[0]:
                continue
            try:
                piece = os.read(self.master, 4096)
            except OSError:  # the other end is closed
                piece = b""
            if not piece:
                if until:
                    raise AssertionError(f"{until} did not come: {self.text!r}")
                return self.text[begin:]
            raw += piece
            whole = raw.decode(errors="ignore")
            self.text += whole
            raw = raw[len(whole.encode()):]
        raise AssertionError(f"nothing came: {self.text!r}")

    def end(self, status=0):
        self.read()
        os.close(self.master)
        got = self.process.wait(PATIENCE_S)
        assert got == status, (got, self.text)
        return [line for line in screen(self.text.replace("\r\n", "\n\r"), self.columns)]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Progress(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.endless = pathlib.Path(folder.name) / "endless.json"
        self.endless.write_text(ENDLESS)

    def test_it_is_shown_and_nothing_is_left(self):
        with Terminal("run", self.endless) as window:
            shown = window.read(r"simulated s/s")
            self.assertRegex(shown, r"─ +\d+ %, \d+ (s|min|h)[^,]* left, [0-9.]+ ([kMGT] ?)?simulated s/s")
            self.assertEqual(shown.count("\n"), 0)
            # One write replaces the line: it is never erased first.
            self.assertNotRegex(shown, r"\r\x1b\[K\S")
            os.killpg(window.process.pid, signal.SIGINT)
            lines = window.end(130)
        self.assertEqual([line for line in lines if line], ["dynasoc: interrupted; nothing was written"])

    def test_it_follows_the_window(self):
        with Terminal("run", self.endless, columns=100) as window:
            window.read(r"simulated s/s")
            window.resize(30)
            shown = window.read(r"\x1b\[\d+A\r\x1b\[J\r[^\r]*\x1b\[K")  # the wrapped line goes as well
            line = re.search(r"\x1b\[J\r([^\r]*)\x1b\[K", shown).group(1)
            self.assertLess(len(line), 30)
            window.resize(10)
            window.read(r"\r +\d+ %\x1b\[K")
            os.killpg(window.process.pid, signal.SIGTERM)
            window.end(130)

    def test_it_ends_with_its_window(self):
        with Terminal("run", self.endless) as window:
            window.read(r"simulated s/s")
            os.close(window.master)
            self.assertEqual(window.process.wait(PATIENCE_S), 130)

    def test_it_is_not_shown(self):
        for words, environment in ((("--quiet",), {}), ((), {"TERM": "dumb"})):
            with Terminal("run", self.endless, *words, **environment) as window:
                with self.assertRaises(AssertionError):
                    saved, globals()["PATIENCE_S"] = PATIENCE_S, 3  # longer than before the first line
                    try:
                        window.read("left")
                    finally:
                        globals()["PATIENCE_S"] = saved
                self.assertEqual(window.text, "")
                os.killpg(window.process.pid, signal.SIGINT)
                window.end(130)


class Colours(unittest.TestCase):
    def text(self, **environment):
        with Terminal("run", "minimal", columns=100, **environment) as window:
            window.end()
            return window.text

    def test_only_where_they_are_wanted(self):
        self.assertIn("\x1b[1mminimal", self.text())
        self.assertIn("\x1b[1mminimal", self.text(NO_COLOR=""))
        self.assertNotIn("\x1b[", self.text(NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.text(TERM="dumb"))
        self.assertNotIn("\x1b[", self.text(NO_COLOR="1", CLICOLOR_FORCE="1"))

    def test_a_pipe(self):
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CLICOLOR_FORCE")}
        def piped(**more):
            return subprocess.run([DYNASOC, "run", "minimal"], capture_output=True, text=True, cwd=ROOT, check=True,
                                  env={**environment, **more}).stdout
        self.assertNotIn("\x1b[", piped())
        self.assertIn("\x1b[1m", piped(CLICOLOR_FORCE="1"))
        self.assertNotIn("\x1b[", piped(CLICOLOR_FORCE="0"))
        self.assertNotIn("\x1b[", piped(CLICOLOR_FORCE="1", NO_COLOR="1"))


class Tables(unittest.TestCase):
    COMPARE = ("compare", "claims/gpu-sharing", "--policies", "none,dynamic-ofa,alert", "--replications", "3")

    def window(self, *words, columns):
        with Terminal(*words, columns=columns) as window:
            return window.end()

    def test_comparisons_fit_and_lose_nothing(self):
        words = self.COMPARE
        wide, narrow = (self.window(*words, columns=columns) for columns in (250, 60))
        tables = [line for line in narrow if re.match(r"  (none|dynamic-ofa|alert|mean|against|better)\b", line)]
        self.assertLessEqual(max(map(len, tables)), 60)
        cells = lambda lines: sorted(cell for line in lines for cell in re.split(r" {2,}", line.strip())
                                     if re.search(r"±|\[", cell) and not cell.startswith("mean"))
        self.assertEqual(cells(wide), cells(narrow))
        self.assertGreater(len(cells(wide)), 25)

    def test_decided_differences_are_marked_and_coloured(self):
        with Terminal(*self.COMPARE, columns=200) as window:
            window.end()
            self.assertRegex(window.text, r"\x1b\[32m[^\x1b]* \*\x1b\[0m")
            self.assertRegex(window.text, r"\x1b\[31m[^\x1b]* !\x1b\[0m")
        piped = subprocess.run([DYNASOC, *self.COMPARE], capture_output=True, text=True, cwd=ROOT, check=True).stdout
        self.assertIn("* better, ! worse", piped)
        self.assertLessEqual(max(len(line) for line in piped.splitlines() if "[" in line or "±" in line), 100)

    def test_a_picture_fits(self):
        for columns in (100, 60, 40):
            lines = self.window("run", "claims/gpu-sharing", columns=columns)
            drawn = [line for line in lines if "│" in line or "┤" in line]
            self.assertGreater(len(drawn), 5, columns)
            self.assertLessEqual(max(map(len, drawn)), columns)

    def test_a_picture_needs_some_columns(self):
        for columns in (1, 12, 24, 25, 27, 31):
            lines = self.window("run", "claims/gpu-sharing", columns=columns)
            self.assertEqual(any("┤" in line for line in lines), columns >= 25, columns)

    def test_suites_fit_and_lose_nothing(self):
        words = ("check", "scenarios/regression", "--only", "managers/two-applications")
        wide, narrow = (self.window(*words, columns=columns) for columns in (250, 70))
        self.assertLessEqual(max(len(line) for line in narrow if line.startswith("    ")), 70)
        count = lambda lines, word: sum(line.count(word) for line in lines)
        for word in ("holds", "no worse than", "as it was"):
            self.assertGreater(count(wide, word), 0, word)
            self.assertEqual(count(wide, word), count(narrow, word), word)


if __name__ == "__main__":
    unittest.main()
