"""tools/docstrings.py: comments of C++ headers as constants, and what the module shows of them."""
from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import docstrings  # noqa: E402

HEADER = r"""
// Not for us.
#pragma once
#define MACRO(x) \
  struct x { int a; };  ///< no

namespace dynasoc::part {

/// A thing
/// of two lines.
///
/// And a paragraph with "quotes" and a \ in it.
struct Thing : Base<int, 2> {
  int plain = 0;
  double at_s = 0, until_s{1};  ///< when, and
                                ///< until when
  std::map<std::string, std::vector<int>> table = {};  ///< by name
  std::array<double, 3> row{{1, 2, 3}};                ///< three
  const char* text = "; } /// not a comment";          ///< with marks in it
  static constexpr int kMost = 1'000;                  ///< digits with a mark
  void (*call)(int) = nullptr;                         ///< what to call
  /// Before.
  int both;  ///< and behind

  /// Nested.
  enum class Kind : std::uint8_t {
    first,   ///< one
    second,
    third  ///< the last one
  };

  /// Runs it.
  virtual std::unique_ptr<Thing> run(const std::function<void(double)>& progress = {}) const = 0;
  /// The second of two.
  int run(int n) { return n > 2 ? n : 1; }
  explicit Thing(int value) : plain(value), row{} {
    int local;  ///< not ours
    /// nor this
    other();
  }
  bool operator==(const Thing&) const = default;  ///< has no name
  ~Thing();                                       ///< nor this
 private:
  int hidden_ = 0;  ///< hidden
};

/// Declared here, described elsewhere.
struct Elsewhere;

template <class T, class U = std::vector<T>>
requires(sizeof(T) > 2)
/// After its template.
T largest(const std::vector<T>& values, int (*compare)(T, U) = nullptr);

/// An alias.
using Function = std::function<int(int)>;

namespace {
/// Nobody outside can name it.
int nameless();
}  // namespace

}  // namespace dynasoc::part
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], str]:
    path = tmp_path_factory.mktemp("headers") / "thing.hpp"
    path.write_text(HEADER, encoding="utf-8")
    return docstrings.docstrings([path])


def test_every_kind_of_comment_is_found_and_nothing_else(found: dict[tuple[str, ...], str]) -> None:
    thing = ("part", "Thing")
    assert found == {
        thing + ("self",): 'A thing of two lines.\n\nAnd a paragraph with "quotes" and a \\ in it.',
        thing + ("at_s",): "when, and until when",
        thing + ("until_s",): "when, and until when",
        thing + ("table",): "by name",
        thing + ("row",): "three",
        thing + ("text",): "with marks in it",
        thing + ("kMost",): "digits with a mark",
        thing + ("call",): "what to call",
        thing + ("both",): "Before.\n\nand behind",
        thing + ("Kind", "self"): "Nested.",
        thing + ("Kind", "first"): "one",
        thing + ("Kind", "third"): "the last one",
        thing + ("run",): "Runs it.",
        thing + ("hidden_",): "hidden",
        ("part", "largest"): "After its template.",
        ("part", "Function"): "An alias.",
    }


def compiles(folder: pathlib.Path, body: str) -> bool:
    source = folder / "use.cpp"
    source.write_text('#include "docstrings.hpp"\n' + body, encoding="utf-8")
    words = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", str(source)]
    return subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_a_name_without_a_comment_does_not_compile(found: dict[tuple[str, ...], str], tmp_path: pathlib.Path) -> None:
    (tmp_path / "docstrings.hpp").write_text(docstrings.render(found, ["thing.hpp"]), encoding="utf-8")
    text = "A thing of two lines.\\n\\nAnd a paragraph with \\\"quotes\\\" and a \\\\ in it."
    assert compiles(tmp_path, f'#include <string_view>\nstatic_assert(std::string_view(dynasoc::doc::part::Thing::self) == "{text}");\n')
    assert not compiles(tmp_path, "const char* text = dynasoc::doc::part::Thing::plain;\n")


def test_all_headers_of_the_simulator_can_be_read(tmp_path: pathlib.Path) -> None:
    headers = sorted(ROOT.glob("sim/*/*.hpp"))
    output = tmp_path / "docstrings.hpp"
    assert docstrings.main([*map(str, headers), "--output", str(output), "--relative-to", str(ROOT / "sim")]) == 0
    text = output.read_text(encoding="utf-8")
    assert text.count("constexpr") > 700
    assert "dynasoc::doc::manager::Observation {" in text
    written = output.stat().st_mtime_ns
    docstrings.main([*map(str, headers), "--output", str(output), "--relative-to", str(ROOT / "sim")])
    assert output.stat().st_mtime_ns == written  # nothing that includes it is compiled again
    if shutil.which("g++"):
        assert compiles(tmp_path, "")


def shown() -> dict[str, str]:
    """What the module shows of the headers' comments, by where it shows it."""
    from dynasoc import _core

    found = {}
    for name, value in vars(_core).items():
        if not isinstance(value, type):
            found[name] = value.__doc__ or ""
            continue
        found[name] = value.__doc__ or ""
        for member, what in vars(value).items():
            if not member.startswith("_"):
                found[f"{name}.{member}"] = what.__doc__ or ""
    return found


def test_the_module_shows_what_the_headers_say() -> None:
    import dynasoc

    headers = [ROOT / "sim" / "manager" / name for name in ("observation.hpp", "decision.hpp", "policy.hpp")]
    said = {path[1:]: text for path, text in docstrings.docstrings(headers).items() if path[0] == "manager"}
    views = {"AppView": dynasoc.Application, "UnitView": dynasoc.Unit, "DomainView": dynasoc.Domain,
             "Observation": dynasoc.Observation, "Sample": dynasoc.Sample, "Triggers": dynasoc.Triggers}  # fmt: skip
    compared = 0
    for (kind, *member), text in said.items():
        view = views.get(kind)
        if view is None or not member:
            continue
        if member == ["self"]:
            assert (view.__doc__ or "").startswith(text)
        elif (property_ := vars(view).get(member[0])) is not None:
            assert property_.__doc__ == text, member
            compared += 1
    assert compared > 45
    for kind, name in ((dynasoc.Sample, "at_s"), (dynasoc.Observation, "now_s")):
        assert vars(kind)[name].__doc__ == said[(kind.__name__, name[:-2])]
    for (kind, *member), text in said.items():
        if kind == "Knob" and member != ["self"]:
            assert (getattr(dynasoc.Decision, member[0]).__doc__ or "").endswith(text + "\n")
        if kind == "Constraint" and member != ["self"]:
            assert f"{member[0]}: {text}" in (dynasoc.Decision.__doc__ or "")


def test_everything_that_a_policy_meets_is_described() -> None:
    import dynasoc

    met = ("Application", "Decision", "Domain", "Observation", "Sample", "Triggers", "Unit")
    texts = {where: text for where, text in shown().items() if where.split(".")[0] in met}
    bare = [where for where, text in texts.items() if not re.sub(r"\w+\(self.*\n", "", text).strip()]
    assert len(texts) > 60 and bare == []
    assert "Valid during decide() only." in (dynasoc.Observation.__doc__ or "")
