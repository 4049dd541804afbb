#include "scenario/trace/ftrace.hpp"

#include <algorithm>
#include <optional>

#include "scenario/trace/decimal.hpp"
#include "scenario/trace/line_reader.hpp"

namespace dynasoc::trace {
namespace {

// `key=value`: up to the next space; comms may hold spaces, so that theirs goes up to ` next`.
std::string_view value_of(std::string_view fields, std::string_view key, std::string_view next = " ") {
  for (std::size_t at = 0; (at = fields.find(key, at)) != std::string_view::npos; at += key.size()) {
    if ((at > 0 && fields[at - 1] != ' ') || at + key.size() >= fields.size() || fields[at + key.size()] != '=')
      continue;
    const std::string_view rest = fields.substr(at + key.size() + 1);
    return rest.substr(0, rest.find(next));
  }
  return {};
}

struct Line {
  std::string_view comm;
  std::int64_t pid = 0;
  int cpu = 0;
  Time at = 0;
  std::string_view event, fields;
};

// `  comm-pid (tgid) [cpu] flags seconds: event: fields`, with or without tgid and flags.
std::optional<Line> parse(std::string_view line) {
  for (std::size_t open = 0; (open = line.find(" [", open)) != std::string_view::npos; ++open) {
    const std::size_t close = line.find(']', open);
    if (close == std::string_view::npos) return {};
    const auto cpu = whole(line.substr(open + 2, close - open - 2));
    if (!cpu || *cpu < 0 || *cpu >= KernelEvents::kMostCpus) continue;
    Line out;
    out.cpu = static_cast<int>(*cpu);
    std::string_view task = line.substr(0, open);
    task.remove_prefix(std::min(task.find_first_not_of(' '), task.size()));
    if (const auto tgid = task.rfind(" ("); tgid != std::string_view::npos && task.ends_with(')'))
      task = task.substr(0, tgid);
    while (task.ends_with(' ')) task.remove_suffix(1);
    const auto dash = task.rfind('-');
    if (dash == std::string_view::npos) continue;
    const auto pid = whole(task.substr(dash + 1));
    if (!pid) continue;
    out.comm = task.substr(0, dash);
    out.pid = *pid;
    std::string_view rest = line.substr(close + 1);
    for (int words = 0; words < 3; ++words) {  // the time is the first or the second word
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(word.size());
      if (!word.ends_with(':') || word.find('.') == std::string_view::npos) continue;
      const auto at = decimal(word.substr(0, word.size() - 1), 9);
      constexpr Time kMost = 4'000'000'000'000'000'000;
      if (!at || *at < 0 || *at > kMost) continue;
      out.at = *at;
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      const auto colon = rest.find(':');
      if (colon == std::string_view::npos) return {};
      out.event = rest.substr(0, colon);
      out.fields = rest.substr(colon + 1);
      out.fields.remove_prefix(std::min(out.fields.find_first_not_of(' '), out.fields.size()));
      while (out.fields.ends_with(' ')) out.fields.remove_suffix(1);
      return out;
    }
  }
  return {};
}

// Whether a previous task's state says that it waits: R is runnable, R+ was preempted.
bool sleeps(std::string_view state) { return !state.empty() && state[0] != 'R'; }

enum class Taken { yes, no, broken };

bool is_cpu(std::int64_t number) { return number >= 0 && number < KernelEvents::kMostCpus; }

// trace-cmd's own form: `comm:pid [prio] S ==> comm:pid [prio]`.
Taken short_switch(const Line& line, KernelEvents& events) {
  const auto arrow = line.fields.find(" ==> ");
  if (arrow == std::string_view::npos) return Taken::broken;
  const auto side = [](std::string_view text, std::string_view& comm,
                       std::string_view& state) -> std::optional<std::int64_t> {
    const auto priority = text.find(" [");
    const std::string_view who = text.substr(0, priority);
    const auto colon = who.rfind(':');
    if (colon == std::string_view::npos) return {};
    comm = who.substr(0, colon);
    const auto close = text.find("] ");
    state = close == std::string_view::npos ? "" : text.substr(close + 2);
    return whole(who.substr(colon + 1));
  };
  std::string_view prev, next, state, unused;
  const auto prev_pid = side(line.fields.substr(0, arrow), prev, state);
  const auto next_pid = side(line.fields.substr(arrow + 5), next, unused);
  if (!prev_pid || !next_pid) return Taken::broken;
  events.sched_switch(line.cpu, *prev_pid, prev, sleeps(state), *next_pid, next);
  return Taken::yes;
}

Taken take(const Line& line, KernelEvents& events) {
  const auto number = [&](std::string_view key) { return whole(value_of(line.fields, key)); };
  if (line.event == "sched_switch") {
    if (value_of(line.fields, "prev_pid").empty()) return short_switch(line, events);
    const auto prev = number("prev_pid"), next = number("next_pid");
    if (!prev || !next) return Taken::broken;
    events.sched_switch(line.cpu, *prev, value_of(line.fields, "prev_comm", " prev_pid="),
                        sleeps(value_of(line.fields, "prev_state")), *next,
                        value_of(line.fields, "next_comm", " next_pid="));
    return Taken::yes;
  }
  if (line.event == "sched_waking" || line.event == "sched_wakeup" || line.event == "sched_wakeup_new") {
    if (const auto pid = number("pid")) {
      events.wakeup(*pid, value_of(line.fields, "comm", " pid="));
      return Taken::yes;
    }
    const std::string_view who = line.fields.substr(0, line.fields.find(" ["));
    const auto colon = who.rfind(':');
    const auto pid = colon == std::string_view::npos ? std::nullopt : whole(who.substr(colon + 1));
    if (!pid) return Taken::broken;
    events.wakeup(*pid, who.substr(0, colon));
    return Taken::yes;
  }
  if (line.event == "cpu_frequency") {
    const auto khz = number("state"), cpu = number("cpu_id");
    if (!khz || !cpu || *khz < 0 || !is_cpu(*cpu)) return Taken::broken;
    events.cpu_frequency(static_cast<int>(*cpu), static_cast<double>(*khz) / 1000);
    return Taken::yes;
  }
  if (line.event == "cpu_idle") {
    const auto state = number("state"), cpu = number("cpu_id");
    if (!state || !cpu || !is_cpu(*cpu)) return Taken::broken;
    constexpr std::int64_t kAwake = 4294967295;  // PWR_EVENT_EXIT, (u32)-1
    events.cpu_idle(static_cast<int>(*cpu), *state != kAwake && *state != -1);
    return Taken::yes;
  }
  // Both print `dev_name=… freq=… … load=…`, the load in percent (include/trace/events/devfreq.h): devfreq_frequency's
  // busy_time and total_time are in the record and not in the text.
  if (line.event == "devfreq_monitor" || line.event == "devfreq_frequency") {
    const std::string_view device = value_of(line.fields, "dev_name");
    const auto hz = number("freq"), load = number("load");
    if (device.empty() || !hz || !load || *hz < 0) return Taken::broken;
    events.devfreq(device, static_cast<double>(*hz) / 1e6, static_cast<double>(*load) / 100);
    return Taken::yes;
  }
  if (line.event == "clock_set_rate") {
    const auto hz = number("state");
    const std::string_view name = line.fields.substr(0, line.fields.find(' '));
    if (!hz || *hz < 0 || name.empty()) return Taken::broken;
    events.clock_rate(name, static_cast<double>(*hz) / 1e6);
    return Taken::yes;
  }
  if (line.event == "tracing_mark_write" || line.event == "print") {
    std::string_view text = line.fields;
    constexpr std::string_view kCaller = "tracing_mark_write: ";  // trace-cmd: `print: tracing_mark_write: B|…`
    if (text.starts_with(kCaller)) text.remove_prefix(kCaller.size());
    events.marker(line.pid, text);
    return Taken::yes;
  }
  return Taken::no;
}

}  // namespace

void import_ftrace(const Source& source, ImportReport& report, KernelEvents& events) {
  report.kind = "ftrace";
  report.files.push_back(source.name);
  LineReader reader(source);
  for (std::string_view text; reader.next(text);) {
    ++report.read;
    const Location here = reader.here();
    if (text.empty()) {
      report.drop("an empty line", here, text);
    } else if (text[0] == '#') {
      report.drop("a comment", here, text);
      // # entries-in-buffer/entries-written: 2000/53210   #P:6
      constexpr std::string_view kEntries = "entries-in-buffer/entries-written:";
      if (const auto at = text.find(kEntries); at != std::string_view::npos) {
        std::string_view counts = text.substr(at + kEntries.size());
        counts.remove_prefix(std::min(counts.find_first_not_of(' '), counts.size()));
        const auto slash = counts.find('/');
        if (slash == std::string_view::npos) continue;
        const auto kept = whole(counts.substr(0, slash));
        std::size_t digits = slash + 1;
        while (digits < counts.size() && is_digit(counts[digits])) ++digits;
        const auto written = whole(counts.substr(slash + 1, digits - slash - 1));
        if (kept && written && *written > *kept && *kept >= 0)
          report.note("the ring buffer wrapped around: the first " + std::to_string(*written - *kept) + " of " +
                      std::to_string(*written) + " events were overwritten before they were read");
      }
    } else if (text.find(" EVENTS]") != std::string_view::npos && text.starts_with("CPU:")) {
      report.remark("the tracer lost events here", here, text);
    } else if (const auto line = parse(text)) {
      if (reader.cut()) {
        report.drop("the last line ends without a line break: cut, as by a killed tracer", here, text);
        continue;
      }
      events.at(line->at, here, text);
      switch (take(*line, events)) {
        case Taken::yes: ++report.taken; break;
        case Taken::no: report.drop("an event of another kind", here, text); break;
        case Taken::broken: report.drop("an event that is broken", here, text); break;
      }
    } else {
      report.drop(reader.cut() ? "the last line is cut" : "no event", here, text);
    }
  }
  report.bytes += reader.bytes();
  if (report.taken == 0) nothing_understood(source, report);
  events.finish();
  report.rows = events.rows();
}

}  // namespace dynasoc::trace
