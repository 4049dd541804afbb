"""schedutil, from the words at the head of sim/manager/governors/schedutil.cpp."""
import math

from . import clocks

DEFAULTS = {"variant": "jetpack-5", "rate_limit_us": 10000, "up_rate_limit_us": 500, "down_rate_limit_us": 2000,
            "capacity_margin": 256, "uclamp_min": 0, "uclamp_max": 1024, "frequency_invariant": True,
            "pelt_half_life_ms": 32, "fast_half_life_ms": 3, "tick_ms": 4}
FULL = 1024
NEARLY = 1e-9  # utilisations (0 to 1) that differ by less may be rounded either way


def in_1024ths(share):
    return int(share * FULL)


class Core:
    def __init__(self):
        self.slow = self.fast = 0.0
        self.running = 0.0
        self.boost = 0
        self.woken = False      # by I/O since the last decision
        self.idle_since = -math.inf
        self.event_at = -math.inf
        self.kept = (0, 0, 0)   # JetPack 4: utilisation at its last event, as `utilisations` has it
        self.bandwidth = 0      # at the last decision


class Schedutil:
    def __init__(self, parameters):
        self.p = {**DEFAULTS, **parameters}
        self.four = self.p["variant"] == "jetpack-4"
        self.tick = self.p["tick_ms"] * 1e6
        self.cores = []
        self.now = None
        self.clock = None      # OPP in effect since `now`
        self.choice = None     # OPP
        self.clock_asked = None  # OPP: the choice within the limits since
        self.changed_at = -math.inf
        self.lifted = False    # the rate limit, for the next decision
        self.forgotten = False  # JetPack 4: the choice
        self.idled = True      # a core has been idle since the last decision
        self.tie = False       # a decision hung on the last digits

    def period_ms(self):
        return 0

    def pass_time(self, seen):
        while len(self.cores) < len(seen.cores):
            self.cores.append(Core())
        if self.now is not None and seen.now > self.now:
            ms = (seen.now - self.now) / 1e6
            scale = seen.table[self.clock] / seen.table[-1] if self.p["frequency_invariant"] else 1.0
            for core in self.cores:
                aim = core.running * scale
                core.slow = aim + (core.slow - aim) * 2.0 ** (-ms / self.p["pelt_half_life_ms"])
                core.fast = aim + (core.fast - aim) * 2.0 ** (-ms / self.p["fast_half_life_ms"])
                if core.running == 0:
                    self.idled = True
        self.now, self.clock = seen.now, seen.opp

    def utilisations(self, core, shown, works):
        """In 1/1024: as it is, and as it would be with PELT a trifle lower and higher."""
        return tuple(self.utilisation(core, shown, works, off) for off in (0, -NEARLY, NEARLY))

    def utilisation(self, core, shown, works, off):
        rt = in_1024ths(shown.get("rt", 0))
        if self.four:
            return min(FULL, in_1024ths(max(0.0, max(core.slow, core.fast) + off)) + rt)
        used = in_1024ths(max(0.0, core.slow + off)) + rt
        if works:
            used = min(max(used, self.p["uclamp_min"]), self.p["uclamp_max"])
        irq = in_1024ths(shown.get("irq", 0))
        if irq >= FULL or used + in_1024ths(shown.get("deadline", 0)) >= FULL:
            return FULL
        left = irq + (FULL - irq) * used // FULL
        return min(FULL, left + in_1024ths(shown.get("dl_bandwidth", 0)))

    def next(self, seen):
        self.pass_time(seen)
        if self.choice is None:
            self.choice = self.clock_asked = seen.opp
        self.clock_asked = seen.within(self.clock_asked)
        if seen.ask in ("start", "limits"):
            self.lifted = True
        events = [self.event(core, shown, seen.ask) for core, shown in zip(self.cores, seen.cores)]
        for core, shown, event in zip(self.cores, seen.cores, events):
            if event:
                self.core_event(core, shown, seen.now)
            if core.running and not shown["running"]:
                core.idle_since = seen.now
            core.running = shown["running"]
        if any(events):
            self.decide(seen)
        return self.clock_asked

    @staticmethod
    def event(core, shown, ask):
        if ask == "load":
            return shown["running"] != core.running or shown.get("io_wake", False)
        return ask == "timer" and shown["running"] > 0

    def core_event(self, core, shown, now):
        if core.boost and core.running == 0 and now - core.idle_since > self.tick:
            core.boost, core.woken = 0, False
        if shown.get("io_wake"):
            if self.four:
                core.boost = FULL
            elif not core.woken:
                core.boost = min(FULL, 2 * core.boost) if core.boost else FULL // 8
                core.woken = True
        core.event_at = now
        core.kept = self.utilisations(core, shown, shown["running"] > 0)
        if not self.four and in_1024ths(shown.get("dl_bandwidth", 0)) > core.bandwidth:
            self.lifted = True

    def decide(self, seen):
        p = self.p
        since = (seen.now - self.changed_at) / 1e3
        if self.four and seen.changing:
            return
        lifted, self.lifted = self.lifted, False
        if self.four and lifted:
            self.forgotten = True
        if not lifted and since < (min(p["up_rate_limit_us"], p["down_rate_limit_us"]) if self.four
                                   else p["rate_limit_us"]):
            return
        most = [0, 0, 0]
        for core, shown in zip(self.cores, seen.cores):
            if self.four and self.changed_at - core.event_at > self.tick:
                core.boost = 0
                continue
            utils = core.kept if self.four else self.utilisations(core, shown, shown["running"] > 0)
            core.bandwidth = in_1024ths(shown.get("dl_bandwidth", 0))
            boost = self.boost(core, seen.now)
            most = [max(m, u, boost) for m, u in zip(most, utils)]
        reference = seen.table[-1] if p["frequency_invariant"] else seen.table[seen.opp]
        reference = reference * (FULL + p["capacity_margin"]) // FULL
        choices = [clocks.lowest_at_least(seen.table, reference * util // FULL, seen.low, seen.high) for util in most]
        if len(set(choices)) > 1:
            self.tie = True
        choice = choices[0]
        falls = self.forgotten or choice < self.choice
        idled, self.idled = self.idled, False
        if seen.cpus == 1 and not idled and falls and (self.four or not lifted):
            return
        if self.four and (falls or choice > self.choice):
            if since < p["down_rate_limit_us" if falls else "up_rate_limit_us"]:
                return
        if choice != self.choice or self.forgotten:
            self.changed_at = seen.now
        self.forgotten = False
        self.choice = self.clock_asked = choice

    def boost(self, core, now):
        """What waking from I/O asks for at this decision."""
        if self.four:
            out = core.boost
            core.boost //= 2
            return out
        if core.running == 0 and now - core.idle_since > self.tick:
            core.boost, core.woken = 0, False
        if not core.woken:
            core.boost //= 2
            if core.boost < FULL // 8:
                core.boost = 0
        core.woken = False
        return core.boost
