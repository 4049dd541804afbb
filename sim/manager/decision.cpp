#include "manager/decision.hpp"

#include "common/text.hpp"

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
