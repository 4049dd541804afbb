#include "device/platform.hpp"

#include <algorithm>
#include <cmath>

#include "common/text.hpp"
#include "device/thermal.hpp"

namespace dynasoc {
namespace {

// The place of something inside a structure that does not remember its own.
Where below(const Where& where, const std::string& pointer) { return {where.document, where.pointer + pointer}; }

std::string entry(std::size_t index) { return "/" + std::to_string(index); }
std::string member(std::string_view name) { return "/" + pointer_token(name); }

template <class T>
std::vector<std::string> names_of(const Named<T>& members) {
  std::vector<std::string> out;
  for (const auto& [name, unused] : members) out.push_back(name);
  return out;
}

template <class T>
int index_of(const Named<T>& members, std::string_view name) {
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i].first == name) return static_cast<int>(i);
  return -1;
}

// The index a name stands for; throws at the name's own place, with the nearest candidate.
template <class T>
int resolve(const Named<T>& members, const Name& name, std::string_view what) {
  const int index = index_of(members, name.text);
  if (index < 0)
    throw name.error("no such " + std::string(what) + " " + in_quotes(name.text) + hint(name.text, names_of(members)));
  return index;
}

void refuse_repeats(const std::vector<Name>& names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (names[i].text == names[j].text) throw names[i].error("\"" + names[i].text + "\" is listed twice");
}

void check_domain(const DomainFile& domain) {
  if (domain.opps_mhz.empty()) throw below(domain.where, "/opps_mhz").error("a domain needs at least one clock");
  for (std::size_t i = 1; i < domain.opps_mhz.size(); ++i)
    if (domain.opps_mhz[i] <= domain.opps_mhz[i - 1])
      throw below(domain.where, "/opps_mhz" + entry(i))
          .error("clocks must ascend; " + plain_number(domain.opps_mhz[i]) + " follows " +
                 plain_number(domain.opps_mhz[i - 1]));
}

void check_power(const UnitFile& unit) {
  if (unit.power.empty()) throw below(unit.where, "/power").error("a unit needs at least one power point");
  for (std::size_t i = 0; i < unit.power.size(); ++i) {
    const PowerPoint& point = unit.power[i];
    const Where where = below(unit.where, "/power" + entry(i));
    if (i > 0 && point.mhz <= unit.power[i - 1].mhz)
      throw below(where, "/mhz")
          .error("power points must ascend; " + plain_number(point.mhz) + " follows " +
                 plain_number(unit.power[i - 1].mhz));
    if (point.busy_w < point.idle_w)
      throw below(where, "/busy_w")
          .error("a busy unit cannot draw less than an idle one (" + plain_number(point.busy_w) + " < " +
                 plain_number(point.idle_w) + ")");
    if (point.source.empty()) throw below(where, "/source").error("say where the figure comes from");
  }
  if (unit.power_uncertainty && unit.power_uncertainty->source.empty())
    throw below(unit.where, "/power_uncertainty/source").error("say which residuals these figures come from");
}

Platform::UnitLinks link_unit(const PlatformFile& file, const UnitFile& unit) {
  Platform::UnitLinks links;
  if (unit.domains.empty()) throw below(unit.where, "/domains").error("a unit needs at least one frequency domain");
  refuse_repeats(unit.domains);
  for (const Name& name : unit.domains) links.domains.push_back(resolve(file.domains, name, "frequency domain"));
  const auto of_kind = [&](const Name& name, DomainKind kind, const char* wanted) {
    const int index = resolve(file.domains, name, "frequency domain");
    if (file.domains[static_cast<std::size_t>(index)].second.kind != kind)
      throw name.error("\"" + name.text + "\" is not a domain of kind \"" + wanted + "\"");
    return index;
  };
  if (unit.host_load != 1 && unit.host_domain.empty())
    throw(unit.where / "host_load").error("needs a \"host_domain\", whose core it loads");
  if (!unit.host_domain.empty()) links.host_domain = of_kind(unit.host_domain, DomainKind::cpu, "cpu");
  if (!unit.memory_domain.empty()) links.memory_domain = of_kind(unit.memory_domain, DomainKind::memory, "memory");
  if (!unit.thermal_node.empty()) {
    if (!file.thermal) throw unit.thermal_node.error("the platform has no \"thermal\" network");
    links.thermal_node = resolve(file.thermal->nodes, unit.thermal_node, "thermal node");
  }
  if (unit.preemptive && unit.discipline != Discipline::priority && unit.discipline != Discipline::edf)
    throw below(unit.where, "/preemptive").error("only the disciplines priority and edf can be preemptive");
  if (unit.slice_ms > 0 && unit.discipline != Discipline::fair)
    throw below(unit.where, "/slice_ms").error("only the discipline fair has time slices");
  if (unit.switch_us > 0 && !(unit.slice_ms > 0))
    throw below(unit.where, "/switch_us").error("a switch cost needs a slice length (\"slice_ms\")");
  if (unit.switch_us * 1e-3 > unit.slice_ms)
    throw below(unit.where, "/switch_us").error("a change of slice cannot take longer than the slice");
  check_power(unit);
  return links;
}

