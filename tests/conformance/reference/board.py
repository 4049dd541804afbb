"""What policies are shown: tables, applications, units and clocks, and what becomes of their writes."""
import math

NAN = math.nan


class Board:
    """One sequence: `document` has the tables as `dynasoc_decide` reads them, the members here are what changes."""

    def __init__(self, clocks, units, applications):
        self.clocks, self.units, self.apps = clocks, units, applications

    def first_clock(self, unit):
        return self.clocks[self.units[unit]["domains"][0]]

    def table(self, app, key, subnet, unit, opp):
        rows = self.apps[app][key].get(unit)
        value = rows[subnet][opp] if rows else None
        return NAN if value is None else value

    def latency(self, app, subnet, unit, opp):
        return self.table(app, "latency_ms", subnet, unit, opp)

    def energy(self, app, subnet, unit, opp):
        return self.table(app, "energy_mj", subnet, unit, opp)

    def idle(self, unit, opp):
        value = self.units[unit]["idle_w"][opp] if self.units[unit]["idle_w"] else None
        return NAN if value is None else value

    def opps(self, unit):
        """Those that all of a unit's clocks may take under the limits now."""
        clocks = [self.clocks[name] for name in self.units[unit]["domains"]]
        return range(max(c["lowest"] for c in clocks), min(c["highest"] for c in clocks) + 1)


class References:
    """Where the tables of each unit are read while its clock is not chosen."""

    def __init__(self):
        self.shown = {}  # by clock: the fastest that its governor has shown, within the limits since

    def see(self, board, own):
        for name, clock in board.clocks.items():
            fastest = clock["requested"] if own or not clock["governed"] else max(self.shown.get(name, 0), clock["opp"])
            self.shown[name] = min(fastest, clock["highest"])

    def opp(self, board, unit, own):
        name = board.units[unit]["domains"][0]
        clock = board.clocks[name]
        opp = self.shown[name]
        return min(max(opp, clock["lowest"]), clock["highest"])


class Writes:
    """What a decision writes. A clock runs as fast as the most demanding application asks."""

    def __init__(self, board):
        self.board, self.out, self.votes = board, {}, {}

    def place(self, name, subnet, unit):
        app = self.board.apps[name]
        if app["unit"] != unit:
            self.out[name + ".mapping"] = unit
        if app["subnet"] != subnet:
            self.out[name + ".subnet"] = f"L{subnet + 1}"

    def vote(self, unit, opp):
        for name in self.board.units[unit]["domains"]:
            self.votes[name] = max(self.votes.get(name, 0), opp)

    def done(self):
        for name, opp in self.votes.items():
            clock = self.board.clocks[name]
            if clock["governed"] or clock["requested"] != opp:
                self.out[name + ".frequency"] = clock["opps_mhz"][opp]
        return self.out

    def apply(self):
        """As the desk does."""
        for key, value in self.out.items():
            name, knob = key.rsplit(".", 1)
            if knob == "mapping":
                self.board.apps[name]["unit"] = value
            elif knob == "subnet":
                self.board.apps[name]["subnet"] = int(value[1:]) - 1
            else:
                clock = self.board.clocks[name]
                clock["governed"] = False
                clock["requested"] = clock["opps_mhz"].index(value)
                clock["opp"] = min(max(clock["requested"], clock["lowest"]), clock["highest"])
