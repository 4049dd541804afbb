#!/usr/bin/env python3
"""Makes the `///` comments of C++ headers into constants, for documentation that is shown elsewhere (Python's help()).

    tools/docstrings.py --output docstrings.hpp [--relative-to sim] HEADER...

`/// text` before a declaration and `///< text` behind one become

    dynasoc::doc::<namespaces and types>::<name>      a member, function, enumerator, …: a const char*
    dynasoc::doc::<namespaces and types>::<type>::self  a type itself

with the namespace dynasoc left out, for instance `doc::manager::Observation::trigger`. A declaration without a comment
has no constant: whoever names it does not compile. Of several functions with one name, the first that is documented
counts. Paragraphs are joined to one line each; an empty `///` line parts them.
"""
from __future__ import annotations

import argparse
import pathlib
import re
import sys
from typing import Optional

IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
TYPE = re.compile(r"\b(struct|class|union|enum(?:\s+(?:class|struct))?)\s+(?:\[\[.*?\]\]\s*)?([A-Za-z_]\w*)")
# What a statement may begin with and yet declare nothing that has a name of its own.
NAMELESS = ("friend ", "static_assert", "extern ", "using namespace ", "typedef ", "return ")


def paragraphs(lines: list[str]) -> str:
    """Comment lines as paragraphs: an empty line parts them."""
    out: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            out[-1].append(line.strip())
        elif out[-1]:
            out.append([])
    return "\n\n".join(" ".join(paragraph) for paragraph in out if paragraph)


def without_templates(text: str) -> str:
    """`std::map<int, A<B>> x` -> `std::map x`: what is left has commas and parentheses of the declaration alone."""
    previous = None
    while previous != text:
        previous = text
        text = re.sub(r"(?<![<\-=])<[^<>;=]*>(?!=)", " ", text)
    return text


def without_head(text: str) -> str:
    """A declaration without `template <...>` and `requires(...)` before it."""
    for word, pair in (("template", "<>"), ("requires", "()")):
        while (found := re.match(word + r"\s*" + re.escape(pair[0]), text)) is not None:
            depth, i = 1, found.end()
            while depth > 0 and i < len(text):
                depth += (text[i] == pair[0]) - (text[i] == pair[1])
                i += 1
            text = text[i:].strip()
    return text


def split_top(text: str, separator: str) -> list[str]:
    """Parts between separators that stand in no bracket."""
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == separator and depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
    return parts + [text[begin:]]


def names_of(statement: str) -> list[str]:
    """What a declaration that is neither a type nor a namespace declares."""
    text = re.sub(r"\[\[.*?\]\]", " ", statement).strip()
    if not text or text.startswith(NAMELESS) or "operator" in IDENTIFIER.findall(text):
        return []
    using = re.match(r"using\s+([A-Za-z_]\w*)\s*=", text)
    if using:
        return [using.group(1)]
    text = without_templates(without_head(text))
    head = text.split("=")[0]
    pointer = re.match(r"[^(]*\(\s*\*\s*(\w+)\s*\)\s*\(", head)
    if pointer:  # to a function
        return [pointer.group(1)]
    if "(" in head:
        words = IDENTIFIER.findall(head[: head.index("(")])
        name = words[-1] if words else ""
        destructor = head[: head.index("(")].rstrip().endswith("~" + name)
        return [] if destructor or name in ("", "noexcept", "alignas", "decltype") else [name]
    names = []
    for part in split_top(text, ","):
        part = re.split(r"[={\[]", part)[0]
        part = re.sub(r":\s*\d+\s*$", "", part)
        words = IDENTIFIER.findall(part)
        if words:
            names.append(words[-1])
    return names


class Scope:
    def __init__(self, kind: str, names: list[str]) -> None:
        self.kind = kind  # namespace, type, enum, or skip: what stands in it is nobody's business
        self.names = names


