#include "scenario/trace/perfetto.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <protozero/pbf_reader.hpp>

#include "common/nan.hpp"
#include "common/text.hpp"

namespace dynasoc::trace {
namespace {

using protozero::pbf_reader;

constexpr std::size_t kMostEvents = 100'000'000;
constexpr std::int64_t kAwake = 4294967295;  // cpu_idle's state on leaving, (u32)-1

// Field numbers of Perfetto's trace_packet.proto and ftrace/*.proto.
namespace field {
constexpr protozero::pbf_tag_type kPacket = 1, kFtraceEvents = 1, kCompressedPackets = 50;
constexpr protozero::pbf_tag_type kCpu = 1, kEvent = 2, kLostEvents = 3, kCompactSched = 4;
constexpr protozero::pbf_tag_type kTimestamp = 1, kPid = 2, kPrint = 3, kSchedSwitch = 4, kCpuFrequency = 11,
                                  kCpuIdle = 13, kClockSetRate = 16, kSchedWakeup = 17, kSchedWaking = 20,
                                  kSchedWakeupNew = 114, kGeneric = 327, kDevfreqFrequency = 541;
}  // namespace field

enum class Kind : std::uint8_t { frequency, idle, schedule, wake, devfreq, clock, mark };

// What is kept of an event until all are sorted. Names are numbers in a table of strings.
struct Event {
  Time at = 0;
  std::int64_t a = 0, b = 0;  // by kind: kHz; state; pids; hertz and load in millionths
  std::uint32_t name = 0, other = 0;
  std::int32_t cpu = 0;
  Kind kind = Kind::mark;
  bool sleeps = false;
};

class Reader {
 public:
  Reader(const std::string& name, ImportReport& report) : where_{name, 0, 0, ""}, report_(report) { number(""); }

  void read(const std::string& data) {
    try {
      pbf_reader trace(data);
      while (trace.next()) {
        if (trace.tag() != field::kPacket || trace.wire_type() != protozero::pbf_wire_type::length_delimited) {
          trace.skip();
          drop("a field that is no packet");
          continue;
        }
        packet(trace.get_view());
      }
    } catch (const protozero::exception&) {
      report_.drop("the rest of the file is no protobuf: cut, or no Perfetto trace", where_, "");
    }
  }

  /// Whether there was a packet of whatever kind: without one it is no trace.
  bool any_packet() const { return any_packet_; }

  void tell(KernelEvents& to) {
    std::stable_sort(events_.begin(), events_.end(), [](const Event& x, const Event& y) { return x.at < y.at; });
    for (const Event& event : events_) {
      to.at(event.at, where_, "");
      const std::string_view name = strings_[event.name];
      switch (event.kind) {
        case Kind::frequency: to.cpu_frequency(event.cpu, static_cast<double>(event.a) / 1000); break;
        case Kind::idle: to.cpu_idle(event.cpu, event.a != 0); break;
        case Kind::schedule:
          to.sched_switch(event.cpu, event.a, name, event.sleeps, event.b, strings_[event.other]);
          break;
        case Kind::wake: to.wakeup(event.a, name); break;
        case Kind::devfreq:
          to.devfreq(name, static_cast<double>(event.a) / 1e6, event.b < 0 ? kNaN : static_cast<double>(event.b) / 1e6);
          break;
        case Kind::clock: to.clock_rate(name, static_cast<double>(event.a) / 1e6); break;
        case Kind::mark: to.marker(event.a, name); break;
      }
    }
  }

 private:
  void drop(std::string_view reason) {
    ++report_.read;
    report_.drop(reason, where_, "");
  }
  std::uint32_t number(std::string_view text) {
    const auto [at, is_new] = numbers_.emplace(std::string(text), static_cast<std::uint32_t>(strings_.size()));
    if (is_new) strings_.push_back(at->first);
    return at->second;
  }
  void keep(const Event& event) {
    ++report_.read;
    if (event.at < 0 || event.at > kMostTime || events_.size() >= kMostEvents)
      return report_.drop("an event with an impossible time", where_, "");
    const bool of_cpu = event.kind == Kind::frequency || event.kind == Kind::idle || event.kind == Kind::schedule;
    if (of_cpu && (event.cpu < 0 || event.cpu >= KernelEvents::kMostCpus))
      return report_.drop("an event of an impossible CPU", where_, "");
    ++report_.taken;
    events_.push_back(event);
  }

