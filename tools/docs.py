#!/usr/bin/env python3
"""Keeps the documents true: runs what they show and generates what follows from the program. Standard library only.

    tools/docs.py            brings README.md and docs/ up to date
    tools/docs.py --check    changes nothing; names what is out of date or does not run, and ends with status 1
    tools/docs.py PAGE…      these documents alone

In a document,
  - a block ```console holds commands (after `$ `) and what they print: it is run, and what it prints is put there;
  - a block ```sh holds commands to try: every `dynasoc …` line of it is run, and must succeed;
  - a block with title="PATH" is a file that the reader writes: it is written, for the commands after it;
  - what stands between `<!-- generated: WHAT -->` and `<!-- end -->` is made from the program (see GENERATORS).
Blocks of any other language, such as ```text for commands that take long or write much, are left alone.
Every document has a scratch directory of its own in which the repository's folders appear read as they are and out/ is
empty. Commands that build or measure (`make`, `dynasoc bench`) are not run: what they print stays as it is. A document that
has the reader write files elsewhere than in out/ gets a copy of the tree instead, and builds it (tools/docs_tree.py).

Besides the documents: docs/schema/*.json and the pictures in docs/images.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import docs_tree

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOT_RUN = re.compile(r"^\s*(make|git|cd|export|sudo|apt-get|docker)\b|\bdynasoc bench(?! --help)|\btools/(docs|bench_python)\.")
SCHEMAS = ("scenario", "platform", "network", "claim", "suite", "sweep", "search", "exploration", "ranking")
PICTURES = {"gpu-sharing": "scenarios/claims/gpu-sharing.json"}
FRONTS = {"bursty-camera": "scenarios/explore/bursty-camera.explore.json"}
CPU_GOVERNORS = {"schedutil of JetPack 5": "schedutil", "schedutil of JetPack 4": '{"name":"schedutil","variant":"jetpack-4"}',
                 "ondemand": "ondemand", "conservative": "conservative", "interactive": "interactive"}
GPU_GOVERNORS = {"nvhost_podgov": "nvhost_podgov", "simple_ondemand": "simple_ondemand"}
# Pictures of governors' responses: unit, its governors, and the scenario that they answer.
RESPONSES = {f"governors-{unit}-{load}": (unit, governors, f"scenarios/governors/{load}.json")
             for unit, governors in (("cpu", CPU_GOVERNORS), ("gpu", GPU_GOVERNORS))
             for load in ("step", "ramp", "periodic")}


class Failure(Exception):
    """A document that cannot be made."""


class Scratch:
    """A directory that looks like the repository, with an empty out/, where documents' commands are run."""

    def __init__(self, binary, copy=False):
        self.folder = tempfile.TemporaryDirectory(prefix="dynasoc-docs-")
        self.path = pathlib.Path(self.folder.name) / "dynasoc"
        self.binary, self.copy, self.made = binary, copy, None
        if copy:
            docs_tree.copy(ROOT, self.path)
        else:
            self.path.mkdir()
            for entry in ROOT.iterdir():
                if entry.name not in ("out", "build", ".git"):
                    (self.path / entry.name).symlink_to(entry)
        (self.path / "out").mkdir()
        programs = pathlib.Path(self.folder.name) / "bin"
        programs.mkdir()
        self.program = programs / "dynasoc"
        self.program.symlink_to(binary)
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("COLUMNS", "LINES", "DYNASOC_DATA", "CLICOLOR_FORCE", "GITHUB_ACTIONS")}
        self.environment.update(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", LC_ALL="C.UTF-8", NO_COLOR="1",
                                PYTHONDONTWRITEBYTECODE="1")
        if copy:
            # The program and its tests know the folder that they were built in: here they are to look into the copy.
            self.environment.update(DYNASOC_DATA=str(self.path), DYNASOC_SOURCE_DIR=str(self.path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def run(self, command):
        """Exit status and what the command prints on both outputs."""
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.path, env=self.environment, timeout=300,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode("utf-8", "replace")
        for private in (self.folder.name, str(ROOT)):
            if private in text:
                raise Failure(f"`{command}` prints the path of this machine: {private}")
        return done.returncode, text

    def write(self, path, content):
        """A file that the reader writes."""
        target = (self.path / path).resolve()
        if not target.is_relative_to((self.path if self.copy else self.path / "out").resolve()):
            raise Failure(f"{path} is no place to write to")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content + "\n", encoding="utf-8")

    def build(self, target):
        try:
            self.made = self.made or docs_tree.Build(ROOT, self.path, self.binary.parent, self.environment)
            self.made.target(target)
        except docs_tree.BuildFailed as failure:
            raise Failure(str(failure)) from failure
        built = self.path / "build" / "release" / "dynasoc"
        if built.exists():
            self.program.unlink()
            self.program.symlink_to(built)

    def dynasoc(self, arguments):
        status, text = self.run("dynasoc " + arguments)
        if status != 0:
            raise Failure(f"`dynasoc {arguments}` ends with status {status}: {text}")
        return text


# ----------------------------------------------------------------------------------------------------------------------
# Tables from JSON schemas


def number_text(x):
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, (int, float)):
        return f"{x:.0f}" if float(x).is_integer() and abs(x) < 1e6 else f"{x:g}".replace("e+0", "e").replace("e+", "e")
    return str(x)


