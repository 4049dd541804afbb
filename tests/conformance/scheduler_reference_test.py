#!/usr/bin/env python3
"""Five schedulers written twice: what reference/schedulers.py picks from random queues, from the rules' descriptions
alone, must be what `dynasoc_decide` picks, decision by decision.

A queue that differs is left beside the message as a document for `dynasoc_decide`."""
import json
import random
import tempfile
import unittest

from reference_test import SEQUENCES, decide
from reference import schedulers
from reference.scheduler_runs import queue_run


def draw(name, parameters, rule, count):
    """Runs, drawn until there are enough in which no choice hangs on the last digits; and how many were given up."""
    runs = []
    seed = 0
    while len(runs) < count:
        run = queue_run(random.Random(f"{name} {seed}"), name, parameters(seed), rule)
        seed += 1
        if run is not None:
            runs.append(run)
    return runs, seed - count


def differences(runs):
    """Of all decisions: the run, the step, and both answers."""
    found = []
    for run, answer in zip(runs, decide([run.document for run in runs])):
        if len(answer) != len(run.expected):
            raise AssertionError(f"{len(answer)} answers to {len(run.expected)} steps")
        found += [(run, at, {"run": ours}, line["writes"]) for at, (ours, line) in enumerate(zip(run.expected, answer))
                  if line["writes"] != {"run": ours}]
    return found


class SchedulerReference(unittest.TestCase):
    def compare(self, name, variant=None):
        def parameters(seed):
            return {} if variant is None or variant == "corrected" and seed % 2 else {"variant": variant}

        runs, given_up = draw(name, parameters, schedulers.RULES[name], SEQUENCES)
        found = differences(runs)
        print(f"{name}{f' ({variant})' if variant else ''}: {len(runs)} queues, {sum(len(r.expected) for r in runs)} "
              f"decisions compared, {len(found)} differ; {sum(r.ties for r in runs)} were made by the order of claims; "
              f"{given_up} queues given up for near ties", flush=True)
        for run, at, ours, theirs in found[:1]:
            with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
                json.dump(run.document, file, indent=1)
            self.fail(f"step {at}: the reference says {ours}, dynasoc_decide {theirs}; {file.name}\n"
                      f"{json.dumps(run.document['vectors'][0]['steps'][at])}")
        self.assertLess(given_up, 0.05 * SEQUENCES + 10)

    def test_lst(self):
        self.compare("lst")

    def test_prema(self):
        self.compare("prema")

    def test_planaria(self):
        self.compare("planaria", "corrected")

    def test_planaria_as_in_the_artefact(self):
        self.compare("planaria", "artefact")

    def test_sdrm3(self):
        self.compare("sdrm3", "corrected")

    def test_sdrm3_as_in_the_artefact(self):
        self.compare("sdrm3", "artefact")

    def test_dysta(self):
        self.compare("dysta")


class LastOfEquals:
    def shown(self, claims):
        return super().shown(claims)[::-1]


class ByApplication:
    def shown(self, claims):
        return sorted(claims, key=lambda claim: claim.app)


class OfTheOtherVariant:
    def __init__(self, parameters):
        super().__init__(parameters)
        self.variant = "artefact" if self.variant == "corrected" else "corrected"


class WithoutRemaining(schedulers.Lst):
    def key(self, claim, claims, now):
        slack = claim.slack(now)
        return [schedulers.ONE] if slack is None else [schedulers.ZERO, slack]


class WithoutFirstGrowth(schedulers.Prema):
    def grow(self, claim, now):
        if self.frame(claim) in self.tokens:
            return super().grow(claim, now)
        return self.tokens.setdefault(self.frame(claim), claim.weight())


class TokenOfApplication(schedulers.Prema):
    def frame(self, claim):
        return claim.app


class FewerThresholds(schedulers.Prema):
    THRESHOLDS = 9, 1


class HeavyAlpha(schedulers.Sdrm3):
    ALPHA = schedulers.plain(1.5)


class WithoutStretch(schedulers.Dysta):
    def key(self, claim, claims, now):
        claim.stretch = schedulers.ONE
        return super().key(claim, claims, now)


class HeavyBeta(schedulers.Dysta):
    BETA = schedulers.plain(0.02)


def wrong_rules():
    for name, rule in schedulers.RULES.items():
        for slip in (LastOfEquals, ByApplication):
            yield name, type(slip.__name__, (slip, rule), {})
    for name in ("planaria", "sdrm3"):
        yield name, type("OfTheOtherVariant", (OfTheOtherVariant, schedulers.RULES[name]), {})
    yield "lst", WithoutRemaining
    for rule in (WithoutFirstGrowth, TokenOfApplication, FewerThresholds):
        yield "prema", rule
    yield "sdrm3", HeavyAlpha
    for rule in (WithoutStretch, HeavyBeta):
        yield "dysta", rule


class WrongReference(unittest.TestCase):
    def test_a_wrong_rule_is_caught(self):
        for name, rule in wrong_rules():
            with self.subTest(name, rule=rule.__name__):
                runs, _ = draw(name, lambda _: {}, rule, max(100, SEQUENCES // 5))
                found = differences(runs)
                print(f"{name} {rule.__name__}: {len(found)} of {sum(len(r.expected) for r in runs)} decisions differ",
                      flush=True)
                self.assertTrue(found)


if __name__ == "__main__":
    unittest.main()
