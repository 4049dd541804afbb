#include "scenario/trace/recognise.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>

#include "common/text.hpp"

namespace dynasoc::trace {

std::string recognise(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) return "";  // to open a pipe might block, and it is read already
  std::ifstream file(path, std::ios::binary);
  std::string head(64 << 10, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  const auto has = [&](std::string_view text) { return head.find(text) != std::string::npos; };
  // A trace is packets in field 1: each begins with the byte 0x0A. Text that begins so is an empty line.
  const bool binary = head.find('\0') != std::string::npos || first_invalid_utf8(head) < head.size();
  if (head.size() > 2 && head[0] == '\n' && binary) return "perfetto";
  if (has("RAM ") && (has("CPU [") || has("cpu [") || has("GR3D"))) return "tegrastats";
  if (has(":::MLLOG") || has("MLPerf Results Summary") || (has("\"Sample\"") && has("\"ph\""))) return "loadgen";
  if (has("# tracer:") || has("cpu_frequency:") || has("sched_switch:") || has("cpu_idle:") || has("devfreq_"))
    return "ftrace";
  const std::string first = head.substr(0, head.find('\n'));
  if (first_invalid_utf8(first) == first.size() && std::count(first.begin(), first.end(), ',') > 0) return "csv";
  return "";
}

std::string description_of(const std::string& kind) {
  if (kind == "tegrastats") return "a tegrastats log";
  if (kind == "ftrace") return "an ftrace log";
  if (kind == "perfetto") return "a Perfetto trace";
  if (kind == "loadgen") return "a log of MLPerf LoadGen";
  return "a CSV file";
}

}  // namespace dynasoc::trace
