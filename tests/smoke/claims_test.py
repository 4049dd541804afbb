#!/usr/bin/env python3
"""The published experiments, as far as they were published: what was fitted comes out, what follows from it holds."""
import csv
import json
import os
import subprocess
import tempfile
import unittest

BINARY = os.environ["DYNASOC_BINARY"]
ROOT = os.environ["DYNASOC_SOURCE_DIR"]


def run(scenario, *arguments):
    done = subprocess.run([BINARY, "run", os.path.join(ROOT, "scenarios", "claims", scenario), "--json", *arguments],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Claims(unittest.TestCase):
    def near(self, value, published, share):
        self.assertLessEqual(abs(value / published - 1), share, f"{value} against {published} published")

    def test_gpu_sharing(self):
        """Fig 7: 46.10 ms at level 4 alone, 62.90 ms beside the training job (means of the digitised points)."""
        for seed in range(1, 9):
            app = run("gpu-sharing.json", "--seed", str(seed))["apps"]["classifier"]
            before, settled = app["windows"]["before"], app["windows"]["settled"]
            self.assertEqual(list(before["subnets"]), ["L4"])
            self.near(before["latency_ms"]["mean"], 46.10, 0.02)
            self.near(app["windows"]["after"]["subnets"]["L4"]["latency_ms_mean"], 62.90, 0.03)
            self.assertEqual(list(settled["subnets"]), ["L2"])
            self.assertLess(settled["latency_ms"]["mean"], 60)
            self.assertAlmostEqual(before["accuracy"]["mean"] - settled["accuracy"]["mean"], 2.572, places=9)

    def test_gpu_sharing_by_frame(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out")
            run("gpu-sharing.json", "--out", out)
            with open(os.path.join(out, "jobs.csv"), newline="") as file:
                done = [row for row in csv.DictReader(file) if row["end_s"]]
        levels = [row["subnet"] for row in done]
        self.assertEqual(sorted(set(levels), key=levels.index), ["L4", "L3", "L2"])
        self.assertEqual(levels, sorted(levels, reverse=True))  # it never climbs back

    def test_motivation(self):
        """Bars A, B, C and E, F, G (ms); D and H are predictions and must lie above both of their causes."""
        for scenario, bars in (("motivation-gpu.json", {"A": 43.0, "B": 49.5, "C": 49.5}),
                               ("motivation-cpu.json", {"E": 568.1, "F": 831.8, "G": 1124.0})):
            apps = run(scenario)["apps"]
            for bar, published in bars.items():
                self.near(apps[bar]["latency_ms"]["mean"], published, 0.03)
            both = next(name for name in apps if name not in bars)
            self.assertGreater(apps[both]["latency_ms"]["mean"], max(list(bars.values())[1:]))

    def test_a_predicted_frame_is_not_called_digitised(self):
        apps = run("motivation-gpu.json")["apps"]
        self.assertEqual(apps["A"]["provenance"]["digitised"], 1)
        self.assertEqual(apps["D"]["provenance"]["derived"], 1)


def check(*arguments):
    return subprocess.run([BINARY, "check", *arguments], capture_output=True, text=True, check=False)


class Check(unittest.TestCase):
    """`dynasoc check`: verdicts, and what happens when one changes or a file is broken."""

    CLAIMS = os.path.join(ROOT, "scenarios", "claims")

    @classmethod
    def setUpClass(cls):
        cls.done = check(cls.CLAIMS, "--json")
        cls.claims = {claim["name"]: claim for claim in json.loads(cls.done.stdout)["claims"]}

    def changed(self, name, change, text=False):
        """Status and outputs for a claim of which something was changed."""
        with open(os.path.join(self.CLAIMS, name + ".claim.json"), encoding="utf-8") as file:
            content = json.load(file)
        change(content)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name + ".claim.json")
            if "scenario" in content["expectation"]:
                content["expectation"]["scenario"] = os.path.join(self.CLAIMS, content["expectation"]["scenario"])
            with open(path, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
            done = check(path, *(() if text else ("--quiet",)))
            linted = subprocess.run([BINARY, "lint", "--quiet", path], capture_output=True, text=True, check=False)
        return done, linted

    def test_all_verdicts_are_as_stored(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""))
        self.assertEqual({name: claim["verdict"] for name, claim in self.claims.items()}, {
            "agx-mobilenet-modes": "own result",
            "agx-modes-measured-armnn": "own result",
            "agx-modes-measured-tflite": "own result",
            "dynamic-ofa-gain-cpu": "partly reproduced",
            "dynamic-ofa-gain-gpu": "partly reproduced",
            "dynamic-ofa-speedup-cpu": "reproduced",
            "dynamic-ofa-speedup-gpu": "reproduced",
            "energy-vs-governors": "partly reproduced",
            "gpu-sharing": "reproduced",
            "hierarchical-one-model": "partly reproduced",
            "hierarchical-two-models": "partly reproduced",
            "motivation-cpu": "reproduced",
            "motivation-gpu": "reproduced",
        })

    def test_every_claim_that_does_not_come_out_says_why(self):
        for name, claim in self.claims.items():
            self.assertTrue(claim["source"], name)
            if claim["verdict"] in ("partly reproduced", "not reproduced"):
                self.assertTrue(claim["because"], name)
            for finding in claim["findings"]:
                self.assertEqual(finding["verdict"] == "own result", finding["published"] is None, (name, finding["quantity"]))

    def test_figure_4(self):
        """Worked by hand: 132.439 ms over 53 + (75.4 - 74.968)/(76.134 - 74.968) x 5.79 ms; 2221.73 over 502.1 + 2.88/3.77 x 181."""
        for name, ours in (("dynamic-ofa-speedup-gpu", 2.4016), ("dynamic-ofa-speedup-cpu", 3.4694)):
            self.assertAlmostEqual(self.claims[name]["findings"][0]["ours"], ours, places=3)
        for name, network, subnet, nearest in (("dynamic-ofa-gain-gpu", "autoslim-mnasnet", "L1", ("nearest_below", 5.146)),
                                               ("dynamic-ofa-gain-cpu", "autoslim-mnasnet", "L2", ("nearest_above", 3.784))):
            pairs = self.claims[name]["findings"][0]["details"]
            pair = next(pair for pair in pairs if (pair["network"], pair["subnet"]) == (network, subnet))
            self.assertAlmostEqual(pair[nearest[0]], nearest[1], places=3)

    def test_a_distribution_adds_up(self):
        for claim in self.claims.values():
            for finding in claim["findings"]:
                of = finding.get("distribution")
                if not of:
                    continue
                self.assertEqual(sum(of["histogram"]["counts"]), of["n"])
                self.assertTrue(of["min"] <= of["q1"] <= of["median"] <= of["q3"] <= of["max"])
                if "details" in finding and "counts" in finding["details"][0]:
                    counted = [one["less_percent"] for one in finding["details"] if one["counts"]]
                    self.assertEqual(len([x for x in counted if x is not None]), of["n"])

    def test_threads_change_nothing(self):
        name = "hierarchical-one-model"
        one, two = (check(self.CLAIMS, "--only", name, "--json", "--jobs", jobs).stdout for jobs in ("1", "3"))
        self.assertEqual(one, two)

    def test_a_changed_verdict(self):
        def other(claim):
            claim["verdict"] = "not reproduced"
        done, linted = self.changed("dynamic-ofa-speedup-gpu", other, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the verdict was `not reproduced` and is `reproduced` now", done.stderr)
        self.assertIn("published up to 2.4x, ours 2.40x", done.stdout)
        self.assertEqual(linted.returncode, 0)

        def harder(claim):
            claim["expectation"]["published"] = 3.1
        done, _ = self.changed("dynamic-ofa-speedup-gpu", harder)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the verdict was `reproduced` and is `not reproduced` now", done.stderr)

        def off(claim):
            claim["expectation"]["numbers"][0]["published"] = 90
        done, _ = self.changed("motivation-gpu", off)
        self.assertIn("the verdict was `reproduced` and is `partly reproduced` now", done.stderr)

    def test_broken_claims(self):
        def put(*path_and_value):
            *path, value = path_and_value

            def change(claim):
                at = claim
                for key in path[:-1]:
                    at = at[key]
                at[path[-1]] = value
            return change
        for name, change, says in (
                ("dynamic-ofa-speedup-gpu", put("verdict", "reprodced"), '(did you mean "reproduced"?)'),
                ("dynamic-ofa-speedup-gpu", put("expectation", "kind", "curve"), '(did you mean "curves"?)'),
                ("dynamic-ofa-speedup-gpu", put("expectation", "curve", "network", "dynamic-ofa-gpo"), 'did you mean'),
                ("dynamic-ofa-speedup-gpu", put("expectation", "curve", "table", "fig5"), '(did you mean "fig4"?)'),
                ("dynamic-ofa-speedup-gpu", put("expectation", "unit", "npu"), "a curve needs two"),
                ("energy-vs-governors", put("expectation", "managers", ["dynamic-off"]), '(did you mean "dynamic-ofa"?)'),
                ("energy-vs-governors", put("expectation", "savings", 0, "metric", "run.acuracy"), "run.acuracy"),
                ("energy-vs-governors", put("expectation", "grids", "GPU", "axes", "mode", "values", ["MODE_1W"]), "MODE_1W"),
                ("energy-vs-governors", put("expectation", "grids", "GPU", "axes", "seed",
                                            {"paths": ["seed"], "values": list(range(10000))}), "has more than 10000 set-ups"),
                ("agx-modes-measured-armnn", put("expectation", "unit", "cpo"), '(did you mean "cpu"?)'),
                ("energy-vs-governors", put("expectation", "grids",
                                            {"all": {"axes": {"seed": {"paths": ["seed"], "values": list(range(10000))}}},
                                             "one more": {"set": {"duration_s": 1}}}), "has more than 10000 set-ups"),
        ):
            with self.subTest(name=name, says=says):
                done, linted = self.changed(name, change)
                for one in (done, linted):
                    self.assertEqual((one.returncode, one.stdout), (2, ""), one.stderr)
                    self.assertEqual(one.stderr.count("\n"), 1, one.stderr)
                    self.assertRegex(one.stderr, r"claim\.json:\d+:\d+: /")
                    self.assertIn(says, one.stderr)

        def nowhere(claim):
            claim["expectation"]["numbers"][0]["path"] = "apps.A.latency.mean"
        done, _ = self.changed("motivation-gpu", nowhere)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r'/expectation/numbers/0/path: no replication of the run has "apps\.A\.latency\.mean"')


if __name__ == "__main__":
    unittest.main()
