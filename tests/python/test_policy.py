"""Policies in Python: the same rule in both languages decides the same, everywhere a policy can stand."""

import subprocess
import sys
import threading
import traceback

import pytest

import dynasoc


class Streak(dynasoc.Policy):
    """steps on misses in a row"""

    # docs/example/streak.cpp in Python, for one application.
    triggers = dynasoc.Triggers(completion=True)

    def __init__(self, down: int = 2, up: int = 30, headroom: float = 0.15) -> None:
        self.down, self.up, self.headroom = down, up, headroom
        self.missed = self.easy = self.asked = 0

    def decide(self, seen):
        self.asked += 1
        if seen.trigger != "completion":
            return None
        app = seen.applications[seen.subject]
        last = app.last
        if last.subnet != app.subnet or app.latency_target_ms <= 0:
            return None
        room = 1 - last.latency_ms / app.latency_target_ms
        self.missed = self.missed + 1 if last.missed else 0
        self.easy = self.easy + 1 if room >= self.headroom else 0
        step = 0
        if self.missed >= self.down and app.subnet > 0:
            step = -1
        if self.easy >= self.up and app.subnet + 1 < app.subnets:
            step = 1
        if step == 0:
            return None
        decision = dynasoc.Decision().subnet(
            app, app.subnet + step, "{} misses and {} easy frames in a row", self.missed, self.easy, margin=room
        )
        self.missed = self.easy = 0
        return decision


def test_a_policy_in_python_runs_and_its_decisions_have_reasons(sharing):
    run = dynasoc.run(sharing, policy=Streak)
    decisions = run.decisions.to_pandas()
    own = decisions[decisions.policy != "board"]
    assert len(own) > 0 and set(own.policy) == {"Streak"}
    assert own.reason.str.match(r"\d+ misses and \d+ easy frames in a row").all()
    assert (own.trigger == "completion").all()
    assert run.policy == "Streak" and len(run.policies) == 1 and run.policies[0].asked > 100


def test_an_object_is_a_prototype(sharing):
    prototype = Streak(down=3)
    run = dynasoc.run(sharing, policy=prototype, replications=2)
    assert prototype.asked == 0
    assert [policy.down for policy in run.policies] == [3, 3]
    assert run.policies[0] is not run.policies[1]
    made = dynasoc.run(sharing, policy=lambda: Streak(down=3))
    assert dynasoc.run(sharing, policy=prototype).summary["apps"] == made.summary["apps"]


def test_in_compare_beside_the_simulators_own(sharing):
    comparison = dynasoc.compare(sharing, ["dynamic-ofa", Streak, {"name": "pid", "reference": 0.8}], replications=3)
    assert comparison.policies == ["dynamic-ofa", "Streak", "pid"]
    ours = comparison.values("run.cost").query("policy == 'Streak'").value
    runs = dynasoc.run(sharing, policy=Streak, replications=3)
    assert list(ours) == pytest.approx(list(runs.metrics["run.cost"]))


def test_by_name_in_files_with_checked_parameters(sharing):
    dynasoc.register(Streak, "streak-in-python")
    named = sharing.copy(policy={"name": "streak-in-python", "down": 4})
    assert dynasoc.run(named).summary["apps"] == dynasoc.run(sharing, policy=Streak(down=4)).summary["apps"]
    with pytest.raises(dynasoc.InputError, match='unknown key "dwn".*did you mean "down"'):
        sharing.copy(policy={"name": "streak-in-python", "dwn": 4})
    with pytest.raises(dynasoc.InputError, match='did you mean "streak-in-python"'):
        sharing.copy(policy="streak-in-pyton")
    with pytest.raises(dynasoc.InputError, match="part of DynaSoC"):
        dynasoc.register(Streak, "pid")
    assert dynasoc.run(named, replications=4, jobs=4).summary == dynasoc.run(named, replications=4).summary


class Broken(dynasoc.Policy):
    def decide(self, seen):
        if seen.now_s > 0.5:
            return self.helper(seen)
        return None

    def helper(self, seen):
        return seen.applications[0].no_such_thing


@pytest.mark.parametrize("replications", [1, 2])
def test_exceptions_surface_with_their_traceback(sharing, replications):
    with pytest.raises(AttributeError, match="no_such_thing") as caught:
        dynasoc.run(sharing, policy=Broken, replications=replications)
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][-2:] == ["decide", "helper"]
    with pytest.raises(AttributeError, match="no_such_thing"):
        dynasoc.compare(sharing, ["none", Broken], replications=2)
    assert dynasoc.run(sharing).summary  # nothing is broken for those who come after


