"""The Pareto ladder and an application's place on it, from the words in sim/manager/ladder.hpp."""
import math


class Rung:
    def __init__(self, subnet, unit, opp, latency, energy, accuracy):
        self.subnet, self.unit, self.opp = subnet, unit, opp
        self.latency, self.energy, self.accuracy = latency, energy, accuracy

    def place(self):
        return self.subnet, self.unit, self.opp


def rungs_of(board, name, references, dvfs, mapping):
    app = board.apps[name]
    every = []
    for unit in board.units if mapping else [app["unit"]]:
        for opp in board.opps(unit) if dvfs else [references.opp(board, unit, False)]:
            for subnet, accuracy in enumerate(app["accuracy"]):
                latency = board.latency(name, subnet, unit, opp)
                energy = board.energy(name, subnet, unit, opp)
                if not math.isnan(latency):
                    every.append(Rung(subnet, unit, opp, latency, math.inf if math.isnan(energy) else energy, accuracy))
    floor, energy, power = app["accuracy_floor"], app["energy_budget_mj"], app["power_budget_w"]
    above = [r for r in every if r.accuracy >= floor] or every
    within = [r for r in above if (energy <= 0 or r.energy <= energy) and (power <= 0 or r.energy / r.latency <= power)]
    allowed = within or above

    # Whoever beats another comes before it here; of equals the first in the order above: unit, clock, sub-network.
    front = []
    for rung in sorted(allowed, key=lambda r: (r.latency, r.energy, -r.accuracy)):
        if not any(other.energy <= rung.energy and other.accuracy >= rung.accuracy for other in front):
            front.append(rung)
    return sorted(front, key=lambda r: (r.latency, r.accuracy))


def nearest(rungs, like):
    """The index of the rung for a bump-less transfer, and whether another one is as near to the last digits."""
    for i, rung in enumerate(rungs):
        if rung.place() == like.place():
            return i, False
    if not like.latency > 0:
        return 0, False
    away = [abs(math.log(rung.latency / like.latency)) for rung in rungs]
    best = min(range(len(rungs)), key=lambda i: (away[i], rungs[i].subnet != like.subnet, i))
    return best, any(rung.latency != rungs[best].latency and abs(away[i] - away[best]) < 1e-9
                     for i, rung in enumerate(rungs))
