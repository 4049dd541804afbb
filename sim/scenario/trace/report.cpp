#include "scenario/trace/report.hpp"

#include <algorithm>

#include "common/text.hpp"
#include "scenario/trace/recognise.hpp"

namespace dynasoc::trace {

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty() && out.size() < most) {
    const std::size_t length = utf8_length(text);
    const bool is_c1 = length == 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
    if (length == 0 || static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F || is_c1)
      out += text[0] == '\t' ? ' ' : '?';
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text.empty() ? out : out + "…";
}

void ImportReport::count(std::vector<Occurrence>& list, std::string_view reason, const Location& where,
                         std::string_view line, std::uint64_t times) {
  for (Occurrence& known : list)
    if (known.reason == reason) {
      known.count += times;
      return;
    }
  list.push_back({std::string(reason), times, where, printable(line)});
}

void ImportReport::note(std::string sentence) {
  if (std::find(notes.begin(), notes.end(), sentence) == notes.end()) notes.push_back(std::move(sentence));
}

namespace {

Json occurrences_json(const std::vector<Occurrence>& list) {
  Json out = Json::array();
  for (const Occurrence& one : list)
    out.push_back({{"reason", one.reason},
                   {"count", one.count},
                   {"first", {{"file", printable(one.first.file, 4096)}, {"line", one.first.line}}},
                   {"example", one.example}});
  return out;
}

// Which of several files a line is of: by its name in its folder where no other has that.
std::string of_file(const std::string& file, const std::vector<std::string>& files) {
  if (files.size() < 2) return "";
  const auto short_name = [](const std::string& path) { return std::filesystem::path(path).filename(); };
  const auto same = std::count_if(files.begin(), files.end(),
                                  [&](const std::string& other) { return short_name(other) == short_name(file); });
  return " of " + printable(same > 1 ? file : short_name(file).string(), 4096);
}

std::string occurrences_text(const char* title, const std::vector<Occurrence>& list,
                             const std::vector<std::string>& files) {
  std::string out;
  for (const Occurrence& one : list) {
    out += std::string("  ") + title + " " + std::to_string(one.count) + ": " + one.reason;
    if (one.first.line > 0)
      out += (one.count == 1 ? " (line " : " (first in line ") + std::to_string(one.first.line) +
             of_file(one.first.file, files);
    if (!one.example.empty()) out += (one.first.line > 0 ? ": " : " (") + one.example;
    if (one.first.line > 0 || !one.example.empty()) out += ')';
    out += '\n';
  }
  return out;
}

}  // namespace

Json ImportReport::to_json() const {
  Json names = Json::array();
  for (const std::string& file : files) names.push_back(printable(file, 4096));
  return {{"kind", kind},
          {"files", std::move(names)},
          {"bytes", bytes},
          {"read", read},
          {"taken", taken},
          {"dropped", occurrences_json(dropped)},
          {"remarks", occurrences_json(remarks)},
          {"notes", notes},
          {"rows", rows},
          {"columns", columns}};
}

std::string ImportReport::text() const {
  std::string out = kind + ": " + std::to_string(taken) + " of " + std::to_string(read) +
                    (kind == "perfetto" ? " events taken, " : " lines taken, ") + std::to_string(rows) + " rows of " +
                    std::to_string(columns.size()) + " columns\n";
  out += occurrences_text("dropped", dropped, files) + occurrences_text("odd", remarks, files);
  for (const std::string& sentence : notes) out += "  note: " + sentence + '\n';
  return out;
}

void nothing_understood(const Source& source, const ImportReport& report, const std::string& what) {
  const std::string& path = source.name;
  // Of this file: a report may be of several.
  const auto dropped = std::find_if(report.dropped.begin(), report.dropped.end(),
                                    [&](const Occurrence& one) { return one.first.file == path; });
  const bool any = dropped != report.dropped.end();
  std::error_code code;
  const bool empty =
      std::filesystem::is_regular_file(source.path, code) && std::filesystem::is_empty(source.path, code);
  std::string message = empty ? "is empty" : !what.empty() ? what : "holds nothing of " + report.kind;
  if (const std::string likely = recognise(source.path); !likely.empty() && likely != report.kind)
    message += "; this looks like " + description_of(likely) + ": use `dynasoc trace import " + likely + "`";
  else if (any && !empty && what.empty())
    message += ": " + dropped->reason + (dropped->example.empty() ? "" : ", " + in_quotes(dropped->example));
  throw InputError({path, any ? std::max<std::size_t>(dropped->first.line, 1) : 1, 0, ""}, message);
}

}  // namespace dynasoc::trace