void check_thermal(const PlatformFile& file) {
  const ThermalFile& thermal = *file.thermal;
  const Where where = below(file.where, "/thermal");
  const std::size_t count = thermal.nodes.size();
  if (count == 0) throw below(where, "/nodes").error("a thermal network needs at least one node");
  if (count > ThermalModel::kMaxNodes)
    throw below(where, "/nodes")
        .error("at most " + std::to_string(ThermalModel::kMaxNodes) + " thermal nodes are supported, not " +
               std::to_string(count));
  for (const ThermalLinkFile& link : thermal.links) {
    const int a = resolve(thermal.nodes, link.a, "thermal node"), b = resolve(thermal.nodes, link.b, "thermal node");
    if (a == b) throw link.b.error("a thermal link joins two different nodes");
  }
  // Heat must get out of every node, else its temperature has no steady state. Spread "has a way out" along the links.
  std::vector<bool> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = thermal.nodes[i].second.to_ambient_w_per_k > 0;
  for (std::size_t round = 0; round < count; ++round)
    for (const ThermalLinkFile& link : thermal.links) {
      const auto a = static_cast<std::size_t>(index_of(thermal.nodes, link.a.text));
      const auto b = static_cast<std::size_t>(index_of(thermal.nodes, link.b.text));
      if (out[a] || out[b]) out[a] = out[b] = true;
    }
  for (std::size_t i = 0; i < count; ++i)
    if (!out[i])
      throw below(where, "/nodes" + member(thermal.nodes[i].first))
          .error("no way to the surroundings: give it, or a node linked to it, a \"to_ambient_w_per_k\" above 0");
  for (std::size_t i = 0; i < thermal.trips.size(); ++i) {
    const TripFile& trip = thermal.trips[i];
    resolve(thermal.nodes, trip.node, "thermal node");
    if (trip.domains.empty())
      throw below(where, "/trips" + entry(i) + "/domains").error("a trip point needs a domain to cap");
    refuse_repeats(trip.domains);
    for (const Name& name : trip.domains) resolve(file.domains, name, "frequency domain");
  }
  if (!thermal.static_node.empty()) resolve(thermal.nodes, thermal.static_node, "thermal node");
  if (thermal.source.empty()) throw below(where, "/source").error("say where the figures come from");
  try {
    ThermalModel{thermal};
  } catch (const InternalError&) {  // the eigenvalues drown in rounding
    throw below(where, "/nodes").error("the capacities and conductances lie too far apart to be computed with");
  }
}

