#include "results/why.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/text.hpp"
#include "results/page.hpp"

namespace dynasoc {
namespace {

const char* unit_of(const std::string& constraint) {
  static const std::map<std::string, const char*> units{{"latency", " ms"}, {"accuracy", " points"}, {"energy", " mJ"},
                                                        {"power", " W"},    {"temperature", " K"},   {"capacity", ""},
                                                        {"dwell", " ms"},   {"ladder", ""}};
  const auto it = units.find(constraint);
  return it == units.end() ? "" : it->second;
}

std::string binding_text(const DecisionRecord& write) {
  if (write.binding.empty()) return write.margin != 0 ? "margin " + rounded_text(100 * write.margin, 3) + " %" : "";
  if (write.binding == "ladder") return "bound by the end of what there is to choose from";
  std::string out = "bound by " + write.binding + ", slack " + rounded_text(write.slack, 3) + unit_of(write.binding);
  if (write.margin != 0) out += " (" + rounded_text(100 * write.margin, 3) + " %)";
  return out;
}

std::string time_text(Time at) {
  char out[32];
  std::snprintf(out, sizeof out, "%.6f s", to_s(at));
  return out;
}

// The chosen ones, then the nearest misses and hits: all of them would be pages for a manager of clocks.
constexpr std::size_t kMostCandidates = 12;

std::vector<std::vector<std::string>> candidate_rows(const Setup& setup, const Page& page,
                                                     const std::vector<CandidateRecord>& all) {
  std::vector<CandidateRecord> shown = all;
  std::stable_sort(shown.begin(), shown.end(), [](const CandidateRecord& a, const CandidateRecord& b) {
    if (a.chosen != b.chosen) return a.chosen;
    if (a.feasible != b.feasible) return a.feasible;
    return a.accuracy > b.accuracy;
  });
  if (shown.size() > kMostCandidates) shown.resize(kMostCandidates);
  std::vector<std::vector<std::string>> rows{{"", "application", "sub-network", "unit", "MHz", "ms", "accuracy", "mJ"}};
  const auto number = [](double x) { return std::isfinite(x) ? rounded_text(x) : std::string("-"); };
  for (const CandidateRecord& candidate : shown)
    rows.push_back({candidate.chosen     ? page.bold("chosen")
                    : candidate.feasible ? "possible"
                                         : page.dim("refused"),
                    candidate.app < 0 ? "-" : setup.apps[candidate.app].name,
                    candidate.subnet < 0 ? "-" : level_name(candidate.subnet),
                    candidate.unit < 0 ? "-" : setup.platform.file.units[candidate.unit].first,
                    candidate.unit < 0 || candidate.opp < 0 ? "-" : number(candidate_mhz(setup, candidate)),
                    number(candidate.latency_ms), number(candidate.accuracy), number(candidate.energy_mj)});
  return rows;
}

}  // namespace

double candidate_mhz(const Setup& setup, const CandidateRecord& candidate) {
  const int domain = setup.platform.links[candidate.unit].domains[0];
  const auto& opps_mhz = setup.platform.file.domains[domain].second.opps_mhz;
  return candidate.opp < static_cast<int>(opps_mhz.size()) ? opps_mhz[candidate.opp] : std::nan("");
}

std::string why_text(const Setup& setup, const RunRecord& record, std::size_t most, bool colour) {
  const Page page(0, colour);
  const auto& log = record.decision_log;
  if (log.empty()) return "  no knob was written: the manager " + setup.policy.name + " changed nothing\n";
  std::string out;
  std::size_t shown = 0;
  auto candidate = record.candidates.begin();
  for (std::size_t i = 0; i < log.size();) {
    std::size_t end = i;
    while (end < log.size() && log[end].decision == log[i].decision) ++end;
    if (shown++ == most) {
      std::size_t more = 1;
      for (std::size_t k = i + 1; k < log.size(); ++k) more += log[k].decision != log[k - 1].decision;
      out += "  … and " + std::to_string(more) + " more decisions: --why " + std::to_string(most + more) +
             " shows all, --out DIR writes them to decisions.csv and candidates.csv\n";
      break;
    }
    out += "  " + page.bold(time_text(log[i].at)) + "  " +
           (log[i].by_board ? std::string("board") : setup.policy.name + page.dim(" on " + log[i].trigger)) + "\n";
    for (; i < end; ++i) {
      const DecisionRecord& write = log[i];
      out += "      " + write.target + " " + write.knob + " " +
             (write.from == write.to ? write.from + " kept" : write.from + " → " + write.to) + ": " + write.reason +
             "\n";
      if (const std::string binding = binding_text(write); !binding.empty()) out += "        " + binding + "\n";
    }
    std::vector<CandidateRecord> all;
    for (; candidate != record.candidates.end() && candidate->decision <= log[end - 1].decision; ++candidate)
      if (candidate->decision == log[end - 1].decision) all.push_back(*candidate);
    if (all.empty()) continue;
    const auto feasible = std::count_if(all.begin(), all.end(), [](const CandidateRecord& c) { return c.feasible; });
    out += "        " + std::to_string(all.size()) + " candidates, " + std::to_string(feasible) + " possible" +
           (all.size() > kMostCandidates ? "; the first " + std::to_string(kMostCandidates) + ":" : ":") + "\n";
    out += page.table(candidate_rows(setup, page, all), 8);
  }
  return out;
}

}  // namespace dynasoc
