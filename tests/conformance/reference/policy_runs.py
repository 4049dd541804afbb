"""Random sequences for policies: boards, tables, applications and what happens to them, led through a rule of this
folder while they are drawn, so that its writes show in what it sees next."""
import copy
import math

from .alert import Alert
from .board import Board
from .pid import Pid


def draw_clock(rng):
    count = rng.choice((1, 2, 3, 4, 6))
    khz = sorted(rng.sample(range(100_000, 2_000_000), count))
    opp = rng.randrange(count)
    return {"opps_mhz": [f / 1000 for f in khz], "opp": opp, "requested": opp, "lowest": 0, "highest": count - 1,
            "governed": rng.random() < 0.5}


def draw_board(rng):
    clocks = {f"c{i}": draw_clock(rng) for i in range(rng.choice((1, 2, 3)))}
    told = rng.random() < 0.7  # idle powers
    units = {}
    for i in range(rng.choice((1, 2, 3))):
        domains = rng.sample(sorted(clocks), 2 if len(clocks) > 1 and rng.random() < 0.15 else 1)
        count = len(clocks[domains[0]]["opps_mhz"])
        idle = sorted(round(rng.uniform(0.1, 3), 4) for _ in range(count))
        units[f"u{i}"] = {"domains": domains, "idle_w": idle if told else []}
    return clocks, units


def draw_tables(rng, clocks, units, subnets, holes, blind):
    """Latency grows with the sub-network and falls with the clock, energy grows with both, more or less."""
    latency, energy = {}, {}
    digits, grain = (0, 5) if rng.random() < 0.15 else (4, 1)  # coarse ones have configurations of the same latency

    def rounded(x):
        return max(grain, round(x / grain, digits) * grain) if digits == 0 else round(x, digits)
    base = math.exp(rng.uniform(math.log(5), math.log(100)))
    for name, unit in units.items():
        if holes and rng.random() < 0.15:
            continue
        mhz = clocks[unit["domains"][0]]["opps_mhz"]
        speed = rng.uniform(0.3, 2)
        rows, costs = [], []
        for subnet in range(subnets):
            work = base * speed * (1 + 0.5 * subnet)
            times = [rounded(work * (mhz[-1] / f) ** 0.8 * rng.uniform(0.8, 1.2)) for f in mhz]
            rows.append([None if holes and rng.random() < 0.1 else t for t in times])
            costs.append([None if blind and rng.random() < 0.5 else
                          rounded(t * (0.5 + 4 * (f / mhz[-1]) ** 2) * rng.uniform(0.7, 1.3))
                          for t, f in zip(times, mhz)])
        latency[name], energy[name] = rows, costs
    return latency, energy


def draw_application(rng, clocks, units, holes, blind):
    subnets = rng.choice((1, 2, 3, 4, 6))
    accuracy = [round(rng.uniform(60, 80), 3) for _ in range(subnets)]
    if rng.random() < 0.8:
        accuracy.sort()
    latency, energy = draw_tables(rng, clocks, units, subnets, holes, blind)
    return {"accuracy": accuracy, "latency_ms": latency, "energy_mj": energy, "subnet": rng.randrange(subnets),
            "unit": rng.choice(sorted(units)), "active": rng.random() < 0.9, "latency_target_ms": 0,
            "accuracy_floor": 0, "energy_budget_mj": 0, "power_budget_w": 0, "waiting": 0, "oldest_wait_ms": 0}


def known(table):
    return [x for rows in table.values() for row in rows for x in row if x is not None] or [10]


