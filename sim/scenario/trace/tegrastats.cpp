#include "scenario/trace/tegrastats.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "common/nan.hpp"
#include "scenario/trace/decimal.hpp"
#include "scenario/trace/line_clock.hpp"
#include "scenario/trace/line_reader.hpp"

namespace dynasoc::trace {
namespace {

constexpr double kSensorOff = -256;  // what tegrastats prints for a zone without power

bool is_of_name(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// A number at the front of `text`, which is taken off.
bool take_number(std::string_view& text, double& x) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x, std::chars_format::fixed);
  if (code != std::errc{} || !std::isfinite(x)) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}
bool take_whole(std::string_view& text, std::int64_t& x) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (code != std::errc{} || x < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// `GR3D_FREQ` is the GPU; engines go by their names in lower case.
std::string engine_name(std::string_view word) {
  if (word.ends_with("_FREQ")) word.remove_suffix(5);
  return word == "GR3D" ? "gpu" : lower(word);
}

class Importer {
 public:
  Importer(const TegrastatsOptions& options, TimelineColumns& columns, TimelineSink& sink)
      : columns_(columns), clock_(options.interval_ms, report_, sink) {
    report_.kind = "tegrastats";
  }

  ImportReport run(const std::vector<Source>& files) {
    for (const Source& source : files) {
      report_.files.push_back(source.name);
      const std::uint64_t taken_before = report_.taken;
      LineReader reader(source);
      for (std::string_view line; reader.next(line);) read_line(reader, line);
      report_.bytes += reader.bytes();
      if (report_.taken == taken_before) nothing_understood(source, report_);
    }
    clock_.finish();
    if (with_unit_ > 0)
      report_.note("rails with a unit, as of JetPack 5 and later, in " + std::to_string(with_unit_) + " lines");
    if (without_unit_ > 0)
      report_.note("rails without a unit, as of JetPack 4, read as mW, in " + std::to_string(without_unit_) + " lines");
    if (with_unit_ > 0 && without_unit_ > 0) report_.note("the log mixes both forms of rails");
    report_.note("of rails the momentary value is kept, not tegrastats' running average behind it");
    report_.rows = clock_.rows();
    report_.columns = columns_.names();
    return std::move(report_);
  }

 private:
  enum class Kind { engine_utilisation, engine_mhz, memory, temperature, rail };

  void read_line(const LineReader& reader, std::string_view line) {
    ++report_.read;
    here_ = &reader;
    line_ = line;
    odd_.clear();
    if (line.find_first_not_of(" \t") == std::string_view::npos) return drop("empty line");
    if (line.find('\0') != std::string_view::npos)
      return drop("holds NUL bytes, as a file does whose writer lost power");
    if (reader.cut()) return drop("the last line ends without a line break: cut, as by a killed logger");
    std::int64_t second = kUndated;
    if (is_digit(line[0])) second = take_date(line);
    row_.assign(columns_.size(), kNaN);
    seen_memory_ = seen_cpus_ = false;
    while (!line.empty())
      if (!read_item(line)) return;
    if (!seen_memory_ || !seen_cpus_) return drop(seen_memory_ ? "no CPU […]" : "no line of tegrastats: no RAM …");
    if (second == kUndated && dated_) remark("no date, in a log that has dates: placed behind the line before");
    dated_ = dated_ || second != kUndated;
    ++report_.taken;
    for (const auto& [reason, example] : odd_) report_.remark(reason, here_->here(), example);
    clock_.line(second, row_, here_->here(), line_);
  }

  // One name with what belongs to it. False where the line is given up.
  bool read_item(std::string_view& line) {
    const std::string_view name = take_word(line);
    if (name.empty()) return true;
    if (name[0] == '(') {  // (lfb 2x4MB), (cached 0MB)
      const std::size_t end = line.find(')');
      if (name.back() != ')') line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
      return true;
    }
    if (name == "CPU" || name == "cpu") return read_cpus(line);
    if (const std::size_t at = name.find('@'); at != std::string_view::npos && at > 0)
      return read_temperature(name, at), true;
    if (name == "MTS") {  // MTS fg 0% bg 0%: of Denver cores
      for (int i = 0; i < 4; ++i) take_word(line);
      return true;
    }
    const std::string_view value = take_word(line);
    if (value.empty() || !read_value(name, value)) {
      remark("a word that is not understood, the rest of its line is taken", name, value);
      // The value may be the next name: CPU lists must not be lost to a word before them.
      if (value == "CPU" || value == "cpu") return read_cpus(line);
    }
    return true;
  }

  bool read_value(std::string_view name, std::string_view value) {
    if (value == "off") return true;  // an engine without power: no clock, no load
    double x = 0;
    std::string_view rest = value;
    if (!take_number(rest, x) || x < 0) return false;
    if (take(rest, "%")) {
      if (x > 100) return remark("a share above 100 %, left out", name, value), true;
      double mhz = kNaN;
      if (take(rest, "@") && !take_clock(rest, mhz)) return false;
      if (!rest.empty()) return false;
      put(Kind::engine_utilisation, name, x / 100);
      if (!std::isnan(mhz)) put(Kind::engine_mhz, name, mhz);
      return true;
    }
    if (rest.empty()) return put(Kind::engine_mhz, name, x), true;
    const bool unit = take(rest, "mW");
    if (!take(rest, "/")) return false;
    double second = 0;
    if (!take_number(rest, second)) return false;
    if (!unit && (take(rest, "MB") || take(rest, "kB"))) {
      if (name == "RAM") seen_memory_ = true;
      if (name == "RAM" || name == "SWAP") put(Kind::memory, name, x);
      return true;
    }
    if (unit != take(rest, "mW") || !rest.empty()) return false;
    ++(unit ? with_unit_ : without_unit_);
    if (name != "NC") put(Kind::rail, name, x);  // NC: a channel of the monitor that is not connected
    return true;
  }

  // `1109`, `[1109]`, `[1300,0]`: of several the highest.
  bool take_clock(std::string_view& text, double& mhz) {
    if (!take(text, "[")) return take_number(text, mhz);
    mhz = 0;
    int clocks = 0;
    do {
      double x = 0;
      if (!take_number(text, x)) return false;
      if (++clocks == 2 && x != mhz && x > 0) remark("parts of the GPU at different clocks: the highest is taken");
      mhz = std::max(mhz, x);
    } while (take(text, ","));
    return take(text, "]");
  }

  // [12%@1190,off,…], or in old releases [12%,off]@1190.
  bool read_cpus(std::string_view& line) {
    std::string_view list = take_word(line);
    if (!take(list, "[")) return drop("CPU without a list"), false;
    std::size_t cpu = 0;
    bool clocks = false;
    for (;; ++cpu) {
      if (cpu == cpu_columns_.size()) {
        const std::string name = "cpu" + std::to_string(cpu);
        const std::size_t utilisation = columns_.index(name + "_utilisation"), mhz = columns_.index(name + "_mhz");
        cpu_columns_.emplace_back(utilisation, mhz);
      }
      if (row_.size() < columns_.size()) row_.resize(columns_.size(), kNaN);
      if (!take(list, "off")) {
        std::int64_t percent = 0, mhz = 0;
        if (!take_whole(list, percent) || !take(list, "%") || percent > 100)
          return drop("the list of CPUs is broken"), false;
        row_[cpu_columns_[cpu].first] = static_cast<double>(percent) / 100;
        if (take(list, "@")) {
          if (!take_whole(list, mhz)) return drop("the list of CPUs is broken"), false;
          row_[cpu_columns_[cpu].second] = static_cast<double>(mhz);
          clocks = true;
        }
      }
      if (cpu >= kMostCpus) return drop("the list of CPUs is broken"), false;
      if (!take(list, ",")) break;
    }
    if (!take(list, "]")) return drop("the list of CPUs is broken"), false;
    std::int64_t mhz = 0;
    if (!clocks && take(list, "@") && take_whole(list, mhz))
      for (std::size_t i = 0; i <= cpu; ++i)
        if (!std::isnan(row_[cpu_columns_[i].first])) row_[cpu_columns_[i].second] = static_cast<double>(mhz);
    if (seen_cpus_) return drop("two lists of CPUs in a line: two lines run into each other"), false;
    seen_cpus_ = true;
    return true;
  }

  void read_temperature(std::string_view word, std::size_t at) {
    std::string_view value = word.substr(at + 1);
    double x = 0;
    if (!take_number(value, x) || value != "C")
      return remark("a word that is not understood, the rest of its line is taken", word, "");
    if (x == kSensorOff) return remark("a temperature of -256 C (a sensor without power), left out", word, "");
    put(Kind::temperature, word.substr(0, at), x);
  }

  // Lines of a log have their words in the same order: that of the last line is tried first.
  void put(Kind kind, std::string_view name, double x) {
    for (std::size_t tried = 0; tried < known_.size(); ++tried) {
      if (next_known_ >= known_.size()) next_known_ = 0;
      const Known& known = known_[next_known_++];
      if (known.kind != kind || known.name != name) continue;
      if (known.column < row_.size()) row_[known.column] = x;
      return;
    }
    constexpr std::size_t kMostNames = 512;  // beyond any board: a broken log must not grow columns without end
    if (known_.size() >= kMostNames) return remark("too many different names", name, "");
    if (!std::all_of(name.begin(), name.end(), is_of_name))
      return remark("a word that is not understood, the rest of its line is taken", name, "");
    const std::size_t column = columns_.index(column_name(kind, name));
    known_.push_back({kind, std::string(name), column});
    next_known_ = known_.size();
    row_.resize(columns_.size(), kNaN);
    row_[column] = x;
  }
  static std::string column_name(Kind kind, std::string_view name) {
    switch (kind) {
      case Kind::engine_utilisation: return engine_name(name) + "_utilisation";
      case Kind::engine_mhz: return engine_name(name) + "_mhz";
      case Kind::memory: return lower(name) + "_used_mb";
      case Kind::temperature: return lower(name) + "_temperature_c";
      case Kind::rail: break;
    }
    return std::string(name) + "_mw";
  }

  // MM-DD-YYYY HH:MM:SS at the front, which is taken off; seconds since 1970.
  std::int64_t take_date(std::string_view& line) {
    constexpr std::string_view kForm = "00-00-0000 00:00:00";
    if (line.size() <= kForm.size() || line[kForm.size()] != ' ') return kUndated;
    std::int64_t parts[6] = {};
    std::size_t part = 0;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
      if (kForm[i] != '0') {
        if (line[i] != kForm[i]) return kUndated;
        ++part;
      } else if (is_digit(line[i])) {
        parts[part] = 10 * parts[part] + (line[i] - '0');
      } else {
        return kUndated;
      }
    }
    using namespace std::chrono;
    const year_month_day date{year(static_cast<int>(parts[2])), month(static_cast<unsigned>(parts[0])),
                              day(static_cast<unsigned>(parts[1]))};
    if (!date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) {
      remark("a date that does not exist, ignored");
      line.remove_prefix(kForm.size());
      return kUndated;
    }
    line.remove_prefix(kForm.size());
    return sys_days(date).time_since_epoch().count() * 86400LL + parts[3] * 3600 + parts[4] * 60 + parts[5];
  }

  void drop(std::string_view reason) { report_.drop(reason, here_->here(), line_); }
  void remark(std::string_view reason) { odd_.emplace_back(reason, line_); }
  void remark(std::string_view reason, std::string_view name, std::string_view value) {
    odd_.emplace_back(reason, std::string(name) + (value.empty() ? "" : " ") + std::string(value));
  }

  static constexpr std::size_t kMostCpus = 256;
  static constexpr std::int64_t kUndated = LineClock::kUndated;
  struct Known {
    Kind kind;
    std::string name;
    std::size_t column;
  };
  TimelineColumns& columns_;
  ImportReport report_;
  LineClock clock_;
  const LineReader* here_ = nullptr;
  std::string_view line_;
  std::vector<std::pair<std::string_view, std::string>> odd_;  // of the line, told if it is taken
  std::vector<double> row_;
  std::vector<std::pair<std::size_t, std::size_t>> cpu_columns_;  // utilisation, MHz
  std::vector<Known> known_;
  std::size_t next_known_ = 0;
  bool seen_memory_ = false, seen_cpus_ = false, dated_ = false;
  std::uint64_t with_unit_ = 0, without_unit_ = 0;  // rails
};

}  // namespace

ImportReport import_tegrastats(const std::vector<Source>& files, const TegrastatsOptions& options,
                               TimelineColumns& columns, TimelineSink& sink) {
  return Importer(options, columns, sink).run(files);
}

}  // namespace dynasoc::trace