void check_modes(const PlatformFile& file) {
  int cores = 0;
  for (const auto& [name, domain] : file.domains)
    if (domain.kind == DomainKind::cpu) cores += domain.cores;
  for (std::size_t i = 0; i < file.modes.size(); ++i) {
    const auto& [name, mode] = file.modes[i];
    for (std::size_t j = 0; j < i; ++j)
      if (mode.id != 0 && file.modes[j].second.id == mode.id)  // 0 may mean "not stated"
        throw below(mode.where, "/id").error("the mode \"" + file.modes[j].first + "\" has the same number");
    if (mode.cores_online > cores)
      throw below(mode.where, "/cores_online")
          .error("the board has " + std::to_string(cores) + " CPU cores, not " + std::to_string(mode.cores_online));
    const auto domain_at = [&](const std::string& domain, const Where& where) -> const DomainFile& {
      const int index = index_of(file.domains, domain);
      if (index < 0)
        throw where.key_error("no such frequency domain " + in_quotes(domain) + hint(domain, names_of(file.domains)));
      return file.domains[static_cast<std::size_t>(index)].second;
    };
    for (const auto& [domain, mhz] : mode.max_mhz) {
      const Where where = below(mode.where, "/max_mhz" + member(domain));
      if (const double lowest = domain_at(domain, where).opps_mhz.front(); mhz < lowest)
        throw where.error("the cap is below the domain's lowest clock, " + plain_number(lowest) + " MHz");
    }
    for (const auto& [domain, mhz] : mode.min_mhz) {
      const Where where = below(mode.where, "/min_mhz" + member(domain));
      const std::vector<double>& opps = domain_at(domain, where).opps_mhz;
      double cap = opps.back();
      if (const int index = index_of(mode.max_mhz, domain); index >= 0)
        cap = std::min(cap, mode.max_mhz[static_cast<std::size_t>(index)].second);
      if (std::none_of(opps.begin(), opps.end(), [&, low = mhz](double f) { return low <= f && f <= cap; }))
        throw where.error("no clock of the domain lies between this floor and the cap, " + plain_number(cap) + " MHz");
    }
  }
  if (file.default_mode.empty()) return;
  resolve(file.modes, file.default_mode, "power mode");
}

// Names of the board's own section are those of the platform, and each clock is found in one way.
void check_board(const PlatformFile& file) {
  const BoardFile& board = *file.board;
  const auto known = [&](const auto& members, const std::string& name, const char* section, const char* what) {
    if (index_of(members, name) < 0)
      throw below(board.where, std::string("/") + section + member(name))
          .key_error(std::string("no such ") + what + " " + in_quotes(name) + hint(name, names_of(members)));
  };
  for (const auto& [name, domain] : board.domains) {
    known(file.domains, name, "domains", "frequency domain");
    if (!domain.policy.empty() + !domain.devfreq.empty() + domain.emc != 1)
      throw below(board.where, "/domains" + member(name)).error("needs one of \"policy\", \"devfreq\" and \"emc\"");
  }
  for (const auto& [name, unit] : board.units) {
    known(file.units, name, "units", "unit");
    if (unit.cpus.empty()) throw below(board.where, "/units" + member(name) + "/cpus").error("is empty");
  }
  for (const auto& [name, label] : board.rails) {
    known(file.rails, name, "rails", "rail");
    if (label.empty()) throw below(board.where, "/rails" + member(name)).error("is empty");
  }
}

// Piecewise-linear in the clock, constant beyond the ends.
double interpolate(const std::vector<PowerPoint>& points, double mhz, double PowerPoint::*what) {
  if (mhz <= points.front().mhz) return points.front().*what;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const PowerPoint &a = points[i - 1], &b = points[i];
    if (mhz < b.mhz) return a.*what + (b.*what - a.*what) * ((mhz - a.mhz) / (b.mhz - a.mhz));
  }
  return points.back().*what;
}

}  // namespace

Platform Platform::load(const std::filesystem::path& path) {
  auto file = read<PlatformFile>(Value(Document::load(path)));
  if (file.name != path.stem().string())
    throw below(file.where, "/name")
        .error("the file is called \"" + path.stem().string() + "\", the platform \"" + file.name +
               "\"; scenarios find a platform by its file's name");
  return from(std::move(file));
}

