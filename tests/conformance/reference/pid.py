"""pid, from the words at the head of sim/manager/policies/pid.cpp."""
import math

from . import ladder
from .board import References, Writes

DEFAULTS = {"kp": 0.5, "ki": 0.1, "kd": 0, "reference": 0.9, "smoothing": 0.2, "dead_band": 0.05, "step_limit": 2,
            "dvfs": False, "mapping": False, "cost_us": 10}
NEARLY = 1e-9


class Controller:
    def __init__(self):
        self.latency = None
        self.integral = 0.0
        self.error = 0.0
        self.rungs = []
        self.index = None
        self.share = 0.0  # of the way up the ladder


def clamp(x):
    return min(max(x, 0.0), 1.0)


class Pid:
    def __init__(self, parameters):
        self.p = {**DEFAULTS, **parameters}
        self.controllers = {}
        self.references = References()
        self.tie = False

    def follow(self, board, name, it):
        """The ladder as it is now, and the place on it."""
        app = board.apps[name]
        rungs = ladder.rungs_of(board, name, self.references, self.p["dvfs"], self.p["mapping"])
        changed = [(r.place(), r.latency, r.energy, r.accuracy) for r in rungs] != \
                  [(r.place(), r.latency, r.energy, r.accuracy) for r in it.rungs]
        old = it.rungs[it.index] if it.index is not None else None
        elsewhere = old is None or (app["subnet"], app["unit"]) != (old.subnet, old.unit)
        it.rungs = rungs
        if not rungs:
            it.index = None
            return
        if not changed and not elsewhere:
            return
        like = old
        opp = like.opp if like else None
        if elsewhere or not self.p["dvfs"]:
            opp = self.references.opp(board, app["unit"], self.p["dvfs"])
        like = ladder.Rung(app["subnet"], app["unit"], opp, board.latency(name, app["subnet"], app["unit"], opp), 0, 0)
        before = it.share
        it.index, tie = ladder.nearest(rungs, like)
        self.tie = self.tie or tie
        it.share = it.index / (len(rungs) - 1) if len(rungs) > 1 else 0.0
        it.integral = it.share if elsewhere else clamp(it.integral + it.share - before)

    def control(self, app, it, samples):
        p = self.p
        counted = [s["latency_ms"] for s in samples if (s["subnet"], s["unit"]) == (app["subnet"], app["unit"])]
        for latency in counted:
            it.latency = latency if it.latency is None else it.latency + p["smoothing"] * (latency - it.latency)
        target = app["latency_target_ms"]
        if not counted or it.index is None or target <= 0:
            return
        reference = p["reference"] * target
        error = (reference - it.latency) / reference
        slope, it.error = error - it.error, error
        if abs(abs(error) - p["dead_band"]) < NEARLY:
            self.tie = True
        if abs(error) <= p["dead_band"]:
            return
        it.integral = clamp(it.integral + p["ki"] * error)
        u = clamp(p["kp"] * error + it.integral + p["kd"] * slope) * (len(it.rungs) - 1)
        if abs(u - math.floor(u) - 0.5) < NEARLY:
            self.tie = True
        rung = math.floor(u + 0.5)
        it.index = min(max(rung, it.index - p["step_limit"]), it.index + p["step_limit"])

    def decide(self, board, samples, _subject):
        self.references.see(board, self.p["dvfs"])
        writes = Writes(board)
        for name, app in board.apps.items():
            it = self.controllers.setdefault(name, Controller())
            if not app["active"]:
                continue
            self.follow(board, name, it)
            self.control(app, it, samples.get(name, []))
            it.share = it.index / (len(it.rungs) - 1) if it.index else 0.0
            if it.index is None:
                continue
            rung = it.rungs[it.index]
            writes.place(name, rung.subnet, rung.unit)
            if self.p["dvfs"]:
                writes.vote(rung.unit, rung.opp)
        writes.done()
        return writes
