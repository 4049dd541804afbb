#include "explore/search/report.hpp"

#include <algorithm>
#include <cmath>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "results/page.hpp"

namespace dynasoc::search {
namespace {

std::string fixed(double x, int digits) {
  std::string out = std::to_string(std::round(x * std::pow(10, digits)) / std::pow(10, digits));
  const auto dot = out.find('.');
  return out.substr(0, digits == 0 ? dot : dot + 1 + static_cast<std::size_t>(digits));
}
std::string percent(double share) { return fixed(100 * share, share > 0 && share < 0.1 ? 2 : 1) + " %"; }

std::string joined(const std::vector<int>& values, const char* between) {
  std::string out;
  for (const int value : values) out += (out.empty() ? "" : between) + std::to_string(value);
  return out;
}

std::vector<int> depths(const Configuration& c) { return {c.depth.begin(), c.depth.end()}; }

double derived_share(const Prepared& prepared, const Point& point) {
  const double sum = prepared.sum_ms(point.configuration);
  return sum > 0 ? prepared.derived_ms(point.configuration) / sum : 0;
}

std::string cost_name(Objective cost) { return dynasoc::to_json(cost).get<std::string>(); }
std::string cost_unit(Objective cost) {
  return cost == Objective::latency_ms ? "ms" : cost == Objective::macs_m ? "million MACs" : "MB";
}

Json line_json(const Line& line, const char* unit) {
  if (line.against.empty()) return "none";
  Json out = {{"against", line.against},
              {"slope", line.slope},
              {std::string("intercept_") + unit, line.intercept},
              {std::string("largest_error_") + unit, line.largest_error}};
  if (line.n > 0) {
    out["n"] = line.n;
    out[std::string("rmse_") + unit] = line.rmse;
    if (std::isfinite(line.leave_one_out)) out[std::string("leave_one_out_error_") + unit] = line.leave_one_out;
  }
  return out;
}

// At most `most` rows of n, the first and the last among them.
std::vector<std::size_t> some_of(std::size_t n, std::size_t most) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < n; ++i)
    if (n <= most || out.size() * (n - 1) <= i * (most - 1)) out.push_back(i);
  return out;
}

std::string name_of(const Prepared& prepared, const Result& result, std::size_t candidate) {
  return prepared.candidates ? prepared.candidates->subnets[result.candidate_rows[candidate]].subnet
                             : "#" + std::to_string(candidate + 1);
}

std::string selection_text(const Prepared& prepared, const Result& result, const Page& page) {
  std::string out;
  const SelectFile& select = *prepared.file.select;
  const auto chosen = [&](const Selection& one) {
    std::string text;
    for (const std::size_t i : one.chosen) text += (text.empty() ? "" : " ") + name_of(prepared, result, i);
    return text;
  };
  if (!result.by_hypervolume.empty()) {
    std::vector<std::vector<std::string>> rows{{"ship by hypervolume", "kept", "which"}};
    for (const Selection& one : result.by_hypervolume)
      rows.push_back({std::to_string(one.chosen.size()), percent(one.share_of_all), chosen(one)});
    out += "\n" + page.table(rows);
  }
  if (!result.by_regret.empty()) {
    std::vector<std::vector<std::string>> rows{{"ship by regret", "accuracy lost", "targets missed", "which"}};
    for (const Selection& one : result.by_regret)
      rows.push_back(
          {std::to_string(one.chosen.size()), fixed(one.value, 4) + " points", percent(one.missed), chosen(one)});
    out += "\n" + page.table(rows);
    std::string targets = "listed targets";
    if (const auto* uniform = std::get_if<UniformTargets>(&*select.targets))
      targets = "targets uniform in " + plain_number(uniform->low_ms) + " to " + plain_number(uniform->high_ms) + " ms";
    out += "  " +
           page.dim("expected over " + targets + ", against shipping everything above; " +
                    (result.unmet > 0 ? percent(result.unmet) + " of them nothing meets" : "all of them can be met") +
                    "; a target that only the selection misses counts as " + plain_number(select.missed_accuracy) +
                    " % accuracy") +
           "\n";
  }
  const auto& by = select.by == SelectBy::regret ? result.by_regret : result.by_hypervolume;
  const auto count = std::min(static_cast<std::size_t>(select.count), by.size());
  if (count > 0) {
    const Objective cost = prepared.problem ? prepared.problem->cost : Objective::latency_ms;
    const bool latency = cost == Objective::latency_ms;
    std::vector<std::vector<std::string>> rows{
        {"to ship", std::string(latency ? "latency" : cost_name(cost)), "accuracy"}};
    for (const std::size_t i : by[count - 1].chosen)
      rows.push_back({name_of(prepared, result, i),
                      fixed(result.candidates[i].cost, 2) + " " + std::string(cost_unit(cost)),
                      fixed(result.candidates[i].accuracy, 2) + " %"});
    out += "\n" + page.table(rows);
  }
  return out;
}