  void packet(protozero::data_view data) {
    try {
      pbf_reader packet(data);
      bool any = false;
      while (packet.next()) {
        if (packet.tag() == field::kFtraceEvents && packet.wire_type() == protozero::pbf_wire_type::length_delimited) {
          bundle(packet.get_message());
          any = true;
        } else {
          if (packet.tag() == field::kCompressedPackets) {
            drop("a compressed packet: `traceconv decompress_packets` unpacks it");
            any = true;
          }
          packet.skip();
        }
      }
      any_packet_ = true;
      if (!any) drop("a packet of another kind");
    } catch (const protozero::exception&) {
      drop("a packet that is broken");
    }
  }

  void bundle(pbf_reader bundle) {
    std::int32_t cpu = 0;
    std::vector<protozero::data_view> events, compact;
    while (bundle.next()) {
      const bool message = bundle.wire_type() == protozero::pbf_wire_type::length_delimited;
      const bool number = bundle.wire_type() == protozero::pbf_wire_type::varint;
      if (bundle.tag() == field::kCpu && number)
        cpu = static_cast<std::int32_t>(std::min<std::uint32_t>(bundle.get_uint32(), 1 << 20));
      else if (bundle.tag() == field::kEvent && message)
        events.push_back(bundle.get_view());
      else if (bundle.tag() == field::kCompactSched && message)
        compact.push_back(bundle.get_view());
      else if (bundle.tag() == field::kLostEvents && number) {
        if (bundle.get_uint64() != 0) report_.remark("the tracer lost events here", where_, "");
      } else
        bundle.skip();
    }
    for (const auto& data : events) try {
        event(pbf_reader(data), cpu);
      } catch (const protozero::exception&) {
        drop("an event that is broken");
      }
    for (const auto& data : compact) try {
        compact_schedule(pbf_reader(data), cpu);
      } catch (const protozero::exception&) {
        drop("a block of scheduler events that is broken");
      }
  }

  // The fields of an event's message by their numbers.
  struct Fields {
    std::map<protozero::pbf_tag_type, std::int64_t> numbers;
    std::map<protozero::pbf_tag_type, std::string_view> texts;
    std::int64_t at(protozero::pbf_tag_type tag, std::int64_t otherwise = 0) const {
      const auto found = numbers.find(tag);
      return found == numbers.end() ? otherwise : found->second;
    }
    std::string_view text(protozero::pbf_tag_type tag) const {
      const auto found = texts.find(tag);
      return found == texts.end() ? std::string_view() : found->second;
    }
  };
  static Fields fields(pbf_reader message) {
    Fields out;
    while (message.next()) {
      const auto tag = message.tag();  // reading the value may forget it
      switch (message.wire_type()) {
        case protozero::pbf_wire_type::varint:
          out.numbers[tag] = static_cast<std::int64_t>(message.get_uint64());
          break;
        case protozero::pbf_wire_type::length_delimited: {
          const auto view = message.get_view();
          out.texts[tag] = {view.data(), view.size()};
          break;
        }
        default: message.skip();
      }
    }
    return out;
  }