class Header:
    """One header, read once from begin to end."""

    def __init__(self, text: str) -> None:
        self.found: dict[tuple[str, ...], str] = {}
        self.scopes: list[Scope] = []
        self.pending: list[str] = []  # a comment that waits for its declaration
        self.last: list[tuple[str, ...]] = []  # what a trailing comment is about
        self.trailing: dict[tuple[str, ...], list[str]] = {}
        self.statement = ""
        self.read(text)
        for path, lines in self.trailing.items():
            before = self.found.get(path)
            self.found[path] = (before + "\n\n" if before else "") + paragraphs(lines)

    def path(self, *names: str) -> tuple[str, ...]:
        return tuple(name for scope in self.scopes for name in scope.names) + names

    def kind(self) -> str:
        return self.scopes[-1].kind if self.scopes else "namespace"

    def declare(self, names: list[str]) -> None:
        self.last = [self.path(name) for name in names]
        if self.pending:
            for path in self.last:
                self.found.setdefault(path, paragraphs(self.pending))
        self.pending = []

    def end_statement(self) -> None:
        text, self.statement = self.statement.strip(), ""
        if text and self.kind() != "skip":
            if self.kind() == "enum":
                words = IDENTIFIER.findall(text)
                self.declare(words[:1])
            elif not re.fullmatch(r"(?:enum\s+)?(?:struct|class|union)\s+\w+(?:\s*:.*)?", text):
                self.declare(names_of(text))
            else:
                self.pending = []  # declared only: the comment is where it is defined
        elif self.kind() != "skip":
            self.pending = []

    def open(self) -> None:
        text, self.statement = self.statement.strip(), ""
        if self.kind() == "skip":
            self.scopes.append(Scope("skip", []))
            return
        space = re.search(r"\bnamespace\b\s*([\w:]*)$", text)
        plain = without_templates(without_head(text))
        kind = TYPE.search(plain) if "(" not in plain.split(":")[0] else None
        if space:
            names = [name for name in space.group(1).split("::") if name]
            # Nobody outside can name what stands in a nameless namespace.
            self.scopes.append(Scope("namespace" if names else "skip", names))
            self.pending = []
        elif kind:
            name = kind.group(2)
            path = self.path(name, "self")
            if self.pending:
                self.found.setdefault(path, paragraphs(self.pending))
            self.pending = []
            self.last = [path]
            self.scopes.append(Scope("enum" if kind.group(1).startswith("enum") else "type", [name]))
        else:
            self.declare(names_of(text))  # a function's body, or a variable's initialiser
            self.scopes.append(Scope("skip", []))

    def close(self) -> None:
        if self.kind() == "enum":
            self.end_statement()
        if self.scopes:
            self.scopes.pop()
        self.statement = ""

    def trail(self, line: str) -> None:
        if self.kind() == "skip":
            return
        if self.statement.strip():  # before the comma or the semicolon
            enumerator = IDENTIFIER.findall(self.statement)[:1]
            names = enumerator if self.kind() == "enum" else names_of(self.statement)
            self.last = [self.path(name) for name in names]
        for path in self.last:
            self.trailing.setdefault(path, []).append(line)

    def read(self, text: str) -> None:
        text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.MULTILINE)
        depth = 0  # of parentheses
        i = 0
        while i < len(text):
            rest = text[i : i + 4]
            if rest.startswith("//"):
                end = text.find("\n", i)
                end = len(text) if end < 0 else end
                line = text[i:end]
                if line.startswith("///<"):
                    self.trail(line[4:])
                elif line.startswith("///") and not line.startswith("////") and self.kind() != "skip" and depth == 0:
                    self.pending.append(line[3:])
                i = end
            elif rest.startswith("/*"):
                i = text.index("*/", i) + 2
            elif rest.startswith('R"'):
                mark = text[i + 2 : text.index("(", i)]
                i = text.index(")" + mark + '"', i) + len(mark) + 2
            elif rest[0] in "\"'" and not (rest[0] == "'" and i > 0 and text[i - 1].isalnum()):
                quote, i = rest[0], i + 1
                while text[i] != quote:
                    i += 2 if text[i] == "\\" else 1
                i += 1
                self.statement += " 0 "
            else:
                c = rest[0]
                if c in "()":
                    depth += 1 if c == "(" else -1
                if depth > 0 or c in "()":
                    self.statement += c
                elif c == "{":
                    self.open()
                elif c == "}":
                    self.close()
                elif c == ";" or (c == "," and self.kind() == "enum"):
                    self.end_statement()
                elif c == ":" and self.statement.strip() in ("public", "private", "protected"):
                    self.statement = ""
                else:
                    self.statement += c
                i += 1


def literal(text: str) -> str:
    """A C++ string literal, in pieces: compilers need not accept very long ones."""
    pieces = [text[i : i + 1000] for i in range(0, len(text), 1000)]
    escape = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return " ".join('"' + "".join(escape.get(c, c) for c in piece) + '"' for piece in pieces)


def render(found: dict[tuple[str, ...], str], sources: list[str]) -> str:
    """The header: one namespace for each namespace and type."""
    out = ["// Made by tools/docstrings.py from the comments of these headers:"]
    out += ["//   " + source for source in sources]
    out += ["#pragma once", ""]
    spaces: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for path, text in found.items():
        spaces.setdefault(path[:-1], []).append((path[-1], text))
    for space in sorted(spaces):
        out.append("namespace " + "::".join(("dynasoc", "doc") + space) + " {")
        for name, text in sorted(spaces[space]):
            out.append(f"inline constexpr const char* {name} = {literal(text)};")
        out.append("}")
    return "\n".join(out) + "\n"


def docstrings(paths: list[pathlib.Path]) -> dict[tuple[str, ...], str]:
    """Comments of all headers by where they stand: ("manager", "Observation", "trigger")."""
    found: dict[tuple[str, ...], str] = {}
    for path in paths:
        for name, text in Header(path.read_text(encoding="utf-8")).found.items():
            inner = name[1:] if name[0] == "dynasoc" else name
            if text and inner:
                found.setdefault(inner, text)
    return found


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("headers", nargs="+", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--relative-to", type=pathlib.Path, default=pathlib.Path("."))
    given = parser.parse_args(arguments)
    sources = [path.resolve().relative_to(given.relative_to.resolve()).as_posix() for path in given.headers]
    text = render(docstrings(given.headers), sources)
    # Written only when it changes, so that only then its readers are compiled again.
    if not given.output.exists() or given.output.read_text(encoding="utf-8") != text:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
