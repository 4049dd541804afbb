from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .. import _core
from ..results import Replication
from ._axes import COLOURS, FAINT, INK, SHADE, SOFT, STYLES, WARN, colour, legend, need_matplotlib, new_axes, note, tidy
from ._decimate import extremes, thinned
from ._logs import RunLike, application_codes, became, latency_ms, need_logs, replication_of, seconds, window
from ._words import accuracy_label, known, short

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    from ._decimate import Array

_FEW = 24  # decisions whose lines do not hide the picture
_STRETCHES = 300  # of means, where samples are too dense to see each

# Panels of the sampled log: end of the columns' names, what the axis says.
_SAMPLED = {
    "power": ("_power_w", "power [W]"),
    "frequency": ("_mhz", "clock [MHz]"),
    "utilisation": ("_utilisation", "busy [share]"),
    "temperature": ("_temperature_c", "temperature [°C]"),
    "subnet": ("_subnet", "sub-network [level]"),
    "accuracy": ("_subnet", "accuracy"),
    "waiting": ("_waiting", "waiting [frames]"),
}


def _latency_panel(ax: Axes, one: Replication, code: int, begin: float, end: float) -> None:
    import numpy as np

    apps = one.run._names["applications"]
    jobs = one.jobs.array
    jobs = jobs[jobs["app"] == code]
    done, latency = seconds(jobs["end"]), latency_ms(jobs)
    inside = (done >= begin) & (done <= end)
    for outcome, marker, shade in (("met", ".", colour(code)), ("missed", "x", WARN)):
        which = np.flatnonzero(inside & became(jobs, outcome))
        if len(which):
            kept = which[extremes(done[which], latency[which], sample=True)]
            label = f"{outcome} ({len(which)})"
            ax.plot(done[kept], latency[kept], marker, markersize=4, markeredgewidth=0.9, color=shade, label=label)
    gone = np.sort(seconds(jobs["arrival"])[became(jobs, "dropped", "rejected")])
    gone = gone[(gone >= begin) & (gone <= end)]
    if len(gone):
        # No latency to draw: on the lower edge, where they arrived.
        at, label = thinned(gone, begin, end), f"dropped, rejected ({len(gone)})"
        edge = ax.get_xaxis_transform()
        ax.plot(at, 0 * at, "^", markersize=4, color=INK, transform=edge, clip_on=False, label=label)
    since, target = np.array(apps[code]["targets"]).reshape(-1, 2).T
    spans = np.clip([since, np.append(since[1:], end)], begin, end)
    there = spans[0] < spans[1]
    target = np.where(target > 0, target, np.nan)[there]  # a gap where there is none
    if np.isfinite(target).any():
        ax.plot(spans.T[there].ravel(), np.repeat(target, 2), linestyle=":", color=INK, linewidth=1.4, label="target")
    if not inside.any():
        note(ax, "no frame was completed")
    ax.margins(y=0.1)  # room for the ticks of decisions
    ax.set_ylabel(f"{apps[code]['name']}\nlatency [ms]" if len(apps) > 1 else "latency [ms]")


def _mean_and_extremes(ax: Axes, x: Array, y: Array, **style: Any) -> float:
    """A line through means over stretches of time, shaded from the least to the greatest. Returns their length."""
    import numpy as np

    begins = np.unique(np.linspace(0, len(x), _STRETCHES, endpoint=False).astype(int))
    sizes = np.diff(np.append(begins, len(x)))
    ends = x[begins + sizes - 1]
    low, high = np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)
    ax.fill_between(ends, low, high, step="pre", color=style["color"], alpha=0.18, linewidth=0)
    ax.step(ends, np.add.reduceat(y, begins) / sizes, where="pre", **style)
    return float(ends[-1] - ends[0]) / (len(ends) - 1)


