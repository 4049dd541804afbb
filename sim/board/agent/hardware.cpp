#include "hardware.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "clock.hpp"
#include "cpu_account.hpp"
#include "files.hpp"
#include "knobs.hpp"
#include "lock_and_journal.hpp"
#include "members.hpp"
#include "meters.hpp"
#include "probe.hpp"

namespace dynasoc::agent {
namespace {

constexpr double kDefaultSampleHz = 500, kLowestSampleHz = 1, kHighestSampleHz = 5000;
constexpr double kNoLimitC = 1e6;

struct Unit {
  std::vector<int> cpus;
};

struct Temperature {
  std::string name;
  ThermalZone zone;
  double limit_c = kNoLimitC;
  bool lost = false;
};

/// What a `configure` asks for; kept whole or not at all.
struct Configuration {
  std::vector<Domain> domains;
  std::map<std::string, Unit> units;
  std::vector<Sampler::Rail> rails;
  std::vector<Temperature> temperatures;
  int sampler_cpu = -1;
  double sample_hz = kDefaultSampleHz;
  bool pinned = false;  // and not said to be all right
  Json warnings = Json::array();
};

std::vector<std::string> known(std::initializer_list<const char*> names) {
  std::vector<std::string> all{"id", "op"};
  all.insert(all.end(), names.begin(), names.end());
  return all;
}

const Json& section(const Json& request, const char* name) {
  static const Json kNone = Json::object();
  const auto found = request.find(name);
  if (found == request.end()) return kNone;
  if (!found->is_object()) throw Refusal("bad_request", std::string("configure: \"") + name + "\" must be an object");
  return *found;
}

const Json& checked_object(const Json& value, const std::string& what) {
  if (!value.is_object()) throw Refusal("bad_request", what + " must be an object");
  return value;
}

template <class Items, class Name>
std::string names_of(const Items& items, const Name& name) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + name(item);
  return text.empty() ? "none" : text;
}

Domain find_domain(const Files& files, const std::vector<Domain>& there, const std::string& name, const Json& value) {
  const std::string what = "configure: domain \"" + name + "\"";
  const Members members(checked_object(value, what), what, {"policy", "devfreq", "emc"});
  if (value.size() != 1) throw Refusal("bad_request", what + " needs one of \"policy\", \"devfreq\", \"emc\"");
  if (members.has("devfreq")) return devfreq_domain(files, members.text("devfreq"));
  std::string wanted = "emc";
  if (members.has("policy")) {
    wanted = members.text("policy");
  } else if (value["emc"] != true) {
    throw Refusal("bad_request", what + ": \"emc\" must be true");
  }
  for (const Domain& domain : there) {
    if (domain.name == wanted && (domain.kind == "cpu") == members.has("policy")) return domain;
  }
  const std::string listed = names_of(there, [](const Domain& domain) { return domain.name; });
  throw Refusal("not_found", what + ": no " + wanted + " on this board; there is " + listed +
                                 " (policies whose CPUs are all offline are not to be seen)");
}

Unit find_unit(const Files& files, const std::string& name, const Json& value, Json& warnings) {
  const std::string what = "configure: unit \"" + name + "\"";
  const Members members(checked_object(value, what), what, {"cpus"});
  if (!members.has("cpus") || !value["cpus"].is_array() || value["cpus"].empty()) {
    throw Refusal("bad_request", what + ": \"cpus\" must be a list of CPUs");
  }
  const std::vector<int> present = present_cpus(files);
  Unit unit;
  for (const Json& one : value["cpus"]) {
    if (!one.is_number_integer()) throw Refusal("bad_request", what + ": \"cpus\" must be whole numbers");
    const auto cpu = one.get<std::int64_t>();
    if (std::find(present.begin(), present.end(), cpu) == present.end()) {
      throw Refusal("not_allowed", what + ": the board has no CPU " + one.dump() + ", but " + cpu_list_text(present));
    }
    if (std::find(unit.cpus.begin(), unit.cpus.end(), cpu) != unit.cpus.end()) {
      throw Refusal("bad_request", what + ": CPU " + one.dump() + " is there twice");
    }
    unit.cpus.push_back(static_cast<int>(cpu));
    if (!cpu_online(files, unit.cpus.back()))
      warnings.push_back("unit " + name + ": CPU " + one.dump() + " is offline");
  }
  return unit;
}

RailSource find_rail(const std::vector<RailSource>& there, const std::string& name, const Json& value, Json& warnings) {
  const std::string what = "configure: rail \"" + name + "\"";
  const std::string label = Members(checked_object(value, what), what, {"label"}).text("label");
  const RailSource* found = nullptr;
  for (const RailSource& rail : there) {
    if (rail.label != label) continue;
    if (found == nullptr) {
      found = &rail;
    } else {
      warnings.push_back("rail " + name + ": the board has " + label + " more than once; " + found->path + " is taken");
    }
  }
  if (found != nullptr) return *found;
  throw Refusal("not_found", what + ": no rail is labelled \"" + label + "\"; there is " +
                                 names_of(there, [](const RailSource& rail) { return rail.label; }));
}

Temperature find_temperature(const std::vector<ThermalZone>& there, const std::string& name, const Json& value) {
  const std::string what = "configure: thermal \"" + name + "\"";
  const Members members(checked_object(value, what), what, {"type", "limit_c"});
  Temperature temperature;
  temperature.name = name;
  temperature.limit_c = members.number_or("limit_c", kNoLimitC, 0, 200);
  const std::string type = members.text("type");
  for (const ThermalZone& zone : there) {
    if (zone.type != type) continue;
    temperature.zone = zone;
    return temperature;
  }
  throw Refusal("not_found", what + ": no thermal zone is of type \"" + type + "\"; there is " +
                                 names_of(there, [](const ThermalZone& zone) { return zone.type; }));
}

Json or_null(const std::optional<double>& x) { return x ? Json(*x) : Json(); }

}  // namespace

