// What a learning manager sees and does, as plain numbers: a vector of features, and one choice for each knob.
//
// Training and the trained policy share this file, so that what was learnt in one means the same in the other. Features
// are of order 1 and bounded, and a monitor that is not there reads 0: a learner never meets a NaN.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "manager/policy.hpp"

namespace dynasoc::manager {

/// What a learner is asked about.
enum class Asked : std::uint8_t { completion, arrival, period };

}  // namespace dynasoc::manager

template <>
struct dynasoc::EnumNames<dynasoc::manager::Asked> {
  using Asked = dynasoc::manager::Asked;
  static constexpr std::array<std::pair<std::string_view, Asked>, 3> names{
      {{"completion", Asked::completion}, {"arrival", Asked::arrival}, {"period", Asked::period}}};
};

namespace dynasoc::manager {

/// When a learner is asked and which knobs it has; a member of a trained policy's file, and an argument in Python.
struct LearningFile {
  Asked asked = Asked::completion;
  double period_ms = 50;
  bool subnets = true;
  bool units = false;
  int clocks = 6;
  std::vector<Name> clock_units = {};
  double cost_us = 20;

  static constexpr auto fields() {
    using F = LearningFile;
    return describe(
        field(&F::asked, "asked", "when it decides: at each completion, at each arrival, or every period_ms"),
        field(&F::period_ms, "period_ms", positive(), "of asked = period"),
        field(&F::subnets, "subnets", "it chooses the sub-network of each application"),
        field(&F::units, "units", "it chooses the processing unit of each application"),
        field(
            &F::clocks, "clocks", range(0, 64),
            "operating points to choose from, evenly spaced from a unit's lowest to its highest (all of them where it "
            "has no more); 0 = it leaves clocks alone"),
        field(&F::clock_units, "clock_units",
              "processing units whose clocks it chooses; default: each that applications run on or may run on"),
        field(&F::cost_us, "cost_us", non_negative(),
              "compute time of a decision, charged to the unit that managers run on: an assumption about a board, "
              "nobody measured it there"));
  }
};

/// The triggers of a learner.
Triggers triggers_of(const LearningFile& file);

/// Features and choices of one scenario on one board: the same for every observation of it.
class LearningSpace {
 public:
  /// One knob: the learner says which of `values` to write.
  struct Head {
    Knob knob;
    int target;               ///< index of the application, or of the unit, all of whose clocks are set
    std::string name;         ///< `camera.subnet`, `camera.unit`, `gpu.clock`
    std::vector<int> values;  ///< sub-network, unit or operating point, by choice
  };

  LearningSpace() = default;

  /// From the first observation of a run: clocks to choose from are those that its limits allow then. Throws InputError
  /// for a unit that is not there, and where nothing is left to decide.
  LearningSpace(const LearningFile& file, const Observation& seen);

  const std::vector<Head>& heads() const { return heads_; }
  const std::vector<std::string>& features() const { return features_; }

  /// Writes `features().size()` numbers.
  void observe(const Observation& seen, float* out) const;

  /// Turns `choices` (one for each head, 0 to its number of values) into writes; what is so already is not written. A
  /// `why` for each head. Throws InputError for a choice that is not there.
  void write(const Observation& seen, std::span<const std::int64_t> choices, std::span<const Why> why,
             Decision& out) const;

 private:
  std::vector<int> clocks_of(const Observation& seen, const UnitView& unit) const;

  LearningFile file_;
  std::vector<Head> heads_;
  std::vector<std::string> features_;
  std::vector<std::vector<int>> clocks_;  // by unit: operating points of its first domain that features speak of
};

}  // namespace dynasoc::manager
