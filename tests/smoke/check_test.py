#!/usr/bin/env python3
"""`dynasoc check` on suites: what holds, what does not and why, accepting it, and what pipelines are given."""
import difflib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(os.environ.get("DYNASOC_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent)).resolve()
DYNASOC = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()
SIMGRID = DYNASOC.with_name("dynasoc-simgrid").exists()
SHIPPED = ROOT / "scenarios" / "regression"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}


def dynasoc(*words, cwd=ROOT, **environment):
    return subprocess.run([DYNASOC, *map(str, words)], capture_output=True, text=True, check=False, cwd=cwd,
                          env={**PLAIN, **environment}, stdin=subprocess.DEVNULL, timeout=300)


def one_run(*expect, **more):
    return {"title": "a suite for a test", "runs": {"one": {
        "scenario": "two-applications", "set": {"duration_s": 10, "windows": {}}, "replications": 3, "expect": list(expect), **more}}}


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def suite(self, content, name="x.suite.json"):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")
        return path

    def good(self, *words, status=0, **more):
        done = dynasoc(*words, **more)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done

    def refused(self, says, *words, status=2):
        done = dynasoc(*words)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)
        return done


class Shipped(Check):
    def test_they_hold_and_threads_change_nothing(self):
        one = self.good("check", SHIPPED, "--json", "--jobs", 1)
        self.assertEqual(one.stdout, self.good("check", SHIPPED, "--json", "--jobs", 3).stdout)
        answer = json.loads(one.stdout)
        self.assertTrue(answer["holds"])
        states = [finding["state"] for suite in answer["suites"] for run in suite["runs"] for finding in run["findings"]]
        self.assertGreater(len(states), 15)
        self.assertEqual(set(states), {"holds"})
        self.assertEqual([run["moved"] for suite in answer["suites"] for run in suite["runs"]],
                         [[] for suite in answer["suites"] for _ in suite["runs"]])

    def test_nothing_is_to_be_updated(self):
        done = self.good("check", SHIPPED, "--update", "--dry-run")
        self.assertIn("nothing to update", done.stdout)

    def test_they_are_good_files_and_no_scenarios(self):
        done = self.good("lint", *sorted(SHIPPED.glob("*.json")))
        self.assertIn("managers.suite.json: a good suite", done.stdout)
        self.assertIn("managers.baseline.json: a good baseline", done.stdout)
        listed = self.good("list", "scenarios").stdout
        self.assertNotIn("regression/", listed)

    def test_a_table_with_slower_cells_is_caught_and_explained(self):
        """The table of one network, 3 % slower, in a copy of the data: status 1, and the run says what is slower."""
        for name in ("models/dynamic-ofa-gpu", "scenarios/claims", "scenarios/regression"):
            shutil.copytree(ROOT / name, self.folder / name)
        table = self.folder / "models/dynamic-ofa-gpu" / json.loads(
            (ROOT / "models/dynamic-ofa-gpu/network.json").read_text())["tables"]["search"]["file"]
        lines = table.read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("subnet,"))
        column = lines[at].split(",").index("latency_ms_mean")
        for i in range(at + 1, len(lines)):
            cells = lines[i].split(",")
            cells[column] = repr(float(cells[column]) * 1.03)
            lines[i] = ",".join(cells)
        table.write_text("\n".join(lines) + "\n")
        done = self.good("check", self.folder / "scenarios/regression", status=1, DYNASOC_DATA=str(ROOT))
        self.assertRegex(done.stderr, r"managers\.suite\.json:\d+:\d+: /runs/fixed/expect/0: "
                                      r"apps\.classifier\.latency_ms\.mean is [0-9.]+ ms \(\+[23]\.")
        self.assertNotIn("/runs/bursts/", done.stderr)  # another board's tables
        self.assertIn(f"inputs: dynamic-ofa-gpu/{table.name} has changed", done.stdout)
        self.assertRegex(done.stdout, r"classifier: serving a frame takes L4 [0-9.]+ → [0-9.]+ ms \(\+(2\.9\d|3\.0\d) %\)")
        self.assertIn("FAILS", done.stdout)


