// A recording to read, and what messages call it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

namespace dynasoc::trace {

struct Source {
  // NOLINTNEXTLINE(google-explicit-constructor): a path is a source that goes by its own name
  Source(std::filesystem::path file) : path(std::move(file)), name(path.string()) {}
  Source(std::filesystem::path file, std::string called) : path(std::move(file)), name(std::move(called)) {}

  std::filesystem::path path;
  std::string name;  ///< another than the path's where that is a copy of a pipe
};

}  // namespace dynasoc::trace