class Run:
    def __init__(self, rng, name, rule, parameters, length):
        self.rng = rng
        self.rule = rule(parameters)
        clocks, units = draw_board(rng)
        holes, blind = rng.random() < 0.3, rng.random() < 0.1
        apps = {f"a{i}": draw_application(rng, clocks, units, holes, blind) for i in range(rng.choice((1, 1, 2, 3)))}
        self.board = Board(clocks, units, apps)
        self.steps, self.expected = [], []
        self.document = {"policy": name, "vectors": [{
            "parameters": parameters,
            "board": {"domains": {key: {"opps_mhz": clock["opps_mhz"], "governed": clock["governed"],
                                        "opp_mhz": clock["opps_mhz"][clock["opp"]]} for key, clock in clocks.items()},
                      "units": {key: copy.deepcopy(unit) for key, unit in units.items()}},
            "applications": {key: {**{k: v for k, v in app.items() if k != "subnet"},
                                   "subnet": f"L{app['subnet'] + 1}"} for key, app in copy.deepcopy(apps).items()},
            "steps": self.steps}]}
        self.unseen = {}
        now = 0
        for number in range(length):
            self.step(number, now)
            if self.rule.tie:  # it ends before a decision that hangs on the last digits
                break
            now += rng.randint(1, 60_000)

    def step(self, number, now_us):
        rng, board = self.rng, self.board
        step = {"at_ms": now_us / 1000, "set": {}}
        subject = rng.choice(sorted(board.apps))
        step["trigger"] = "start" if number == 0 else rng.choice(("completion",) * 8 + ("target_change", "period"))
        if step["trigger"] in ("completion", "target_change"):
            step["subject"] = subject
        for name in board.apps:
            self.change_application(name, step["set"], number == 0)
        for name in board.clocks:
            self.change_clock(name, step["set"])
        samples = {}
        if step["trigger"] == "completion":
            told = [self.complete(subject) for _ in range(rng.choice((1, 1, 1, 2, 4)))]
            if rng.random() < 0.1:
                told.append(self.complete(rng.choice(sorted(board.apps))))
            step["complete"] = [line for line, _, _ in told]
            for _, name, sample in told:
                samples.setdefault(name, []).append(sample)
        self.steps.append(step)
        writes = self.rule.decide(board, samples, step.get("subject"))
        if self.rule.tie:
            self.steps.pop()
            return
        self.expected.append(writes.out)
        writes.apply()

    def change_application(self, name, changes, first):
        rng, app = self.rng, self.board.apps[name]

        def put(key, value):
            app[key] = value
            changes[f"{name}.{key}"] = value

        if first or rng.random() < 0.06:
            latency = rng.choice(known(app["latency_ms"])) * rng.uniform(0.6, 3)
            put("latency_target_ms", 0 if rng.random() < 0.1 else round(latency, 4))
        if rng.random() < (0.4 if first else 0.05):
            floor = rng.choice(app["accuracy"]) - rng.choice((0.5, 3, -0.5))
            put("accuracy_floor", rng.choice((0, round(floor, 3), round(floor, 3))))
        if rng.random() < (0.2 if first else 0.03):
            put("energy_budget_mj", rng.choice((0, round(rng.choice(known(app["energy_mj"])) * rng.uniform(0.8, 3), 4))))
        if rng.random() < (0.2 if first else 0.03):
            put("power_budget_w", rng.choice((0, round(rng.uniform(0.5, 8), 4))))
        if rng.random() < (0.05 if app["active"] else 0.4):
            put("active", not app["active"])
        if rng.random() < 0.3:
            waiting = rng.choice((0, 0, 1, 2, 5))
            put("waiting", waiting)
            put("oldest_wait_ms", round(rng.uniform(0, 1) * rng.choice((5, 100)), 4) if waiting else 0)
        if rng.random() < 0.02:
            app["subnet"] = rng.randrange(len(app["accuracy"]))
            changes[f"{name}.subnet"] = f"L{app['subnet'] + 1}"
        if rng.random() < 0.02:
            put("unit", rng.choice(sorted(self.board.units)))
        if rng.random() < 0.01:
            latency, energy = draw_tables(rng, self.board.clocks, self.board.units, len(app["accuracy"]), False, False)
            put("latency_ms", latency)
            put("energy_mj", energy)

    def change_clock(self, name, changes):
        rng, clock = self.rng, self.board.clocks[name]
        table = clock["opps_mhz"]
        limits = rng.random() < 0.04
        if limits:
            if rng.random() < 0.4:
                clock["lowest"], clock["highest"] = 0, len(table) - 1
            else:
                clock["lowest"], clock["highest"] = sorted(rng.choices(range(len(table)), k=2))
            for key in ("lowest", "highest"):
                changes[f"{name}.{key}_mhz"] = table[clock[key]]
            if any(not self.board.opps(unit) for unit in self.board.units):  # clocks of one unit must have OPPs in common
                for other, its in self.board.clocks.items():
                    its["lowest"], its["highest"] = 0, len(its["opps_mhz"]) - 1
                    changes[f"{other}.lowest_mhz"] = its["opps_mhz"][0]
                    changes[f"{other}.highest_mhz"] = its["opps_mhz"][-1]
        if rng.random() < 0.01:
            clock["governed"] = changes[f"{name}.governed"] = True
        if clock["governed"] and rng.random() < 0.3:
            clock["opp"] = clock["requested"] = rng.randint(clock["lowest"], clock["highest"])
        for key, its in self.board.clocks.items():
            its["opp"] = min(max(its["opp"] if its["governed"] else its["requested"], its["lowest"]), its["highest"])
            if limits or key == name and its["governed"]:
                if its["governed"]:
                    its["requested"] = its["opp"]
                changes[f"{key}.opp_mhz"] = its["opps_mhz"][its["opp"]]
                changes[f"{key}.requested_mhz"] = its["opps_mhz"][its["requested"]]

    def complete(self, name):
        """A frame's end as the document tells it, whose it is, and what a rule makes of it."""
        rng, board = self.rng, self.board
        app = board.apps[name]
        subnet, unit = app["subnet"], app["unit"]
        if rng.random() < 0.08:
            subnet = rng.randrange(len(app["accuracy"]))
        if rng.random() < 0.04:
            unit = rng.choice(sorted(board.units))
        profile = board.latency(name, subnet, unit, board.first_clock(unit)["opp"])
        usual = 20 if math.isnan(profile) else profile
        service = round(usual * rng.choice((1, 1, 1.5, 3)) * math.exp(rng.gauss(0, 0.15)), 5)
        latency = round(service + rng.choice((0, 0, rng.uniform(0, 50))), 5)
        line = {"app": name, "subnet": f"L{subnet + 1}", "unit": unit, "service_ms": service, "latency_ms": latency,
                "profile_ms": None if math.isnan(profile) else profile}
        return line, name, {"subnet": subnet, "unit": unit, "service_ms": service, "latency_ms": latency,
                            "profile_ms": profile}


