"""Random queues for schedulers: boards, applications and frames that come, wait, run for a block, come back and go, led
through a rule of this folder while they are drawn, so that what it picks shows in what it sees next."""
import math

from .schedulers import Claim, NearTie


class Frame:
    """Of an application: what is left of it as shares of the whole, a block each."""

    def __init__(self, number, arrival, deadline, blocks):
        self.number, self.arrival, self.deadline, self.blocks = number, arrival, deadline, blocks
        self.ran, self.started, self.stretch = arrival, False, 1.0
        self.isolated = self.priority = None  # as its application's

    def liken(self, other, isolated, priority):
        """Becomes the same as another to every rule. It keeps its number, and may keep when it came."""
        self.deadline, self.blocks, self.ran = other.deadline, list(other.blocks), other.ran
        self.started, self.stretch = other.started, other.stretch
        self.isolated, self.priority = isolated, priority
        self.arrival = min(self.arrival, self.ran)


class Run:
    def __init__(self, rng, name, parameters, rule):
        self.rng, self.rule = rng, rule
        self.grain = rng.choice((1, 1, 1, 125, 1000, 4000))  # us: what durations are multiples of
        self.relaxed = rng.random() < 0.4  # hardly anything is late, waits long or is important
        self.now = rng.choice((0, self.grain * rng.randint(0, 1_000_000 // self.grain)))
        self.opps = {f"u{i}": [0, rng.choice((1, 2))] for i in range(rng.choice((1, 1, 2)))}  # now, number
        self.apps = {}
        for i in range(rng.randint(2, 8)):
            self.apps[f"a{i}"] = self.application()
        self.waiting = {unit: {} for unit in self.opps}  # by application: its frame
        self.number = dict.fromkeys(self.apps, 0)
        self.steps, self.expected = [], []
        self.ties = 0  # decisions that the order alone made
        self.document = {"policy": name, "vectors": [{
            "parameters": parameters,
            "board": {"domains": {f"c{unit}": {"opps_mhz": [1000 / (i + 1) for i in reversed(range(count))],
                                               "opp_mhz": 1000 / count} for unit, (_, count) in self.opps.items()},
                      "units": {unit: {"domains": [f"c{unit}"]} for unit in self.opps}},
            "applications": {key: {"accuracy": [70], "priority": app["priority"], "unit": app["unit"],
                                   "latency_ms": {app["unit"]: [app["isolated_ms"]]},
                                   **({"latency_target_ms": app["target"] / 1000} if app["target"] else {})}
                             for key, app in self.apps.items()},
            "steps": self.steps}]}
        for _ in range(rng.randint(5, 20)):
            self.step()

    def duration(self, low_ms, high_ms):
        """In microseconds."""
        us = 1000 * math.exp(self.rng.uniform(math.log(low_ms), math.log(high_ms)))
        return max(1, round(us / self.grain)) * self.grain

    def priority(self):
        return self.rng.choice((0, 0, 0, 1, 1, 2)) if self.relaxed else self.rng.randint(0, 4)

    def application(self):
        rng = self.rng
        if self.apps and rng.random() < 0.15:
            return dict(rng.choice(list(self.apps.values())))
        unit = rng.choice(sorted(self.opps))
        slowest = self.duration(1, 100)
        times = [slowest, max(self.grain, round(slowest * 0.6 / self.grain) * self.grain)]
        return {"unit": unit, "priority": self.priority(),
                "isolated_ms": [us / 1000 for us in times[:self.opps[unit][1]]],
                "target": rng.choice((0, 1, 1)) * (self.duration(100, 2000) if self.relaxed else self.duration(5, 300)),
                "cuts": self.cuts()}

    def cuts(self):
        """A network's blocks as shares of its time."""
        rng = self.rng
        if rng.random() < 0.5:
            parts = sorted(rng.sample(range(1, 8), rng.randint(0, 4)))
            return [(b - a) / 8 for a, b in zip([0] + parts, parts + [8])]
        parts = sorted(rng.sample(range(1, 1000), rng.randint(0, 5)))
        return [(b - a) / 1000 for a, b in zip([0] + parts, parts + [1000])]

    def arrive(self, name, others):
        rng, app = self.rng, self.apps[name]
        self.number[name] += rng.choice((1, 1, 1, 2))
        waited = self.duration(0.1, 10) if self.relaxed else self.duration(0.5, 200)
        arrival = max(0, self.now - rng.choice((0, waited)))
        if others and rng.random() < 0.2:
            arrival = rng.choice(others)[1].arrival
        deadline = arrival + app["target"] if app["target"] else None
        if rng.random() < 0.3:
            ahead = rng.choice((0, self.duration(0.5, 200), -self.duration(0.5, 200)))
            deadline = max(self.now + (self.duration(50, 1000) if self.relaxed else ahead), 0)
        if others and rng.random() < 0.15:
            deadline = rng.choice(others)[1].deadline or deadline
        frame = Frame(self.number[name], arrival, deadline, list(app["cuts"]))
        if others and rng.random() < 0.2:
            other, its = rng.choice(others)
            if its.deadline is not None or not app["target"]:  # else it would have one all the same
                frame.liken(its, *self.of_application(other, its))
        return frame

    def of_application(self, name, frame):
        """How long the whole takes now [ms], and how important it is."""
        app = self.apps[name]
        isolated = app["isolated_ms"][self.opps[app["unit"]][0]] if frame.isolated is None else frame.isolated
        return isolated, app["priority"] if frame.priority is None else frame.priority

    def step(self):
        rng = self.rng
        unit = rng.choice([unit for unit in self.opps if any(app["unit"] == unit for app in self.apps.values())])
        changes = {}
        self.change(changes)
        frames = self.waiting[unit]
        for name in rng.sample(sorted(self.apps), len(self.apps)):
            if self.apps[name]["unit"] != unit:
                continue
            if name in frames and rng.random() < 0.03:
                del frames[name]  # given up
            if name not in frames and rng.random() < 0.6:
                frames[name] = self.arrive(name, sorted(frames.items()))
        if not frames:
            name = rng.choice([name for name, app in self.apps.items() if app["unit"] == unit])
            frames[name] = self.arrive(name, [])
        shown = [name for name in frames if rng.random() < 0.97] or list(frames)
        rng.shuffle(shown)
        self.ask(unit, shown, changes)
        self.now += rng.choice((0,) + (self.duration(0.1, 10 if self.relaxed else 60),) * 9)
        for frame in frames.values():  # who had the unit has given it back, just now or a while ago
            if frame.ran is None:
                frame.ran = self.now - rng.choice((0, rng.randint(0, self.now - self.asked) // self.grain * self.grain))

    def change(self, changes):
        rng = self.rng
        for unit, opp in self.opps.items():
            if rng.random() < 0.1:
                opp[0] = rng.randrange(opp[1])
                changes[f"c{unit}.opp_mhz"] = 1000 / (opp[1] - opp[0])
        for name, app in self.apps.items():
            if rng.random() < 0.02:
                app["priority"] = changes[f"{name}.priority"] = self.priority()

    def ask(self, unit, shown, changes):
        frames = self.waiting[unit]
        told, claims = zip(*(self.claim(name, frames[name]) for name in shown))
        queue = {"claims": list(told)}
        if unit != "u0" or self.rng.random() < 0.5:
            queue["unit"] = unit
        self.steps.append({"at_ms": self.now / 1000, "set": changes, "queue": queue})
        name = f"a{self.rule.pick(list(claims), self.now).app}"
        self.ties += self.rule.equals > 1
        self.expected.append(name)
        self.asked = self.now
        frame = frames[name]
        frame.blocks.pop(0)
        if not frame.blocks or self.rng.random() < 0.1:
            del frames[name]
        else:
            frame.started, frame.ran = True, None
            frame.stretch = self.rng.choice((1.0, 1.25, round(self.rng.uniform(0.5, 2.5), 3)))

    def claim(self, name, frame):
        """As the document tells it, and as a rule is shown it."""
        rng, app = self.rng, self.apps[name]
        usual_isolated, usual_priority = app["isolated_ms"][self.opps[app["unit"]][0]], app["priority"]
        isolated, priority = self.of_application(name, frame)
        remaining, following = round(isolated * sum(frame.blocks), 6), round(isolated * frame.blocks[0], 6)
        told = {"app": name, "frame": frame.number}

        def tell(key, value, default):
            if value != default or rng.random() < 0.3:
                told[key] = value

        tell("arrival_ms", frame.arrival / 1000, 0)
        if frame.deadline is not None:
            usual_deadline = (frame.arrival + app["target"]) / 1000 if app["target"] else None
            tell("deadline_ms", frame.deadline / 1000, usual_deadline)
        tell("priority", priority, usual_priority)
        tell("isolated_ms", isolated, usual_isolated)
        tell("remaining_ms", remaining, isolated)
        tell("next_ms", following, remaining)
        tell("ran_ms", frame.ran / 1000, frame.arrival / 1000)
        tell("started", frame.started, False)
        tell("stretch", frame.stretch, 1.0)
        return told, Claim(int(name[1:]), frame.number, frame.arrival, frame.deadline, priority, isolated, remaining,
                           following, frame.ran, frame.stretch)


def queue_run(rng, name, parameters, rule):
    """None where a choice hangs on the last digits."""
    try:
        return Run(rng, name, parameters, rule(parameters))
    except NearTie:
        return None
