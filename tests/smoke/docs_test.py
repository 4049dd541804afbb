#!/usr/bin/env python3
"""Are the documents true? What they show is what the program prints, their links lead somewhere, the schemas accept the files
that come along and refuse broken ones. Standard library only.

Run by ctest, which names the program in DYNASOC_BINARY; by hand it takes build/release/dynasoc.
"""
import csv
import glob
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("DYNASOC_BINARY", str(ROOT / "build" / "release" / "dynasoc"))
ENVIRONMENT = dict(os.environ, DYNASOC_BINARY=BINARY, PYTHONDONTWRITEBYTECODE="1")
DOCUMENTS = [ROOT / "README.md"] + sorted((ROOT / "docs").rglob("*.md")) + [
    ROOT / "models" / "README.md", ROOT / "platforms" / "raw" / "README.md", ROOT / "traces" / "README.md"]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], cwd=ROOT, env=ENVIRONMENT, check=False, text=True,
                          encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=850, **options)


def violation(value, schema, at="", included=False):
    """The first way in which `value` breaks `schema` (what draft 7 keywords our schemas use), or None."""
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "number": (int, float), "integer": int}
    known = {"$schema", "title", "description", "default", "type", "enum", "const", "oneOf", "anyOf", "properties", "required",
             "additionalProperties", "items", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems"}
    unknown = set(schema) - known
    if unknown:
        raise AssertionError(f"the test knows no keyword {sorted(unknown)}: teach it")
    if "type" in schema:
        ok = isinstance(value, kinds[schema["type"]])
        if isinstance(value, bool) and schema["type"] != "boolean":
            ok = False
        if schema["type"] == "integer" and isinstance(value, float) and value.is_integer():
            ok = True
        if not ok:
            return f"{at}: is no {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{at}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        return f"{at}: is not {schema['const']!r}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not (schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)):
            return f"{at}: {value} is out of range"
        if not schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf):
            return f"{at}: {value} is out of range"
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            found = [violation(value, option, at) for option in schema[keyword]]
            matches = found.count(None)
            if matches == 0 or (keyword == "oneOf" and matches > 1):
                return f"{at}: {matches} of {keyword} match: {[problem for problem in found if problem]}"
    for name in schema.get("required", []):
        if isinstance(value, dict) and name not in value and not included:
            return f"{at}: \"{name}\" is missing"
    if isinstance(value, dict) and ("properties" in schema or "additionalProperties" in schema):
        properties = schema.get("properties", {})
        for name, member in value.items():
            inner = properties.get(name, schema.get("additionalProperties", True))
            if inner is False:
                return f"{at}: unknown \"{name}\""
            problem = violation(member, inner, f"{at}/{name}") if isinstance(inner, dict) else None
            if problem:
                return problem
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            return f"{at}: has too few items"
        for i, item in enumerate(value):
            problem = violation(item, schema.get("items", {}), f"{at}/{i}")
            if problem:
                return problem
    return None


def anchor(heading):
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def rows_under(heading):
    """First cells of the table under a heading of docs/formats.md, without backticks."""
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.split(f"\n{heading}\n", 1)[1], flags=re.M)[0]
    return re.findall(r"^\| `([^`]+)` \|", section, flags=re.M)


