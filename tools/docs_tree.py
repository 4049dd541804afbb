"""A copy of the source tree in which a page's instructions are followed to the letter, new source files included.

Building a copy from nothing would take minutes. Here CMake configures the copy as a user's, and finds new files as it would
there; the commands that it then gives to Ninja are run one by one, except where they could only make what the build folder
of the program under test has already: objects of unchanged files, and what is linked from nothing else.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

BUILD = re.compile(r"make build|cmake --build --preset release --target (\S+)")  # the commands that are taken over
NOT_COPIED = {".git", "build", "out", "dist", ".mypy_cache", ".pytest_cache", "__pycache__"}


class BuildFailed(Exception):
    """What a compiler or CMake said."""


def copy(root, to):
    """The tree without what was built; files are copies, for pages write into them."""
    shutil.copytree(root, to, symlinks=True, ignore=lambda _, names: NOT_COPIED.intersection(names))


class Build:
    """The build folder of a copy `tree` of `root`, fed from the build folder `made` of `root`."""

    def __init__(self, root, tree, made, environment):
        self.root, self.tree, self.made, self.environment = root, tree, made, environment
        self.folder = tree / "build" / "release"
        self.configured_with = None
        self.fresh = {}  # what was made here: from what
        if not (made / "build.ninja").is_file() or not (made / "CMakeCache.txt").is_file():
            raise BuildFailed(f"{made} is no build folder of Ninja's, from which a copy of the tree could be built")

    def run(self, *command):
        done = subprocess.run(command, cwd=self.folder if self.folder.exists() else self.tree, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
        if done.returncode != 0:
            raise BuildFailed(f"`{shlex.join(command)[:300]}` ends with status {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout

    def configure(self):
        """As CMake does by itself when a source file has come or gone."""
        sources = {path for folder in ("sim", "tests") for path in (self.tree / folder).rglob("*.cpp")}
        if sources == self.configured_with:
            return
        self.configured_with = sources
        for header in self.tree.glob("sim/**/*.hpp"):
            before = self.root / header.relative_to(self.tree)
            if before.is_file() and before.read_bytes() != header.read_bytes():
                raise BuildFailed(f"a page may add files; it has changed {header.relative_to(self.tree)}, which others are built from")
        kept = []
        for line in (self.made / "CMakeCache.txt").read_text(encoding="utf-8").splitlines():
            match = re.fullmatch(r"(CMAKE_BUILD_TYPE|CMAKE_UNITY_BUILD\w*|CMAKE_CXX_\w*FLAGS\w*|CMAKE_CXX_COMPILER|DYNASOC_(?!PYTHON)\w+):(\w+)=(.*)", line)
            if match and match.group(2) not in ("INTERNAL", "STATIC"):
                kept.append(f"-D{match.group(1)}={match.group(3)}")
        self.run("cmake", "-S", str(self.tree), "-B", str(self.folder), "-G", "Ninja", "--log-level=WARNING", *kept)

    def target(self, name):
        """Builds it as `cmake --build --target` would."""
        self.configure()
        for command in self.run("ninja", "-t", "commands", name).splitlines():
            words = shlex.split(command)
            if "-o" not in words:
                self.run("sh", "-c", command)
                continue
            output = words[words.index("-o") + 1]
            source = self.folder / words[words.index("-c") + 1] if "-c" in words else None  # of an object
            new = tuple(self.fresh[word] for word in words if word in self.fresh and word != output)
            if not new and self.reuse(output, source):
                continue
            # What it is made from; made before from the same, it stays.
            origin = (command, self.texts(source, self.tree) if source else {}, new)
            if self.fresh.get(output) == origin:
                continue
            (self.folder / output).unlink(missing_ok=True)  # it may be a link into the other build folder
            self.run("sh", "-c", command)
            self.fresh[output] = origin

    def texts(self, source, tree):
        """By its place in `tree`, what a file of source holds: of a unity build, the files that it compiles at once."""
        text = source.read_text(encoding="utf-8")
        if source.parent.name != "Unity":
            return {"": text}
        files = [pathlib.Path(name) for name in re.findall(r'^#include "(.+)"$', text, re.MULTILINE)]
        return {os.path.relpath(file, tree): file.read_text(encoding="utf-8") for file in files}

    def reuse(self, output, source):
        """Puts what has been made already in place of what a command would make; false if that is not the same."""
        theirs, ours = self.made / output, self.folder / output
        if not theirs.is_file():
            return False
        if source:
            inside = os.path.relpath(source.resolve(), self.folder.resolve())
            before = self.made / inside if not inside.startswith("..") else (
                self.root / os.path.relpath(source.resolve(), self.tree.resolve()))
            if not before.is_file() or self.texts(before, self.root) != self.texts(source, self.tree):
                return False
        ours.parent.mkdir(parents=True, exist_ok=True)
        ours.unlink(missing_ok=True)
        ours.symlink_to(theirs)
        return True
