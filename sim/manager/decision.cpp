#include "manager/decision.hpp"

#include "common/text.hpp"
#include "manager/observation.hpp"

namespace dynasoc::manager {

std::string_view name_of(Knob knob) {
  switch (knob) {
    case Knob::subnet: return "subnet";
    case Knob::mapping: return "mapping";
    case Knob::frequency: return "frequency";
    case Knob::lowest: return "lowest";
    case Knob::highest: return "highest";
    case Knob::governor: return "governor";
    case Knob::cores: return "cores";
    case Knob::admission: return "admission";
    case Knob::batch: return "batch";
  }
  return "?";
}

std::string_view name_of(Trigger trigger) {
  switch (trigger) {
    case Trigger::start: return "start";
    case Trigger::period: return "period";
    case Trigger::arrival: return "arrival";
    case Trigger::completion: return "completion";
    case Trigger::target_change: return "target change";
    case Trigger::load_change: return "load change";
    case Trigger::thermal_trip: return "thermal trip";
  }
  return "?";
}

std::string_view name_of(Constraint constraint) {
  switch (constraint) {
    case Constraint::none: return "none";
    case Constraint::latency: return "latency";
    case Constraint::accuracy: return "accuracy";
    case Constraint::energy: return "energy";
    case Constraint::power: return "power";
    case Constraint::temperature: return "temperature";
    case Constraint::capacity: return "capacity";
    case Constraint::dwell: return "dwell";
    case Constraint::ladder: return "ladder";
  }
  return "?";
}

std::string Reason::text() const {
  std::string out;
  std::size_t next = 0;
  for (const char* c = pattern_; *c != 0; ++c) {
    if (c[0] == '{' && c[1] == '}') {
      if (next < numbers_.size()) out += rounded_text(numbers_[next++]);
      ++c;
    } else {
      out += *c;
    }
  }
  return out;
}

}  // namespace dynasoc::manager
