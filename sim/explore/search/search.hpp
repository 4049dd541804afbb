// Sub-network search: a file in, a front out, with a bound on what was missed and a choice of what to ship.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "explore/search/calibration.hpp"
#include "explore/search/evaluate.hpp"
#include "explore/search/methods.hpp"
#include "explore/search/relaxation.hpp"
#include "explore/search/search_file.hpp"
#include "explore/search/selection.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::search {

/// A search file with everything it names loaded and checked.
struct Prepared {
  SearchFile file;
  std::filesystem::path path;
  std::vector<std::filesystem::path> inputs;  ///< files that were read, the search file first
  std::shared_ptr<const Problem> problem;     ///< null where an existing network is chosen from
  std::string table_note, platform, unit;     ///< of the block table
  Line calibration;                           ///< ms
  Line correction;                            ///< percentage points
  AdditiveCost derived_ms;                    ///< part of a sum of blocks that rests on another device's rows [ms]
  AdditiveCost sum_ms;                        ///< sums of blocks
  std::optional<RecordedNetwork> candidates;  ///< of `space.network`
  std::optional<RecordedNetwork> compared, like;
  TargetDistribution targets;
};

/// Reads and resolves. Throws InputError: unknown names, a table that lacks blocks the space needs (named), an empty
/// space, contradictory constraints as far as sums can tell, objectives that are not one cost and accuracy.
/// `kernel` names the predictor's kernel (kernel_build).
Prepared prepare(const std::filesystem::path& search_json, const Overrides& overrides = {},
                 const std::string& kernel = "");

/// A published sub-network beside the front.
struct Placed {
  std::string subnet;
  double recorded_latency_ms = 0, recorded_accuracy = 0;
  Point point;                         ///< as this search predicts it
  double front_accuracy = 0;           ///< of the front at no more than its predicted cost
  double front_cost = 0;               ///< least cost on the front of at least its predicted accuracy; 0: none
  double recorded_front_accuracy = 0;  ///< of the front at no more than its recorded latency; 0: none
};

struct Result {
  std::vector<Point> front;
  std::string method;
  std::uint64_t evaluations = 0;  ///< of the search, not of the bound's sample
  double hypervolume = 0;
  std::vector<Generation> generations;
  // The bound.
  bool bounded = false;
  AdditiveAccuracy additive;
  double largest_above = 0;  ///< predictor minus additive model, over its sample and the front
  std::size_t relaxed_points = 0;
  double relaxed_hypervolume = 0, bound_hypervolume = 0;  ///< as fitted; raised by `largest_above`
  // Beside it.
  std::vector<Placed> compared;
  std::vector<Candidate> candidates;        ///< what was selected from: the front, or the network's non-dominated
  std::vector<std::size_t> candidate_rows;  ///< sub-networks of the network, where that is chosen from
  std::vector<Selection> by_hypervolume, by_regret;
  double unmet = 0;  ///< share of targets that no candidate meets
};

struct RunOptions {
  std::uint64_t seed = 1;
  int jobs = 1;
  std::function<void(double share)> progress;
  std::function<void(const Generation& generation)> on_generation;  ///< after each
};

/// Throws InputError where nothing that was evaluated keeps the constraints, with what came nearest.
Result search(const Prepared& prepared, const RunOptions& options);

}  // namespace dynasoc::search