  void event(pbf_reader message, std::int32_t bundle_cpu) {
    Event out;
    std::int64_t pid = 0;
    protozero::pbf_tag_type kind = 0;
    protozero::data_view body;
    while (message.next()) {
      const bool is_message = message.wire_type() == protozero::pbf_wire_type::length_delimited;
      const bool is_number = message.wire_type() == protozero::pbf_wire_type::varint;
      if (message.tag() == field::kTimestamp && is_number)
        out.at = static_cast<Time>(message.get_uint64());
      else if (message.tag() == field::kPid && is_number)
        pid = static_cast<std::int64_t>(message.get_uint64());
      else if (is_message)
        kind = message.tag(), body = message.get_view();
      else
        message.skip();
    }
    if (kind == 0) return drop("an event without content");
    const Fields f = fields(pbf_reader(body));
    const auto cpu_of = [](std::int64_t cpu) {
      return static_cast<std::int32_t>(std::clamp<std::int64_t>(cpu, -1, 1 << 20));
    };
    out.cpu = bundle_cpu;
    switch (kind) {
      case field::kCpuFrequency: out.kind = Kind::frequency, out.a = f.at(1), out.cpu = cpu_of(f.at(2)); break;
      case field::kCpuIdle:
        out.kind = Kind::idle, out.a = f.at(1) != kAwake && f.at(1) != -1, out.cpu = cpu_of(f.at(2));
        break;
      case field::kSchedSwitch:
        out.kind = Kind::schedule, out.a = f.at(2), out.b = f.at(6);
        out.name = number(f.text(1)), out.other = number(f.text(5)), out.sleeps = sleeps(f.at(4));
        break;
      case field::kSchedWakeup:
      case field::kSchedWaking:
      case field::kSchedWakeupNew: out.kind = Kind::wake, out.a = f.at(2), out.name = number(f.text(1)); break;
      case field::kClockSetRate: out.kind = Kind::clock, out.a = f.at(2), out.name = number(f.text(1)); break;
      case field::kPrint: out.kind = Kind::mark, out.a = pid, out.name = number(f.text(2)); break;
      case field::kDevfreqFrequency:
        out.kind = Kind::devfreq, out.a = f.at(2), out.name = number(f.text(1));
        out.b = millionths(f.at(4), f.at(5));
        break;
      case field::kGeneric:
        if (!generic(pbf_reader(body), out)) return drop("an event of another kind");
        break;
      default: return drop("an event of another kind");
    }
    if (out.kind != Kind::mark && out.kind != Kind::schedule && out.a < 0) return drop("an event that is broken");
    keep(out);
  }

  // A share of at most 1; -1 where it is not known.
  static std::int64_t millionths(std::int64_t part, std::int64_t whole) {
    if (part < 0 || whole <= 0) return -1;
    return static_cast<std::int64_t>(1e6 * std::min(1.0, static_cast<double>(part) / static_cast<double>(whole)));
  }

  // The state is that of the kernel: 0 is runnable, the bit above the states a preemption.
  static bool sleeps(std::int64_t state) { return (state & 0xFF) != 0; }

  // GenericFtraceEvent: a name, and fields with names: devfreq_monitor on kernels that Perfetto does not know it of.
  bool generic(pbf_reader message, Event& out) {
    std::string_view name;
    std::map<std::string, std::string, std::less<>> texts;
    std::map<std::string, std::int64_t, std::less<>> numbers;
    while (message.next()) {
      if (message.wire_type() != protozero::pbf_wire_type::length_delimited) {
        message.skip();
        continue;
      }
      const auto tag = message.tag();
      const auto view = message.get_view();
      if (tag == 1) {
        name = {view.data(), view.size()};
      } else if (tag == 2) {
        const Fields f = fields(pbf_reader(view));
        const std::string key(f.text(1));
        if (f.texts.contains(3)) texts[key] = f.text(3);
        if (f.numbers.contains(4) || f.numbers.contains(5)) numbers[key] = f.at(4, f.at(5));
      }
    }
    const auto whole = [&](const char* key) { return numbers.contains(key) ? numbers.find(key)->second : -1; };
    const auto text = [&](const char* key) {
      return texts.contains(key) ? std::string_view(texts.find(key)->second) : "";
    };
    if (name == "devfreq_monitor" || name == "devfreq_frequency") {
      out.kind = Kind::devfreq, out.a = whole("freq"), out.name = number(text("dev_name"));
      out.b = whole("load") >= 0 ? millionths(whole("load"), 100) : millionths(whole("busy_time"), whole("total_time"));
      return out.a >= 0;
    }
    if (name == "clock_set_rate") {
      out.kind = Kind::clock, out.a = whole("state"), out.name = number(text("name"));
      return out.a >= 0;
    }
    return false;
  }

