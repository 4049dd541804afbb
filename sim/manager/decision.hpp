// What a manager may do: knob writes, each with its reason and the candidates it beat.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace dynasoc::manager {

enum class Knob : std::uint8_t {
  subnet,     ///< of an application: index
  mapping,    ///< of an application: unit index
  frequency,  ///< of a domain: OPP index; takes it from its governor
  lowest,     ///< of a domain: OPP index that a governor may not go below
  highest,    ///< of a domain: OPP index that a governor may not go above
  governor,   ///< of a domain: gives it back to its governor (the value is ignored)
  cores,      ///< of a unit: cores online
  admission,  ///< of an application: 0 refuses its frames, 1 accepts them
};
std::string_view name_of(Knob knob);

/// A reason, formatted only if somebody reads it: a pattern with `{}` for each number (`{}` prints 4 significant
/// digits). The pattern must be a literal: it outlives the decision.
class Reason {
 public:
  Reason() = default;
  template <class... Numbers>
  requires(sizeof...(Numbers) <= 4 &&
           (std::is_arithmetic_v<Numbers> && ...)) constexpr explicit Reason(const char* pattern, Numbers... numbers)
      : pattern_(pattern), numbers_{static_cast<double>(numbers)...} {}

  std::string text() const;

 private:
  const char* pattern_ = "";
  std::array<double, 4> numbers_{};
};

template <class... Numbers>
constexpr Reason because(const char* pattern, Numbers... numbers) {
  return Reason(pattern, numbers...);
}

/// A choice that was looked at.
struct Candidate {
  int app = -1;
  int subnet = -1;
  int unit = -1;
  int opp = -1;
  double latency_ms = 0;
  double accuracy = 0;
  double energy_mj = 0;
  bool feasible = false;
};

struct Write {
  Knob knob = Knob::subnet;
  int target = 0;  ///< application, domain or unit index
  int value = 0;
  Reason reason;
  double margin = 0;  ///< slack left, relative to the binding target; 0 where it has no meaning
};

/// Knob writes, applied in order. Reused between decisions, so that deciding allocates nothing once warm.
class Decision {
 public:
  void clear() {
    writes.clear();
    candidates.clear();
  }
  void set(Knob knob, int target, int value, Reason reason, double margin = 0) {
    writes.push_back({knob, target, value, reason, margin});
  }

  std::vector<Write> writes;
  std::vector<Candidate> candidates;  ///< only when the observation says `explain`
};

}  // namespace dynasoc::manager
