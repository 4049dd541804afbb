"""ondemand, from the words at the head of sim/manager/governors/ondemand.cpp."""
from . import clocks

DEFAULTS = {"variant": "current", "sampling_rate": 10000, "up_threshold": 95, "down_differential": 10,
            "sampling_down_factor": 1, "powersave_bias": 0}


class Ondemand:
    def __init__(self, parameters):
        self.p = {**DEFAULTS, **parameters}
        self.periods = 1
        self.previous = {}  # by core: the load of its last window, 0 once it has counted

    def period_ms(self):
        return self.p["sampling_rate"] * self.periods / 1000

    def load_of(self, core, busy, window_us):
        if window_us <= 0:
            return 0
        busy_us = clocks.busy_us(busy, window_us)
        idle_us = window_us - busy_us
        long = 2 * self.p["sampling_rate"] * self.periods
        if self.p["variant"] == "current" and idle_us > long and self.previous.get(core, 0):
            load = self.previous[core]
            self.previous[core] = 0
            return load
        self.previous[core] = 100 * busy_us // window_us
        return self.previous[core]

    def biased(self, khz):
        return khz - khz * self.p["powersave_bias"] // 1000

    def next(self, seen):
        if seen.ask != "sample":
            return seen.within(seen.opp)
        load = max(self.load_of(i, core["busy"], seen.window_us()) for i, core in enumerate(seen.cores))
        table = seen.table
        if load > self.p["up_threshold"]:
            if seen.opp < seen.high:
                self.periods = self.p["sampling_down_factor"]
            return clocks.lowest_at_least(table, self.biased(table[seen.high]), seen.low, seen.high)
        if self.p["variant"] == "current":
            self.periods = 1
            asked = table[0] + load * (table[-1] - table[0]) // 100
            return clocks.closest(table, self.biased(asked), seen.low, seen.high)
        threshold = self.p["up_threshold"] - self.p["down_differential"]
        self.periods = 1
        if load >= threshold:
            return seen.within(seen.opp)
        return clocks.lowest_at_least(table, self.biased(load * table[seen.opp] // threshold), seen.low, seen.high)