  // Columns of numbers; times are differences. Who was switched from follows from the switch before on the same CPU.
  void compact_schedule(pbf_reader message, std::int32_t cpu) {
    std::vector<std::string_view> names;
    std::map<protozero::pbf_tag_type, std::vector<std::int64_t>> columns;
    while (message.next()) {
      if (message.wire_type() != protozero::pbf_wire_type::length_delimited) {
        message.skip();
        continue;
      }
      const auto tag = message.tag();
      if (constexpr protozero::pbf_tag_type kInternTable = 5; tag == kInternTable) {
        const auto view = message.get_view();
        names.emplace_back(view.data(), view.size());
        continue;
      }
      std::vector<std::int64_t>& column = columns[tag];
      for (const std::uint64_t x : message.get_packed_uint64()) column.push_back(static_cast<std::int64_t>(x));
    }
    const auto name_at = [&](std::int64_t index) {
      return index >= 0 && static_cast<std::size_t>(index) < names.size() ? names[static_cast<std::size_t>(index)]
                                                                          : std::string_view();
    };
    const auto next_time = [](Time& at, std::int64_t step) {
      at = step < 0 || step > kMostTime - at ? kMostTime + 1 : at + step;
    };
    constexpr protozero::pbf_tag_type kTime = 1, kPrevState = 2, kNextPid = 3, kNextName = 6, kWakeTime = 7,
                                      kWakePid = 8, kWakeName = 11;
    const std::size_t switches = std::min(
        {columns[kTime].size(), columns[kPrevState].size(), columns[kNextPid].size(), columns[kNextName].size()});
    Time at = 0;
    for (std::size_t i = 0; i < switches; ++i) {
      next_time(at, columns[kTime][i]);
      if (at > kMostTime) return drop("a block of scheduler events that is broken");
      Event out;
      out.kind = Kind::schedule, out.at = at, out.cpu = cpu;
      out.b = columns[kNextPid][i], out.other = number(name_at(columns[kNextName][i]));
      out.sleeps = sleeps(columns[kPrevState][i]);
      // What ran before the first of them is not known.
      auto& [pid, name] = running_.try_emplace(cpu, KernelEvents::kNotKnown, 0).first->second;
      out.a = pid, out.name = name;
      pid = out.b, name = out.other;
      keep(out);
    }
    at = 0;
    const std::size_t wakes =
        std::min({columns[kWakeTime].size(), columns[kWakePid].size(), columns[kWakeName].size()});
    for (std::size_t i = 0; i < wakes; ++i) {
      next_time(at, columns[kWakeTime][i]);
      if (at > kMostTime) return drop("a block of scheduler events that is broken");
      Event out;
      out.kind = Kind::wake, out.at = at, out.cpu = cpu;
      out.a = columns[kWakePid][i], out.name = number(name_at(columns[kWakeName][i]));
      keep(out);
    }
  }

  static constexpr Time kMostTime = 4'000'000'000'000'000'000;
  Location where_;
  ImportReport& report_;
  bool any_packet_ = false;
  std::vector<Event> events_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::vector<std::string_view> strings_;  // of the keys of `numbers_`, which do not move
  std::map<std::int32_t, std::pair<std::int64_t, std::uint32_t>>
      running_;  // by CPU: last switched to, in compact blocks
};

}  // namespace

void import_perfetto(const Source& source, ImportReport& report, KernelEvents& events) {
  report.kind = "perfetto";
  report.files.push_back(source.name);
  const std::string data = read_file(source.path);
  report.bytes += data.size();
  Reader reader(source.name, report);
  reader.read(data);
  if (report.taken == 0) nothing_understood(source, report, reader.any_packet() ? "" : "is no Perfetto trace");
  reader.tell(events);
  events.finish();
  report.rows = events.rows();
}

}  // namespace dynasoc::trace
