"""Where results cannot be written, one line says so, nothing is left half-written, and nothing that was there is lost.
Standard library only."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(os.environ.get("DYNASOC_SOURCE_DIR", pathlib.Path(__file__).resolve().parent.parent.parent)).resolve()
DYNASOC = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()
HANG_S = float(os.environ.get("DYNASOC_TEST_HANG_S", "120"))  # only a command that hangs meets it
FILES = {"jobs.csv", "decisions.csv", "candidates.csv", "timeline.csv", "trace.json", "summary.json", "manifest.json"}
SMALL = {
    "platform": "minimal",
    "duration_s": 30,
    "applications": {"camera": {"network": "example", "unit": "gpu", "arrivals": {"kind": "periodic", "period_ms": 30}}},
}
SWEEP = {**SMALL, "seed": {"from": 1, "to": 4}, "metrics": ["run.miss_rate"]}
EXPLORATION = {
    "title": "Small", "scenario": "minimal", "set": {"duration_s": 2},
    "variables": {"target_ms": {"kind": "real", "path": "applications.camera.targets.0.latency_ms", "low": 5, "high": 50}},
    "objectives": [{"metric": "platform.energy_j", "resolution": 0.05}, {"metric": "run.miss_rate", "resolution": 0.01}],
    "algorithm": {"kind": "sobol", "population": 8, "generations": 2}, "replications": 2,
}


def limited(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def names(folder):
    return {path.name for path in folder.iterdir()}


class Outputs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dynasoc-outputs-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.files = {}
        for name, content in (("run", SMALL), ("sweep", SWEEP), ("explore", EXPLORATION)):
            self.files[name] = self.folder / f"{name}.json"
            self.files[name].write_text(json.dumps(content), encoding="utf-8")
        self.out = self.folder / "out"

    def dynasoc(self, *words, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.run([DYNASOC, *map(str, words)], cwd=ROOT, timeout=HANG_S, check=False, **options)

    def commands(self):
        """Each that writes, and the first file that a disk which takes 2 kB a file refuses it."""
        return {
            ("run", self.files["run"], "--out", self.out): "jobs.csv",
            ("run", self.files["run"], "--records", self.out): "out",
            ("compare", self.files["run"], "--policies", "none,dynamic-ofa", "--replications", "2", "--out", self.out):
                "values.csv",
            ("sweep", self.files["sweep"], "--out", self.out): "sweep.json",
            ("explore", self.files["explore"], "--out", self.out): "explore.json",
            ("search", "scenarios/search/small.json", "--out", self.out): "front.csv",
            ("search", "scenarios/search/small.json", "--export", self.out): "network.json",
            ("table", "fill", "example", "--platform", "minimal", "--output", self.out): "out",
        }

    def test_every_command_says_which_file_the_disk_refuses(self):
        for words, file in self.commands().items():
            # As little as lets everything before it pass, and not itself.
            for size in (2048, 256, 64, 0):
                done = self.dynasoc(*words, "--quiet", preexec_fn=limited(size)) if words[0] != "table" else \
                    self.dynasoc(*words, preexec_fn=limited(size))
                if done.returncode != 0 and file in done.stderr:
                    break
                shutil.rmtree(self.out, ignore_errors=True)
                self.out.unlink(missing_ok=True)
            self.assertEqual(done.returncode, 3, (words, done.stderr))
            self.assertRegex(done.stderr, rf"^dynasoc: [^\n]*{file}: cannot be written: File too large\n$", words)
            if self.out.is_dir():
                self.assertFalse([name for name in names(self.out) if name.endswith(".partial")], words)
            # And with room again, the same command succeeds.
            again = self.dynasoc(*words)
            self.assertEqual(again.returncode, 0, (words, again.stderr))
            shutil.rmtree(self.out) if self.out.is_dir() else self.out.unlink()

    def test_a_full_device_is_written_to_and_not_replaced(self):
        fill = ("table", "fill", "example", "--platform", "minimal", "--force", "--output")
        done = self.dynasoc(*fill, "/dev/full")
        self.assertEqual((done.returncode, done.stderr),
                         (3, "dynasoc: /dev/full: cannot be written: No space left on device\n"))
        self.assertEqual(self.dynasoc(*fill, "/dev/null").returncode, 0)
        self.assertTrue(pathlib.Path("/dev/full").is_char_device() and pathlib.Path("/dev/null").is_char_device())
        self.assertEqual(self.dynasoc(*fill, "/dev/stdout").stdout, self.dynasoc(*fill[:-2]).stdout)

    def test_a_file_behind_standard_output_is_written_on(self):
        log = self.folder / "log"
        log.write_text("before\n")
        with open(log, "a", encoding="utf-8") as file:
            done = self.dynasoc("table", "fill", "example", "--platform", "minimal", "--force", "--output", "/dev/stdout",
                                stdout=file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(log.read_text().startswith("before\nsubnet,"))
        self.assertEqual(names(self.folder), {"log", "run.json", "sweep.json", "explore.json"})

    def test_what_is_read_is_not_replaced(self):
        samples = self.folder / "samples.csv"
        shutil.copy(ROOT / "docs/example/samples.csv", samples)
        network = self.folder / "network"
        shutil.copytree(ROOT / "models" / "example", network)
        merged = network / "minimal.csv"
        policy = self.folder / "policy.json"
        policy.write_text('{"name": "dynamic-ofa"}')
        self.assertEqual(self.dynasoc("run", self.files["run"], "--out", self.folder / "done", "--quiet").returncode, 0)
        manifest = self.folder / "done" / "manifest.json"
        for words, file in ((("run", self.files["run"], "--records", self.files["run"]), self.files["run"]),
                            (("run", manifest, "--records", manifest), manifest),
                            (("run", self.files["run"], "--policy", policy, "--records", policy), policy),
                            (("table", "import", "samples", samples, "--skip", "2", "--source", "s", "--meter", "m", "--force",
                              "-o", samples), samples),
                            (("table", "fill", network, "--platform", "minimal", "--force", "-o", merged), merged),
                            (("table", "merge", merged, ROOT / "models" / "example" / "minimal.csv", "--allow-mixed", "--force", "-o",
                              merged), merged)):
            before = pathlib.Path(file).read_bytes()
            done = self.dynasoc(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), (words, done.stderr))
            self.assertIn("would replace what is read", done.stderr)
            self.assertEqual(pathlib.Path(file).read_bytes(), before)
        ranking = self.folder / "small.ranking.json"
        ranking.write_text("{}")
        for words, says in ((("rank", ranking, "--markdown", ranking), "small.ranking.json: is not a document but JSON"),
                            (("rank", ranking, "--out", self.out, "--markdown", self.out / "x.md"), "there is no folder"),
                            (("run", self.files["run"], "--out", self.folder / "done", "--force", "--records", manifest),
                             "stands in the directory of --out")):
            done = self.dynasoc(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), (words, done.stderr))
            self.assertIn(says, done.stderr)
        self.assertEqual(ranking.read_text(), "{}")

    def test_one_command_over_the_results_of_another(self):
        self.assertEqual(self.dynasoc("run", self.files["run"], "--out", self.out, "--quiet").returncode, 0)
        compare = ("compare", self.files["run"], "--policies", "none,dynamic-ofa", "--replications", "2", "--quiet",
                   "--out", self.out)
        self.assertEqual(self.dynasoc(*compare).returncode, 2)
        done = self.dynasoc(*compare, "--force")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("comparison.json", names(self.out))
        self.assertNotIn("manifest.json", names(self.out))  # which says that the directory is a run's

    def test_the_trace_of_the_beginning(self):
        run = ("run", self.files["run"], "--set", "duration_s=3", "--out", self.out, "--quiet", "--force")
        arrived = {}
        for words in ((), ("--trace-s", "0.5")):
            self.assertEqual(self.dynasoc(*run, *words).returncode, 0)
            with open(self.out / "trace.json", encoding="utf-8") as file:
                events = json.load(file)["traceEvents"]
            arrived[words] = [event["ts"] for event in events if event.get("cat") == "waiting"]
            self.assertEqual(max(event["ts"] for event in events if event["ph"] == "C") < 0.5e6, bool(words))
        everything, beginning = arrived.values()
        self.assertEqual(beginning, [at for at in everything if at < 0.5e6])
        self.assertGreater(len(everything), 5 * len(beginning))
        self.assertEqual(self.dynasoc(*run, "--trace-s", "0").returncode, 0)
        self.assertNotIn("trace.json", names(self.out))  # nor that of before
        refused = self.dynasoc(*run, "--trace-s", "-1")
        self.assertEqual((refused.returncode, refused.stderr), (2, "--trace-s -1: must be a number from 0 to 1e9\n"))

    def test_a_readme_of_somebody_is_not_overwritten(self):
        self.out.mkdir()
        (self.out / "README.md").write_text("years of work")
        search = ("search", "scenarios/search/small.json", "--export", self.out, "--quiet")
        refused = self.dynasoc(*search, "--force")
        self.assertEqual((refused.returncode, (self.out / "README.md").read_text()), (2, "years of work"), refused.stderr)
        refused = self.dynasoc(*search, "--out", self.out / "." / "")
        self.assertEqual((refused.returncode, refused.stderr), (2, "--out and --export must be two directories\n"))

    def test_a_wrong_option_makes_no_directory(self):
        for option in (("--why", "0"), ("--why", "--json")):
            self.assertEqual(self.dynasoc("run", "minimal", "--out", self.out, *option).returncode, 2)
            self.assertFalse(self.out.exists(), option)

    def test_a_link_stays_a_link(self):
        target, link = self.folder / "target.csv", self.folder / "link.csv"
        target.write_text("old")
        link.symlink_to(target)
        done = self.dynasoc("table", "fill", "example", "--platform", "minimal", "--force", "--output", link)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(link.is_symlink())
        self.assertIn("subnet", target.read_text())

    def test_earlier_results_stay_when_later_ones_do_not_fit(self):
        self.assertEqual(self.dynasoc("run", self.files["run"], "--out", self.out, "--quiet").returncode, 0)
        before = {path.name: path.read_bytes() for path in self.out.iterdir()}
        # A run of more than is kept back until its end.
        done = self.dynasoc("run", self.files["run"], "--out", self.out, "--force", "--set", "duration_s=1000",
                            preexec_fn=limited(2048))
        self.assertEqual(done.returncode, 3)
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, before)

    def long_run(self):
        return {**SMALL, "duration_s": 1e8, "timeline_ms": 1e6}

    def begun(self, *words):
        """A run that has made its directory its own."""
        process = subprocess.Popen([DYNASOC, "run", *map(str, words), "--out", self.out, "--quiet"], cwd=ROOT,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.communicate()))
        while process.poll() is None and not (self.out / "trace.json.partial").exists():
            time.sleep(0.01)
        return process

    def test_two_processes_never_share_a_directory(self):
        self.files["run"].write_text(json.dumps(self.long_run()))
        with self.begun(self.files["run"]) as first:
            for force in ((), ("--force",)):  # what the first has begun looks like what a kill leaves
                second = self.dynasoc("run", "minimal", "--out", self.out, *force)
                self.assertEqual((second.returncode, second.stdout), (2, ""))
                self.assertEqual(second.stderr, f"{self.out}: another process is working on it\n")
            first.send_signal(signal.SIGTERM)
            self.assertEqual(first.communicate(timeout=60)[1], "dynasoc: interrupted; nothing was written\n")
            self.assertEqual(first.returncode, 130)
        self.assertEqual(names(self.out), set())

    def test_what_a_kill_leaves_does_not_stand_in_the_way(self):
        self.files["run"].write_text(json.dumps(self.long_run()))
        with self.begun(self.files["run"]) as first:
            first.kill()
            first.communicate()
        self.assertIn("lock", names(self.out))
        again = self.dynasoc("run", "minimal", "--out", self.out, "--quiet")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(names(self.out), FILES)
        # What somebody put there meanwhile does.
        (self.out / "manifest.json").unlink()
        (self.out / "lock").write_text("")
        (self.out / "thesis.tex").write_text("years of work")
        refused = self.dynasoc("run", "minimal", "--out", self.out)
        self.assertEqual(refused.returncode, 2)
        self.assertIn('holds "thesis.tex"', refused.stderr)

    def test_a_directory_that_disappears(self):
        self.files["run"].write_text(json.dumps({**SMALL, "duration_s": 20000, "timeline_ms": 1e4}))
        with self.begun(self.files["run"]) as process:
            shutil.rmtree(self.out)
            error = process.communicate(timeout=HANG_S)[1]
        self.assertEqual(process.returncode, 3, error)
        self.assertRegex(error, r"^dynasoc: [^\n]*jobs\.csv: cannot be written: No such file or directory\n$")

    def test_a_reader_that_has_seen_enough(self):
        for words in (("run", "minimal"), ("list", "metrics"), ("schema", "scenario"), ("--help",)):
            for ignored in (True, False):
                read, write = os.pipe()
                os.close(read)
                done = self.dynasoc(*words, stdout=write, restore_signals=not ignored)
                os.close(write)
                self.assertEqual(done.stderr, "", words)
                self.assertEqual(done.returncode, 128 + signal.SIGPIPE, words)


if __name__ == "__main__":
    unittest.main()