def test_wrong_answers_are_refused(sharing):
    class Wrong(dynasoc.Policy):
        def __init__(self, answer):
            self.answer = answer

        def decide(self, seen):
            return self.answer

    with pytest.raises(TypeError, match="must return a dynasoc.Decision or None, not int"):
        dynasoc.run(sharing, policy=Wrong(3))
    with pytest.raises(dynasoc.InputError, match="wrote to application 7, but there are 1"):
        dynasoc.run(sharing, policy=lambda: Wrong(dynasoc.Decision().subnet(7, 0)))


def test_what_was_shown_is_not_kept(sharing):
    kept = []

    class Keeper(dynasoc.Policy):
        def decide(self, seen):
            kept.append((seen, seen.applications[0]))
            return None

    dynasoc.run(sharing.copy(duration_s=1, windows={}), policy=Keeper)
    for look in kept[-1]:
        with pytest.raises(RuntimeError, match="valid during decide"):
            look.now_s if hasattr(type(look), "now_s") else look.name


def test_everything_that_is_shown(sharing):
    shown = {}

    class Curious(dynasoc.Policy):
        triggers = dynasoc.Triggers(period_ms=100)

        def decide(self, seen):
            app, unit, domain = seen.applications[0], seen.units[0], seen.domains[0]
            for name, thing in (("seen", seen), ("app", app), ("unit", unit), ("domain", domain)):
                for key in dir(thing):
                    if not key.startswith("_") and not callable(getattr(thing, key)):
                        shown[f"{name}.{key}"] = getattr(thing, key)
            shown["latency"] = [seen.latency_ms(app, k) for k in range(app.subnets)]
            shown["energy"] = [seen.energy_mj(app, k) for k in range(app.subnets)]
            shown["slow"] = seen.latency_ms(app, 0, app.unit, 0)
            shown["idle"] = seen.idle_w(app.unit, 0)
            shown["recent"] = app.recent(5)
            return None

    dynasoc.run(sharing, policy=Curious)
    assert shown["seen.trigger"] == "period"
    assert shown["latency"] == sorted(shown["latency"]) and shown["slow"] > shown["latency"][0]
    assert len(shown["recent"]) == 5 and shown["recent"][-1].latency_ms == shown["app.last"].latency_ms
    assert len(shown["app.accuracy"]) == shown["app.subnets"]
    assert shown["domain.opps_mhz"] == tuple(sorted(shown["domain.opps_mhz"]))


def test_a_run_with_a_policy_in_python_leaves_the_scenario_as_it_was(sharing, tmp_path):
    class Smallest(dynasoc.Policy):
        def decide(self, seen):
            return dynasoc.Decision().subnet(seen.applications[0], 0)

    run = dynasoc.run(sharing, policy=Smallest, seed=3)
    assert run.scenario.seed == 3
    again = dynasoc.run(run.scenario, policy="none")
    assert again.summary["apps"] == dynasoc.run(sharing, policy="none", seed=3).summary["apps"]
    assert len(run.policies) == 1
    run.save(tmp_path / "out")  # another program does not know the policy, and says so
    with pytest.raises(dynasoc.InputError, match='unknown policy "Smallest"'):
        dynasoc.Scenario.from_file(tmp_path / "out" / "manifest.json")
    fixed = dynasoc.run(sharing, policy={"name": "static", "level": 1})
    fixed.save(tmp_path / "fixed")
    assert dynasoc.run(tmp_path / "fixed" / "manifest.json").summary["apps"] == fixed.summary["apps"]


