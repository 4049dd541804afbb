from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..results import Replication, Run
from ._axes import STYLES, WARN, colour, far_apart, given_or_new, legend, logarithmic, need_matplotlib, note, tidy
from ._decimate import corners
from ._logs import RunLike, became, latency_ms, need_logs, seconds, whole
from ._words import accuracy_label, column_label, known, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._decimate import Array


def _labelled(runs: RunLike | Sequence[RunLike] | Mapping[str, RunLike]) -> list[tuple[str, RunLike]]:
    if isinstance(runs, (Run, Replication)):
        return [("", runs)]
    if isinstance(runs, Mapping):
        return [(str(label), run) for label, run in runs.items()]
    listed = list(runs)
    labels = [whole(one).policy for one in listed]
    if len(set(labels)) < len(labels):  # the same manager more than once
        labels = [f"{label} ({i})" for i, label in enumerate(labels)]
    return list(zip(labels, listed))


def _frames(run: RunLike) -> list[Array]:
    """The logs of jobs that take part: of every replication, without the warm-up."""
    logs = [one.jobs.array for one in ([run] if isinstance(run, Replication) else run)]
    return [jobs[seconds(jobs["arrival"]) >= whole(run)._names["warmup_s"]] for jobs in logs]


def _values(jobs: Array, column: str, app: Mapping[str, Any]) -> Array:
    """What frames with a result have in a column, sorted."""
    import numpy as np

    jobs = jobs[became(jobs, "met", "missed")]
    if column == "latency_ms":
        values = latency_ms(jobs)
    elif column == "accuracy":
        values = np.array(app["accuracy"], dtype=float)[jobs["subnet"]]
    else:
        values = jobs[column].astype(float)
    return np.sort(values[np.isfinite(values)])


def cdf(
    runs: RunLike | Sequence[RunLike] | Mapping[str, RunLike],
    column: str = "latency_ms",
    *,
    application: str | None = None,
    lost: bool = False,
    log: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Empirical distributions of latency_ms [ms], energy_mj [mJ], isolated_ms [ms] or accuracy of frames.

    runs: one, several, or a dictionary by label; replications are pooled, the warm-up is left out. A curve for each
    application, or for `application` alone. Frames without a result are left out and told in the legend; with `lost`
    those dropped or rejected count as never done, and a curve ends below 1. log: a logarithmic axis; by default where
    medians are more than a factor of 10 apart. The latency targets are drawn as dotted lines.

    Throws InputError for an unknown column or application, or a run without the log of jobs.
    """
    need_matplotlib()
    import numpy as np

    labelled = _labelled(runs)
    known(column, ["latency_ms", "energy_mj", "isolated_ms", "accuracy"], "column")
    for label, run in labelled:
        need_logs(run, ["jobs"], f"the distribution{f' of {label}' if label else ''}")
    names = list(dict.fromkeys(app["name"] for _, run in labelled for app in whole(run)._names["applications"]))
    wanted = names if application is None else [known(application, names, "application")]
    ax = given_or_new(ax)
    many = len(labelled) > 1
    drawn: list[dict[str, Any]] = []
    medians: list[float] = []
    targets: dict[float, str] = {}
    for index, (label, run) in enumerate(labelled):
        logs = _frames(run)
        for code, app in enumerate(whole(run)._names["applications"]):
            if app["name"] not in wanted:
                continue
            jobs = np.concatenate([one[one["app"] == code] for one in logs])
            values = _values(jobs, column, app)
            gone = int(became(jobs, "dropped", "rejected").sum())
            named = app["name"] if len(wanted) > 1 or not label else ""
            words = " – ".join(part for part in (label, named) if part)
            if gone:
                words += f" ({100 * gone / (len(values) + gone):.3g} % without a result)"
            elif not len(values):
                words += " (no frame was completed)"
            which = wanted.index(app["name"])
            # One run: applications by colour. Several: runs by colour, applications by line.
            shade, line = (colour(index), STYLES[which % len(STYLES)]) if many else (colour(which), "-")
            x, y = corners(values, len(values) + (gone if lost else 0))
            ax.plot(x, y, drawstyle="steps-post", color=shade, linestyle=line, linewidth=1.5, label=words)
            drawn.append(app)
            if len(values):
                medians.append(float(np.median(values)))
            if column == "latency_ms":
                targets.update({target: WARN if many else shade for _, target in app["targets"] if target})
    for target, shade in sorted(targets.items()):
        ax.axvline(target, linestyle=":", color=shade, linewidth=1.3, zorder=1, label=f"target {short(target)} ms")
    if far_apart(medians) if log is None else log:
        ax.set_xscale("log")
        logarithmic(ax.xaxis)
    tidy(ax)
    label = accuracy_label(drawn) if column == "accuracy" else column_label(column)
    ax.set(ylim=(0, 1.02), xlabel=label, ylabel="share of frames [–]")
    if not medians:
        note(ax, "no frame was completed")
    legend(ax)
    return ax