std::string compared_text(const Prepared& prepared, const Result& result, const Page& page) {
  const Objective cost = prepared.problem->cost;
  std::vector<std::vector<std::string>> rows{
      {prepared.compared->file.name, "recorded", "predicted here", "front is better by",
       cost == Objective::latency_ms ? "or faster by" : "or smaller by", "recorded against front"}};
  for (const Placed& one : result.compared) {
    const double predicted = one.point.cost(cost);
    const std::string unit = cost_unit(cost);
    rows.push_back({one.subnet, fixed(one.recorded_latency_ms, 2) + " ms " + fixed(one.recorded_accuracy, 2) + " %",
                    fixed(predicted, 2) + " " + unit + " " + fixed(one.point.accuracy, 2) + " %",
                    one.front_accuracy > 0 ? fixed(one.front_accuracy - one.point.accuracy, 2) + " points" : "-",
                    one.front_cost > 0 ? percent(1 - one.front_cost / predicted) : "-",
                    one.recorded_front_accuracy > 0
                        ? fixed(one.recorded_accuracy - one.recorded_front_accuracy, 2) + " points"
                        : "-"});
  }
  return "\n" + page.table(rows);
}

}  // namespace

std::string latency_basis(const Prepared& prepared) {
  if (prepared.candidates) {
    std::string out = "table " + prepared.candidates->table + " of " + prepared.candidates->file.name;
    const Line& line = prepared.calibration;
    if (!line.against.empty())
      out += ", moved by " + rounded_text(line.slope, 5) + " x + " + rounded_text(line.intercept, 4) +
             " ms (fitted to " + std::to_string(line.n) + " of " + line.against + ", off by up to " +
             rounded_text(line.largest_error, 3) + " ms)";
    return out;
  }
  const Line& line = prepared.calibration;
  const std::string table = "sums of blocks of " + prepared.file.table.text;
  if (line.against.empty()) return table + ", not calibrated: not end-to-end latencies";
  std::string out = rounded_text(line.slope, 5) + " x " + table + " + " + rounded_text(line.intercept, 5) +
                    " ms, fitted to " + line.against + " (off by up to " + rounded_text(line.largest_error, 3) + " ms";
  if (line.n > 0)
    out += ", n " + std::to_string(line.n) + ", rms " + rounded_text(line.rmse, 3) + " ms, left out " +
           rounded_text(line.leave_one_out, 3) + " ms";
  return out + ")";
}

std::string accuracy_basis(const Prepared& prepared) {
  if (prepared.candidates) return "as the network states it";
  const Line& line = prepared.correction;
  if (line.against.empty())
    return "the published predictor, not corrected: 4.5 to 6.9 points above what was recorded for published "
           "sub-networks";
  return "the published predictor, corrected by " + rounded_text(line.slope, 5) + " x + " +
         rounded_text(line.intercept, 5) + " points, fitted to " + line.against + " (off by up to " +
         rounded_text(line.largest_error, 3) + " points)";
}

