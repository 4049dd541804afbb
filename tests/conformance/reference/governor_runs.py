"""Random sequences for governors: each is led through a rule of this folder while it is drawn, so that clocks take
effect, and timers come, as the rule asks for."""
from . import clocks
from .ondemand import Ondemand
from .podgov import Podgov
from .schedutil import Schedutil


def random_table(rng):
    """Clocks in kHz, ascending."""
    count = rng.choice((1, 2, 3, 5, 8, 15, 25))
    if rng.random() < 0.5:
        step = rng.choice((76800, 51000, 102000, 99750))
        first = rng.randint(1, 4) * step
        return [first + i * step for i in range(count)]
    return sorted(rng.sample(range(60_001, 2_400_000), count))


class Run:
    """A governor's sequence as a document and what our rule makes of it."""

    def __init__(self, rng, name, rule, parameters):
        self.rng = rng
        self.rule = rule(parameters)
        self.table = random_table(rng)
        self.low, self.high = 0, len(self.table) - 1
        self.opp = rng.randrange(len(self.table))  # in effect
        self.steps, self.expected, self.periods = [], [], []
        self.sampled = 0
        self.document = {"governor": name, "opps_mhz": [f / 1000 for f in self.table],
                         "vectors": [{"parameters": parameters, "start_mhz": self.table[self.opp] / 1000,
                                      "steps": self.steps}]}

    def draw_limits(self):
        if self.rng.random() < 0.3:
            self.low, self.high = 0, len(self.table) - 1
        else:
            self.low, self.high = sorted(self.rng.choices(range(len(self.table)), k=2))

    def ask(self, ask, at_us, cores, cpus, changing=False):
        seen = clocks.Sight(ask, at_us * 1000, self.sampled * 1000, self.table, self.opp, self.low, self.high, cores,
                            cpus, changing)
        if ask == "sample":
            self.sampled = at_us
        step = {"at_ms": at_us / 1000, "ask": ask, "mhz": self.table[self.opp] / 1000, "cpus": cpus,
                "lowest_mhz": self.table[self.low] / 1000, "highest_mhz": self.table[self.high] / 1000}
        if changing:
            step["changing"] = True
        for key in sorted({key for core in cores for key in core}):
            step[key] = [core.get(key, False if key == "io_wake" else 0) for core in cores]
        out = self.rule.next(seen)
        self.steps.append(step)
        self.expected.append(self.table[out])
        self.periods.append(self.rule.period_ms())
        return out