class Updating(Check):
    SUITE = """{
  "title": "a title, spaced   oddly",  "runs": {
    "one": {"scenario": "two-applications", "set": {"duration_s": 10, "windows": {}}, "replications": 3,
      "expect": [
        {"kind": "value",   "metric": "apps.camera.jobs", "value":   12e0  , "relative": 0.01},
        {"kind": "baseline", "metric": "apps.camera.latency_ms.mean"},
        {"metric": "run.accuracy", "kind": "value", "absolute": 0.5, "value":1}, {"kind":"limit","metric":"run.cost","most":1}
      ]}
  }
}
"""

    def test_only_the_numbers_change(self):
        path = self.suite(self.SUITE)
        baseline = self.folder / "x.baseline.json"
        shown = self.good("check", path, "--update", "--dry-run", status=1)
        self.assertIn("would update", shown.stdout)
        self.assertRegex(shown.stdout, r"one: apps\.camera\.jobs: 12\.00 → [0-9.]+ \(\+\d+ %\)")
        self.assertEqual((path.read_text(), baseline.exists()), (self.SUITE, False))
        done = self.good("check", path, "--update")
        self.assertIn(f"updated {path}", done.stdout)
        after = path.read_text()
        numbers = re.compile(r'("value": *)[-+.0-9eE]+')
        self.assertNotEqual(after, self.SUITE)
        self.assertEqual(numbers.sub(r"\1", after), numbers.sub(r"\1", self.SUITE))
        self.assertEqual(sorted(os.listdir(self.folder)), ["x.baseline.json", "x.suite.json"])
        self.good("check", path)
        first = baseline.read_text()
        self.assertIn("nothing to update", self.good("check", path, "--update").stdout)
        self.assertEqual(baseline.read_text(), first)

        # Other arrivals change what they change, a number a line, and the rest of the file stays.
        changed = json.loads(after)
        changed["runs"]["one"]["set"]["applications.camera.arrivals.jitter_ms"] = 4
        path.write_text(json.dumps(changed, indent=2))
        self.good("check", path, "--update")
        second = baseline.read_text()
        diff = [line for line in difflib.ndiff(first.splitlines(), second.splitlines()) if line[:2] in ("- ", "+ ")]
        self.assertGreater(len(diff), 0)
        for line in diff:
            self.assertRegex(line, r'^[-+] +"[^"]+": (-?[0-9.e-]+|\[.*\]|"[^"]*")(,?)$')
        self.assertLess(len(diff), len(first.splitlines()))

    def test_what_is_accepted_is_no_failure(self):
        """A pipeline that stores what came out is told so, and of what remains."""
        results = self.folder / "out.xml"
        content = json.loads(self.SUITE)
        del content["runs"]["one"]["expect"][-1]
        path = self.suite(content)
        words = ("check", path, "--update", "--json", "--junit", results, "--github")
        dry = self.good(*words, "--dry-run", status=1)
        answer = json.loads(dry.stdout)
        self.assertEqual((answer["holds"], "updated" in answer), (False, False))
        self.assertEqual(ElementTree.parse(results).getroot().get("failures"), "3")
        self.assertEqual(dry.stderr.count("::error"), 3)
        done = self.good(*words)
        would, answer = answer["would_update"], json.loads(done.stdout)
        self.assertEqual(answer["updated"], would)
        self.assertEqual({pathlib.Path(one["path"]).name for one in would}, {"x.baseline.json", "x.suite.json"})
        self.assertTrue(answer["holds"])
        self.assertEqual({one["state"] for one in answer["suites"][0]["runs"][0]["findings"]}, {"accepted"})
        self.assertEqual(ElementTree.parse(results).getroot().get("failures"), "0")
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.good("check", path, "--update", "--quiet").stdout, "")

    def test_an_undefined_value_cannot_be_accepted(self):
        content = one_run({"kind": "value", "metric": "apps.camera.latency_ms.mean", "value": 60})
        content["runs"]["one"]["set"]["applications.camera.arrivals"] = {"kind": "poisson", "rate_hz": 1e-9}
        path = self.suite(content)
        text = path.read_text()
        done = self.good("check", path, "--update", status=1)
        self.assertIn("apps.camera.latency_ms.mean is undefined in 3 of 3 replications, expected 60 ms", done.stderr)
        self.assertEqual(path.read_text(), text)

    def test_a_run_alone(self):
        content = one_run({"kind": "baseline", "metric": "run.cost"})
        content["runs"]["two"] = json.loads(json.dumps(content["runs"]["one"]))
        path = self.suite(content)
        self.good("check", path, "--update")
        before = json.loads((self.folder / "x.baseline.json").read_text())["runs"]
        content["runs"]["one"]["seed"] = content["runs"]["two"]["seed"] = 99
        self.suite(content)
        self.good("check", path, "--update", "--only", "x/two")
        after = json.loads((self.folder / "x.baseline.json").read_text())["runs"]
        self.assertEqual(after["one"], before["one"])
        self.assertEqual(after["two"]["seed"], 99)
        done = self.refused("they cannot be paired", "check", path)
        self.assertRegex(done.stderr, r"x\.suite\.json:\d+:\d+: /runs/one: the baseline has 3 replications of seed 3 and this")
        self.refused('(did you mean "x/two"?)', "check", path, "--only", "x/tow")
        del content["runs"]["one"]
        self.suite(content)
        self.assertIn("one: no longer in the suite, dropped", self.good("check", path, "--update").stdout)

    def test_limits_and_comparisons_are_decisions(self):
        path = self.suite(one_run({"kind": "limit", "metric": "run.accuracy", "most": 1},
                                  {"kind": "better", "metric": "run.miss_rate", "than": "dynamic-ofa", "by": 0.5}))
        text = path.read_text()
        done = self.good("check", path, "--update", status=1)
        self.assertEqual(done.stderr.count("\n"), 2)
        self.assertEqual(path.read_text(), text)

    def test_nothing_is_written_where_a_run_fails(self):
        first = self.suite(one_run({"kind": "baseline", "metric": "run.cost"}), "a.suite.json")
        self.suite(one_run({"kind": "baseline", "metric": "run.cost"}, scenario="nowhere"), "b.suite.json")
        self.refused("nowhere", "check", self.folder, "--update")
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.suite.json", "b.suite.json"])
        self.assertNotIn("updated", first.read_text())

    def test_words_that_do_not_go_together(self):
        path = self.suite(one_run({"kind": "limit", "metric": "run.cost", "most": 1}))
        self.refused("give both", "check", path, "--dry-run")
        self.refused("edited by hand", "check", ROOT / "scenarios/claims", "--only", "motivation-cpu", "--update")