struct Hardware::State {
  explicit State(const HardwareOptions& options)
      : files(options.root),
        dry_run(options.dry_run),
        lock(files, options.state),
        journal(files, options.state),
        knobs(files, journal, options.dry_run),
        account(files) {}

  const Unit& unit(const std::string& name) const {
    const auto found = now.units.find(name);
    if (found != now.units.end()) return found->second;
    throw Refusal("not_found", "no unit \"" + name + "\" is configured; there is " +
                                   names_of(now.units, [](const auto& one) { return one.first; }));
  }
  const Domain& domain(const std::string& name) const {
    for (const Domain& domain : now.domains) {
      if (domain.name == name) return domain;
    }
    throw Refusal("not_found", "no domain \"" + name + "\" is configured; there is " +
                                   names_of(now.domains, [](const Domain& one) { return one.name; }));
  }
  bool pinned_by_others(const Configuration& configuration) const {
    // What this session has pinned itself is no reason to refuse.
    for (const Domain& domain : configuration.domains) {
      for (const std::string& path : {domain.low_path, domain.high_path, domain.lock_path}) {
        if (!path.empty() && journal.original(path) != nullptr) return false;
      }
    }
    return all_pinned(files, configuration.domains);
  }
  Configuration read(const Json& request) const;
  Json cores(const Members& members);

  Files files;
  bool dry_run;
  BoardLock lock;
  Journal journal;
  Knobs knobs;
  CpuAccount account;
  Json restored_at_start = Json::array();
  std::size_t unrestored = 0;  // of an earlier end
  Configuration now;
  std::vector<std::string> lost_temperatures;
  std::unique_ptr<Sampler> sampler;  // last: it reads the others
};

