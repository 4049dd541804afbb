#include "results/suites/pipeline.hpp"

#include <algorithm>

#include "common/text.hpp"
#include "results/suites/report.hpp"

namespace dynasoc::suite {
namespace fs = std::filesystem;
namespace {

// For text and attributes alike. What no XML may hold becomes a question mark.
std::string xml(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(std::string_view(text).substr(i));
    if (length != 1) {
      out += length == 0 ? "?" : text.substr(i, length);
      i += std::max<std::size_t>(length, 1);
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      case '\t': out += "&#9;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

// GitHub's runner undoes these. A property also ends at a colon or a comma.
std::string annotation(const std::string& text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (property && c == ':')
      out += "%3A";
    else if (property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

fs::path inside(const fs::path& path, const fs::path& workspace) {
  if (workspace.empty()) return path.lexically_normal();
  const fs::path relative = fs::absolute(path).lexically_normal().lexically_relative(workspace.lexically_normal());
  return relative.empty() || relative.begin()->string() == ".." ? path.lexically_normal() : relative;
}

std::string full_name(const Case& one) { return one.suite + (one.group.empty() ? "" : "." + one.group); }

}  // namespace

std::vector<Case> cases_of(const std::vector<check::Checked>& claims, const std::vector<Checked>& suites) {
  std::vector<Case> out;
  for (const check::Checked& one : claims) {
    Case entry{"claims", "", one.claim.name, (one.claim.file.where / "verdict").location(), "", ""};
    if (!one.as_stored()) {
      entry.message = "the verdict was `" + std::string(check::name_of(one.claim.file.verdict)) + "` and is `" +
                      std::string(check::name_of(one.verdict)) + "` now";
      entry.details = check::check_text({one}, false);
    }
    out.push_back(std::move(entry));
  }
  for (std::size_t s = 0; s < suites.size(); ++s) {
    const Checked& suite = suites[s];
    for (const Result& result : suite.results)
      for (const Finding& one : result.findings) {
        Case entry{
            suite.suite.name, result.name, one.metric + " (" + one.label + ")", one.where.location(), "", "", s + 1};
        if (!one.ok()) {
          entry.message = one.metric + " " + one.message;
          entry.details = (one.note.empty() ? "" : one.note + "\n") + result.heading + "\n\n";
          for (const std::string& line : explanation(result, one, false)) entry.details += line + "\n";
        }
        out.push_back(std::move(entry));
      }
  }
  return out;
}

std::string junit_xml(const std::vector<Case>& cases) {
  const auto failures = [&](std::size_t begin, std::size_t end) {
    const auto at = [&](std::size_t i) { return cases.begin() + static_cast<std::ptrdiff_t>(i); };
    return std::to_string(std::count_if(at(begin), at(end), [](const Case& one) { return !one.message.empty(); }));
  };
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"dynasoc check\" tests=\"" +
                    std::to_string(cases.size()) + "\" failures=\"" + failures(0, cases.size()) + "\" errors=\"0\">\n";
  for (std::size_t i = 0; i < cases.size();) {
    std::size_t end = i;
    while (end < cases.size() && cases[end].part == cases[i].part) ++end;
    out += "  <testsuite name=\"" + xml(cases[i].suite) + "\" tests=\"" + std::to_string(end - i) + "\" failures=\"" +
           failures(i, end) + "\" errors=\"0\" skipped=\"0\">\n";
    for (; i < end; ++i) {
      const Case& one = cases[i];
      out += "    <testcase classname=\"" + xml(full_name(one)) + "\" name=\"" + xml(one.name) + "\"";
      if (one.message.empty()) {
        out += "/>\n";
        continue;
      }
      out += ">\n      <failure message=\"" + xml(one.message) + "\" type=\"regression\">" +
             xml(one.place.text() + "\n" + one.message + "\n" + one.details) + "</failure>\n    </testcase>\n";
    }
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

std::string github_annotations(const std::vector<Case>& cases, const fs::path& workspace) {
  std::string out;
  for (const Case& one : cases) {
    if (one.message.empty()) continue;
    out += "::error file=" + annotation(inside(one.place.file, workspace).string(), true) +
           ",line=" + std::to_string(std::max<std::size_t>(one.place.line, 1)) +
           ",title=" + annotation(full_name(one) + ": " + one.name, true) +
           "::" + annotation(one.message + (one.details.empty() ? "" : "\n" + one.details), false) + "\n";
  }
  return out;
}

}  // namespace dynasoc::suite
