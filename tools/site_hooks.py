"""What the site adds to docs/ (hooks of mkdocs, see mkdocs.yml): pages link to files of the repository as GitHub shows them,
and a site has only docs/. Each file outside docs/ that some page links to becomes a page: a document as it is, a notebook
with its outputs, a source file in colours, a folder as a list. Links are turned to these pages, or left for mkdocs to refuse.
"""
import json
import pathlib
import posixpath
import re

from mkdocs.structure.files import File
from pygments.lexers.shell import BashSessionLexer

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Files with a place of their own in the navigation; all others are under source/.
PLACES = {"README.md": "overview.md", "CHANGELOG.md": "changelog.md", "models/README.md": "data/models.md",
          "platforms/raw/README.md": "data/platforms.md", "traces/README.md": "data/traces.md"}
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".sh": "bash", ".json": "json", ".csv": "text"}
WIDE = "---\nhide: [navigation, toc]\n---\n"  # source files, which have neither
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
FENCE = re.compile(r"^( *)(```+).*?^\1\2 *$", re.S | re.M)

# In our transcripts a command begins with `$ ` and nothing else does; a line of output may begin with `#`.
BashSessionLexer._ps1rgx = re.compile(r"^(\$ )(.*\n?)")

origins = {}  # page (docs/-relative) -> the file it shows, relative to ROOT; for pages made here


def place_of(path):
    """The page that shows a file or folder outside docs/, or a folder in it; both relative."""
    if path in PLACES:
        return PLACES[path]
    if path.startswith("bindings/notebooks/"):
        return "notebooks/" + pathlib.PurePath(path).stem + ".md"
    return f"source/{path}.md"


def outside_code(text, change):
    """`change` of all that stands outside fenced blocks."""
    out, at = [], 0
    for block in FENCE.finditer(text):
        out += [change(text[at:block.start()]), block.group(0)]
        at = block.end()
    return "".join(out) + change(text[at:])


def linked_path(link, origin):
    """The file that a relative link of the file `origin` leads to, relative to ROOT; None for other links."""
    path = link.partition("#")[0]
    if re.match(r"[a-z]+:", link) or not path or path.startswith("/"):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), path))


def shown_elsewhere(path):
    """Whether it takes a page of this module's making to show it."""
    return (ROOT / path).is_dir() or ((ROOT / path).is_file() and not path.startswith("docs/"))


def as_site(text, page, origin):
    """A document with its links turned to where the site has what they mean."""
    def turn(match):
        path = linked_path(match.group(2), origin)
        if path is None:
            return match.group(0)
        if shown_elsewhere(path):
            target = place_of(path)
        elif path.startswith("docs/"):
            target = path.removeprefix("docs/")
        else:
            return match.group(0)  # not there: mkdocs will say so
        fragment = match.group(2).partition("#")[2]
        relative = posixpath.relpath(target, posixpath.dirname(page) or ".")
        return match.group(1) + relative + (f"#{fragment}" if fragment else "") + match.group(3)

    return outside_code(text, lambda part: LINK.sub(turn, part))


def fenced(text, language):
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}\n"


def notebook_page(path):
    """A stored notebook: its text, its code, and what that printed and drew."""
    parts = []
    cells = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
    kept = any(one.get("outputs") for one in cells)
    for number, one in enumerate(cells):
        source = "".join(one["source"])
        parts.append(source if one["cell_type"] == "markdown" else fenced(source, "python"))
        if number == 0:
            parts.append(f"*This is the notebook `{path}`{'' if kept else '; run it to see what it prints and draws'}.*")
        for output in one.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                parts.append(f"![drawn by the cell above](data:image/png;base64,{''.join(data['image/png']).strip()})")
            else:
                parts.append(fenced("".join(output.get("text", data.get("text/plain", ""))), "text"))
    return "\n\n".join(parts)


def folder_page(path):
    names = sorted(f"{entry.name}{'/' if entry.is_dir() else ''}" for entry in (ROOT / path).iterdir()
                   if not entry.name.startswith((".", "__")))
    return f"# {path}/\n\n" + "".join(f"- [{name}]({posixpath.basename(path)}/{name})\n" for name in names)


def page_of(path):
    """The text of the page that shows `path`, its links as that file has them."""
    file = ROOT / path
    if file.is_dir():
        return folder_page(path)
    if file.suffix == ".md":
        return file.read_text(encoding="utf-8")
    if file.suffix == ".ipynb":
        return notebook_page(path)
    return f"{WIDE}# {path}\n\n" + fenced(file.read_text(encoding="utf-8"), LANGUAGES.get(file.suffix, "text"))


def on_files(files, config):
    origins.clear()
    pages = [(file.src_uri, f"docs/{file.src_uri}") for file in files.documentation_pages()]
    todo = [path for _, origin in pages for path in links_of((ROOT / origin).read_text(encoding="utf-8"), origin)]
    todo += list(PLACES) + [f"bindings/notebooks/{file.name}" for file in sorted((ROOT / "bindings/notebooks").glob("*.ipynb"))]
    while todo:
        path = todo.pop()
        place = place_of(path)
        if place in origins:
            continue
        text = page_of(path)
        # Where links of a folder's page are read from: beside the folder.
        origins[place] = path
        files.append(File.generated(config, place, content=text))
        todo += links_of(text, path)
    return files


def links_of(text, origin):
    """Files and folders that a document links to and that need a page of this module's making."""
    found = []
    outside_code(text, lambda part: found.extend(match.group(2) for match in LINK.finditer(part)) or part)
    paths = [linked_path(link, origin) for link in found]
    return [path for path in paths if path and shown_elsewhere(path)]


def lists_as_on_github(text):
    """What belongs to a numbered item, three spaces in, a space further in: this Markdown asks for four."""
    def shift(part):
        return re.sub(r"^   (?=\S)", "    ", part, flags=re.M)

    def block(match):
        return re.sub(r"^(?=   )", " ", match.group(0), flags=re.M) if match.group(1) == "   " else match.group(0)

    out, at = [], 0
    for match in FENCE.finditer(text):
        out += [shift(text[at:match.start()]), block(match)]
        at = match.end()
    return "".join(out) + shift(text[at:])


def on_page_markdown(markdown, page, **_):
    uri = page.file.src_uri
    return lists_as_on_github(as_site(markdown, uri, origins.get(uri, f"docs/{uri}")))
