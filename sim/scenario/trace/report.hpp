// What an importer of recordings took from its input, what it left out and why, and what it had to read into it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/json_reader.hpp"
#include "scenario/trace/source.hpp"

namespace dynasoc::trace {

/// Text of an input as people and JSON may see it: what is no printable UTF-8 becomes `?` (a terminal would obey
/// control characters), and the end of long text is left out.
std::string printable(std::string_view text, std::size_t most = 100);

/// Something that occurred, how often, and where first.
struct Occurrence {
  std::string reason;
  std::uint64_t count = 0;
  Location first;
  std::string example;  ///< the first line (or event), printable
};

struct ImportReport {
  std::string kind;  ///< as in `dynasoc trace import KIND`
  std::vector<std::string> files;
  std::uint64_t bytes = 0;
  std::uint64_t read = 0;   ///< lines, or events of a binary trace
  std::uint64_t taken = 0;  ///< of these
  std::vector<Occurrence> dropped;
  std::vector<Occurrence> remarks;  ///< taken, but odd
  std::vector<std::string> notes;   ///< assumptions and facts, a sentence each
  std::vector<std::string> columns;
  std::uint64_t rows = 0;  ///< of the result

  void drop(std::string_view reason, const Location& where, std::string_view line, std::uint64_t times = 1) {
    count(dropped, reason, where, line, times);
  }
  void remark(std::string_view reason, const Location& where, std::string_view line, std::uint64_t times = 1) {
    count(remarks, reason, where, line, times);
  }
  void note(std::string sentence);  ///< once, however often it is told

  Json to_json() const;
  std::string text() const;

 private:
  static void count(std::vector<Occurrence>& list, std::string_view reason, const Location& where,
                    std::string_view line, std::uint64_t times);
};

/// Throws InputError: nothing in `source` was understood. The message names the kind of recording that the file most
/// likely is; `what` is what else is known of it (`is no Perfetto trace`).
[[noreturn]] void nothing_understood(const Source& source, const ImportReport& report, const std::string& what = "");

}  // namespace dynasoc::trace
