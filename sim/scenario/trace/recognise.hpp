// Which kind of recording a file most likely is, for a user who named another.
#pragma once

#include <filesystem>
#include <string>

namespace dynasoc::trace {

/// `tegrastats`, `ftrace`, `perfetto`, `loadgen` or `csv`, as `dynasoc trace import` calls them; empty where nothing
/// fits, the file cannot be read or is a pipe. Looks at the first 64 KB.
std::string recognise(const std::filesystem::path& path);

/// `an ftrace log`, …; for messages.
std::string description_of(const std::string& kind);

}  // namespace dynasoc::trace