def _sampled_panel(ax: Axes, one: Replication, kind: str, codes: Sequence[int], begin: float, end: float) -> str:
    """Returns what to say over the legend."""
    import numpy as np

    samples = one.timeline.array
    columns: tuple[str, ...] = samples.dtype.names or ()
    ending, label = _SAMPLED[kind]
    apps = {one.run._names["applications"][code]["name"]: code for code in codes}
    names = [column[: -len(ending)] for column in columns if column.endswith(ending)]
    of_applications = ending in ("_subnet", "_waiting")
    # An application has the colour of its frames, whichever others are drawn.
    places = apps if of_applications else {name: place for place, name in enumerate(names)}
    lines = [
        (name, f"{name}{ending}", colour(place), STYLES[place // len(COLOURS) % len(STYLES)])
        for name, place in places.items()
    ]
    if kind == "power":
        lines.insert(0, ("board", "power_w", INK, "-"))
    time = seconds(samples["time"])
    inside = np.flatnonzero((time >= begin) & (time <= end))
    time = time[inside]
    # A mean belongs to the time before its sample, a state to the time after.
    means = kind in ("power", "utilisation")
    where: Literal["pre", "post"] = "pre" if means else "post"
    title = ""
    for name, column, shade, line in lines:
        values = samples[column][inside].astype(float)
        if kind == "accuracy":
            values = np.array(one.run._names["applications"][apps[name]]["accuracy"])[values.astype(int) - 1]
        style: dict[str, Any] = {"color": shade, "linestyle": line, "linewidth": 1.2, "label": name}
        if means and len(inside) > 2 * _STRETCHES:
            title = f"means of {short(_mean_and_extremes(ax, time, values, **style))} s,\nextremes shaded"
        else:
            kept = extremes(time, values)
            ax.step(time[kept], values[kept], where=where, **style)
    if not len(inside) or not lines:
        note(ax, "nothing of this kind in the log" if len(inside) else "no sample")
    if kind in ("subnet", "waiting"):
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        low, high = ax.dataLim.intervaly if len(inside) else (0, 1)
        ax.set_ylim(low - 0.4, max(high, low + 1) + 0.4)  # one level alone is no scale
        if kind == "subnet":
            ax.yaxis.set_major_formatter(FuncFormatter(lambda level, _: f"L{level:.0f}"))
    else:
        ax.margins(y=0.1)
    if kind == "accuracy":
        label = accuracy_label(one.run._names["applications"][code] for code in codes)
    ax.set_ylabel(label)
    return title


def _background(axes: Array, one: Replication, begin: float, end: float) -> None:
    """Other load, shaded, and the warm-up, hatched; named above the first panel."""
    names = one.run._names
    spans = [("warm-up", 0.0, names["warmup_s"])]
    for name, load in one.run.scenario.background.items():
        spans.append((f"{name} on {load.unit}", load.from_s, load.to_s or names["duration_s"]))
    cut = [(text, max(since, begin), min(until, end)) for text, since, until in spans]
    for row, (text, since, until) in enumerate(span for span in cut if span[1] < span[2]):
        style: dict[str, Any] = {"color": SHADE, "alpha": 0.8}
        if text == "warm-up":
            style = {"facecolor": "none", "edgecolor": FAINT, "alpha": 0.5, "hatch": "///"}
        elif (since, until) == (begin, end):
            style = {"visible": False}  # it would be the colour of the paper
        for ax in axes:
            ax.axvspan(since, until, linewidth=0, zorder=0, **style)
        place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "bottom"}
        axes[0].annotate(text, (since, 1), (0, 2 + 9 * row), fontsize="x-small", color=SOFT, **place)


def timeline(
    run: RunLike,
    application: str | None = None,
    *,
    replication: int = 0,
    panels: Sequence[str] = ("latency", "subnet", "power", "frequency"),
    from_s: float | None = None,
    to_s: float | None = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray[Any, Any]:
    """A replication over time [s], panels below each other.

    latency [ms]: a dot a frame at its completion, its target dotted, late ones crossed, those given up as triangles on
    the lower edge; a panel for each application, or for `application` alone. subnet: level in force. accuracy: that
    level's, in the network's metric. power [W], frequency [MHz], temperature [°C], utilisation, waiting: by unit, node
    or application, as sampled every `timeline_ms`. Decisions are ticks along the upper edges (full lines where they are
    few); other load is shaded, the warm-up hatched. from_s, to_s: a part of the run.

    axes: one for each panel. Returns them as an array. Throws InputError for an unknown application or panel, or a log
    that was not kept: jobs for latency, timeline for the others. Without a log of decisions there are no ticks.
    """
    need_matplotlib()
    import numpy as np

    one = replication_of(run, replication)
    codes = application_codes(one, application)
    kinds = [known(kind, ["latency", *_SAMPLED], "panel") for kind in ([panels] if isinstance(panels, str) else panels)]
    need_logs(one, dict.fromkeys("jobs" if kind == "latency" else "timeline" for kind in kinds), "the timeline")
    begin, end = window(one, from_s, to_s)
    wanted = [(kind, code) for kind in kinds for code in (codes if kind == "latency" else [-1])]
    if not wanted:
        raise _core.InputError(f"panels: none (known: latency, {', '.join(_SAMPLED)})")
    if axes is None:
        ratios = [1.6 if kind == "latency" else 1.0 for kind, _ in wanted]
        drawn = new_axes(ratios, 9.0, 0.7 + 1.4 * sum(ratios))
        drawn[0].figure.suptitle(f"{one.run.scenario.name}, manager {one.run.policy}", fontsize="medium")
    else:
        drawn = np.array(list(axes), dtype=object)
        if len(drawn) != len(wanted):
            raise _core.InputError(f"axes: {len(drawn)} for {len(wanted)} panels")
    titles = []
    for ax, (kind, code) in zip(drawn, wanted):
        if kind == "latency":
            _latency_panel(ax, one, code, begin, end)
            titles.append("")
        else:
            titles.append(_sampled_panel(ax, one, kind, codes, begin, end))
        tidy(ax)
    _background(drawn, one, begin, end)
    if one.run._core.has_decisions:
        at = thinned(np.unique(seconds(one.decisions._raw(one.index)["time"])), begin, end)
        style = {"color": FAINT, "linewidth": 0.6, "zorder": 1}
        for ax in drawn:
            label = "decision" if len(at) and ax is drawn[0] else None
            ax.vlines(at, 0 if len(at) <= _FEW else 0.93, 1, transform=ax.get_xaxis_transform(), label=label, **style)
    for ax, title in zip(drawn, titles):
        ax.set_xlim(begin, end)
        legend(ax, title=title)
    drawn[-1].set_xlabel("time [s]")
    if axes is None:
        drawn[0].figure.align_ylabels(list(drawn))
    return drawn
