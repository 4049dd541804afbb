// Events of a trace as text, one by one: what the format asks for, and nothing of runs.
// Source: Trace Event Format (Google, 2016), and what Perfetto reads of it.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "common/text.hpp"
#include "kernel/time.hpp"

namespace dynasoc {

/// A row of the picture.
struct Track {
  long long process = 0;
  long long thread = 0;
};

/// Appends events to a file. Each is begun by a function named after what it draws and may be given arguments before
/// the next one is begun. Names that come in quotes were made by `append_json`.
class TraceFile {
 public:
  explicit TraceFile(FileWriter& file) : file_(file), out_(file.buffer()) {
    out_ += "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  }

  void process_name(long long process, std::string_view quoted) { name("process", {process, 0}, quoted); }
  void thread_name(const Track& track, std::string_view quoted) { name("thread", track, quoted); }

  void slice(const Track& track, std::string_view quoted, std::string_view category, Time begin, Time end) {
    head('X', track, quoted, category, begin);
    out_ += ",\"dur\":";
    append_us(end - begin);
  }
  void instant(const Track& track, std::string_view quoted, std::string_view category, Time at) {
    head('i', track, quoted, category, at);
    out_ += ",\"s\":\"t\"";
  }
  /// A slice that may overlap others of its name: `id` tells them apart.
  void begin_overlapping(const Track& track, std::string_view quoted, std::string_view category, long long id,
                         Time at) {
    overlapping('b', track, quoted, category, id, at);
  }
  void end_overlapping(const Track& track, std::string_view quoted, std::string_view category, long long id, Time at) {
    overlapping('e', track, quoted, category, id, at);
  }
  /// One end of an arrow (`s`), a point that it passes (`t`), the other end (`f`): bound to the slice or instant of
  /// the track that was written last and reaches to `at`.
  void arrow(char step, const Track& track, long long id, Time at) {
    head(step, track, "\"frame\"", "flow", at);
    out_ += ",\"id\":";
    append_number(out_, id);
    if (step == 'f') out_ += ",\"bp\":\"e\"";
  }
  /// A value that holds until the next one. `unit` becomes part of the counter's name.
  void counter(long long process, std::string_view quoted, std::string_view unit, Time at, double value) {
    head('C', {process, 0}, quoted, {}, at);
    argument(unit, value);
  }

  void argument(std::string_view key, double value) {
    if (!std::isfinite(value)) return;
    append_number(argument(key), value);
  }
  void argument(std::string_view key, float value) {
    if (!std::isfinite(value)) return;
    append_number(argument(key), value);
  }
  void argument(std::string_view key, long long value) { append_number(argument(key), value); }
  void argument(std::string_view key, std::string_view text) { append_json(argument(key), text); }
  /// A length of time in milliseconds, exact.
  void argument_ms(std::string_view key, Time value) { append_decimal(argument(key), value, 6); }

  /// Ends the document.
  void end() {
    close();
    out_ += "\n]}\n";
  }

 private:
  void name(std::string_view what, const Track& track, std::string_view quoted) {
    // Each with its place: viewers otherwise sort by name.
    for (const bool sort : {false, true}) {
      begin('M', track);
      out_.append(",\"name\":\"").append(what).append(sort ? "_sort_index\"" : "_name\"");
      if (sort)
        argument("sort_index", what == "thread" ? track.thread : track.process);
      else
        argument("name") += quoted;
    }
  }
  void overlapping(char phase, const Track& track, std::string_view quoted, std::string_view category, long long id,
                   Time at) {
    head(phase, track, quoted, category, at);
    out_ += ",\"id2\":{\"local\":\"";
    append_number(out_, id);
    out_ += "\"}";
  }
  void head(char phase, const Track& track, std::string_view quoted, std::string_view category, Time at) {
    begin(phase, track);
    out_.append(",\"name\":").append(quoted);
    if (!category.empty()) out_.append(",\"cat\":\"").append(category) += '"';
    out_ += ",\"ts\":";
    append_us(at);
  }
  void begin(char phase, const Track& track) {
    close();
    out_ += first_ ? "\n{\"ph\":\"" : ",\n{\"ph\":\"";
    first_ = false;
    open_ = true;
    out_ += phase;
    out_ += "\",\"pid\":";
    append_number(out_, track.process);
    if (track.thread > 0) {
      out_ += ",\"tid\":";
      append_number(out_, track.thread);
    }
  }
  void close() {
    if (arguments_) out_ += '}';
    if (open_) out_ += '}';
    open_ = arguments_ = false;
    file_.flush_if_large();
  }
  std::string& argument(std::string_view key) {
    out_.append(arguments_ ? ",\"" : ",\"args\":{\"").append(key).append("\":");
    arguments_ = true;
    return out_;
  }
  void append_us(Time t) { append_decimal(out_, t, 3); }

  FileWriter& file_;
  std::string& out_;
  bool first_ = true;
  bool open_ = false;
  bool arguments_ = false;
};

}  // namespace dynasoc
