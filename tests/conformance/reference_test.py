#!/usr/bin/env python3
"""Five rules written twice: what reference/ makes of random sequences of observations, from the words at the head of
each rule's file alone, must be what `dynasoc_decide` makes of them, decision by decision.

A sequence that differs is left beside the message as a document for `dynasoc_decide`."""
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reference import clocks, governor_runs, policy_runs  # noqa: E402

DECIDE = os.environ["DYNASOC_DECIDE"]
SEQUENCES = max(1, int(1000 * float(os.environ.get("DYNASOC_TEST_SCALE", "1"))))
LENGTH = 40  # steps


def draw(name, make):
    """Runs, drawn until there are enough that no tie spoils."""
    runs = []
    seed = 0
    while len(runs) < SEQUENCES:
        run = make(random.Random(f"{name} {seed}"), LENGTH)
        seed += 1
        if run is not None:
            runs.append(run)
    if seed > 1.5 * SEQUENCES + 10:
        raise AssertionError(f"{name}: {seed - SEQUENCES} sequences were given up for ties")
    return runs


def decide(documents):
    """What the C++ makes of each."""
    text = "".join(json.dumps(document) + "\n" for document in documents)
    done = subprocess.run([DECIDE, "--lines"], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    answers = [[json.loads(line) for line in block.splitlines()] for block in done.stdout.split("\n\n")[:-1]]
    if len(answers) != len(documents):
        raise AssertionError(f"{len(answers)} answers to {len(documents)} documents")
    return answers


class Reference(unittest.TestCase):
    def differ(self, document, number, at, ours, theirs):
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(document, file, indent=1)
        self.fail(f"sequence {number}, step {at}: the reference says {ours}, dynasoc_decide {theirs}; {file.name}\n"
                  f"{json.dumps(document['vectors'][0]['steps'][at])}")

    def clocks(self, number, document, answer, expected):
        self.assertEqual(len(answer), len(expected))
        for at, line in enumerate(answer):
            if clocks.khz(line["mhz"]) != expected[at]:
                self.differ(document, number, at, expected[at] / 1000, line["mhz"])

    def governor(self, name, make):
        runs = draw(name, make)
        answers = decide([run.document for run in runs])
        for number, (run, answer) in enumerate(zip(runs, answers)):
            self.clocks(number, run.document, answer, run.expected)
            for at, line in enumerate(answer):
                if abs(run.periods[at] - line["period_ms"]) > 1e-9:
                    self.differ(run.document, number, at, run.periods[at], line["period_ms"])
        return runs, answers

    def test_ondemand(self):
        self.governor("ondemand", governor_runs.ondemand_run)

    def test_nvhost_podgov(self):
        self.governor("nvhost_podgov", governor_runs.podgov_run)

    def test_schedutil(self):
        """Also: nothing is lost if it is asked at those ticks only that it names."""
        runs, answers = self.governor("schedutil", governor_runs.schedutil_run)
        pairs = [(run, answer) for run, answer in zip(runs, answers) if not run.traced]
        fewer = [governor_runs.without_idle_ticks(run, answer) for run, answer in pairs]
        again = decide([document for document, _ in fewer])
        for number, ((document, expected), answer) in enumerate(zip(fewer, again)):
            self.clocks(number, document, answer, expected)
        self.assertLess(sum(map(len, again)), sum(len(answer) for _, answer in pairs))

    def policy(self, name, make):
        runs = draw(name, make)
        for number, (run, answer) in enumerate(zip(runs, decide([run.document for run in runs]))):
            self.assertEqual(len(answer), len(run.expected))
            for at, line in enumerate(answer):
                if line["writes"] != run.expected[at]:
                    self.differ(run.document, number, at, run.expected[at], line["writes"])

    def test_alert(self):
        self.policy("alert", policy_runs.alert_run)

    def test_pid(self):
        self.policy("pid", policy_runs.pid_run)


if __name__ == "__main__":
    unittest.main()
