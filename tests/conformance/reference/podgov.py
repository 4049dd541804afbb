"""nvhost_podgov, from the words at the head of sim/manager/governors/nvhost_podgov.cpp."""
from . import clocks

DEFAULTS = {"polling_interval": 25, "block_window": 50000, "load_max": 900, "load_target": 700, "bias": 80,
            "smooth": 10, "damp": 7, "railgate_delay": 500}


class Podgov:
    def __init__(self, parameters):
        self.p = {**DEFAULTS, **parameters}
        self.cycles_avg = 0   # Hz
        self.freq_avg = 0     # MHz
        self.asked = None     # OPP
        self.blocked_from = None  # ns: the start or the last change
        self.worked_at = None     # ns: the last sample that saw work
        self.down = False

    def period_ms(self):
        return self.p["polling_interval"]

    def next(self, seen):
        if self.asked is None:
            self.asked, self.blocked_from, self.worked_at = seen.opp, seen.now, seen.now
        if seen.ask != "sample":
            self.asked = seen.opp
        elif seen.window_us() > 0:
            self.asked = self.sampled(seen)
        self.asked = seen.within(self.asked)
        return self.asked

    def sampled(self, seen):
        p = self.p
        total = seen.window_us()
        busy = clocks.busy_us(max(core["busy"] for core in seen.cores), total)
        if busy:
            self.worked_at = seen.now
        elif p["railgate_delay"] and (self.down or seen.now - self.worked_at >= p["railgate_delay"] * 1e6):
            self.down = True
            self.cycles_avg = self.freq_avg = 0
            return seen.low
        f = seen.table[seen.opp] * 1000
        norm = f * busy // total
        self.cycles_avg = (self.cycles_avg * p["smooth"] + norm) // (p["smooth"] + 1)
        if self.down:
            self.down = False
        elif seen.now - self.blocked_from < p["block_window"] * 1000:
            return self.asked
        third = seen.table[seen.high] // 3 // 1000
        request = seen.table[self.asked] // 1000
        damp = p["damp"]
        if 1000 * norm // f > p["load_max"]:
            boost, damp = third, 10
        else:
            away = 1000 * self.cycles_avg // f - p["load_target"]
            boost = min(third, clocks.towards_zero(p["bias"] * request * away, 100 * p["load_target"]))
        result = request + boost
        self.freq_avg = (self.freq_avg * p["smooth"] + result) // (p["smooth"] + 1)
        result = (damp * result + (10 - damp) * self.freq_avg) // 10
        out = clocks.lowest_at_least(seen.table, result * 1000, seen.low, seen.high)
        if out != seen.opp:
            self.blocked_from = seen.now
        return out
