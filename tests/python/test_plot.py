"""Figures: that they show what the results hold, say what they show in which unit, and refuse what they cannot draw."""

import functools
import os
import subprocess
import sys

import numpy as np
import pytest

import dynasoc
from dynasoc import plot
from dynasoc.plot._decimate import extremes, merged

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pd = pytest.importorskip("pandas")


@pytest.fixture(autouse=True)
def closed_afterwards():
    yield
    from matplotlib import pyplot

    pyplot.close("all")


@functools.lru_cache(maxsize=None)
def run_of(name, **arguments):
    return dynasoc.run(name, **arguments)


@functools.lru_cache(maxsize=None)
def comparison():
    policies = ["none", "dynamic-ofa", "pid(reference=0.8)", "schedutil"]
    return dynasoc.compare("claims/gpu-sharing", policies, replications=6, anatomy=False)


def refuses(match, draw, *arguments, **named):
    with pytest.raises(dynasoc.InputError, match=match):
        draw(*arguments, **named)


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    out = tmp_path_factory.mktemp("explored")
    small = {"algorithm.population": 12, "algorithm.generations": 2, "replications": 6}
    return out, dynasoc.explore("scenarios/explore/bursty-camera.explore.json", out, set=small)


def drawn(ax):
    """Draws for real, and returns the lines by label, without what is told in brackets."""
    ax.figure.canvas.draw()
    return {line.get_label().split(" (")[0]: line for line in ax.lines}


def bars(ax, label):
    """Of error bars their centre, and the ends of both bars."""
    container = next(c for c in ax.containers if c.get_label().startswith(label))
    data, _, (horizontal, vertical) = container
    return data.get_xydata(), np.array(horizontal.get_segments()), np.array(vertical.get_segments())


