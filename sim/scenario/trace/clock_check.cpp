#include "scenario/trace/clock_check.hpp"

#include <algorithm>
#include <cmath>

#include "scenario/trace/columns.hpp"

namespace dynasoc::trace {
namespace {

constexpr std::string_view kMhz = "_mhz", kMilliwatt = "_mw";
constexpr std::size_t kMostOdd = 1000;  // different clocks of a column that are listed

double nearest_opp(const std::vector<double>& opps, double mhz) {
  return *std::min_element(opps.begin(), opps.end(),
                           [&](double a, double b) { return std::abs(a - mhz) < std::abs(b - mhz); });
}

}  // namespace

int domain_of(const Platform& platform, std::string_view name) {
  if (const auto core = core_of_column(name, "")) {
    int first = 0;
    for (std::size_t d = 0; d < platform.file.domains.size(); ++d) {
      const DomainFile& domain = platform.file.domains[d].second;
      if (domain.kind != DomainKind::cpu) continue;
      if (*core < first + std::max(domain.cores, 1)) return static_cast<int>(d);
      first += std::max(domain.cores, 1);
    }
    return -1;
  }
  if (const int d = platform.domain_index(name); d >= 0) return d;
  for (std::size_t d = 0; d < platform.file.domains.size(); ++d) {
    const DomainKind kind = platform.file.domains[d].second.kind;
    if ((name == "gpu" && kind == DomainKind::gpu) || (name == "emc" && kind == DomainKind::memory))
      return static_cast<int>(d);
  }
  return -1;
}

void ClockCheck::row(Time /*t*/, const std::vector<double>& values) {
  for (; known_.size() < columns_.size();) {
    const std::string& name = columns_.names()[known_.size()];
    Column column;
    column.is_clock = name.ends_with(kMhz);
    if (column.is_clock)
      column.domain = domain_of(platform_, std::string_view(name).substr(0, name.size() - kMhz.size()));
    known_.push_back(std::move(column));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    Column& column = known_[i];
    const double mhz = values[i];
    if (column.domain < 0 || std::isnan(mhz) || mhz == 0) continue;  // 0: without power
    const auto& opps = platform_.file.domains[static_cast<std::size_t>(column.domain)].second.opps_mhz;
    if (std::abs(nearest_opp(opps, mhz) - mhz) < kSameMhz) continue;
    if (column.odd.size() < kMostOdd || column.odd.contains(mhz)) ++column.odd[mhz];
  }
}

Json ClockCheck::to_json() const {
  Json out{{"platform", platform_.file.name},
           {"clocks", Json::array()},
           {"without_domain", Json::array()},
           {"unknown_rails", Json::array()},
           {"rails_not_recorded", Json::array()}};
  std::vector<std::string> rails;
  for (const auto& [name, unused] : platform_.file.rails) rails.push_back(name);
  std::vector<std::string> recorded;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const std::string& name = columns_.names()[i];
    if (name.ends_with(kMilliwatt)) {
      recorded.push_back(name.substr(0, name.size() - kMilliwatt.size()));
      if (std::find(rails.begin(), rails.end(), recorded.back()) == rails.end())
        out["unknown_rails"].push_back(recorded.back());
    }
    if (known_[i].is_clock && known_[i].domain < 0) out["without_domain"].push_back(name);
    for (const auto& [mhz, rows] : known_[i].odd) {
      const auto& [domain, file] = platform_.file.domains[static_cast<std::size_t>(known_[i].domain)];
      out["clocks"].push_back({{"column", name},
                               {"domain", domain},
                               {"mhz", mhz},
                               {"rows", rows},
                               {"nearest_mhz", nearest_opp(file.opps_mhz, mhz)}});
    }
  }
  for (const std::string& rail : rails)
    if (std::find(recorded.begin(), recorded.end(), rail) == recorded.end()) out["rails_not_recorded"].push_back(rail);
  return out;
}

std::string ClockCheck::text() const {
  const Json all = to_json();
  std::string out = "against " + platform_.file.name + ":\n";
  std::size_t told = 0;
  for (const Json& one : all["clocks"]) {
    constexpr std::size_t kTold = 20;
    if (++told > kTold) {
      out += "  … and " + std::to_string(all["clocks"].size() - kTold) + " more (--json has them all)\n";
      break;
    }
    out += "  " + one["column"].get<std::string>() + ": " + number_text(one["mhz"].get<double>()) + " in " +
           std::to_string(one["rows"].get<std::uint64_t>()) + " rows is no OPP of " + one["domain"].get<std::string>() +
           "; the nearest is " + number_text(one["nearest_mhz"].get<double>()) + '\n';
  }
  const auto list = [&](const char* key, const std::string& what) {
    std::string names;
    for (const Json& name : all[key]) names += (names.empty() ? "" : ", ") + name.get<std::string>();
    if (!names.empty()) out += "  " + what + ": " + names + '\n';
  };
  if (told == 0) out += "  every clock is an OPP of its domain\n";
  list("without_domain", "clocks of no domain of the platform");
  list("unknown_rails", "rails that the platform does not have");
  list("rails_not_recorded", "rails of the platform that were not recorded");
  return out;
}

}  // namespace dynasoc::trace