def range_text(schema):
    low, above, high = schema.get("minimum"), schema.get("exclusiveMinimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{number_text(low)} to {number_text(high)}"
    if above is not None:
        return f"> {number_text(above)}" + (f", ≤ {number_text(high)}" if high is not None else "")
    if low is not None:
        return f"≥ {number_text(low)}"
    return f"≤ {number_text(high)}" if high is not None else ""


def is_choice(schema):
    """A policy or a governor: a name, or an object with a name and its parameters."""
    return "anyOf" in schema and "enum" in schema["anyOf"][0]


def type_text(schema):
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if is_choice(schema):
        return "name or object"
    if "anyOf" in schema:
        return " or ".join(type_text(option) for option in schema["anyOf"])
    if "oneOf" in schema:
        return "object with `kind`"
    kind = schema.get("type")
    if kind == "array":
        return "list of " + {"object": "objects", "string": "strings", "number": "numbers"}.get(
            schema["items"].get("type"), "values")
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "by name: " + type_text(schema["additionalProperties"])
    return kind or "any"


# The suffix of a name, as people write it.
UNITS = {"c": "°C", "hz": "Hz", "j": "J", "k": "K", "mb": "MB", "mhz": "MHz", "mj": "mJ", "mw": "mW", "us": "µs", "w": "W",
         "qps": "1/s", "j_per_k": "J/K", "w_per_k": "W/K"}


def split_unit(description):
    match = re.match(r"(.*?)(?: \[([a-z_]+)\])?$", description or "", re.S)
    unit = match.group(2) or ""
    return match.group(1), UNITS.get(unit, unit)


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def markdown_table(head, rows):
    keep = [i for i, name in enumerate(head) if i == 0 or any(row[i] for row in rows)]
    lines = ["| " + " | ".join(head[i] for i in keep) + " |", "|" + " --- |" * len(keep)]
    lines += ["| " + " | ".join(cell(row[i]) for i in keep) + " |" for row in rows]
    return lines


def needed(schema):
    """The members that an object must have, or (a scenario's) must have unless it includes another file."""
    return schema.get("required") or next((option["required"] for option in schema.get("anyOf", []) if "required" in option), [])


def member_rows(schema):
    rows = []
    for name, member in schema.get("properties", {}).items():
        if name in ("comment", "$schema") or "const" in member:
            continue
        doc, unit = split_unit(member.get("description"))
        default = "**needed**" if name in needed(schema) else (
            f"`{number_text(member['default'])}`" if "default" in member else "")
        rows.append([f"`{name}`", type_text(member), unit, default, range_text(member), doc])
    return rows


MEMBER_HEAD = ["member", "type", "unit", "default", "range", "meaning"]


def schema_sections(schema, path, title, out):
    """A section for an object, then one for each object within it."""
    out += [f"### {title}", ""] + markdown_table(MEMBER_HEAD, member_rows(schema)) + [""]
    return inner_sections(schema, path, out)


def inner_sections(schema, path, out):
    for name, member in schema["properties"].items():
        inner, where = member, f"{path}.{name}" if path else name
        if is_choice(member):
            continue
        while True:
            if inner.get("type") == "array":
                inner, where = inner["items"], where + ".N"
            elif inner.get("type") == "object" and isinstance(inner.get("additionalProperties"), dict):
                inner, where = inner["additionalProperties"], where + ".NAME"
            else:
                break
        # `true`, `false` or an object with members; the parameters of policies and governors are in policies.md.
        for option in inner.get("anyOf", []) if not is_choice(inner) else []:
            if option.get("properties"):
                schema_sections(option, where, f"`{where}`", out)
        if "oneOf" in inner:
            out += [f"### `{where}`", ""]
            rows = []
            for option in inner["oneOf"]:
                members = []
                for row in member_rows(option):
                    facts = ", ".join(fact for fact in (row[2], row[3].replace("**needed**", "needed").replace("`", ""), row[4])
                                      if fact)
                    members.append(f"{row[0]}: {row[5]}" + (f" ({facts})" if facts else ""))
                rows.append([f"`{option['properties']['kind']['const']}`", option["properties"]["kind"].get("description", ""),
                             "; ".join(members)])
            out += markdown_table(["kind", "meaning", "members (unit, default, range)"], rows) + [""]
            for option in inner["oneOf"]:
                inner_sections(option, f"{where}({option['properties']['kind']['const']})", out)
        elif inner.get("properties"):
            schema_sections(inner, where, f"`{where}`", out)
    return out


def generate_schema(scratch, kind, beside=None):
    """Every member of a kind of file; `beside` names another kind whose members it has too, and which are left out."""
    schema = json.loads(scratch.dynasoc(f"schema {kind}"))
    title = f"{'An' if kind[0] in 'aeiou' else 'A'} {kind} file"
    if beside:
        others = json.loads(scratch.dynasoc(f"schema {beside}"))["properties"]
        schema["properties"] = {name: member for name, member in schema["properties"].items() if name not in others}
        title += f", beside a {beside}'s members"
    return "\n".join(schema_sections(schema, "", title, [])).rstrip()


# ----------------------------------------------------------------------------------------------------------------------
# Policies and governors: their parameters from the registry, their words from the comment at the head of their file


def words_of(folder, name):
    for path in sorted((ROOT / "sim" / "manager" / folder).glob("*.cpp")):
        text = path.read_text(encoding="utf-8")
        if not re.search(r"Registration<.*>\s*\w+\s*\{\s*\"" + re.escape(name) + "\"", text):
            continue
        lines = []
        for line in text.splitlines():
            if not line.startswith("//"):
                break
            lines.append(line[2:].removeprefix(" "))
        words = "\n".join(lines)
        words = re.sub(r"^" + re.escape(name) + r":\s*", "", words)
        words = words.replace("<", "&lt;").replace("*", "\\*")
        if "_" not in words.split()[0]:  # an identifier stays as it is
            words = words[:1].upper() + words[1:]
        # Markdown wants an empty line around a list; a source is worth a paragraph.
        out = []
        for line in words.split("\n"):
            item, within = re.match(r" *- ", line), line.startswith(" ")
            listed = bool(out) and (out[-1].startswith(("- ", "  ")))
            if out and out[-1] and ((item and not listed) or (listed and not item and not within) or
                                    line.startswith(("Source:", "Sources:"))):
                out.append("")
            out.append(re.sub(r"^ *- ", "- ", line) if item else ("  " + line.strip() if within else line))
        return "\n".join(out), f"sim/manager/{folder}/{path.name}"
    raise Failure(f"no file in sim/manager/{folder} registers {name}")


def generate_registered(scratch, kind, folder):
    out = []
    for entry in json.loads(scratch.dynasoc(f"list {kind} --json")):
        alias = re.fullmatch(r"(\w+) by its short name", entry["doc"])
        if alias:
            out += [f"### `{entry['name']}`", "", f"See `{alias.group(1)}`.", ""]
            continue
        words, source = words_of(folder, entry["name"])
        out += [f"### `{entry['name']}`", "", f"**{entry['doc'][:1].upper() + entry['doc'][1:]}.** "
                f"([source](../{source}))", "", words, ""]
        rows = member_rows({"properties": entry["parameters"]})
        if rows:
            out += markdown_table(["parameter"] + MEMBER_HEAD[1:], rows) + [""]
        else:
            out += ["No parameters.", ""]
    return "\n".join(out).rstrip()


def generate_metrics(scratch):
    rows = [[f"`{entry['name']}`", entry["unit"], "" if entry["better"] == "neither" else entry["better"],
             "yes" if entry["in_run"] else "", entry["doc"], entry["source"]]
            for entry in json.loads(scratch.dynasoc("list metrics --json"))]
    return "\n".join(markdown_table(["metric", "unit", "better", "in `run --json`", "meaning", "source"], rows))


# ----------------------------------------------------------------------------------------------------------------------
# Published figures next to ours


def generate_check(scratch, *names):
    """The verdicts on all claims, or the tables of one."""
    return scratch.dynasoc("check scenarios/claims --markdown" + "".join(f" --only {name}" for name in names)).rstrip()


# ----------------------------------------------------------------------------------------------------------------------
# What power fits predict: `table power --json` as tables


def share(x):
    return "-" if x is None else f"{100 * x:+.1f} %"


def power_modes(modes):
    rows = [[row["mode"], row["cores"], f"{row['mhz']:.1f}", "yes" if row["in_range"] else "no", f"{row['measured_w']:.2f}",
             f"{row['predicted_w']:.2f}", share(row["error"]), share(row["error_from_cores_and_clock"]),
             share(row["error_of_power_law"])] for row in modes]
    return markdown_table(["mode left out", "cores", "MHz", "in range", "measured W", "predicted W", "with latency",
                           "cores and clock", "k cores^a f^b"], rows)


def power_workloads(modes):
    return markdown_table(
        ["mode left out", "runtime", "measured W", "with latency", "cores and clock"],
        [[row["mode"], one["workload"], f"{one['measured_w']:.2f}", share(one["error"]),
          share(one["error_from_cores_and_clock"])] for row in modes for one in row["workloads"]])


def generate_power(scratch, platform, unit, what, *variant):
    """WHAT of a unit: coefficients, modes, workload-modes, variant NAME…, clocks, workloads, related."""
    fit = json.loads(scratch.dynasoc(f"table power platforms/raw/{platform}.power.json --json"))["units"][unit]
    tests = fit["leave_one_out"]
    if what == "coefficients":
        rows = [[name, f"{one['value']:.4g}", f"{one['standard_error']:.2g}", one["unit"]]
                for name, one in fit["coefficients"].items()]
        spread = fit["power_uncertainty"]
        rows += [["spread of one workload about the curve (rms)", f"{100 * fit['residual_rms']:.1f}", "", "%"],
                 ["`power_uncertainty`: level", f"{spread['level']:g}", "", "of the power above idle"],
                 ["`power_uncertainty`: tilt", f"{spread['tilt']:g}", "", f"per ln(f / {spread['pivot_mhz']:g} MHz)"]]
        lines = markdown_table(["coefficient", "value", "standard error", "unit"], rows)
    elif what == "modes":
        lines = power_modes(tests["modes"])
    elif what == "workload-modes":
        lines = power_workloads(tests["modes"])
    elif what == "variant":
        lines = power_modes(tests["variants"][" ".join(variant)])
    elif what in ("clocks", "workloads"):
        lines = markdown_table(["left out", "rows", "between others", "measured W", "predicted W", "error", "worst row"],
                               [[row["left_out"], row["rows"], "yes" if row["in_range"] else "no", f"{row['measured_w']:.2f}",
                                 f"{row['predicted_w']:.2f}", share(row["error"]), share(row["worst_row_error"])]
                                for row in tests[what]])
    elif what == "related":
        lines = markdown_table(["workload", "MHz", "measured ratio", "s(f) says", "error"],
                               [[row["workload"], f"{row['low_mhz']:g} → {row['high_mhz']:g}",
                                 f"{row['measured_energy_ratio']:.3f}", f"{row['predicted_energy_ratio']:.3f}",
                                 share(row["predicted_energy_ratio"] / row["measured_energy_ratio"] - 1)]
                                for row in fit["related_board"]])
    else:
        raise Failure(f"nothing makes \"power … {what}\"")
    return "\n".join(lines)


def generate_file(_, path, language, title=None):
    """A file of the repository; with `title`, as one that the reader writes there."""
    head = language + (f' title="{title}"' if title else "")
    return f"```{head}\n{(ROOT / path).read_text(encoding='utf-8').rstrip()}\n```"


def generate_columns(scratch, table):
    """The columns of a table that a run leaves behind."""
    tables = {one["name"]: one for one in json.loads(scratch.dynasoc("list columns --json"))}
    rows = [f"| `{column['name']}` | {column['unit']} | {column['doc']} |" for column in tables[table]["columns"]]
    return "\n".join([tables[table]["doc"], "", "| column | unit | meaning |", "| --- | --- | --- |", *rows])


GENERATORS = {
    "file": generate_file,
    "schema": generate_schema,
    "policies": lambda scratch: generate_registered(scratch, "policies", "policies"),
    "governors": lambda scratch: generate_registered(scratch, "governors", "governors"),
    "metrics": generate_metrics,
    "columns": generate_columns,
    "check": generate_check,
    "power": generate_power,
}


# ----------------------------------------------------------------------------------------------------------------------
# Documents


def run_console(scratch, block, where):
    """A console block with its outputs made again."""
    lines, out, at = block.split("\n"), [], 0
    if lines and not lines[0].startswith("$ "):
        raise Failure(f"{where}: a console block begins with a command, `$ …`")
    while at < len(lines):
        shown = [lines[at]]
        while shown[-1].endswith("\\"):
            at += 1
            shown.append(lines[at])
        at += 1
        old = []
        while at < len(lines) and not lines[at].startswith("$ "):
            old.append(lines[at])
            at += 1
        command = "\n".join(shown)[2:]
        out += shown
        builds = docs_tree.BUILD.fullmatch(command)
        if builds and scratch.copy:
            scratch.build(builds.group(1) or "dynasoc")
            out += old
            continue
        if NOT_RUN.search(command):
            out += old
            continue
        status, text = scratch.run(command)
        if status != 0:
            raise Failure(f"{where}: `{command}` ends with status {status}:\n{text}")
        out += [line.rstrip() for line in text.rstrip("\n").split("\n")] if text.strip() else []
    return "\n".join(out)


def run_sh(scratch, block, where):
    for command in re.sub(r"\\\n\s*", " ", block).split("\n"):
        if not command.strip().startswith("dynasoc ") or NOT_RUN.search(command):
            continue
        status, text = scratch.run(command)
        if status != 0:
            raise Failure(f"{where}: `{command}` ends with status {status}:\n{text}")


FENCED = re.compile(r"^```(\w*)([^\n]*)\n(.*?)\n```$", re.S | re.M)
TITLE = re.compile(r'\btitle="([^"]+)"')


def make_document(text, name, binary):
    """The document as it should be."""
    written = [path for block in FENCED.finditer(text) for path in TITLE.findall(block.group(2))]
    written += re.findall(r"^<!-- generated: file \S+ \S+ (\S+) -->$", text, flags=re.M)  # before it is first made
    with Scratch(binary, copy=any(not path.startswith("out/") for path in written)) as scratch:
        def generated(match):
            what, *arguments = match.group(1).split()
            if what not in GENERATORS:
                raise Failure(f"{name}: nothing generates \"{what}\"")
            return f"<!-- generated: {match.group(1)} -->\n{GENERATORS[what](scratch, *arguments)}\n<!-- end -->"

        def fenced(match):
            language, head, block = match.groups()
            where = f"{name}:{made.count(chr(10), 0, match.start()) + 1}"
            title = TITLE.search(head)
            if title:
                scratch.write(title.group(1), block)
            elif language == "console":
                return f"```console{head}\n{run_console(scratch, block, where)}\n```"
            elif language in ("sh", "bash"):
                run_sh(scratch, block, where)
            return match.group(0)

        made = re.sub(r"^<!-- generated: ([^\n]*?) -->\n.*?^<!-- end -->$", generated, text, flags=re.S | re.M)
        return FENCED.sub(fenced, made)


def response(scratch, unit, governors, scenario):
    """The picture of governors that answer a scenario."""
    runs = []
    for i, (name, governor) in enumerate(governors.items()):
        scratch.dynasoc(f"run {scenario} --set 'governors.{unit}={governor}' --out out/{unit}-{i} --force --quiet")
        runs.append(f"'{name}=out/{unit}-{i}'")
    title = json.loads((ROOT / scenario).read_text(encoding="utf-8"))["title"].split(":")[0]
    status, text = scratch.run(f"python3 tools/plot_governors.py {unit} {' '.join(runs)} --title {shlex.quote(title)}")
    if status != 0:
        raise Failure(text)
    return text


def documents():
    return [ROOT / "README.md"] + sorted((ROOT / "docs").rglob("*.md"))


def make_pages(binary, paths):
    """Path and content of documents; problems go to the second list."""
    contents, problems = {}, []
    for path in paths:
        try:
            contents[path] = make_document(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)), binary)
        except Failure as failure:
            problems.append(str(failure))
    return contents, problems