std::string search_text(const Prepared& prepared, const Result& result, int columns, bool colour) {
  const Page page(columns, colour);
  const SearchFile& file = prepared.file;
  std::string out = page.bold(file.title.empty() ? prepared.path.stem().string() : file.title) + "\n" +
                    "  latency    " + latency_basis(prepared) + "\n" + "  accuracy   " + accuracy_basis(prepared) +
                    "\n";
  if (prepared.candidates) {
    out += "  candidates " + std::to_string(prepared.candidates->subnets.size()) + " sub-networks, " +
           std::to_string(result.candidates.size()) + " of them not dominated\n\n";
    std::vector<std::vector<std::string>> rows{{"not dominated", "latency", "accuracy"}};
    for (const std::size_t i : some_of(result.candidates.size(), 16))
      rows.push_back({name_of(prepared, result, i), fixed(result.candidates[i].cost, 3) + " ms",
                      fixed(result.candidates[i].accuracy, 3) + " %"});
    out += page.table(rows);
    if (file.select) out += selection_text(prepared, result, page);
    return out;
  }
  const Problem& problem = *prepared.problem;
  out += "  space      " + count_text(problem.space.count()) + " sub-networks\n";
  out += "  method     " + result.method + ", " + std::to_string(result.evaluations) + " evaluations\n\n";

  const bool by_latency = problem.cost == Objective::latency_ms;
  std::vector<std::vector<std::string>> rows{{"front", "latency", "accuracy", "MACs", "memory", "px", "depths"}};
  for (const std::size_t i : some_of(result.front.size(), 12)) {
    const Point& point = result.front[i];
    rows.push_back({"#" + std::to_string(i + 1), fixed(point.latency_ms, 2) + " ms", fixed(point.accuracy, 2) + " %",
                    fixed(point.macs_m, 0) + " M", fixed(point.memory_mb, 1) + " MB",
                    std::to_string(problem.supernetwork.file.resolutions[point.configuration.resolution]),
                    joined(depths(point.configuration), " ")});
  }
  out += page.table(rows);
  out += "  " + std::to_string(result.front.size()) + " points; hypervolume " + rounded_text(result.hypervolume, 6) +
         " (" + cost_unit(problem.cost) + " x points below " + plain_number(problem.reference_cost) + " and above " +
         plain_number(problem.reference_accuracy) + " %)\n";
  if (result.bounded) {
    out += "  bound      the exact front of an additive model of accuracy (rms error " +
           rounded_text(result.additive.rmse, 3) + " points, " + std::to_string(result.relaxed_points) +
           " points), raised by the largest\n             excess seen, " + rounded_text(result.largest_above, 3) +
           " points: hypervolume " + rounded_text(result.bound_hypervolume, 6) +
           (result.hypervolume > 0
                ? ", " + percent(result.bound_hypervolume / result.hypervolume - 1) + " above the front's"
                : std::string()) +
           ". An estimate, not a proof\n";
  }
  if (by_latency && !result.front.empty()) {
    double low = 1, high = 0;
    for (const Point& point : result.front) {
      low = std::min(low, derived_share(prepared, point));
      high = std::max(high, derived_share(prepared, point));
    }
    if (high > 0)
      out += "  provenance all derived; " + percent(low) + " to " + percent(high) +
             " of the sums rests on rows that are another device's\n";
  }
  if (prepared.compared) out += compared_text(prepared, result, page);
  if (file.select) out += selection_text(prepared, result, page);
  return out;
}