def test_importing_needs_nothing_and_drawing_says_what_it_needs():
    code = """
import sys
sys.modules["matplotlib"] = None
from dynasoc import plot
assert "numpy" not in sys.modules and "pandas" not in sys.modules
import dynasoc
run = dynasoc.run("minimal")
for draw in (plot.timeline, plot.gantt, plot.cdf, plot.pareto, plot.forest, plot.table_heatmap):
    try:
        draw("dynamic-ofa-gpu" if draw is plot.table_heatmap else run)
    except ImportError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["dynasoc.plot needs matplotlib: pip install dynasoc[plot]"] * 6


# ---------------------------------------------------------------- fronts


def test_a_front_has_its_points_and_intervals(explored):
    out, exploration = explored
    x, y = "platform.energy_j", "apps.camera.accuracy.in_time"
    ax = plot.pareto(out)
    assert ax.get_xlabel() == "platform.energy_j [J], lower is better"
    assert ax.get_ylabel() == "apps.camera.accuracy.in_time [network's metric]\nhigher is better"
    front = exploration.front
    plain = front[front.knee == 0]
    centres, horizontal, vertical = bars(ax, "front")
    assert np.allclose(centres, plain[[x, y]])
    assert np.allclose(horizontal[:, :, 0], plain[[f"{x}.low", f"{x}.high"]])
    assert np.allclose(vertical[:, :, 1], plain[[f"{y}.low", f"{y}.high"]])
    assert np.allclose(bars(ax, "knee")[0], front[front.knee == 1][[x, y]])
    step = next(line for line in ax.lines if line.get_drawstyle() == "steps-post")
    assert np.allclose(np.sort(step.get_xdata()), step.get_xdata()) and len(step.get_xdata()) <= len(front)
    faint = drawn(ax)["dominated"]
    assert f"({(exploration.all.standing == 'dominated').sum()}" in faint.get_label()
    assert {f"#{one}" for one in front.configuration} == {text.get_text() for text in ax.texts}


def test_a_front_comes_from_what_one_has(explored):
    out, exploration = explored
    drawings = [
        plot.pareto(exploration),
        plot.pareto(out / "front.csv"),
        plot.pareto(exploration.front, everything=exploration.all),
        plot.pareto({name: list(column) for name, column in exploration.front.items()}, everything=exploration.all),
    ]
    for ax in drawings:
        assert np.allclose(bars(ax, "front")[0], bars(plot.pareto(os.fspath(out)), "front")[0])
        assert "dominated" in drawn(ax)
    assert "dominated" not in drawn(plot.pareto(exploration.front))
    labelled = plot.pareto(exploration.front, labels=["x"] * len(exploration.front))
    assert {text.get_text() for text in labelled.texts} == {"x"}
    assert not plot.pareto(exploration.front, labels=False).texts
    own = plot.pareto(exploration.front, ax=drawings[0])
    assert own is drawings[0]


def test_the_step_goes_where_a_point_dominates():
    table = {"a": [1, 2, 3, 2.5], "b": [3, 2, 1, 2.5]}
    for better, drawstyle, line in (
        ({"a": "lower", "b": "lower"}, "steps-post", [(1, 3), (2, 2), (3, 1)]),
        ({"a": "higher", "b": "lower"}, "steps-pre", [(3, 1)]),
        ({"a": "higher", "b": "higher"}, "steps-pre", [(1, 3), (2.5, 2.5), (3, 1)]),
    ):
        ax = plot.pareto(table, "a", "b", better=better)
        assert [tuple(p) for p in ax.lines[0].get_xydata()] == line
        assert ax.lines[0].get_drawstyle() == drawstyle


def test_policies_are_points_of_a_comparison():
    ax = plot.pareto(comparison(), "platform.energy_j", "run.miss_rate")
    frame = comparison().to_pandas()
    energy = frame[frame.metric == "platform.energy_j"].set_index("policy")
    shown = np.concatenate([bars(ax, "not dominated")[0], bars(ax, "dominated")[0]])
    assert np.allclose(np.sort(shown[:, 0]), np.sort(energy["mean"]))
    ends = np.concatenate([bars(ax, "not dominated")[1], bars(ax, "dominated")[1]])[:, :, 0]
    assert np.allclose(np.sort(ends[:, 0]), np.sort(energy.ci95_lo))
    # Under a governor alone nothing changes here: one place, one label.
    assert {text.get_text() for text in ax.texts} >= {"none, schedutil", "dynamic-ofa"}
    refuses("did you mean 'run.miss_rate'", plot.pareto, comparison(), y="run.mis_rate")


def test_what_cannot_be_a_front_is_refused(tmp_path, explored):
    refuses("dynasoc explore", plot.pareto, tmp_path)
    refuses("not Run", plot.pareto, run_of("claims/gpu-sharing"))
    refuses("two metrics", plot.pareto, {"a": [1, 2]})
    refuses("did you mean 'platform.energy_j'", plot.pareto, explored[0], x="platform.energy")
    refuses("must be lower or higher", plot.pareto, {"a": [1, 2], "b": [1, 2]}, better={"a": "less"})
    refuses("1 texts for", plot.pareto, explored[0], labels=["one"])
    empty = explored[1].front.iloc[:0]
    ax = plot.pareto(empty)
    drawn(ax)
    assert ax.texts[0].get_text() == "no configurations on the front" and "[J]" in ax.get_xlabel()


# ---------------------------------------------------------------- a run over time


def test_a_timeline_shows_every_frame():
    run = run_of("claims/gpu-sharing")
    axes = plot.timeline(run)
    assert [ax.get_ylabel() for ax in axes] == ["latency [ms]", "sub-network [level]", "power [W]", "clock [MHz]"]
    assert axes[-1].get_xlabel() == "time [s]" and axes[0].get_shared_x_axes().joined(axes[0], axes[-1])
    frame = run.jobs.to_pandas()
    lines = drawn(axes[0])
    for outcome in ("met", "missed"):
        rows = frame[frame.outcome == outcome]
        assert np.allclose(lines[outcome].get_xdata(), rows.end.dt.total_seconds())
        assert np.allclose(lines[outcome].get_ydata(), rows.latency_ms)
        assert f"({len(rows)})" in lines[outcome].get_label()
    assert lines["target"].get_linestyle() == ":" and list(lines["target"].get_ydata()) == [60, 60]
    samples = run.timeline.to_pandas()
    assert np.allclose(drawn(axes[1])["classifier"].get_ydata(), samples.classifier_subnet)
    assert np.allclose(drawn(axes[2])["board"].get_ydata(), samples.power_w)
    assert np.allclose(drawn(axes[3])["gpu"].get_ydata(), samples.gpu_mhz)
    ticks = next(c for c in axes[0].collections if c.get_label() == "decision")
    assert np.allclose([s[0][0] for s in ticks.get_segments()], run.decisions.to_pandas().time.dt.total_seconds())
    assert any("training" in text.get_text() for text in axes[0].texts)  # the load, shaded


def test_applications_have_panels_of_their_own():
    run = run_of("two-applications")
    axes = plot.timeline(run)
    labels = ["camera\nlatency [ms]", "archive\nlatency [ms]", "sub-network [level]"]
    assert [ax.get_ylabel() for ax in axes[:3]] == labels
    assert list(drawn(axes[0])["target"].get_ydata()) == [80, 80, 60, 60, 80, 80]
    axes = plot.timeline(run, "camera", panels=["latency", "accuracy", "temperature", "waiting"], from_s=20, to_s=30)
    assert len(axes) == 4 and axes[0].get_xlim() == (20, 30)
    accuracy = drawn(axes[1])["camera"].get_ydata()
    levels = run.timeline.to_pandas().set_index("time_s").loc[20:30].camera_subnet
    assert np.allclose(accuracy, np.array(run._names["applications"][0]["accuracy"])[levels.astype(int) - 1])
    assert axes[1].get_ylabel() == "ImageNet top-1 [%]" and axes[2].get_ylabel() == "temperature [°C]"
    frame = run[0].jobs.to_pandas()
    within = frame[(frame.app == "camera") & frame.end.dt.total_seconds().between(20, 30) & (frame.outcome == "met")]
    assert len(drawn(axes[0])["met"].get_xdata()) == len(within)
    # Dense samples are means with their extremes; the energy in the picture is the run's.
    board = drawn(plot.timeline(run, panels=["power"])[0])["board"]
    samples = run.timeline.to_pandas()
    assert len(board.get_ydata()) < len(samples)
    assert np.mean(board.get_ydata()) == pytest.approx(samples.power_w.mean(), rel=1e-2)


def test_frames_given_up_are_seen():
    crowded = run_of("agx-mobilenet", policy="none")
    frame = crowded.jobs.to_pandas()
    lost = frame[frame.outcome.isin(["dropped", "rejected"])]
    assert len(lost)
    app = str(lost.app.iloc[0])
    lost, done = lost[lost.app == app], frame[(frame.app == app) & frame.latency_ms.notna()]
    marks = drawn(plot.timeline(crowded, app, panels="latency")[0])["dropped, rejected"]
    assert np.allclose(np.sort(marks.get_xdata()), np.sort(lost.arrival.dt.total_seconds()))
    share = len(done) / (len(done) + len(lost))
    assert f"({100 * (1 - share):.3g} % without a result)" in plot.cdf(crowded, application=app).lines[0].get_label()
    assert plot.cdf(crowded, application=app).lines[0].get_ydata()[-1] == 1
    assert plot.cdf(crowded, application=app, lost=True).lines[0].get_ydata()[-1] == pytest.approx(share)


def test_axes_may_be_given_and_logs_may_be_missing():
    from matplotlib.figure import Figure

    run = run_of("claims/gpu-sharing")
    panels = Figure().subplots(2, 1)
    axes = plot.timeline(run, panels=["latency", "power"], axes=panels)
    assert axes[0] is panels[0] and axes[1] is panels[1]
    for draw in (plot.gantt, plot.cdf):
        own = Figure().add_subplot()
        assert draw(run, ax=own) is own
    refuses("axes: 2 for 4 panels", plot.timeline, run, axes=panels)
    refuses("did you mean 'latency'", plot.timeline, run, panels=["latencies"])
    refuses("did you mean 'classifier'", plot.timeline, run, "clasifier")
    refuses("must have a length", plot.timeline, run, from_s=3, to_s=3)
    without = dynasoc.run("claims/gpu-sharing", record=["timeline"])
    for draw in (plot.timeline, plot.gantt, plot.cdf):
        refuses("log jobs.*record=True or record=", draw, without)
    assert len(plot.timeline(without, panels=["power", "frequency"])) == 2
    idle = plot.timeline(run, panels=["latency", "power"], from_s=1000, to_s=1001)
    assert [ax.texts[-1].get_text() for ax in idle] == ["no frame was completed", "no sample"]


def test_a_replication_is_drawn_as_asked():
    run = run_of("claims/gpu-sharing", replications=2)
    second = drawn(plot.timeline(run, replication=1)[0])["met"].get_ydata()
    assert np.allclose(second, drawn(plot.timeline(run[1])[0])["met"].get_ydata())
    assert list(second) != list(drawn(plot.timeline(run)[0])["met"].get_ydata())


# ---------------------------------------------------------------- schedules


def rectangles(collection):
    boxes = np.array([path.get_extents().extents for path in collection.get_paths()])
    return boxes[np.argsort(boxes[:, 0])]


def test_a_gantt_chart_has_a_bar_for_every_execution():
    run = run_of("two-applications")
    ax = plot.gantt(run)
    drawn(ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cpu", "gpu"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time [s]", "processing unit")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["camera", "archive", "missed"]
    frame = run.jobs.to_pandas()
    started = frame[frame.start.notna()]
    assert sum(len(c.get_paths()) for c in ax.collections) == len(started)
    camera = frame[(frame.app == "camera") & (frame.outcome == "missed")].sort_values("start")
    ink = matplotlib.colors.to_rgba("#222222")
    late = next(c for c in ax.collections if len(c.get_paths()) == len(camera) and tuple(c.get_edgecolor()[0]) == ink)
    boxes = rectangles(late)
    assert np.allclose(boxes[:, 0], camera.start.dt.total_seconds())
    assert np.allclose(boxes[:, 2], camera.end.dt.total_seconds())
    assert np.all((boxes[:, 1] > 0.5) & (boxes[:, 3] < 1.5))  # the second row
    # The frame that still ran in the end has a bar up to there.
    assert max(rectangles(c)[:, 2].max() for c in ax.collections) == pytest.approx(run._names["duration_s"])


def test_a_gantt_chart_may_be_of_a_part():
    run = run_of("two-applications")
    ax = plot.gantt(run, 9, 11, application="camera")
    frame = run.jobs.to_pandas()
    start, end = frame.start.dt.total_seconds(), frame.end.dt.total_seconds()
    assert sum(len(c.get_paths()) for c in ax.collections) == ((frame.app == "camera") & (end > 9) & (start < 11)).sum()
    assert ax.get_xlim() == (9, 11)
    empty = plot.gantt(run, 0, 0.001, application="archive")
    assert empty.texts[0].get_text() == "nothing ran" and len(empty.get_yticklabels()) == 2


# ---------------------------------------------------------------- distributions


def test_a_distribution_is_the_frames_sorted():
    run = run_of("claims/gpu-sharing")
    ax = plot.cdf(run)
    latency = np.sort(run.jobs.to_pandas().latency_ms.dropna())
    line = drawn(ax)["classifier"]
    assert np.allclose(line.get_xdata()[1:], latency)
    assert np.allclose(line.get_ydata(), np.arange(len(latency) + 1) / len(latency))
    assert line.get_drawstyle() == "steps-post"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("latency [ms]", "share of frames [–]")
    target = drawn(ax)["target 60 ms"]
    assert list(target.get_xdata()) == [60, 60]
    energy = plot.cdf(run, "energy_mj")
    assert energy.get_xlabel() == "energy [mJ]" and "target 60 ms" not in drawn(energy)
    assert plot.cdf(run, "accuracy").get_xlabel() == "ImageNet top-1 [%]"
    refuses("did you mean 'latency_ms'", plot.cdf, run, "latency")
    refuses("unknown application 'nobody'", plot.cdf, run, application="nobody")


def test_distributions_agree_with_the_summary():
    run = run_of("claims/energy-vs-governors", replications=2)  # it has a warm-up
    line = drawn(plot.cdf(run))["camera"]
    assert np.mean(line.get_xdata()[1:]) == pytest.approx(run.summary["apps"]["camera"]["latency_ms"]["mean"], rel=1e-9)


def test_several_runs_share_a_picture():
    one, other = run_of("two-applications"), run_of("two-applications", policy="none")
    ax = plot.cdf({"managed": one, "left alone": other})
    lines = drawn(ax)
    names = ["managed – camera", "managed – archive", "left alone – camera", "left alone – archive"]
    assert [name for name in lines if "target" not in name] == names
    assert lines[names[0]].get_color() == lines[names[1]].get_color() != lines[names[2]].get_color()
    assert lines[names[0]].get_linestyle() != lines[names[1]].get_linestyle()
    assert ax.get_xscale() == "log"  # 70 ms and 3 s
    assert {name for name in lines if "target" in name} == {"target 60 ms", "target 80 ms", "target 4000 ms"}
    camera = drawn(plot.cdf([one, other, other], application="camera"))
    assert [name for name in camera if "target" not in name] == ["dynamic-ofa", "none"]
    assert len(plot.cdf([one, other, other], application="camera").lines) == 3 + 2
    assert plot.cdf([one], application="camera").get_xscale() == "linear"


def test_no_completed_frame_is_an_empty_picture():
    run = dynasoc.run("claims/gpu-sharing", set={"duration_s": 0.001, "windows": {}})
    for ax in (plot.cdf(run), plot.timeline(run)[0]):
        drawn(ax)
        assert ax.texts[-1].get_text() == "no frame was completed"
        assert "[ms]" in ax.get_xlabel() + ax.get_ylabel()


# ---------------------------------------------------------------- comparisons


def test_a_forest_has_the_differences():
    ax = plot.forest(comparison())
    frame = comparison().to_pandas()
    cost = frame[(frame.metric == "run.cost") & (frame.policy != "none")]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(cost.policy)
    drawn(ax)
    markers = [line for line in ax.lines if line.get_marker() == "s"]
    assert np.allclose([line.get_xdata()[0] for line in markers], cost.delta_mean)
    spans = [line.get_xdata() for line in ax.lines if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2]
    assert np.allclose(spans, cost[["delta_ci95_lo", "delta_ci95_hi"]])
    assert ax.get_xlabel() == "run.cost: difference to none [–]; lower is better"
    assert any(list(line.get_xdata()) == [0, 0] for line in ax.lines)
    # Decided ones are filled; what never differs is not.
    filled = {policy: line.get_markerfacecolor() != "white" for policy, line in zip(cost.policy, markers)}
    assert filled["dynamic-ofa"] and markers[0].get_color() == "#0072B2"
    texts = dict(zip(cost.policy, (text.get_text() for text in ax.texts)))
    assert texts["schedutil"] == "0" and texts["dynamic-ofa"].startswith("−0.5")


def test_a_forest_may_be_relative():
    metric = "platform.energy_j"
    ax = plot.forest(comparison(), metric, relative=True)
    relative = comparison().to_json()["policies"]["dynamic-ofa"][metric]["delta_vs_baseline"]["relative"]["mean"]
    assert next(line for line in ax.lines if line.get_marker() == "s").get_xdata()[0] == pytest.approx(100 * relative)
    assert "[%]" in ax.get_xlabel() and "[J]" in plot.forest(comparison(), metric).get_xlabel()
    refuses("did you mean 'run.cost'", plot.forest, comparison(), "run.costs")
    refuses("no relative difference", plot.forest, comparison(), "apps.classifier.dropped", relative=True)
    alone = dynasoc.compare("claims/gpu-sharing", ["none"], replications=2)
    refuses("only policy", plot.forest, alone)


# ---------------------------------------------------------------- tables


def test_a_heat_map_has_the_cells_and_where_they_come_from():
    ax = plot.table_heatmap("dynamic-ofa-gpu", "fig4-filled")
    table = dynasoc._core.table(dynasoc._core.find("network", "dynamic-ofa-gpu"), "fig4-filled")
    cells = ax.images[0].get_array()
    assert cells.shape == (6, 15)
    drawn(ax)
    clocks = [float(label.get_text()) for label in ax.get_xticklabels()]
    assert clocks == sorted({float(one) for one in table["f_gpu_mhz"]})
    texts = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in ax.texts}
    for subnet, clock, value, provenance in zip(
        table["subnet"], table["f_gpu_mhz"], table["latency_ms_mean"], table["provenance"]
    ):
        at = int(subnet[1:]) - 1, clocks.index(float(clock))
        assert cells[at] == float(value)
        assert texts[at].endswith({"digitised": " d", "derived": " *"}[provenance])
        assert float(texts[at][:-2]) == pytest.approx(float(value), rel=1e-3)
    assert ax.get_xlabel() == "gpu clock [MHz]\ncpu clock 1420.8 MHz, emc clock 1600 MHz"
    assert ax.figure.axes[1].get_ylabel() == "latency, mean [ms]"
    assert ax.get_title(loc="left") == "dynamic-ofa-gpu, table fig4-filled, gpu (d digitised, * derived)"
    energy = plot.table_heatmap("dynamic-ofa-gpu", "fig4-filled", value="energy_mj")
    assert all(text.get_text().endswith("*") for text in energy.texts)
    assert energy.figure.axes[1].get_ylabel() == "energy [mJ]"


def test_a_heat_map_comes_from_what_one_has():
    file = "models/dynamic-ofa-gpu/jetson-xavier-nx.fig4.filled.csv"
    first = plot.table_heatmap("dynamic-ofa-gpu", "fig4-filled").images[0].get_array()
    network = dynasoc.Network.from_file("dynamic-ofa-gpu")
    given = [(network, "fig4-filled"), (file, None), (pd.read_csv(file), None), (dynasoc._core.table(file, ""), None)]
    for one, name in given:
        assert np.allclose(plot.table_heatmap(one, name).images[0].get_array(), first)
    assert plot.table_heatmap(network).get_title(loc="left").startswith("dynamic-ofa-gpu, table search, gpu")
    grid = plot.table_heatmap("models/frequency-grids/jetson-tx2.grid.csv")
    assert grid.get_xlabel().startswith("gpu clock [MHz] / emc clock [MHz]") and len(grid.get_xticklabels()) == 52
    cpu = plot.table_heatmap("motivation-dnn", unit="cpu")
    assert [t.get_text() for t in cpu.get_xticklabels()] == ["1190.4\n4", "1420.8\n6"]


def test_a_heat_map_refuses_what_is_not_there():
    refuses("did you mean 'fig4'", plot.table_heatmap, "dynamic-ofa-gpu", "fig5")
    refuses("unknown unit 'npu'", plot.table_heatmap, "dynamic-ofa-gpu", unit="npu")
    refuses("did you mean 'latency_ms_mean'", plot.table_heatmap, "dynamic-ofa-gpu", value="latency_ms")
    refuses("unknown column 'subnet'", plot.table_heatmap, {"unit": ["gpu"]})
    refuses("no rows", plot.table_heatmap, {"subnet": [], "unit": [], "latency_ms_mean": []})
    refuses("not int", plot.table_heatmap, 3)
    nothing = plot.table_heatmap("dynamic-ofa-gpu", value="energy_mj")  # a column, and nothing in it
    assert "states no energy_mj" in nothing.texts[0].get_text()


# ---------------------------------------------------------------- large logs


def test_thinning_keeps_what_stands_out():
    random = np.random.default_rng(1)
    x = np.sort(random.uniform(0, 100, 300_000))
    y = random.normal(size=len(x))
    y[1234], y[200_000], y[5] = 50, -50, np.nan
    for sample in (False, True):
        kept = extremes(x, y, sample=sample)
        assert len(kept) < 15_000 and np.all(np.diff(kept) > 0)
        assert {1234, 200_000, 0, len(x) - 1} <= set(kept) and 5 not in kept
        # Of each pixel the least and the greatest.
        pixels, all_pixels = np.floor(x[kept] * 20), np.floor(x * 20)
        for pixel in (0, 777, 1999):
            assert np.nanmax(y[all_pixels == pixel]) == y[kept][pixels == pixel].max()
            assert np.nanmin(y[all_pixels == pixel]) == y[kept][pixels == pixel].min()
    few = np.array([3.0, np.nan, 1.0])
    assert list(extremes(np.arange(3.0), few)) == [0, 2]
    begin = np.sort(random.uniform(0, 100, 50_000))
    bars = np.array(merged(begin, begin + 0.001, 0.05))
    assert len(bars) <= 2000 and bars[0, 0] == begin[0] and bars[-1].sum() == pytest.approx(begin[-1] + 0.001)


def test_of_a_long_run_little_is_drawn_and_the_extremes_are():
    long = dynasoc.run("two-applications", set={"duration_s": 100_000, "windows": {}})
    assert len(long.jobs) > 1_000_000
    jobs = long.jobs.array
    jobs = jobs[(jobs["app"] == 0) & (jobs["outcome"] < 2)]
    latency_ms = (jobs["end"] - jobs["arrival"]).astype("i8") * 1e-6
    for draw in (plot.timeline, plot.gantt, plot.cdf):
        axes = np.atleast_1d(draw(long))
        ax = axes[0]
        ax.figure.canvas.draw()
        lines = sum(len(line.get_xdata()) for one in axes for line in one.lines)
        shapes = sum(len(path.vertices) for one in axes for drawn_ in one.collections for path in drawn_.get_paths())
        assert lines + shapes + sum(len(one.patches) for one in axes) < 150_000, draw.__name__  # of a million frames
        if draw is plot.timeline:
            shown = np.concatenate([line.get_ydata() for name, line in drawn(ax).items() if name in ("met", "missed")])
            assert (shown.min(), shown.max()) == pytest.approx((latency_ms.min(), latency_ms.max()))
