// Where the repository's files are that a test reads.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace dynasoc::test {

/// $DYNASOC_SOURCE_DIR, else the tree that the tests were built in: a copy of the tree can be tested without compiling
/// every test again (tools/docs_tree.py).
inline std::filesystem::path source_dir() {
  const char* named = std::getenv("DYNASOC_SOURCE_DIR");
  return named ? named : DYNASOC_SOURCE_DIR;
}

inline const std::filesystem::path kRoot = source_dir();

}  // namespace dynasoc::test