Configuration Hardware::State::read(const Json& request) const {
  const Members members(request, "configure",
                        known({"domains", "units", "rails", "thermal", "sampler_cpu", "sample_hz", "foreign_share",
                               "neighbour_share", "pinned_ok"}));
  Configuration wanted;
  std::set<std::string> knobs_taken;
  const std::vector<Domain> domains = find_domains(files);
  for (const auto& entry : section(request, "domains").items()) {
    wanted.domains.push_back(find_domain(files, domains, entry.key(), entry.value()));
    Domain& domain = wanted.domains.back();
    domain.name = entry.key();
    if (!knobs_taken.insert(files.real(domain.path)).second) {
      throw Refusal("bad_request", "configure: domain \"" + domain.name + "\" is another one's clock");
    }
    if (!writable(files, domain)) {
      wanted.warnings.push_back("domain " + domain.name + ": its clock cannot be set: run the agent as root");
    }
    if (domain.kind == "memory" && domain.lock_path.empty()) {
      wanted.warnings.push_back("domain " + domain.name +
                                ": only the memory's highest clock can be set; a pinned frequency is a limit");
    }
  }
  for (const auto& entry : section(request, "units").items()) {
    wanted.units[entry.key()] = find_unit(files, entry.key(), entry.value(), wanted.warnings);
  }
  const std::vector<RailSource> rails = find_rails(files);
  for (const auto& entry : section(request, "rails").items()) {
    wanted.rails.push_back({entry.key(), find_rail(rails, entry.key(), entry.value(), wanted.warnings)});
  }
  const std::vector<ThermalZone> zones = find_zones(files);
  for (const auto& entry : section(request, "thermal").items()) {
    wanted.temperatures.push_back(find_temperature(zones, entry.key(), entry.value()));
  }
  wanted.sample_hz = members.number_or("sample_hz", kDefaultSampleHz, kLowestSampleHz, kHighestSampleHz);
  members.number_or("foreign_share", 0, 0, 1);
  members.number_or("neighbour_share", 0, 0, 1);
  if (members.has("sampler_cpu")) {
    wanted.sampler_cpu = static_cast<int>(members.whole("sampler_cpu", 0, 4095));
    const std::vector<int> present = present_cpus(files);
    if (std::find(present.begin(), present.end(), wanted.sampler_cpu) == present.end()) {
      throw Refusal("not_allowed", "configure: the board has no CPU " + std::to_string(wanted.sampler_cpu) + ", but " +
                                       cpu_list_text(present));
    }
    for (const auto& unit : wanted.units) {
      const std::vector<int>& cpus = unit.second.cpus;
      if (std::find(cpus.begin(), cpus.end(), wanted.sampler_cpu) == cpus.end()) continue;
      wanted.warnings.push_back("the sampler runs on CPU " + std::to_string(wanted.sampler_cpu) + ", which is unit " +
                                unit.first + "'s: it takes some per cent of its inferences' time");
    }
  }
  if (pinned_by_others(wanted)) {
    const auto allowed = request.find("pinned_ok");
    wanted.pinned = allowed == request.end() || *allowed != true;
    wanted.warnings.push_back("all clocks are pinned, as by jetson_clocks: " + unpin_remedy());
  }
  return wanted;
}

Hardware::Hardware(const HardwareOptions& options) : state_(std::make_unique<State>(options)) {
  if (!options.dry_run) state_->restored_at_start = state_->journal.restore(false)["restored"];
  state_->unrestored = state_->journal.size();
}

