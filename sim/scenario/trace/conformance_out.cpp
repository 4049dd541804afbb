// How an agreement is told.
#include <cmath>

#include "scenario/trace/conformance.hpp"

namespace dynasoc::trace {
namespace {

double mhz(const std::vector<double>& opps_mhz, int opp) { return opps_mhz[static_cast<std::size_t>(opp)]; }

std::string percent(double share) { return rounded_text(100 * share, 4) + " %"; }

std::string reaction_text(const char* name, const Conformance::Reaction& reaction) {
  const std::size_t all = reaction.matched + reaction.unmatched;
  std::string out = std::string("  recorded steps ") + name + ": " + std::to_string(all);
  if (all > 0) out += ", ours within 10 rows for " + std::to_string(reaction.matched);
  if (reaction.matched > 0)
    out += ", " + rounded_text(std::abs(1e3 * reaction.mean_s), 4) + " ms " +
           (reaction.mean_s < 0 ? "earlier" : "later") + " on average";
  if (reaction.ours_alone > 0) out += "; ours alone: " + std::to_string(reaction.ours_alone);
  return out + "\n";
}

Json reaction_json(const Conformance::Reaction& reaction) {
  return {{"recorded", reaction.matched + reaction.unmatched},
          {"matched", reaction.matched},
          {"ours_alone", reaction.ours_alone},
          {"mean_delay_s", std::isfinite(reaction.mean_s) ? Json(reaction.mean_s) : Json(nullptr)}};
}

}  // namespace

Json Conformance::to_json(const std::vector<double>& opps_mhz) const {
  Json confusion = Json::object();
  const char* const names[] = {"down", "level", "up"};
  for (std::size_t theirs = 0; theirs < 3; ++theirs)
    for (std::size_t mine = 0; mine < 3; ++mine)
      confusion[std::string("recorded_") + names[theirs]][std::string("ours_") + names[mine]] = direction[theirs][mine];
  Json intervals = Json::array();
  for (const Interval& one : worst)
    intervals.push_back({{"from_s", to_s(one.from)},
                         {"to_s", to_s(one.to)},
                         {"recorded_mhz", one.recorded_mhz},
                         {"ours_mhz", one.ours_mhz},
                         {"utilisation", one.load}});
  return {{"rows", rows.size()},
          {"agreement", same},
          {"within_one_opp", within_one},
          {"mean_difference_opps", mean_opps},
          {"mean_difference_mhz", mean_mhz},
          {"opps", opps_mhz.size()},
          {"direction", std::move(confusion)},
          {"steps", {{"up", reaction_json(up)}, {"down", reaction_json(down)}}},
          {"largest_disagreements", std::move(intervals)},
          {"rows_outside_limits", outside_limits},
          {"gaps", gaps}};
}

std::string Conformance::text() const {
  std::string out = "  " + std::to_string(rows.size()) + " rows: the same OPP in " + percent(same) +
                    ", within one in " + percent(within_one) + "; on average " + rounded_text(mean_opps, 3) +
                    " OPPs or " + rounded_text(mean_mhz, 4) + " MHz apart\n";
  out += reaction_text("up", up) + reaction_text("down", down);
  const auto count = [&](std::size_t theirs, std::size_t mine) { return std::to_string(direction[theirs][mine]); };
  out += "  from row to row: both up " + count(2, 2) + ", both down " + count(0, 0) + ", both level " + count(1, 1) +
         ", opposite " + std::to_string(direction[2][0] + direction[0][2]) + ", only theirs moves " +
         std::to_string(direction[2][1] + direction[0][1]) + ", only ours moves " +
         std::to_string(direction[1][2] + direction[1][0]) + '\n';
  for (const Interval& one : worst)
    out += "  apart from " + rounded_text(to_s(one.from), 6) + " to " + rounded_text(to_s(one.to), 6) +
           " s: recorded " + rounded_text(one.recorded_mhz, 5) + " MHz, ours " + rounded_text(one.ours_mhz, 5) +
           " MHz, load " + percent(one.load) + '\n';
  return out;
}

std::string Conformance::csv(const std::vector<double>& opps_mhz) const {
  std::string out = "t_s,utilisation,recorded_mhz,ours_mhz,difference_opps\n";
  for (const Row& row : rows) {
    append_seconds(out, row.t);
    out += ',';
    append_number(out, row.load);
    out += ',';
    append_number(out, mhz(opps_mhz, row.recorded));
    out += ',';
    append_number(out, mhz(opps_mhz, row.ours));
    out += ',';
    append_number(out, static_cast<long long>(row.ours - row.recorded));
    out += '\n';
  }
  return out;
}

}  // namespace dynasoc::trace