def test_comparisons_side_by_side_do_not_mix_their_policies(sharing):
    class Fixed(dynasoc.Policy):
        def __init__(self, subnet=0):
            self.subnet = subnet

        def decide(self, seen):
            return dynasoc.Decision().subnet(seen.applications[0], self.subnet)

    answers = {}

    def compare(subnet):
        for _ in range(5):
            told = dynasoc.compare(sharing.copy(duration_s=3), {"one": "none", "two": Fixed(subnet)}, replications=4)
            answers.setdefault(subnet, set()).add(float(told.values("run.accuracy").query("policy == 'two'").value.mean()))

    threads = [threading.Thread(target=compare, args=(subnet,)) for subnet in (0, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers[0]) == len(answers[3]) == 1 and answers[0] != answers[3]
    assert not [entry["name"] for entry in dynasoc.manager.entries() if "#" in entry["name"]]


def test_candidates_that_are_not_there_are_refused(sharing):
    for wrong in ({"application": 500_000}, {"unit": 900_000}, {"application": 0, "subnet": 77}, {"unit": 0, "opp": 99}):

        class Wrong(dynasoc.Policy):
            def decide(self, seen):
                return dynasoc.Decision().subnet(0, 0).candidate(**wrong)

        with pytest.raises(dynasoc.InputError, match="but there are"):
            dynasoc.run(sharing, policy=Wrong)


def test_what_was_shown_is_not_looked_at_between_decisions(sharing):
    class Looks(dynasoc.Policy):
        kept = None

        def decide(self, seen):
            if Looks.kept is None:
                Looks.kept = seen
            return None

        def __deepcopy__(self, memo):
            return self

    def progress(share):
        if Looks.kept is not None:
            with pytest.raises(RuntimeError, match="valid during decide"):
                Looks.kept.now_s

    dynasoc.run(sharing.copy(duration_s=3000, windows={}), policy=Looks(), record=False, progress=progress)
    assert Looks.kept is not None


def test_a_version_follows_what_a_policy_is():
    from functools import partial

    from dynasoc.manager import _version_of

    def of(level):
        class Closes(dynasoc.Policy):
            def decide(self, seen):
                return dynasoc.Decision().subnet(0, level)

        return Closes

    def at(value):
        class Holds(dynasoc.Policy):
            level = value

            def decide(self, seen):
                return None

        return Holds

    assert _version_of(Streak) == _version_of(Streak)
    assert _version_of(at(1)) == _version_of(at(1)) != _version_of(at(2))
    assert _version_of(of(1)) != _version_of(of(1))  # nobody can tell
    assert _version_of(partial(Streak, 1)) != _version_of(partial(Streak, 1))


def test_a_policy_may_look_at_the_registry_as_it_goes(sharing):
    class Leaves(dynasoc.Policy):
        def decide(self, seen):
            return None

        def __del__(self):
            dynasoc.listing("policies")

    for _ in range(3):
        dynasoc.compare(sharing.copy(duration_s=1, windows={}), ["none", Leaves()], replications=1)


def test_slips_of_policies_are_told(sharing):
    short = sharing.copy(duration_s=1, windows={})
    dynasoc.register(Streak, "streak-typed")
    with pytest.raises(dynasoc.InputError, match="/down: must be of type integer"):
        dynasoc.run(short, policy={"name": "streak-typed", "down": 2.5})
    with pytest.raises(dynasoc.InputError, match="/policy/down|/down"):
        short.copy(policy={"name": "streak-typed", "down": "two"})
    for period_ms in (-5, float("nan"), float("inf"), 1e-9):
        with pytest.raises(dynasoc.InputError, match="period_ms must be"):
            dynasoc.Triggers(period_ms=period_ms)
    for cost_us in (-5.0, float("nan"), 1e300):
        with pytest.raises(dynasoc.InputError, match="compute_cost_us must be"):
            dynasoc.run(short, policy=type("Costly", (Streak,), {"compute_cost_us": cost_us}))
    with pytest.raises(TypeError, match="has a method decide"):
        dynasoc.run(short, policy=lambda: None)
    for wrong in (1.5, "1", None):
        with pytest.raises(dynasoc.InputError, match="jobs=.*must be a whole number"):
            dynasoc.run(short, jobs=wrong)


def test_run_takes_what_the_command_line_takes(sharing):
    from dynasoc import policies

    short = sharing.copy(duration_s=3, windows={})
    by_text = dynasoc.run(short, policy="pid(reference=0.8)")
    assert by_text.summary["apps"] == dynasoc.run(short, policy=policies.Pid(reference=0.8)).summary["apps"]
    governed = dynasoc.run(short, policy="none+schedutil")
    assert governed.scenario.to_json()["governors"]["cpu0"] == "schedutil"
    assert dynasoc.run(short, policy=policies.Pid).policy == "pid"  # parentheses forgotten


def test_arrays_of_many_threads_at_once():
    code = (
        "import threading, dynasoc\n"
        "run = dynasoc.run('minimal')\n"
        "threads = [threading.Thread(target=lambda: run.jobs.array) for _ in range(8)]\n"
        "[t.start() for t in threads], [t.join() for t in threads]\n"
    )
    for _ in range(5):  # the first use in a process makes the array's type
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
