// A mixed-integer program that bounds from below what several applications can cost, whoever schedules them; and the
// solver that it has, for other programs of yes and no.
#pragma once

#include <vector>

#include "manager/oracle/plan.hpp"

namespace dynasoc::manager {

struct MilpSolution {
  std::vector<std::vector<int>> configuration;  ///< [application][frame]
  double bound = 0;  ///< proved: no schedule of these frames costs less, in the unit of `Plan::cost`
  double gap = 0;    ///< of the solver: how much dearer its assignment is than the bound, relative
};

/// Whether this program was built with a solver.
bool milp_available();

/// Minimise cost . x with every x 0 or 1, such that all rows hold.
struct BinaryProgram {
  struct Row {
    std::vector<int> columns = {};
    std::vector<double> factors = {};  ///< by entry of `columns`
    char sense = 'L';                  ///< L: at most `right`, E: equal to it
    double right = 0;
  };
  std::vector<double> cost;  ///< by column
  std::vector<Row> rows;
};

/// By the same solver, which there must be. False where the rows exclude each other, or `most_nodes` did not suffice
/// for any solution.
bool solve_binary(const BinaryProgram& program, int most_nodes, std::vector<char>& taken);

/// Every frame either is in time, in one configuration, or pays for a miss. What is in time must fit: in every interval
/// from an arrival to a deadline, the frames that arrive and are due within it need no more of a unit than the
/// background loads leave (the demand bound of real-time scheduling: Baruah, Rosier, Howell, Real-Time Systems 2,
/// 1990), and those of one application, which serves one at a time, no more than its own share. Switches, clocks that
/// are shared and frames left at the end cost nothing here, so that the bound holds for every scheduler, fair or not.
/// `most_nodes` limits the search; with any limit the bound stays a bound. Problems must have clock-driven arrivals.
MilpSolution solve_milp(const std::vector<Problem>& problems, int most_nodes);

}  // namespace dynasoc::manager