Json search_json(const Prepared& prepared, const Result& result) {
  const SearchFile& file = prepared.file;
  Json out = {{"title", file.title},
              {"method", result.method},
              {"latency", latency_basis(prepared)},
              {"accuracy", accuracy_basis(prepared)}};
  Json front = Json::array();
  if (prepared.candidates) {
    for (std::size_t i = 0; i < result.candidates.size(); ++i) {
      const Recorded& one = prepared.candidates->subnets[result.candidate_rows[i]];
      front.push_back({{"subnet", one.subnet},
                       {"latency_ms", result.candidates[i].cost},
                       {"accuracy", result.candidates[i].accuracy},
                       {"provenance", dynasoc::to_json(one.provenance)},
                       {"config", one.config}});
    }
  } else {
    const Problem& problem = *prepared.problem;
    for (const Point& point : result.front)
      front.push_back({{"latency_ms", point.latency_ms},
                       {"accuracy", point.accuracy},
                       {"macs_m", point.macs_m},
                       {"memory_mb", point.memory_mb},
                       {"derived_share", derived_share(prepared, point)},
                       {"config", problem.supernetwork.to_json(point.configuration)}});
    std::string digits = count_text(problem.space.count());
    std::erase(digits, ' ');
    out["space"] = {{"subnetworks", digits}};  // text: more digits than a double holds
    out["objectives"] = {cost_name(problem.cost), "accuracy"};
    out["reference"] = {{cost_name(problem.cost), problem.reference_cost}, {"accuracy", problem.reference_accuracy}};
    out["correction"] = line_json(prepared.correction, "pp");
    out["kernel"] = problem.predictor.build().name;
  }
  out["calibration"] = line_json(prepared.calibration, "ms");
  out["front"] = std::move(front);
  out["hypervolume"] = result.hypervolume;
  out["evaluations"] = result.evaluations;
  if (result.bounded)
    out["bound"] = {{"kind", "additive model of accuracy, exact front, raised by the largest excess seen; an estimate"},
                    {"samples", result.additive.samples},
                    {"rmse_pp", result.additive.rmse},
                    {"raised_pp", result.largest_above},
                    {"points", result.relaxed_points},
                    {"additive_hypervolume", result.relaxed_hypervolume},
                    {"hypervolume", result.bound_hypervolume},
                    {"gap", 1 - result.hypervolume / result.bound_hypervolume}};
  if (!result.generations.empty()) {
    Json generations = Json::array();
    for (const Generation& one : result.generations)
      generations.push_back({{"generation", one.generation},
                             {"evaluations", one.evaluations},
                             {"front", one.front},
                             {"hypervolume", one.hypervolume}});
    out["generations"] = std::move(generations);
  }
  if (prepared.compared) {
    const Objective cost = prepared.problem->cost;
    Json all = Json::array();
    for (const Placed& one : result.compared) {
      Json placed = {{"subnet", one.subnet},
                     {"recorded", {{"latency_ms", one.recorded_latency_ms}, {"accuracy", one.recorded_accuracy}}},
                     {"predicted", {{cost_name(cost), one.point.cost(cost)}, {"accuracy", one.point.accuracy}}}};
      if (one.front_accuracy > 0) {
        placed["front_accuracy"] = one.front_accuracy;
        placed["within_1_percent_in_accuracy"] = one.front_accuracy <= one.point.accuracy * 1.01;
      }
      if (one.front_cost > 0) {
        placed["front_" + cost_name(cost)] = one.front_cost;
        placed["within_1_percent_in_" + cost_name(cost)] = one.point.cost(cost) <= one.front_cost * 1.01;
      }
      if (one.recorded_front_accuracy > 0) placed["front_accuracy_at_recorded_latency"] = one.recorded_front_accuracy;
      all.push_back(std::move(placed));
    }
    out["compared"] = {
        {"network", prepared.compared->file.name}, {"table", prepared.compared->table}, {"subnets", all}};
  }
  if (file.select) {
    const auto chosen = [&](const Selection& one) {
      Json names = Json::array();
      for (const std::size_t i : one.chosen) {
        if (prepared.candidates)
          names.push_back(name_of(prepared, result, i));
        else
          names.push_back(i);
      }
      return names;
    };
    Json select = Json::object();
    for (const Selection& one : result.by_hypervolume)
      select["by_hypervolume"].push_back({{"count", one.chosen.size()},
                                          {"hypervolume", one.value},
                                          {"share", one.share_of_all},
                                          {"front", chosen(one)}});
    for (const Selection& one : result.by_regret)
      select["by_regret"].push_back({{"count", one.chosen.size()},
                                     {"accuracy_lost_pp", one.value},
                                     {"missed", one.missed},
                                     {"front", chosen(one)}});
    if (!result.by_regret.empty()) select["unmet_targets"] = result.unmet;
    out["select"] = std::move(select);
  }
  return out;
}

std::string front_csv(const Prepared& prepared, const Result& result) {
  std::string out;
  if (prepared.candidates) {
    out = "subnet,latency_ms,accuracy,provenance\n";
    for (std::size_t i = 0; i < result.candidates.size(); ++i) {
      const Recorded& one = prepared.candidates->subnets[result.candidate_rows[i]];
      out += one.subnet + "," + number_text(result.candidates[i].cost) + "," +
             number_text(result.candidates[i].accuracy) + "," + std::string(dynasoc::name_of(one.provenance)) + "\n";
    }
    return out;
  }
  out = "point,latency_ms,accuracy,macs_m,memory_mb,derived_share,resolution,depths,kernels,expansions\n";
  const SupernetworkFile& file = prepared.problem->supernetwork.file;
  for (std::size_t i = 0; i < result.front.size(); ++i) {
    const Point& point = result.front[i];
    const Configuration& c = point.configuration;
    std::vector<int> kernels, expansions;
    for (const auto k : c.kernel) kernels.push_back(file.kernels[k]);
    for (const auto e : c.expansion) expansions.push_back(file.expansions[e]);
    out += std::to_string(i + 1);
    for (const double x :
         {point.latency_ms, point.accuracy, point.macs_m, point.memory_mb, derived_share(prepared, point)})
      out += "," + number_text(x);
    out += "," + std::to_string(file.resolutions[c.resolution]) + "," + joined(depths(c), " ") + "," +
           joined(kernels, " ") + "," + joined(expansions, " ") + "\n";
  }
  return out;
}

std::string generations_csv(const Result& result) {
  std::string out = "generation,evaluations,front,hypervolume\n";
  for (const Generation& one : result.generations)
    out += std::to_string(one.generation) + "," + std::to_string(one.evaluations) + "," + std::to_string(one.front) +
           "," + number_text(one.hypervolume) + "\n";
  return out;
}

}  // namespace dynasoc::search