class Pipelines(Check):
    def failing(self):
        return self.suite(one_run({"kind": "limit", "metric": "apps.camera.jobs", "most": 5, "note": "100 % of: a, b"},
                                  {"kind": "limit", "metric": "run.accuracy", "least": 5},
                                  {"kind": "baseline", "metric": "run.cost"}))

    def test_junit(self):
        """One test case an expectation and a claim, in the structure that Jenkins' schema and pytest's files have."""
        path, results = self.failing(), self.folder / "out.xml"
        shutil.copy(ROOT / "scenarios/claims/dynamic-ofa-gain-cpu.claim.json", self.folder)
        self.good("check", self.folder, "--junit", results, "--quiet", status=1)
        tree = ElementTree.parse(results).getroot()
        self.assertEqual((tree.tag, tree.get("tests"), tree.get("failures"), tree.get("errors")), ("testsuites", "4", "2", "0"))
        self.assertEqual([(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in tree],
                         [("claims", "1", "0"), ("x", "3", "2")])
        cases = list(tree.iter("testcase"))
        self.assertEqual([(case.get("classname"), case.get("name")) for case in cases],
                         [("claims", "dynamic-ofa-gain-cpu"), ("x.one", "apps.camera.jobs (limit)"),
                          ("x.one", "run.accuracy (limit)"), ("x.one", "run.cost (baseline)")])
        for case in cases:
            self.assertLessEqual(set(case.keys()), {"name", "classname", "time"})
        failures = [case.find("failure") for case in cases]
        self.assertEqual([failure is not None for failure in failures], [False, True, False, True])
        self.assertIn("expected at most 5", failures[1].get("message"))
        self.assertIn(f"{path}:", failures[1].text)
        counted = subprocess.run([sys.executable, ROOT / "tools/count_tests.py", results], capture_output=True, text=True)
        self.assertEqual((counted.returncode, counted.stdout.splitlines()[-1]), (1, "2 passed, 2 failed"))
        # The same with --json on stdout, byte for byte.
        first = results.read_bytes()
        json.loads(self.good("check", self.folder, "--junit", results, "--json", status=1).stdout)
        self.assertEqual(results.read_bytes(), first)

    def test_github(self):
        path = self.failing()
        self.assertNotIn("::error", self.good("check", path, status=1).stdout)
        for words, environment in ((("--github",), {}), ((), {"GITHUB_ACTIONS": "true"})):
            done = self.good("check", path, *words, status=1, GITHUB_WORKSPACE=str(self.folder), **environment)
            lines = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
            self.assertEqual(len(lines), 2)
            line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if '"apps.camera.jobs"' in text)
            found = re.match(r"::error file=x\.suite\.json,line=(\d+),title=x\.one%3A apps\.camera\.jobs \(limit\)::"
                             r"apps\.camera\.jobs is \d+, expected at most 5%0A100 %25 of: a, b%0A", lines[0])
            self.assertTrue(found, lines[0])
            self.assertEqual(int(found.group(1)), line - 2)  # where the expectation begins
        done = self.good("check", path, "--json", status=1, GITHUB_ACTIONS="true")
        json.loads(done.stdout)
        self.assertIn("::error ", done.stderr)
        self.assertNotIn("::error", self.good("check", path, status=1, GITHUB_ACTIONS="false").stdout)

    def test_names_that_are_no_text(self):
        folder = os.fsencode(self.folder) + b"/\xff"
        os.mkdir(folder)
        shutil.move(self.failing(), folder + b"/x.suite.json")
        results = self.folder / "out.xml"
        done = subprocess.run([DYNASOC, b"check", folder, "--json", "--junit", results], capture_output=True, env=PLAIN,
                              stdin=subprocess.DEVNULL, timeout=300)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertTrue(json.loads(done.stdout)["suites"][0]["file"].endswith("\ufffd/x.suite.json"))
        ElementTree.parse(results)

    def test_a_place_for_results_that_cannot_be(self):
        # It would work for hours if it did not look first.
        path = self.suite(one_run({"kind": "limit", "metric": "run.accuracy", "least": 5}, set={"duration_s": 1e6, "windows": {}},
                                  replications=1000))
        before = path.read_bytes()
        for place, status, says in (("none/out.xml", 2, "there is no folder"), ("", 2, "is a directory"), (path.name, 2, "is not a JUnit report")):
            done = subprocess.run([DYNASOC, "check", path, "--junit", self.folder / place], capture_output=True, text=True,
                                  env=PLAIN, stdin=subprocess.DEVNULL, timeout=20)
            self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
            self.assertIn(str(self.folder / place), done.stderr)
            self.assertIn(says, done.stderr)
        self.assertEqual(path.read_bytes(), before)

    def test_paths_as_github_knows_them(self):
        self.failing()
        done = self.good("check", ".", "--github", status=1, cwd=self.folder)
        self.assertIn("::error file=x.suite.json,", done.stdout)

    def test_a_bar_in_a_name(self):
        content = one_run({"kind": "limit", "metric": "run.accuracy", "least": 5})
        content["runs"] = {"a|b": content["runs"]["one"]}
        self.assertIn("| a\\|b | `run.accuracy` |", self.good("check", self.suite(content), "--markdown").stdout)

    def test_markdown(self):
        done = self.good("check", self.failing(), "--markdown", status=1)
        self.assertIn("| one | `apps.camera.jobs` | at most 5 | ", done.stdout)
        self.assertIn("**FAILS**", done.stdout)


