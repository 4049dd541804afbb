// What a manager may do: knob writes, each with its reason and the candidates it beat.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace dynasoc::manager {

/// What can be written. Values are whole numbers.
enum class Knob : std::uint8_t {
  subnet,     ///< of an application: index of its sub-network, 0 is L1, the smallest
  mapping,    ///< of an application: index of the unit that it runs on
  frequency,  ///< of a domain: index of its operating point, 0 is the slowest; takes it from its governor
  lowest,     ///< of a domain: index of the operating point that its governor may not go below
  highest,    ///< of a domain: index of the operating point that its governor may not go above
  governor,   ///< of a domain: gives it back to its governor (the value is ignored)
  cores,      ///< of a unit: cores online
  admission,  ///< of an application: 0 refuses its frames, 1 accepts them
  batch,      ///< of an application: most waiting frames that its next inferences take together
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

/// A choice that was looked at. Indices; -1 where it does not speak of one.
struct Candidate {
  int app = -1;
  int subnet = -1;
  int unit = -1;
  int opp = -1;           ///< of the unit's first domain
  double latency_ms = 0;  ///< that the policy expects
  double accuracy = 0;    ///< in the network's metric
  double energy_mj = 0;   ///< of one inference
  bool feasible = false;  ///< it keeps the targets, as the policy reckons
};

/// What kept a decision from going further: the target or limit that a better choice would have broken.
enum class Constraint : std::uint8_t {
  none,         ///< slack has no meaning: it is the best there is, or no target is set
  latency,      ///< slack in ms
  accuracy,     ///< slack in points of the network's metric
  energy,       ///< slack in mJ of one inference
  power,        ///< slack in W
  temperature,  ///< slack in K
  capacity,     ///< slack as a share of a unit
  dwell,        ///< slack in ms: too soon after the last change
  ladder,       ///< slack has no meaning: the end of what there is to choose from
};
std::string_view name_of(Constraint constraint);

/// Why a knob was written.
struct Why {
  Reason reason;
  Constraint binding = Constraint::none;
  double slack = 0;   ///< room left to the binding constraint, in its unit; negative where it is broken
  double margin = 0;  ///< room left to the target, relative to it; 0 where it has no meaning
};

/// One knob written.
struct Write {
  Knob knob = Knob::subnet;
  int target = 0;  ///< application, domain or unit index
  int value = 0;
  Why why;
};

/// Knob writes, applied in order.
// Reused between decisions, so that deciding allocates nothing once warm.
class Decision {
 public:
  void clear() {
    writes.clear();
    candidates.clear();
  }
  void set(Knob knob, int target, int value, const Why& why) { writes.push_back({knob, target, value, why}); }
  void set(Knob knob, int target, int value, const Reason& reason, double margin = 0) {
    set(knob, target, value, Why{.reason = reason, .margin = margin});
  }

  std::vector<Write> writes;
  std::vector<Candidate> candidates;  ///< only when the observation says `explain`
};

}  // namespace dynasoc::manager