def finished(run):
    return run if len(run.steps) >= 10 else None


def alert_run(rng, length):
    parameters = {"goal": rng.choice(("by_targets", "by_targets", "energy", "accuracy")),
                  "sure": rng.choice((0, 0, 0.5, 0.9, 0.99, round(rng.random(), 3))),
                  "failure_accuracy": rng.choice((0, 0, 10, round(rng.uniform(0, 60), 2))),
                  "grouped": rng.random() < 0.7, "dvfs": rng.random() < 0.6, "mapping": rng.random() < 0.4,
                  "cost_us": rng.choice((50, 0, 500, rng.randint(0, 5000)))}
    return finished(Run(rng, "alert", Alert, parameters, length))


def pid_run(rng, length):
    parameters = {"kp": rng.choice((0.5, 0.5, 0, round(rng.uniform(0, 3), 3))),
                  "ki": rng.choice((0.1, 0.1, 0, round(rng.uniform(0, 1), 3))),
                  "kd": rng.choice((0, 0, round(rng.uniform(0, 1), 3))),
                  "reference": rng.choice((0.9, 0.9, round(rng.uniform(0.3, 1), 3))),
                  "smoothing": rng.choice((0.2, 1, round(rng.uniform(0.05, 1), 3))),
                  "dead_band": rng.choice((0.05, 0.05, 0, round(rng.uniform(0, 0.4), 3))),
                  "step_limit": rng.choice((2, 2, 1, 5, 1000)),
                  "dvfs": rng.random() < 0.6, "mapping": rng.random() < 0.4, "cost_us": 10}
    return finished(Run(rng, "pid", Pid, parameters, length))