def make_everything(binary):
    """Path and content of everything this program is responsible for; problems go to the second list."""
    contents = {}
    with Scratch(binary) as scratch:
        for kind in SCHEMAS:
            contents[ROOT / "docs" / "schema" / f"{kind}.schema.json"] = scratch.dynasoc(f"schema {kind}")
        for name, scenario in PICTURES.items():
            scratch.dynasoc(f"run {scenario} --out out/{name} --quiet")
            status, text = scratch.run(f"python3 tools/plot_run.py out/{name}")
            if status != 0:
                raise Failure(text)
            contents[ROOT / "docs" / "images" / f"{name}.svg"] = text
        for name, exploration in FRONTS.items():
            scratch.dynasoc(f"explore {exploration} --out out/{name} --quiet")
            status, text = scratch.run(f"python3 tools/plot_front.py out/{name}")
            if status != 0:
                raise Failure(text)
            contents[ROOT / "docs" / "images" / f"{name}.svg"] = text
        for name, (unit, governors, scenario) in RESPONSES.items():
            contents[ROOT / "docs" / "images" / f"{name}.svg"] = response(scratch, unit, governors, scenario)
    pages, problems = make_pages(binary, documents())
    return contents | pages, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, name what is out of date")
    parser.add_argument("pages", nargs="*", metavar="PAGE", type=pathlib.Path, help="these documents alone")
    options = parser.parse_args()
    binary = pathlib.Path(os.environ.get("DYNASOC_BINARY", ROOT / "build" / "release" / "dynasoc")).resolve()
    if not binary.exists():
        sys.exit(f"{binary}: no such program; `make build` makes it")
    unknown = [page for page in options.pages if page.resolve() not in documents()]
    if unknown:
        sys.exit(f"{unknown[0]}: none of the documents: README.md and what is in docs/")
    contents, problems = (make_pages(binary, [page.resolve() for page in options.pages]) if options.pages else
                          make_everything(binary))
    stale = [path for path, content in contents.items()
             if not path.exists() or path.read_text(encoding="utf-8") != content]
    for path in stale:
        print(f"{'out of date' if options.check else 'made'}: {path.relative_to(ROOT)}")
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(contents[path], encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems or (options.check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())
