// Expectation: what choosing among measured cells saves, against staying in one power mode. Tables only, no model.
#pragma once

#include "results/checks/finding.hpp"

namespace dynasoc::check {

struct Choice {
  static constexpr std::string_view kind = "choice";
  static constexpr std::string_view doc =
      "what a manager would save that chooses among the cells of a table (sub-networks and power modes), against the "
      "best choice within each power mode: at every accuracy that the network has, and at `targets` latency targets "
      "between the fastest and the slowest cell (equal ratios), one frame in each target's time. Energy of that time "
      "is the cell's measured energy and the measured idle power for the rest of it. Nothing was published: an **own "
      "result**";
  Name network;
  Name table;
  std::string unit;
  int targets = 40;
  Where where;

  static constexpr auto fields() {
    using S = Choice;
    return describe(required(&S::network, "network", "in models/"), required(&S::table, "table", "of that network"),
                    required(&S::unit, "unit", "processing unit of the cells"),
                    field(&S::targets, "targets", range(2, 10000), "latency targets"));
  }

  void validate(const Context& context) const;
  std::vector<Finding> evaluate(const Context& context) const;
};

/// Energy of a period [mJ] in which one frame runs and the board idles for the rest.
double energy_of_period(double energy_mj, double latency_ms, double idle_power_w, double period_ms);

}  // namespace dynasoc::check
