"""alert, from the words at the head of sim/manager/policies/alert.cpp."""
import math

from .board import References, Writes

DEFAULTS = {"goal": "by_targets", "sure": 0, "failure_accuracy": 0, "grouped": True, "dvfs": False, "mapping": False,
            "cost_us": 50}
NEARLY = 1e-10  # predictions that differ by less are a tie, unless they are the same


def phi_of(x):
    """The normal distribution."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


class Filter:
    def __init__(self):
        self.mu, self.var, self.gain, self.noise = 1.0, 0.1, 0.5, 0.1
        self.share, self.m = 0.0, 0.01

    def slowdown(self, measured):
        y = measured - self.mu
        self.noise = max(0.1, 0.3 * self.noise + 0.7 * (self.gain * y) ** 2)
        p = (1 - self.gain) * self.var
        self.gain = (p + self.noise) / (p + self.noise + 0.001)
        self.mu += self.gain * y
        self.var = p + self.noise

    def idle_share(self, r):
        w = (self.m + 1e-4) / (self.m + 1e-4 + 1e-3)
        self.m = (1 - w) * (self.m + 1e-4)
        self.share += w * (r - self.share)


class Choice:
    def __init__(self, subnet, unit, opp):
        self.subnet, self.unit, self.opp = subnet, unit, opp


class Alert:
    def __init__(self, parameters):
        self.p = {**DEFAULTS, **parameters}
        self.filters = {}
        self.chosen = {}  # by application: the last choice
        self.references = References()
        self.tie = False

    def learn(self, board, name, samples):
        own = self.p["dvfs"]
        filter_ = self.filters.setdefault(name, Filter())
        for sample in samples:
            governed = board.first_clock(sample["unit"])["governed"] and not own
            opp = self.references.opp(board, sample["unit"], own)
            latency = board.latency(name, sample["subnet"], sample["unit"], opp)
            profile = latency if governed else sample["profile_ms"]
            if not profile > 0:
                continue
            filter_.slowdown(sample["service_ms"] / profile)
            idle = board.idle(sample["unit"], opp)
            energy = board.energy(name, sample["subnet"], sample["unit"], opp)
            r = idle / (idle + energy / latency) if latency > 0 else math.nan
            if not math.isnan(r):
                filter_.idle_share(r)

    def candidates(self, board, name):
        app = board.apps[name]
        for unit in board.units if self.p["mapping"] else [app["unit"]]:
            opps = board.opps(unit) if self.p["dvfs"] else [self.references.opp(board, unit, False)]
            for opp in opps:
                for subnet in range(len(app["accuracy"])):
                    if not math.isnan(board.latency(name, subnet, unit, opp)):
                        yield Choice(subnet, unit, opp)

    def predict(self, board, name, choice, target):
        filter_ = self.filters.setdefault(name, Filter())
        choice.t = board.latency(name, choice.subnet, choice.unit, choice.opp)
        idle = board.idle(choice.unit, choice.opp)
        energy = board.energy(name, choice.subnet, choice.unit, choice.opp)
        energy = math.inf if math.isnan(energy) else energy
        choice.power = energy / choice.t + (0 if math.isnan(idle) else idle)
        choice.energy = choice.power * filter_.mu * choice.t
        choice.sure = 1.0
        if target is not None:
            choice.sure = phi_of((target / choice.t - filter_.mu) / math.sqrt(filter_.var))
            rest = max(0.0, target - filter_.mu * choice.t)
            if filter_.share > 0 and rest > 0:
                choice.energy += filter_.share * choice.power * rest
        accuracy = board.apps[name]["accuracy"][choice.subnet]
        choice.q = choice.sure * accuracy + (1 - choice.sure) * self.p["failure_accuracy"]

    def least(self, choices, *keys):
        best = min(choices, key=lambda c: tuple(key(c) for key in keys))
        for other in choices:
            if other is not best:
                for key in keys:
                    a, b = key(best), key(other)
                    if a == b:
                        continue
                    if abs(a - b) <= NEARLY * (1 + abs(a)):
                        self.tie = True
                    break
                else:
                    self.tie = True
        return best

    def compare(self, value, bound, at_least):
        """Whether it keeps to a bound that is set."""
        if bound <= 0:
            return True
        if abs(value - bound) <= NEARLY * bound:
            self.tie = True
        return value >= bound if at_least else value <= bound

    def choose(self, board, name):
        app = board.apps[name]
        target = None
        if app["latency_target_ms"] > 0:
            target = app["latency_target_ms"] - self.p["cost_us"] / 1000
            if app["waiting"]:
                target -= app["oldest_wait_ms"]
                if self.p["grouped"]:
                    target /= app["waiting"]
        choices = list(self.candidates(board, name))
        if not choices:
            return None
        for choice in choices:
            self.predict(board, name, choice, target)
        feasible = [c for c in choices
                    if app["accuracy"][c.subnet] >= app["accuracy_floor"]
                    and self.compare(c.q, app["accuracy_floor"], True)
                    and self.compare(c.energy, app["energy_budget_mj"], False)
                    and self.compare(c.power, app["power_budget_w"], False)
                    and self.compare(c.sure, self.p["sure"], True)]
        goal = self.p["goal"]
        if goal == "by_targets":
            budget = app["energy_budget_mj"] > 0 or app["power_budget_w"] > 0
            goal = "energy" if app["accuracy_floor"] > 0 and not budget else "accuracy"
        accurate, saving, fast = (lambda c: -c.q), (lambda c: c.energy), (lambda c: c.t)
        if feasible:
            return self.least(feasible, *((saving, accurate, fast) if goal == "energy" else (accurate, saving, fast)))
        sure = [c for c in choices if self.compare(c.sure, self.p["sure"] or 0.5, True)]
        if sure:
            return self.least(sure, accurate, saving, fast)
        return self.least(choices, lambda c: -c.sure, accurate, saving, fast)

    def decide(self, board, samples, subject):
        """`samples`: those that came since the last decision, by application. `subject`: whom it is about, or None."""
        self.references.see(board, self.p["dvfs"])
        writes = Writes(board)
        for name, app in board.apps.items():
            self.learn(board, name, samples.get(name, []))
            if not app["active"]:
                continue
            if subject is None or name == subject or name not in self.chosen:
                choice = self.choose(board, name)
                if choice is not None:
                    self.chosen[name] = choice
                    writes.place(name, choice.subnet, choice.unit)
            if self.p["dvfs"] and name in self.chosen:
                writes.vote(self.chosen[name].unit, self.chosen[name].opp)
        writes.done()
        return writes
