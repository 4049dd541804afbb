"""What governors share: clocks in whole kilohertz, cpufreq's relations, and the load of a window."""


def khz(mhz):
    return int(mhz * 1000 + 0.5)


def lowest_at_least(table, asked, low, high):
    """CPUFREQ_RELATION_L within the limits, which are indices."""
    for i in range(low, high + 1):
        if table[i] >= asked:
            return i
    return high


def closest(table, asked, low, high):
    """CPUFREQ_RELATION_C: the lower of two as near."""
    return min(range(low, high + 1), key=lambda i: (abs(table[i] - asked), i))


def towards_zero(numerator, denominator):
    """Division of integers as C has it."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def busy_us(share, window_us):
    """A share of a window in whole microseconds."""
    return int(share * window_us + 0.5)


class Sight:
    """What a governor is shown. Times in ns, clocks as indices of `table` (kHz)."""

    def __init__(self, ask, now, since, table, opp, low, high, cores, cpus, changing=False):
        self.ask, self.now, self.since = ask, now, since
        self.table, self.opp, self.low, self.high = table, opp, low, high
        self.cores, self.cpus, self.changing = cores, cpus, changing

    def window_us(self):
        return (self.now - self.since) // 1000

    def within(self, opp):
        return min(max(opp, self.low), self.high)
