#include "results/suites/explain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.hpp"

namespace dynasoc::suite {
namespace {

// What is said of these to people stands in explain.hpp, report.cpp and docs/ci.md.
constexpr double kLeastChange = 1e-3;  // of a quantity, relative
constexpr double kLeastShare = 5e-4;   // of a share, as it is

double relative(double before, double now) {
  if (before == now) return 0;
  return before != 0 ? (now - before) / std::abs(before) : std::copysign(1.0, now);
}

class Comparer {
 public:
  void quantity(const std::string& subject, const std::string& what, const std::optional<double>& before,
                const std::optional<double>& now, const std::string& unit) {
    if (!before && !now) return;
    if (!before || !now) {
      found.push_back(
          {subject,
           what + (before ? " " + rounded_text(*before) + " → undefined" : " undefined → " + rounded_text(*now)) +
               (unit.empty() ? "" : " " + unit),
           1});
      return;
    }
    if (const double change = relative(*before, *now); std::abs(change) >= kLeastChange)
      found.push_back({subject, what + " " + change_text(*before, *now, unit), std::abs(change)});
  }

  // Several shares that belong together, in one line; a name that is missing on one side has none there.
  void shares(const std::string& subject, const std::string& what, const Named<double>& before,
              const Named<double>& now) {
    std::string text;
    double most = 0;
    for (const std::string& name : names_of(before, now)) {
      const double* old = find(before, name);
      const double* own = find(now, name);
      const double a = old != nullptr ? *old : 0, b = own != nullptr ? *own : 0;
      if (std::abs(b - a) < kLeastShare) continue;
      text += (text.empty() ? " " : ", ") + (name.empty() ? "" : name + " ") + rounded_text(100 * a, 3) + " → " +
              rounded_text(100 * b, 3) + " %";
      most = std::max(most, std::abs(b - a));
    }
    if (!text.empty()) found.push_back({subject, what + text, most});
  }

  void service(const std::string& subject, const Named<double>& before, const Named<double>& now) {
    std::string text;
    double most = 0;
    for (const auto& [level, ms] : before) {
      const double* own = find(now, level);
      if (own == nullptr || std::abs(relative(ms, *own)) < kLeastChange) continue;
      text += (text.empty() ? " " : ", ") + level + " " + change_text(ms, *own, "ms");
      most = std::max(most, std::abs(relative(ms, *own)));
    }
    if (!text.empty()) found.push_back({subject, "serving a frame takes" + text, most});
  }

  std::vector<Movement> found;

 private:
  static std::vector<std::string> names_of(const Named<double>& a, const Named<double>& b) {
    std::vector<std::string> out;
    for (const auto* all : {&a, &b})
      for (const auto& [name, unused] : *all)
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    return out;
  }
};

// Names that are on one side alone.
template <class T>
void come_and_gone(Comparer& to, const Named<T>& before, const Named<T>& now, const std::string& what) {
  const auto tell = [&](const std::string& name, const char* verb) { to.found.push_back({name, what + verb, 1}); };
  for (const auto& [name, unused] : now)
    if (find(before, name) == nullptr) tell(name, " is new");
  for (const auto& [name, unused] : before)
    if (find(now, name) == nullptr) tell(name, " is no longer there");
}

void inputs(Comparer& to, const Named<std::string>& before, const Named<std::string>& now) {
  const auto has = [](const Named<std::string>& all, const std::string& hash) {
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.second == hash; });
  };
  for (const auto& [name, hash] : now)
    if (!has(before, hash))  // by content: a folder of another name is no change
      to.found.push_back({"inputs", name + (find(before, name) != nullptr ? " has changed" : " is new"), 1});
  for (const auto& [name, hash] : before)
    if (find(now, name) == nullptr && !has(now, hash)) to.found.push_back({"inputs", name + " is no longer read", 1});
}

void application(Comparer& to, const std::string& name, const AppDigest& a, const AppDigest& b) {
  to.service(name, a.service_ms, b.service_ms);
  to.shares(name, "frames by sub-network:", a.share, b.share);
  to.quantity(name, "waiting", a.waiting_ms, b.waiting_ms, "ms a frame");
  to.quantity(name, "latency", a.latency_ms, b.latency_ms, "ms");
  to.quantity(name, "latency's 99th percentile", a.p99_ms, b.p99_ms, "ms");
  if (a.miss_rate && b.miss_rate) to.shares(name, "no result in time:", {{"", *a.miss_rate}}, {{"", *b.miss_rate}});
  to.quantity(name, "dropped or rejected", a.lost, b.lost, "frames");
  to.quantity(name, "completed", a.completed, b.completed, "frames");
  to.quantity(name, "accuracy", a.accuracy, b.accuracy, "");
  to.quantity(name, "energy", a.energy_mj_per_job, b.energy_mj_per_job, "mJ a frame");
  to.quantity(name, "switches of sub-network", a.switches, b.switches, "");
  to.shares(name, "latencies that rest on tables:", a.provenance, b.provenance);
}

}  // namespace

std::string with_unit(double x, const std::string& unit) {
  if (!std::isfinite(x)) return "undefined";
  return plain_number(six_digits(x)) + (unit.empty() ? "" : " " + unit);
}

std::string signed_percent(double share, int digits) {
  if (!std::isfinite(share)) return "-";
  return (share < 0 ? "−" : "+") + rounded_text(std::abs(100 * share), digits) + " %";
}

std::string change_text(double before, double now, const std::string& unit) {
  // As many digits as it takes to see the change.
  int digits = 4;
  while (digits < 9 && before != now && rounded_text(before, digits) == rounded_text(now, digits)) ++digits;
  std::string out = rounded_text(before, digits) + " → " + rounded_text(now, digits) + (unit.empty() ? "" : " " + unit);
  if (before != 0) out += " (" + signed_percent((now - before) / std::abs(before)) + ")";
  return out;
}

std::vector<Movement> movements(const StoredRun& before, const StoredRun& now, const std::string& only) {
  Comparer to;
  if (!before.run.empty() && before.run != now.run)
    to.found.push_back({"run", "the suite asks for another: " + before.run + " → " + now.run,
                        std::numeric_limits<double>::infinity()});
  inputs(to, before.inputs, now.inputs);
  come_and_gone(to, before.digest.apps, now.digest.apps, "an application that");
  for (const auto& [name, app] : now.digest.apps) {
    if (!only.empty() && name != only) continue;
    if (const AppDigest* old = find(before.digest.apps, name)) application(to, name, *old, app);
  }
  come_and_gone(to, before.digest.units, now.digest.units, "a unit that");
  for (const auto& [name, unit] : now.digest.units) {
    const UnitDigest* old = find(before.digest.units, name);
    if (old == nullptr) continue;
    to.quantity(name, "clock", old->mean_mhz, unit.mean_mhz, "MHz on average");
    if (old->utilisation && unit.utilisation)
      to.shares(name, "busy", {{"", *old->utilisation}}, {{"", *unit.utilisation}});
    to.quantity(name, "energy", old->energy_j, unit.energy_j, "J");
  }
  to.quantity("board", "energy", before.digest.board_j, now.digest.board_j, "J");
  to.quantity("board", "hottest", before.digest.peak_temperature, now.digest.peak_temperature, "°C");
  to.quantity("board", "changes of clock", before.digest.clock_changes, now.digest.clock_changes, "");
  to.quantity("board", "decisions", before.digest.decisions, now.digest.decisions, "");
  return to.found;
}

}  // namespace dynasoc::suite