class Files(Check):
    def test_a_folder_of_nothing(self):
        self.refused("has no claim files (*.claim.json) and no suites (*.suite.json)", "check", self.folder)

    def test_without_a_baseline(self):
        path = self.suite(one_run({"kind": "baseline", "metric": "run.cost"}))
        done = self.good("check", path, status=1)
        self.assertIn("no baseline is stored; `dynasoc check --update` stores one", done.stderr)
        self.good("lint", path)

    def test_a_broken_baseline(self):
        path = self.suite(one_run({"kind": "baseline", "metric": "run.cost"}))
        self.good("check", path, "--update")
        stored = self.folder / "x.baseline.json"
        content = json.loads(stored.read_text())
        content["runs"]["one"]["metrics"]["run.cost"].pop()
        stored.write_text(json.dumps(content))
        self.refused("/runs/one/metrics/run.cost: has 2 values for 3 replications", "check", path)
        stored.write_text("{")
        self.refused("x.baseline.json:1:2: ", "check", path)

    @unittest.skipUnless(SIMGRID, "SimGrid is not built in")
    def test_the_reference_engine(self):
        """A baseline of the native engine holds on the reference: they agree to nine digits."""
        content = one_run({"kind": "baseline", "metric": "apps.camera.latency_ms.mean"},
                          {"kind": "baseline", "metric": "platform.energy_j"})
        path = self.suite(content)
        self.good("check", path, "--update")
        content["runs"]["one"]["engine"] = "simgrid"
        self.suite(content)
        answer = json.loads(self.good("check", path, "--json").stdout)
        self.assertEqual([one["state"] for one in answer["suites"][0]["runs"][0]["findings"]], ["holds", "holds"])