Platform Platform::from(PlatformFile file) {
  Platform platform;
  if (file.name.empty()) throw below(file.where, "/name").error("a platform needs a name");
  if (file.domains.empty()) throw below(file.where, "/domains").error("a platform needs at least one frequency domain");
  if (file.units.empty()) throw below(file.where, "/units").error("a platform needs at least one processing unit");
  constexpr std::size_t kMostUnits = 256;  // a job's record keeps its unit in a byte
  if (file.units.size() > kMostUnits)
    throw below(file.where, "/units")
        .error("at most " + std::to_string(kMostUnits) + " units are supported, not " +
               std::to_string(file.units.size()));
  for (const auto& [name, domain] : file.domains) check_domain(domain);
  if (file.static_power_std_w > 0 && !(file.static_power_w > 0))
    throw below(file.where, "/static_power_std_w")
        .error("without a \"static_power_w\" there is nothing that could vary");
  if (file.thermal) check_thermal(file);
  for (const auto& [name, unit] : file.units) platform.links.push_back(link_unit(file, unit));

  const std::size_t count = file.units.size();
  platform.slow.assign(count, std::vector<double>(count, 1.0));
  for (std::size_t i = 0; i < file.contention.size(); ++i) {
    const ContentionFile& pair = file.contention[i];
    const auto victim = static_cast<std::size_t>(resolve(file.units, pair.victim, "unit"));
    const auto aggressor = static_cast<std::size_t>(resolve(file.units, pair.aggressor, "unit"));
    if (victim == aggressor)
      throw pair.aggressor.error("a unit does not contend with itself; its jobs share it by its discipline");
    for (std::size_t j = 0; j < i; ++j)
      if (file.contention[j].victim.text == pair.victim.text &&
          file.contention[j].aggressor.text == pair.aggressor.text)
        throw pair.victim.error("this pair is declared twice");
    platform.slow[victim][aggressor] = pair.slowdown;
  }
  for (const auto& [name, rail] : file.rails) {
    refuse_repeats(rail.units);
    for (const Name& unit : rail.units) resolve(file.units, unit, "unit");
  }
  for (const auto& [name, sensor] : file.sensors) {
    refuse_repeats(sensor.rails);
    for (const Name& rail : sensor.rails) resolve(file.rails, rail, "rail");
    if (sensor.update_ms > 0 && sensor.update_ms < 1e-3)
      throw below(file.where, "/sensors" + member(name) + "/update_ms").error("is below a microsecond");
    if (sensor.update_ms > 0 && sensor.averaging_ms > sensor.update_ms)
      throw below(file.where, "/sensors" + member(name) + "/averaging_ms")
          .error("the averaging window is longer than the time between updates");
    if (!(sensor.update_ms > 0) && sensor.averaging_ms > sensor.period_ms)
      throw below(file.where, "/sensors" + member(name) + "/averaging_ms")
          .error("the averaging window is longer than the period");
  }
  check_modes(file);
  if (file.board) check_board(file);
  platform.file = std::move(file);
  return platform;
}

int Platform::unit_index(std::string_view name) const { return index_of(file.units, name); }
int Platform::domain_index(std::string_view name) const { return index_of(file.domains, name); }

const ModeFile* Platform::mode(std::string_view name) const {
  const int index = index_of(file.modes, name);
  return index < 0 ? nullptr : &file.modes[static_cast<std::size_t>(index)].second;
}

std::vector<std::string> Platform::unit_names() const { return names_of(file.units); }
std::vector<std::string> Platform::domain_names() const { return names_of(file.domains); }
std::vector<std::string> Platform::mode_names() const { return names_of(file.modes); }

double PowerUncertainty::log_sd(double mhz) const {
  const double slope = tilt * std::log(mhz / pivot_mhz);
  return std::sqrt(std::log1p(level * level) + slope * slope);
}

double PowerUncertainty::factor(double mhz, double level_draw, double tilt_draw) const {
  const double sd = log_sd(mhz);
  return std::exp(std::sqrt(std::log1p(level * level)) * level_draw + tilt * std::log(mhz / pivot_mhz) * tilt_draw -
                  sd * sd / 2);
}

double Platform::idle_w(std::size_t unit, double mhz) const {
  return interpolate(file.units[unit].second.power, mhz, &PowerPoint::idle_w);
}
double Platform::busy_w(std::size_t unit, double mhz) const {
  return interpolate(file.units[unit].second.power, mhz, &PowerPoint::busy_w);
}

}  // namespace dynasoc