class Docs(unittest.TestCase):
    def test_documents_are_what_the_program_prints(self):
        done = run(sys.executable, "tools/docs.py", "--check")
        self.assertEqual(done.returncode, 0, "tools/docs.sh brings the documents up to date (unless a command fails):\n"
                         + done.stdout + done.stderr)

    def test_a_stale_document_is_noticed(self):
        # The check of the check: a wrong output, a command that fails, a generated part that is not.
        sys.path.insert(0, str(ROOT / "tools"))
        import docs  # noqa: PLC0415 (from tools/)
        block = "```console\n$ {}\n{}\n```"
        made = docs.make_document(block.format("echo right", "wrong"), "x.md", pathlib.Path(BINARY))
        self.assertEqual(made, block.format("echo right", "right"))
        for bad in (block.format("dynasoc run no-such-scenario", ""), "```sh\ndynasoc lint no-such-file\n```",
                    "<!-- generated: nonsense -->\n<!-- end -->"):
            with self.assertRaises(docs.Failure, msg=bad):
                docs.make_document(bad, "x.md", pathlib.Path(BINARY))
        written = '```json title="out/a/b.json"\n{"a": 1}\n```\n'
        self.assertEqual(docs.make_document(written + block.format("cat out/a/b.json", ""), "x.md", pathlib.Path(BINARY)),
                         written + block.format("cat out/a/b.json", '{"a": 1}'))
        with self.assertRaises(docs.Failure):
            docs.make_document(written.replace("out/a", "../a"), "x.md", pathlib.Path(BINARY))
        kept = block.format("dynasoc bench", "as measured")
        self.assertEqual(docs.make_document(kept, "x.md", pathlib.Path(BINARY)), kept)

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.S | re.M)
            links = re.findall(r"\]\(([^)\s]+)\)", text)
            for link in links:
                if re.match(r"[a-z]+:", link):
                    continue
                path, _, fragment = link.partition("#")
                target = (document.parent / path).resolve() if path else document
                self.assertTrue(target.exists(), f"{document.relative_to(ROOT)} links to {link}, which is not there")
                if fragment:
                    headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.M)
                    self.assertIn(fragment, [anchor(heading) for heading in headings],
                                  f"{document.relative_to(ROOT)} links to {link}")

    def test_files_that_the_text_names_exist(self):
        for document in DOCUMENTS[:1] + sorted((ROOT / "docs").rglob("*.md")):
            text = document.read_text(encoding="utf-8")
            written = re.findall(r'^```.* title="([^"]+)"', text, flags=re.M)  # by the reader
            for name in re.findall(r"`((?:sim|docs|tools|platforms|models|traces|scenarios|tests)/[\w./-]+\.\w+)`", text):
                if "NAME" in name or name in written:
                    continue
                self.assertTrue((ROOT / name).exists(), f"{document.relative_to(ROOT)} names {name}, which is not there")

    def test_columns_are_described(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out"
            done = run(BINARY, "run", "scenarios/claims/gpu-sharing.json", "--out", out, "--quiet")
            self.assertEqual(done.returncode, 0, done.stderr)
            for name in ("jobs.csv", "decisions.csv", "candidates.csv"):
                with open(out / name, newline="", encoding="utf-8") as file:
                    self.assertEqual(rows_under(f"### {name}"), next(csv.reader(file)), name)
            with open(out / "timeline.csv", newline="", encoding="utf-8") as file:
                header = next(csv.reader(file))
            patterns = [re.compile(re.sub(r"^[A-Z]+_", r".+_", name) + "$") for name in rows_under("### timeline.csv")]
            for column in header:
                self.assertTrue(any(p.match(column) for p in patterns), f"timeline.csv's {column} is not in docs/formats.md")
            for pattern in patterns:
                self.assertTrue(any(pattern.match(column) for column in header), f"{pattern.pattern} is in no timeline.csv")
            manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
            self.assertEqual(rows_under("### manifest.json"), list(manifest))
            self.assertEqual(sorted(path.name for path in out.iterdir()),
                             sorted(re.findall(r"^### (\w+\.(?:csv|json))$", (ROOT / "docs" / "formats.md").read_text(
                                 encoding="utf-8"), flags=re.M) + ["summary.json"]))
        table = ROOT / "models" / "example" / "minimal.csv"
        self.assertEqual(rows_under("## Tables")[:19], table.read_text(encoding="utf-8").splitlines()[0].split(","))

    def test_columns_of_other_commands_are_described(self):
        small = "--set", "algorithm.generations=1", "--set", "algorithm.population=8", "--set", "replications=3"
        described = {
            "values.csv of a comparison": ("compare", "docs/example/first.json", "--policies", "none,static", "--replications", "1"),
            "results.csv of a sweep": ("sweep", "docs/example/first.json", "--set", 'policy=["none","static"]', "--metrics",
                                       "run.miss_rate,run.accuracy"),
            "front.csv of an exploration": ("explore", "scenarios/explore/bursty-camera.explore.json", *small),
            "all.csv of an exploration": ("explore", "scenarios/explore/bursty-camera.explore.json", *small),
            "front.csv of a search": ("search", "scenarios/search/small.json")}
        with tempfile.TemporaryDirectory() as folder:
            for heading, command in described.items():
                out = pathlib.Path(folder) / command[0]
                if not out.exists():
                    done = run(BINARY, *command, "--out", out, "--quiet")
                    self.assertEqual(done.returncode, 0, done.stderr)
                with open(out / heading.split()[0], newline="", encoding="utf-8") as file:
                    header = next(csv.reader(file))
                rows = rows_under(f"### {heading}")
                patterns = [re.compile(re.sub(r"[A-Z]+", ".+", re.escape(name)) + "$") for name in rows]
                for column in header:
                    self.assertTrue(any(p.match(column) for p in patterns), f"{heading}: {column} is not in docs/formats.md")
                for name, pattern in zip(rows, patterns):
                    self.assertTrue(any(pattern.match(column) for column in header), f"{heading} has no {name}")

    def test_schemas_accept_what_comes_along(self):
        schemas = {kind: json.loads((ROOT / "docs" / "schema" / f"{kind}.schema.json").read_text(encoding="utf-8"))
                   for kind in ("scenario", "platform", "network", "claim", "suite", "sweep", "search", "exploration", "ranking")}
        files = [("claim" if path.endswith(".claim.json") else "exploration" if path.endswith(".explore.json") else
                  "suite" if path.endswith(".suite.json") else "ranking" if path.endswith(".rank.json") else
                  "search" if "/search/" in path else "sweep" if "/sweeps/" in path else "scenario", path)
                 for path in glob.glob(str(ROOT / "scenarios" / "**" / "*.json"), recursive=True)
                 if not path.endswith(".baseline.json")]
        files += [("platform", path) for path in glob.glob(str(ROOT / "platforms" / "*.json"))]
        files += [("network", path) for path in glob.glob(str(ROOT / "models" / "*" / "network.json"))]
        files += [("scenario", ROOT / "docs/example/first.json"), ("scenario", ROOT / "docs/example/scenario.json"),
                  ("platform", ROOT / "docs/example/my-board.json"), ("network", ROOT / "docs/example/network.json")]
        self.assertGreater(len(files), 40)
        for kind, path in files:
            content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
            self.assertIsNone(violation(content, schemas[kind], included="include" in content), path)
            if "$schema" in content:
                self.assertTrue((pathlib.Path(path).parent / content["$schema"]).exists(), f"{path}: its $schema")

    def test_schemas_refuse_what_the_program_refuses(self):
        schema = json.loads((ROOT / "docs" / "schema" / "scenario.schema.json").read_text(encoding="utf-8"))
        good = json.loads((ROOT / "scenarios" / "minimal.json").read_text(encoding="utf-8"))
        self.assertIsNone(violation(good, schema))

        def broken(change):
            scenario = json.loads(json.dumps(good))
            change(scenario)
            return scenario

        camera = "applications", "camera"
        cases = {
            "a missing member": broken(lambda s: s.pop("platform")),
            "an unknown member": broken(lambda s: s.update(duratoin_s=1)),
            "an unknown member within": broken(lambda s: s[camera[0]][camera[1]].update(wieght=1)),
            "a wrong type": broken(lambda s: s.update(duration_s="1")),
            "out of range": broken(lambda s: s.update(duration_s=0)),
            "an unknown kind": broken(lambda s: s[camera[0]][camera[1]]["arrivals"].update(kind="perodic")),
            "a member of another kind": broken(lambda s: s[camera[0]][camera[1]]["arrivals"].update(rate_hz=1)),
            "an unknown policy": broken(lambda s: s.update(policy="pdi")),
            "an unknown parameter": broken(lambda s: s.update(policy={"name": "dynamic-ofa", "hysterisis": 0.1})),
            "a parameter out of range": broken(lambda s: s.update(policy={"name": "dynamic-ofa", "hysteresis": 1.5})),
        }
        with tempfile.TemporaryDirectory() as folder:
            for what, scenario in cases.items():
                self.assertIsNotNone(violation(scenario, schema), f"the schema accepts {what}")
                path = pathlib.Path(folder) / "broken.json"
                path.write_text(json.dumps(scenario), encoding="utf-8")
                self.assertEqual(run(BINARY, "lint", path).returncode, 2, f"dynasoc lint accepts {what}")

    def test_the_terminal_is_readable(self):
        usage = run(BINARY, "--help").stdout
        starts = {re.match(r"  \w+ +(?:\S+(?: \S+)*)? {2,}(?=\S)", line).end()
                  for line in usage.splitlines() if line.startswith("  ")}
        self.assertEqual(len(starts), 1, f"the commands' descriptions do not stand in one column:\n{usage}")
        summary = run(BINARY, "run", "claims/motivation-gpu").stdout
        self.assertRegex(summary, r" 10 clock changes", "whole numbers are written as such")

    def test_pictures(self):
        with tempfile.TemporaryDirectory() as folder:
            for scenario in ("claims/gpu-sharing", "two-applications", "minimal"):
                out = pathlib.Path(folder) / pathlib.Path(scenario).name
                done = run(BINARY, "run", scenario, "--out", out, "--quiet", "--set", "duration_s=6")
                if done.returncode != 0:  # some scenario's parts begin later than that
                    done = run(BINARY, "run", scenario, "--out", out, "--quiet", "--force")
                self.assertEqual(done.returncode, 0, done.stderr)
                for app in json.loads((out / "summary.json").read_text(encoding="utf-8"))["apps"]:
                    drawn = run(sys.executable, "tools/plot_run.py", out, "--app", app)
                    self.assertEqual(drawn.returncode, 0, drawn.stderr)
                    svg = ElementTree.fromstring(drawn.stdout)
                    with open(out / "jobs.csv", newline="", encoding="utf-8") as file:
                        done_jobs = sum(row["app"] == app and row["latency_ms"] != "" for row in csv.DictReader(file))
                    self.assertEqual(len(svg.findall("{http://www.w3.org/2000/svg}circle")), done_jobs, f"{scenario} {app}")
            self.assertNotIn("nan", drawn.stdout)
            missing = run(sys.executable, "tools/plot_run.py", out, "--app", "nobody")
            self.assertNotEqual(missing.returncode, 0)
            self.assertIn("nobody", missing.stderr)
            self.assertNotIn("Traceback", missing.stderr)
            nowhere = run(sys.executable, "tools/plot_run.py", pathlib.Path(folder) / "nowhere")
            self.assertNotEqual(nowhere.returncode, 0)
            self.assertNotIn("Traceback", nowhere.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