class Documents(unittest.TestCase):
    """docs/ci.md: the workflows are YAML, and what they and the page run is there."""

    def setUp(self):
        self.text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
        self.blocks = re.findall(r"```yaml\n(.*?)```", self.text, re.S)

    def test_the_workflows(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("PyYAML is not installed")
        github, gitlab = (yaml.safe_load(block) for block in self.blocks)
        steps = github["jobs"]["check"]["steps"]
        self.assertIn("push", github[True])  # YAML 1.1 reads `on` so
        self.assertTrue(any("dynasoc check" in step.get("run", "") for step in steps))
        self.assertEqual(gitlab["check"]["artifacts"]["reports"]["junit"], "check.xml")
        self.assertTrue(any("dynasoc check" in line for line in gitlab["check"]["script"]))

    def test_the_commands(self):
        commands = set(re.findall(r"dynasoc ([a-z]+)", "".join(self.blocks)))
        self.assertIn("check", commands)
        for command in commands:
            done = dynasoc(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            for line in "".join(self.blocks).splitlines():
                if f"dynasoc {command}" in line:
                    for option in re.findall(r" (--[a-z-]+)", line.split(f"dynasoc {command}")[1]):
                        self.assertIn(option, done.stdout)
        for target in re.findall(r"\bmake ([a-z]+)", "".join(self.blocks)):
            self.assertRegex((ROOT / "Makefile").read_text(), rf"(?m)^{target}:")


if __name__ == "__main__":
    unittest.main()