def sampled_run(rng, name, rule, parameters, length, thresholds):
    """Of a governor that only samples. Loads are often near `thresholds` (shares), often 0 or 1."""
    run = Run(rng, name, rule, parameters)
    cores = [{"busy": 0} for _ in range(rng.choice((1, 1, 2, 4)))]
    cpus = len(cores)
    run.opp = run.ask("start", 0, cores, cpus)
    now = 0
    level = rng.random()
    for _ in range(length):
        period = max(1, round(run.rule.period_ms() * 1000))
        kind = rng.random()
        if kind < 0.1:  # something comes between two samples
            now += rng.randint(0, period // 2)
            what = rng.choice(("load", "clock", "timer", "limits", "limits"))
            if what == "limits":
                if rng.random() < 0.3:  # a policy had the clock and gives it back
                    run.opp = rng.randint(run.low, run.high)
                else:
                    run.draw_limits()
            run.opp = run.ask(what, now, cores, cpus)
        idle = rng.random() < 0.15
        if idle:
            now = max(now, run.sampled + round(period * rng.choice((1.5, 2, 2.001, 3, 10, 25))))
        else:
            now = max(now, run.sampled + (period if rng.random() < 0.9 else round(period * rng.uniform(0.5, 2.5))))
        if rng.random() < 0.3:
            level = rng.choice((0, 0, 1, rng.random(), rng.random()))
        window = now - run.sampled
        for core in cores:
            share = min(1, max(0, level * rng.uniform(0.7, 1.3)))
            if rng.random() < 0.25:
                share = min(1, max(0, rng.choice(thresholds) + rng.uniform(-0.02, 0.02)))
            if level == 0:
                share = 0
            elif level == 1:
                share = 1
            if idle and share:
                share = min(share, rng.choice((0.01, 0.05, 0.2)))
            core["busy"] = round(share * window) / window if window else share
        run.opp = run.ask("sample", now, cores, cpus)
    return run


def ondemand_run(rng, length):
    up = rng.choice((95, 80, rng.randint(11, 100)))
    parameters = {"variant": rng.choice(("current", "current", "legacy")), "up_threshold": up,
                  "sampling_rate": rng.choice((10000, 10000, 20000, rng.randint(1000, 300000))),
                  "down_differential": rng.choice((10, 10, rng.randint(0, 99))),
                  "sampling_down_factor": rng.choice((1, 1, 2, 5, 20)),
                  "powersave_bias": rng.choice((0, 0, 0, 100, rng.randint(0, 1000)))}
    down = (up - parameters["down_differential"]) / 100
    return sampled_run(rng, "ondemand", Ondemand, parameters, length, (up / 100, (up + 1) / 100, max(0, down)))


def podgov_run(rng, length):
    parameters = {"polling_interval": rng.choice((25, 25, 10, 50, rng.randint(1, 100))),
                  "block_window": rng.choice((50000, 50000, 0, 25000, 100000, rng.randint(0, 200000))),
                  "load_max": rng.choice((900, 900, 500, 1000, rng.randint(0, 1000))),
                  "load_target": rng.choice((700, 700, 300, rng.randint(1, 1000))),
                  "bias": rng.choice((80, 80, 0, 100, rng.randint(0, 100))),
                  "smooth": rng.choice((10, 10, 0, 1, 3, rng.randint(0, 50))),
                  "damp": rng.choice((7, 7, 0, 10, rng.randint(0, 10))),
                  "railgate_delay": rng.choice((500, 500, 0, 100, 25, rng.randint(1, 1000)))}
    return sampled_run(rng, "nvhost_podgov", Podgov, parameters, length,
                       (parameters["load_max"] / 1000, parameters["load_target"] / 1000))


def schedutil_run(rng, length):
    """Work comes and goes on the cores of a cluster, ticks come while it runs, clocks take effect a while after they
    have been asked for. None where a decision hangs on the last digits."""
    four = rng.random() < 0.4
    low_clamp = rng.choice((0, 0, 0, rng.randint(0, 512)))
    parameters = {"variant": "jetpack-4" if four else "jetpack-5",
                  "rate_limit_us": rng.choice((10000, 10000, 0, 500, rng.randint(0, 30000))),
                  "up_rate_limit_us": rng.choice((500, 500, 0, rng.randint(0, 20000))),
                  "down_rate_limit_us": rng.choice((2000, 2000, 0, rng.randint(0, 20000))),
                  "capacity_margin": rng.choice((256, 256, 0, 1024, rng.randint(0, 1024))),
                  "uclamp_min": low_clamp, "uclamp_max": rng.choice((1024, 1024, 1024, rng.randint(low_clamp, 1024))),
                  "frequency_invariant": rng.random() < 0.8,
                  "pelt_half_life_ms": rng.choice((32, 32, 16, 8, rng.uniform(2, 100))),
                  "fast_half_life_ms": rng.choice((3, 3, 6, rng.uniform(1, 30))),
                  "tick_ms": rng.choice((4, 4, 1, 10))}
    run = Run(rng, "schedutil", Schedutil, parameters)
    tick = parameters["tick_ms"] * 1000
    count = rng.choice((1, 1, 2, 4))
    cpus = count if rng.random() < 0.8 else 4  # an entry may stand for several
    cores = [{"running": 0.0} for _ in range(count)]
    delay = rng.choice((0, 0, rng.randint(1, 3000)))  # until a clock is in effect
    traced = run.traced = rng.random() < 0.3  # other work comes and goes, of which the governor is told at its events
    asked = run.opp
    effect = None  # (when, OPP) of the change under way
    now = rng.randint(0, 5000)

    def step(ask):
        nonlocal asked, effect
        changing = effect is not None
        out = run.ask(ask, now, [dict(core) for core in cores], cpus, changing)
        if out != asked:
            asked = out
            effect = (now + delay, out)

    step("start")
    busy_until = now + rng.randint(0, 20000)
    while len(run.steps) < length:
        following = (now // tick + 1) * tick if any(core["running"] for core in cores) else None
        times = [t for t in (following, effect[0] if effect else None, busy_until) if t is not None]
        limits_at = now + rng.randint(0, tick) if rng.random() < 0.04 else None
        if limits_at is not None and limits_at < min(times):
            now = limits_at
            run.draw_limits()
            step("limits")
            continue
        now = min(times)
        if effect and effect[0] == now:
            run.opp = effect[1]
            effect = None
            step("clock")
            continue
        for core in cores:
            core.pop("io_wake", None)
        if traced:
            for core in cores:
                for key in ("rt", "deadline", "dl_bandwidth", "irq"):
                    if four and key != "rt":
                        continue
                    if rng.random() < 0.1:
                        core[key] = rng.choice((0, 0, rng.random(), rng.random() * 0.3))
        if now == busy_until:
            core = rng.choice(cores)
            if core["running"] and rng.random() < 0.6:
                core["running"] = 0.0
            else:
                core["running"] = rng.choice((1.0, 1.0, round(rng.uniform(0.05, 0.99), 3)))
                core["io_wake"] = rng.random() < 0.4
            step("load")
            core.pop("io_wake", None)
            busy_until = now + rng.choice((rng.randint(1, 2000), rng.randint(1, 12000), rng.randint(10000, 60000),
                                           rng.randint(1, 300000) if not any(c["running"] for c in cores) else 9000))
        else:
            step("timer")
    return None if run.rule.tie else run


def without_idle_ticks(run, answer):
    """The document of a run without the ticks that the governor did not want to be asked at, and the clocks that must
    come out of what is left. `answer` is what it said with them all."""
    steps, expected = [], []
    wake_ms = None
    for step, line, khz in zip(run.steps, answer, run.expected):
        if step["ask"] == "timer" and (wake_ms is None or step["at_ms"] < wake_ms):
            continue
        wake_ms = line["wake_ms"]
        steps.append(step)
        expected.append(khz)
    vector = {**run.document["vectors"][0], "steps": steps}
    return {**run.document, "vectors": [vector]}, expected