Hardware::~Hardware() {
  state_->sampler.reset();
  try {
    const Json answer = restore();
    for (const Json& failed : answer["failed"]) {
      std::fprintf(stderr, "%s\n", failed["message"].get_ref<const std::string&>().c_str());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
}

const Json& Hardware::restored_at_start() const { return state_->restored_at_start; }
Json Hardware::identity() const { return identity_json(state_->files); }

Json Hardware::probe() const {
  Json answer = probe_json(state_->files, state_->unrestored);
  answer["board"] = identity();
  return answer;
}

int Hardware::cpus() const { return static_cast<int>(present_cpus(state_->files).size()); }

Json Hardware::configure(const Json& request) {
  State& state = *state_;
  Configuration wanted = state.read(request);
  state.sampler.reset();
  state.now = std::move(wanted);
  state.knobs.forget();
  state.lost_temperatures.clear();
  Configuration& now = state.now;
  state.sampler =
      std::make_unique<Sampler>(state.files, now.rails, now.domains, state.account, now.sampler_cpu, now.sample_hz);
  if (!state.sampler->pinned()) {
    now.warnings.push_back("the sampler cannot be pinned to CPU " + std::to_string(now.sampler_cpu));
  }
  Json answer{{"domains", Json::object()}, {"rails", Json::object()}};
  for (const Domain& domain : now.domains) {
    const Json all = domain_json(state.files, domain);
    Json& one = answer["domains"][domain.name];
    for (const char* name : {"opps_mhz", "mhz", "min_mhz", "max_mhz", "governor"}) one[name] = all[name];
  }
  for (const Sampler::Rail& rail : now.rails) {
    answer["rails"][rail.name] = {{"path", state.files.full(rail.source.path)}};
  }
  answer["sample_hz"] = now.sample_hz;
  answer["warnings"] = now.warnings;
  return answer;
}

Json Hardware::State::cores(const Members& members) {
  const std::string name = members.text("unit");
  const std::vector<int>& cpus = unit(name).cpus;
  const auto wanted = members.whole("online", INT32_MIN, INT32_MAX);
  if (wanted < 1 || wanted > static_cast<std::int64_t>(cpus.size())) {
    throw Refusal("not_allowed",
                  "unit " + name + " has from 1 to " + std::to_string(cpus.size()) + " CPUs to be online",
                  {{"requested", wanted}});
  }
  const auto count = static_cast<std::ptrdiff_t>(wanted);
  for (const auto& other : now.units) {
    const auto sleeps = [&](int cpu) { return std::find(cpus.begin() + count, cpus.end(), cpu) != cpus.end(); };
    const auto awake = [&](int cpu) { return cpu_online(files, cpu) && !sleeps(cpu); };
    const std::vector<int>& theirs = other.second.cpus;
    if (other.first != name && std::any_of(theirs.begin(), theirs.end(), sleeps) &&
        std::none_of(theirs.begin(), theirs.end(), awake)) {
      throw Refusal("not_allowed", "unit " + other.first + " would have no CPU left online", {{"requested", wanted}});
    }
  }
  return knobs.cores(cpus, static_cast<int>(count), now.domains);
}

Json Hardware::set(const Json& request) {
  State& state = *state_;
  const auto names = known({"knob", "domain", "unit", "mhz", "min_mhz", "max_mhz", "value", "online"});
  const std::string knob = Members(request, "set", names).text("knob");
  const bool is_cores = knob == "cores";
  const std::vector<std::string> all{"frequency", "limits", "governor", "release", "cores"};
  if (std::find(all.begin(), all.end(), knob) == all.end()) {
    throw Refusal("bad_request", "set: no knob \"" + knob + "\"" + did_you_mean(knob, all));
  }
  const Members members(request, "set " + knob,
                        is_cores              ? known({"knob", "unit", "online"})
                        : knob == "frequency" ? known({"knob", "domain", "mhz"})
                        : knob == "limits"    ? known({"knob", "domain", "min_mhz", "max_mhz"})
                        : knob == "governor"  ? known({"knob", "domain", "value"})
                                              : known({"knob", "domain"}));
  if (is_cores) return state.cores(members);

  const Domain& domain = state.domain(members.text("domain"));
  const auto mhz = [&](const char* name) { return members.number(name, 0, 1e6); };
  const double x = knob == "frequency" ? mhz("mhz") : 0;
  const double low = knob == "limits" ? mhz("min_mhz") : 0, high = knob == "limits" ? mhz("max_mhz") : 0;
  const std::string value = knob == "governor" ? members.text("value") : std::string();
  if (state.now.pinned) {
    throw Refusal("not_allowed", "all clocks were found pinned, as by jetson_clocks: " + unpin_remedy() +
                                     "; or configure with \"pinned_ok\": true, to turn them all the same");
  }
  if (knob == "frequency") return state.knobs.frequency(domain, x);
  if (knob == "limits") return state.knobs.limits(domain, low, high);
  if (knob == "governor") return state.knobs.governor(domain, value);
  return state.knobs.release(domain);
}

Json Hardware::state() {
  State& state = *state_;
  Json answer{{"clock_ns", now_ns()},
              {"domains", Json::object()},
              {"units", Json::object()},
              {"rails", Json::object()},
              {"temperatures_c", Json::object()}};
  for (const Domain& domain : state.now.domains) answer["domains"][domain.name] = clock_json(state.files, domain);
  for (const auto& unit : state.now.units) {
    const double share = state.account.utilisation(unit.second.cpus);
    const auto online = std::count_if(unit.second.cpus.begin(), unit.second.cpus.end(),
                                      [&](int cpu) { return cpu_online(state.files, cpu); });
    answer["units"][unit.first] = {{"utilisation", share < 0 ? Json() : Json(share)}, {"cores_online", online}};
  }
  const std::vector<Sampler::Now> rails = state.sampler ? state.sampler->now() : std::vector<Sampler::Now>();
  for (std::size_t i = 0; i < rails.size(); ++i) {
    answer["rails"][state.now.rails[i].name] = {{"power_w", or_null(rails[i].power_w)},
                                                {"energy_mj", or_null(rails[i].energy_mj)},
                                                {"samples", rails[i].samples}};
  }
  for (Temperature& temperature : state.now.temperatures) {
    bool gone = false;
    const auto celsius = read_temperature_c(state.files, temperature.zone, &gone);
    answer["temperatures_c"][temperature.name] = or_null(celsius);
    if (gone && !temperature.lost) state.lost_temperatures.push_back(temperature.name);
    temperature.lost = gone;
  }
  return answer;
}

const std::vector<int>& Hardware::unit_cpus(const std::string& unit) const { return state_->unit(unit).cpus; }
int Hardware::sampler_cpu() const { return state_->now.sampler_cpu; }

Json Hardware::window(std::int64_t start_ns, std::int64_t end_ns) {
  State& state = *state_;
  if (!state.sampler) {
    return {{"mhz", Json::object()}, {"energy_mj", Json::object()}, {"samples", 0}, {"steady", true}};
  }
  Json answer = state.sampler->window(start_ns, end_ns);
  if (state.knobs.clock_written(start_ns, end_ns)) answer["steady"] = false;
  return answer;
}

double Hardware::foreign_share(const std::string& unit, std::int64_t start_ns, std::int64_t end_ns,
                               std::int64_t own_ns) {
  return state_->account.foreign_share(unit, unit_cpus(unit), start_ns, end_ns, own_ns);
}

double Hardware::neighbour_share() {
  std::vector<int> others = present_cpus(state_->files);
  for (const auto& unit : state_->now.units) {
    const std::vector<int>& own = unit.second.cpus;
    others.erase(std::remove_if(others.begin(), others.end(),
                                [&own](int cpu) { return std::find(own.begin(), own.end(), cpu) != own.end(); }),
                 others.end());
  }
  return others.empty() ? 0 : std::max(0.0, state_->account.utilisation(others));
}

void Hardware::note_own(const std::string& unit, std::int64_t start_ns, std::int64_t end_ns, std::int64_t own_ns) {
  state_->unit(unit);
  state_->account.note_own(unit, start_ns, end_ns, own_ns);
}

Json Hardware::thermal_alarm() {
  for (const Temperature& temperature : state_->now.temperatures) {
    const auto celsius = read_temperature_c(state_->files, temperature.zone);
    if (!celsius || *celsius < temperature.limit_c) continue;
    return {{"event", "thermal"},
            {"name", temperature.name},
            {"temperature_c", *celsius},
            {"limit_c", temperature.limit_c}};
  }
  return nullptr;
}

std::vector<Json> Hardware::take_lost() {
  std::vector<Json> events;
  const auto tell = [&](const char* what, const std::vector<std::string>& names) {
    for (const std::string& name : names) events.push_back({{"event", "lost"}, {"what", what}, {"name", name}});
  };
  if (state_->sampler) tell("rail", state_->sampler->take_lost());
  tell("temperature", std::exchange(state_->lost_temperatures, {}));
  return events;
}

Json Hardware::restore() {
  state_->knobs.forget();
  // With --dry-run nothing was written by this session, and what an earlier one has left is only told.
  return state_->journal.restore(state_->dry_run);
}

Json restore_journal(const HardwareOptions& options) {
  const Files files(options.root);
  const BoardLock lock(files, options.state);
  Journal journal(files, options.state);
  return journal.restore(options.dry_run);
}

}  // namespace dynasoc::agent
