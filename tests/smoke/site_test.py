#!/usr/bin/env python3
"""Is the documentation a good site? It is built strictly (pages outside the navigation and links that lead nowhere end it), then
what was built is looked at: every page is reached from the first, every link, anchor and picture is there, nothing is
loaded from elsewhere, and Markdown was understood as GitHub does. Standard library; mkdocs comes from PyPI, and without
that this is skipped (not in CI).
"""
import html.parser
import os
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Page(html.parser.HTMLParser):
    """What a page names, loads and links to; and its prose."""

    NO_PROSE = "pre", "code", "script", "style", "table", "h1", "h2", "h3"

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loads, self.text, self.code = set(), [], [], [], 0
        self.article = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.update(value for name, value in attrs if name in ("id", "name") and value)
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        elif tag in ("img", "script", "iframe", "source") and attributes.get("src"):
            self.loads.append(attributes["src"])
        elif tag == "link" and attributes.get("href") and attributes.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(attributes["href"])
        self.article = self.article or tag == "article"
        self.code += tag in self.NO_PROSE

    def handle_endtag(self, tag):
        self.article = self.article and tag != "article"
        self.code -= tag in self.NO_PROSE

    def handle_data(self, data):
        if self.article and not self.code:
            self.text.append(data)


def site_script(tree, to):
    environment = dict(os.environ, PYTHON=sys.executable)
    return subprocess.run(["bash", str(tree / "tools/site.sh"), str(to)], cwd=tree, env=environment, check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)


class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="dynasoc-site-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.site = pathlib.Path(cls.folder.name) / "site"
        done = site_script(ROOT, cls.site)
        if not (ROOT / "build/venv-site/requirements.txt").exists() and not os.environ.get("CI"):
            print(done.stdout)
            sys.exit(77)
        if done.returncode != 0:
            raise AssertionError(f"tools/site.sh:\n{done.stdout}")
        cls.pages = {str(path.relative_to(cls.site)): Page(path) for path in cls.site.rglob("*.html")}

    def targets(self, name, links):
        """Path within the site and anchor of those links that stay in it."""
        for link in links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = urllib.parse.unquote(parts.path)
            yield link, posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name, parts.fragment

    def test_links_and_pictures_are_there(self):
        checked = 0
        for name, page in self.pages.items():
            if name == "404.html":  # shown at any address: its paths begin at the site's root
                continue
            for link, path, anchor in self.targets(name, page.links + page.loads):
                self.assertTrue((self.site / path).is_file(), f"{name} links to {link}")
                if anchor and path.endswith(".html"):
                    self.assertIn(urllib.parse.unquote(anchor), self.pages[path].ids, f"{name} links to {link}")
                checked += 1
        self.assertGreater(checked, 1000)

    def test_every_page_is_reached(self):
        reached, todo = {"index.html"}, ["index.html"]
        while todo:
            name = todo.pop()
            for _, path, _ in self.targets(name, self.pages[name].links):
                if path in self.pages and path not in reached:
                    reached.add(path)
                    todo.append(path)
        self.assertEqual(set(self.pages) - reached, {"404.html"})
        for document in (ROOT / "docs").rglob("*.md"):
            page = str(document.relative_to(ROOT / "docs").with_suffix(".html"))
            self.assertIn("index.html" if page == "README.html" else page, reached)

    def test_nothing_is_loaded_from_elsewhere(self):
        for name, page in self.pages.items():
            for address in page.loads:
                self.assertFalse(address.startswith(("http:", "https:", "//")), f"{name} loads {address}")
        for sheet in self.site.rglob("*.css"):
            self.assertNotRegex(sheet.read_text(encoding="utf-8"), r"@import|url\(['\"]?(https?:)?//", str(sheet))

    def test_markdown_is_understood_as_on_github(self):
        # What is left of Markdown in the text of a page was not understood: fences in lists, tables, lists in paragraphs.
        for name, page in self.pages.items():
            if name.startswith("source/"):
                continue
            for line in "".join(page.text).splitlines():
                self.assertNotRegex(line, r"^\s*(```|\| ?-|[-*] \S|\d+\. \S)|\]\(|\*\*\w", f"{name}: {line}")

    def test_search_knows_the_pages(self):
        index = (self.site / "search" / "search_index.js").read_text(encoding="utf-8")  # the one that needs no server
        for words in ("add-a-policy.html", "hypervolume", "schedutil"):
            self.assertIn(words, index)

    def test_what_is_wrong_is_noticed(self):
        # The check of the check: a small tree with one of each.
        with tempfile.TemporaryDirectory(prefix="dynasoc-site-") as folder:
            tree = pathlib.Path(folder) / "tree"
            shutil.copytree(ROOT / "tools", tree / "tools")  # hooks look for files beside themselves
            (tree / "build").mkdir()
            (tree / "build/venv-site").symlink_to(ROOT / "build/venv-site")
            documents = {name: "# A page\n" for name in (
                "README.md", "CHANGELOG.md", "models/README.md", "platforms/raw/README.md", "traces/README.md", "docs/b.md")}
            documents["docs/lost.md"] = "# In no navigation\n"
            documents["docs/README.md"] = ("# A page\n[page](none.md) [anchor](b.md#none) [source](../tools/none.sh) ![](none.svg) "
                                           "[good](../tools/site.sh) [good](b.md#a-page)\n")
            for name, text in documents.items():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_text(text, encoding="utf-8")
            settings = re.sub(r"^nav:\n.*", "nav: [README.md, b.md, overview.md, changelog.md, data/models.md, data/platforms.md, "
                              "data/traces.md]\n", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), flags=re.S | re.M)
            (tree / "mkdocs.yml").write_text(settings, encoding="utf-8")
            done = site_script(tree, tree / "site")
            self.assertEqual(done.returncode, 1, done.stdout)
            for wrong in ("lost.md", "none.md", "b.md#none", "tools/none.sh", "none.svg"):
                self.assertIn(wrong, done.stdout)
            self.assertIn("5 warnings", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
