from __future__ import annotations

from typing import TYPE_CHECKING

from ._axes import INK, colour, given_or_new, legend, need_matplotlib, note, rows
from ._decimate import BINS, merged
from ._logs import RunLike, application_codes, became, need_logs, replication_of, seconds, window

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def gantt(
    run: RunLike,
    from_s: float | None = None,
    to_s: float | None = None,
    *,
    application: str | None = None,
    replication: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Which processing unit executed what over time [s]: a row a unit, in it a lane for each application that ran.

    Bars go from a frame's start to its result (or to the run's end); late ones are outlined. from_s, to_s: a part of
    the run. Throws InputError for an unknown application or a run without the log of jobs.
    """
    need_matplotlib()
    import numpy as np
    from matplotlib.patches import Patch

    one = replication_of(run, replication)
    need_logs(one, ["jobs"], "the Gantt chart")
    names = one.run._names
    codes = application_codes(one, application)
    begin, end = window(one, from_s, to_s)
    jobs = one.jobs.array
    start, stop = seconds(jobs["start"]), seconds(jobs["end"])
    stop = np.where(np.isnan(stop) & became(jobs, "unfinished"), names["duration_s"], stop)
    ran = (stop > begin) & (start < end)
    late = became(jobs, "missed")
    lanes = {}
    for unit, name in enumerate(names["units"]):
        of = {code: ran & (jobs["unit"] == unit) & (jobs["app"] == code) for code in codes}
        lanes[name] = {code: mine for code, mine in of.items() if mine.any()}
    lanes = {name: found for name, found in lanes.items() if found} or lanes
    ax = given_or_new(ax, 9.0, 1.5 + 0.45 * sum(max(1, len(found)) for found in lanes.values()))
    rows(ax, list(lanes))
    any_late = False
    for row, found in enumerate(lanes.values()):
        height = 0.8 / max(1, len(found))
        for lane, (code, mine) in enumerate(found.items()):
            place = (row - 0.4 + lane * height, height * 0.92)
            for missed, which in ((False, mine & ~late), (True, mine & late)):
                if not which.any():
                    continue
                any_late |= missed
                bars = merged(np.maximum(start[which], begin), np.minimum(stop[which], end), (end - begin) / BINS)
                pixels = float(np.median([length for _, length in bars])) / (end - begin) * BINS
                # Thin ones would be nothing but edge.
                edge = 0.5 if pixels > 20 else 0.0
                if missed:
                    edge = min(1.2, max(0.4 * min(1.0, 300 / len(bars)), pixels / 20))
                ax.broken_barh(
                    bars,
                    place,
                    facecolor=colour(code),
                    edgecolor=INK if missed else "white",
                    linewidth=edge,
                    zorder=3 if missed else 2,
                    snap=False,  # to whole pixels, what is thinner would vanish
                )
    used = [code for code in codes if any(code in found for found in lanes.values())]
    handles = [Patch(facecolor=colour(code), label=names["applications"][code]["name"]) for code in used]
    if any_late:
        handles.append(Patch(facecolor="none", edgecolor=INK, linewidth=1.2, label="missed"))
    ax.set(xlim=(begin, end), xlabel="time [s]", ylabel="processing unit")
    if handles:
        legend(ax, handles)
    else:
        note(ax, "nothing ran")
    return ax
