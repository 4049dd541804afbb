// A policy at a desk: it is led through steps that a JSON text tells, without engine, board or file. Used by the
// vectors worked by hand (tests/conformance/policy_vectors_test.cpp) and by `dynasoc_decide`, which lets another
// implementation be compared with ours. The text, with what may be left out in brackets:
//
//   vector   {"name", ["parameters": {…}], "board", "applications", "steps"}; the board and the applications may stand
//            once beside the list of vectors instead, and members of a vector's are laid over those
//   board    {"domains": {name: {"opps_mhz": […], [domain members]}}, "units": {name: {"domains": [name, …],
//            ["idle_w": [by OPP of its first domain]], [unit members]}}, ["rails": {name: W}], ["temperatures_c": […]]}
//   applications  {name: {"accuracy": [by sub-network], "latency_ms": {unit: [[by OPP] by sub-network]},
//            ["energy_mj": the same], [application members]}}. A null, or a unit left out, is not covered by the
//            tables.
//   step     {"at_ms", ["trigger": "period"], ["subject": name], ["explain": false], ["set": {"name.member": value,
//   …}],
//            ["complete": [{["app"], ["service_ms"], ["latency_ms"], …, ["repeat": 1]}]]}
//   domain members       opp_mhz (highest), requested_mhz (as opp_mhz), lowest_mhz, highest_mhz (ends), governed (true)
//   unit members         utilisation (0), cores (1), cores_online (as cores)
//   application members  subnet ("L1"), unit (first), active (true), admitted (true), latency_target_ms,
//   accuracy_floor,
//            energy_budget_mj, power_budget_w, priority, arrived, completed, missed, dropped, waiting, oldest_wait_ms,
//            switch_ms, switch_energy_mj (0), batch, most_batch, batch_marginal (1), memory_mb ([by sub-network], 0)
//   of the board, in `set` alone: "temperatures_c": […], "battery": {"capacity_j", "charge_j", "until_s"},
//            "thermal_budget": {"limit_c", ["node": -1]}
//   A completion's defaults: the application that the step is about, its sub-network and unit now, profile_ms what the
//   table says for them and the batch at the clock in effect, service_ms = profile_ms, latency_ms = service_ms, at_ms
//   the step's, missed = latency over target.
//
//
// A step with a `queue` asks the policy's scheduler instead of the policy:
//
//   queue    {["unit": first], "claims": [{"app", ["arrival_ms": 0], ["deadline_ms"], ["remaining_ms"], …}],
//            ["free_in_ms": {unit: ms}]}
//   claim members  deadline_ms (arrival_ms + the application's latency target, if it has one), priority (the
//            application's), subnet, unit (the application's), isolated_ms (the tables', on the queue's unit at its
//            clock now), remaining_ms (isolated_ms), next_ms (remaining_ms), block_share (next_ms / isolated_ms),
//            ran_ms (arrival_ms), started (false), stretch, frames (1), frame, lost, children (0), may_run (units that
//            the tables cover; for one that has started, its own)
//
// and its answer is {"run": application or null, "give_up": [applications]}, the latter where there are any; claims are
// shown by arrival and then by application, as a simulation does, and without those given up the second time. Where all
// are given up, nothing is run.
//
// In a step, `set` comes first, then `complete`, then the decision. Its writes are then applied to what the policy is
// shown next: sub-networks, mappings and admission at once, clocks at once and within the limits (and the domain is no
// longer governed), cores and limits too.
#pragma once

#include <stdexcept>

#include "common/document.hpp"
#include "manager/policy.hpp"

namespace dynasoc::test {

/// An implementation by name, from parameters as JSON.
template <class Interface>
std::unique_ptr<Interface> make_by_name(const std::string& name, const Json& parameters) {
  const auto document = Document::parse(parameters.dump(), name + " parameters");
  const Value value(document);
  return manager::Registry<Interface>::instance().make(name, &value);
}

inline int opp_of(const std::vector<double>& opps, double mhz) {
  for (std::size_t i = 0; i < opps.size(); ++i)
    if (std::abs(opps[i] - mhz) < 1e-6) return static_cast<int>(i);
  throw std::runtime_error("no OPP of " + std::to_string(mhz) + " MHz");
}

class PolicyDesk final : public manager::Profile {
 public:
  /// `common` has what all vectors of a file share.
  PolicyDesk(const std::string& policy, const Json& common, const Json& vector) {
    Json whole = Json::object();
    for (const Json* part : {&common, &vector})
      for (const char* key : {"board", "applications", "parameters"})
        if (part->contains(key)) whole[key].merge_patch((*part)[key]);  // null takes a member out
    policy_ = make_by_name<manager::Policy>(policy, whole.value("parameters", Json::object()));
    const Json& board = whole.at("board");
    for (const auto& [name, json] : board.at("domains").items()) {
      manager::DomainView& view = domains_.emplace_back();
      view.name = name;
      view.index = static_cast<int>(domains_.size()) - 1;
      view.opps_mhz = json.at("opps_mhz").get<std::vector<double>>();
      view.opp = view.requested = view.highest = static_cast<int>(view.opps_mhz.size()) - 1;
    }
    for (const auto& [name, json] : board.at("units").items()) {
      manager::UnitView& view = units_.emplace_back();
      view.name = name;
      view.index = static_cast<int>(units_.size()) - 1;
      view.cores = json.value("cores", 1);
      view.cores_online = json.value("cores_online", view.cores);
      for (const Json& domain : json.at("domains")) view.domains.push_back(index(domains_, domain));
      idle_w_.push_back(numbers(json.value("idle_w", Json::array())));
    }
    for (const auto& [name, json] : whole.at("applications").items()) {
      manager::AppView& view = apps_.emplace_back();
      view.name = name;
      view.index = static_cast<int>(apps_.size()) - 1;
      view.accuracy = json.at("accuracy").get<std::vector<double>>();
      view.subnets = static_cast<int>(view.accuracy.size());
      view.memory_mb.assign(view.accuracy.size(), 0);
      view.active = true;
      tables_.emplace_back();
    }
    for (const auto& [name, json] : board.at("domains").items()) set_members(name, json);
    for (const auto& [name, json] : board.at("units").items()) set_members(name, json);
    for (const auto& [name, json] : whole.at("applications").items()) set_members(name, json);
    const Json rails = board.value("rails", Json::object());  // named: `items` keeps only a reference
    for (const auto& [name, watts] : rails.items()) rails_.push_back({name, watts.get<double>(), 0});
    temperatures_c_ = numbers(board.value("temperatures_c", Json::array()));
  }
  PolicyDesk(const PolicyDesk&) = delete;
  PolicyDesk& operator=(const PolicyDesk&) = delete;

  /// The writes that stand after the decision, as `{"app.subnet": "L2", "gpu.frequency": 1000, …}`.
  const Json& step(const Json& step) {
    manager::Observation seen;
    seen.now = from_ms(step.at("at_ms").get<double>());
    seen.trigger = trigger_of(step.value("trigger", "period"));
    seen.explain = step.value("explain", false);
    using manager::Trigger;
    if (step.contains("subject"))
      seen.subject =
          seen.trigger == Trigger::load_change ? index(units_, step["subject"]) : index(apps_, step["subject"]);
    else if (seen.trigger == Trigger::arrival || seen.trigger == Trigger::completion ||
             seen.trigger == Trigger::target_change)
      seen.subject = 0;
    const Json changes = step.value("set", Json::object());
    for (const auto& [path, value] : changes.items()) {
      if (path == "temperatures_c") {
        temperatures_c_ = numbers(value);
        continue;
      }
      if (path == "battery") {
        battery_ = {value.at("capacity_j"), value.at("charge_j"), from_s(value.at("until_s").get<double>())};
        continue;
      }
      if (path == "thermal_budget") {
        thermal_budget_ = {value.at("limit_c"), value.value("node", -1)};
        continue;
      }
      const std::size_t dot = path.rfind('.');
      if (dot == std::string::npos) throw std::runtime_error("\"" + path + "\" is not name.member");
      set_members(path.substr(0, dot), Json{{path.substr(dot + 1), value}});
    }
    const Json completions = step.value("complete", Json::array());
    for (const Json& completion : completions) complete(completion, seen);
    for (manager::RailView& rail : rails_) rail.read_at = seen.now;
    seen.battery = battery_;
    seen.thermal_budget = thermal_budget_;
    seen.applications = apps_;
    seen.units = units_;
    seen.domains = domains_;
    seen.rails = rails_;
    seen.temperatures_c = temperatures_c_;
    seen.profile = this;
    decision_.clear();
    keys_.clear();
    if (step.contains("queue")) return writes_ = schedule(seen, step["queue"]);
    policy_->decide(seen, decision_);
    writes_ = Json::object();
    for (const manager::Write& write : decision_.writes) apply(write);
    return writes_;
  }

  const manager::Decision& decision() const { return decision_; }
  const std::string& key(std::size_t write) const { return keys_.at(write); }  ///< as in `step`'s answer
  manager::Policy& policy() { return *policy_; }

  Entry entry(int app, int subnet, int unit, int opp) const override {
    const auto at = [&](const Table& table) {
      if (static_cast<std::size_t>(unit) >= table.size()) return std::nan("");
      const auto& rows = table[static_cast<std::size_t>(unit)];
      if (static_cast<std::size_t>(subnet) >= rows.size()) return std::nan("");
      const auto& row = rows[static_cast<std::size_t>(subnet)];
      return static_cast<std::size_t>(opp) < row.size() ? row[static_cast<std::size_t>(opp)] : std::nan("");
    };
    const AppTables& tables = tables_[static_cast<std::size_t>(app)];
    return {at(tables.latency_ms), at(tables.energy_mj)};
  }
  double idle_w(int unit, int opp) const override {
    const auto& row = idle_w_.at(static_cast<std::size_t>(unit));
    return static_cast<std::size_t>(opp) < row.size() ? row[static_cast<std::size_t>(opp)] : std::nan("");
  }

 private:
  using Table = std::vector<std::vector<std::vector<double>>>;  // by unit, sub-network, OPP
  struct AppTables {
    Table latency_ms, energy_mj;
  };

  static double number(const Json& json) { return json.is_null() ? std::nan("") : json.get<double>(); }
  static std::vector<double> numbers(const Json& json) {
    std::vector<double> out;
    for (const Json& x : json) out.push_back(number(x));
    return out;
  }
  template <class Views>
  static int find(const Views& views, const std::string& name) {
    for (const auto& view : views)
      if (view.name == name) return view.index;
    return -1;
  }
  template <class Views>
  static int index(const Views& views, const Json& name) {
    const int found = find(views, name.get<std::string>());
    if (found < 0) throw std::runtime_error("no " + name.dump() + " here");
    return found;
  }
  static int subnet_of(const Json& level) { return std::stoi(level.get<std::string>().substr(1)) - 1; }

  static manager::Trigger trigger_of(const std::string& name) {
    using manager::Trigger;
    static const std::map<std::string, Trigger> triggers{{"start", Trigger::start},
                                                         {"period", Trigger::period},
                                                         {"arrival", Trigger::arrival},
                                                         {"completion", Trigger::completion},
                                                         {"target_change", Trigger::target_change},
                                                         {"load_change", Trigger::load_change},
                                                         {"thermal_trip", Trigger::thermal_trip}};
    return triggers.at(name);
  }

  // A unit and a domain may have the same name: the member says which is meant.
  void set_members(const std::string& name, const Json& members) {
    const int app = find(apps_, name), unit = find(units_, name), domain = find(domains_, name);
    const int rail = find_rail(name);
    for (const auto& [member, value] : members.items()) {
      const bool done = (app >= 0 && set_app(apps_[app], member, value)) ||
                        (unit >= 0 && set_unit(units_[unit], member, value)) ||
                        (domain >= 0 && set_domain(domains_[domain], member, value)) ||
                        (rail >= 0 && member == "power_w" && (rails_[rail].power_w = number(value), true));
      if (!done) throw std::runtime_error("nothing called " + name + "." + member);
    }
  }
  int find_rail(const std::string& name) const {
    for (std::size_t i = 0; i < rails_.size(); ++i)
      if (rails_[i].name == name) return static_cast<int>(i);
    return -1;
  }

  bool set_app(manager::AppView& app, const std::string& member, const Json& value) {
    const auto table = [&](Table& out) {
      out.assign(units_.size(), {});
      for (const auto& [unit, rows] : value.items())
        for (const Json& row : rows) out[static_cast<std::size_t>(index(units_, unit))].push_back(numbers(row));
    };
    AppTables& tables = tables_[static_cast<std::size_t>(app.index)];
    if (member == "accuracy")
      app.accuracy = value.get<std::vector<double>>();
    else if (member == "latency_ms")
      table(tables.latency_ms);
    else if (member == "energy_mj")
      table(tables.energy_mj);
    else if (member == "subnet")
      app.subnet = subnet_of(value);
    else if (member == "unit")
      app.unit = index(units_, value);
    else if (member == "active")
      app.active = value.get<bool>();
    else if (member == "admitted")
      app.admitted = value.get<bool>();
    else if (member == "latency_target_ms")
      app.latency_target_ms = value.get<double>();
    else if (member == "accuracy_floor")
      app.accuracy_floor = value.get<double>();
    else if (member == "energy_budget_mj")
      app.energy_budget_mj = value.get<double>();
    else if (member == "power_budget_w")
      app.power_budget_w = value.get<double>();
    else if (member == "priority")
      app.priority = value.get<int>();
    else if (member == "arrived")
      app.arrived = value.get<std::uint64_t>();
    else if (member == "completed")
      app.completed = value.get<std::uint64_t>();
    else if (member == "missed")
      app.missed = value.get<std::uint64_t>();
    else if (member == "dropped")
      app.dropped = value.get<std::uint64_t>();
    else if (member == "waiting")
      app.waiting = value.get<std::uint32_t>();
    else if (member == "oldest_wait_ms")
      app.oldest_wait_ms = value.get<double>();
    else if (member == "batch")
      app.batch = value.get<int>();
    else if (member == "most_batch")
      app.most_batch = value.get<int>();
    else if (member == "batch_marginal")
      app.batch_marginal = value.get<double>();
    else if (member == "memory_mb")
      app.memory_mb = value.get<std::vector<double>>();
    else if (member == "switch_ms")
      app.switch_ms = value.get<double>();
    else if (member == "switch_energy_mj")
      app.switch_energy_mj = value.get<double>();
    else
      return false;
    return true;
  }

  bool set_unit(manager::UnitView& unit, const std::string& member, const Json& value) {
    if (member == "utilisation")
      unit.utilisation = value.get<double>();
    else if (member == "cores_online")
      unit.cores_online = value.get<int>();
    else if (member == "idle_w")
      idle_w_[static_cast<std::size_t>(unit.index)] = numbers(value);
    else
      return member == "domains" || member == "cores";  // read when it was built
    return true;
  }

  bool set_domain(manager::DomainView& domain, const std::string& member, const Json& value) {
    const auto opp = [&] { return opp_of(domain.opps_mhz, value.get<double>()); };
    if (member == "opp_mhz")
      domain.opp = domain.requested = opp();
    else if (member == "requested_mhz")
      domain.requested = opp();
    else if (member == "lowest_mhz")
      domain.lowest = opp();
    else if (member == "highest_mhz")
      domain.highest = opp();
    else if (member == "governed")
      domain.governed = value.get<bool>();
    else
      return member == "opps_mhz";
    return true;
  }

  void complete(const Json& told, const manager::Observation& seen) {
    int number_of_app = std::max(seen.subject, 0);
    if (told.contains("app")) number_of_app = index(apps_, told["app"]);
    manager::AppView& app = apps_[number_of_app];
    manager::Sample sample;
    sample.at = told.contains("at_ms") ? from_ms(told["at_ms"].get<double>()) : seen.now;
    sample.subnet = told.contains("subnet") ? subnet_of(told["subnet"]) : app.subnet;
    sample.unit = told.contains("unit") ? index(units_, told["unit"]) : app.unit;
    const int opp = domains_[units_[sample.unit].domains[0]].opp;
    sample.batch = told.value("batch", 1);
    sample.profile_ms = told.contains("profile_ms") ? number(told["profile_ms"])
                                                    : entry(app.index, sample.subnet, sample.unit, opp).latency_ms *
                                                          app.batch_factor(sample.batch);
    sample.service_ms = told.value("service_ms", sample.profile_ms);
    sample.latency_ms = told.value("latency_ms", sample.service_ms);
    sample.missed = told.value("missed", app.latency_target_ms > 0 && sample.latency_ms > app.latency_target_ms);
    for (int i = told.value("repeat", 1); i > 0; --i) {
      app.samples[app.completed % manager::AppView::kRemembered] = sample;
      ++app.completed;
      app.missed += sample.missed;
      app.arrived = std::max(app.arrived, app.completed);
    }
  }

  Json schedule(const manager::Observation& seen, const Json& queue) {
    manager::Scheduler* scheduler = policy_->scheduler();
    if (scheduler == nullptr) throw std::runtime_error("this policy schedules nothing");
    manager::Vacancy vacancy;
    vacancy.unit = queue.contains("unit") ? index(units_, queue["unit"]) : 0;
    vacancy.opp = domains_[units_[vacancy.unit].domains[0]].opp;
    std::vector<double> free_in_ms(units_.size(), 0);
    const Json busy = queue.value("free_in_ms", Json::object());
    for (const auto& [unit, ms] : busy.items()) free_in_ms[index(units_, unit)] = ms;
    struct Waiting {
      manager::Claim claim;
      std::vector<std::uint8_t> may_run;
    };
    std::vector<Waiting> waiting;
    for (const Json& told : queue.at("claims")) {
      const manager::AppView& app = apps_[index(apps_, told.at("app"))];
      manager::Claim claim;
      claim.app = app.index;
      claim.frame = told.value("frame", 0u);
      claim.subnet = told.contains("subnet") ? subnet_of(told["subnet"]) : app.subnet;
      claim.unit = told.contains("unit") ? index(units_, told["unit"]) : app.unit;
      const double arrival_ms = told.value("arrival_ms", 0.0);
      claim.arrival = from_ms(arrival_ms);
      if (told.contains("deadline_ms"))
        claim.deadline = from_ms(told["deadline_ms"].get<double>());
      else if (app.latency_target_ms > 0)
        claim.deadline = from_ms(arrival_ms + app.latency_target_ms);
      claim.priority = told.value("priority", app.priority);
      claim.isolated_ms = told.contains("isolated_ms")
                              ? told["isolated_ms"].get<double>()
                              : entry(app.index, claim.subnet, vacancy.unit, vacancy.opp).latency_ms;
      claim.remaining_ms = told.value("remaining_ms", claim.isolated_ms);
      claim.next_ms = told.value("next_ms", claim.remaining_ms);
      claim.block_share = told.value("block_share", claim.next_ms / claim.isolated_ms);
      claim.ran = from_ms(told.value("ran_ms", arrival_ms));
      claim.started = told.value("started", false);
      claim.stretch = told.value("stretch", 1.0);
      claim.lost = told.value("lost", 0u);
      claim.frames = told.value("frames", 1);
      claim.children = told.value("children", 0u);
      std::vector<std::uint8_t> may_run(units_.size(), 0);
      if (told.contains("may_run"))
        for (const Json& unit : told["may_run"]) may_run[index(units_, unit)] = 1;
      else
        for (const manager::UnitView& unit : units_)
          may_run[unit.index] = (!claim.started || unit.index == claim.unit) &&
                                entry(app.index, claim.subnet, unit.index, 0).latency_ms > 0;
      waiting.push_back({claim, std::move(may_run)});
    }
    std::stable_sort(waiting.begin(), waiting.end(), [](const Waiting& a, const Waiting& b) {
      return std::pair(a.claim.arrival, a.claim.app) < std::pair(b.claim.arrival, b.claim.app);
    });
    std::vector<manager::Claim> claims;
    std::vector<std::uint8_t> may_run;
    const auto show = [&] {
      claims.clear(), may_run.clear();
      for (const Waiting& one : waiting) {
        claims.push_back(one.claim);
        may_run.insert(may_run.end(), one.may_run.begin(), one.may_run.end());
      }
      vacancy.claims = claims;
      vacancy.may_run = may_run;
      vacancy.free_in_ms = free_in_ms;
    };
    show();
    Json answer = {{"run", nullptr}};
    std::vector<int> hopeless;
    scheduler->give_up(seen, vacancy, hopeless);
    std::sort(hopeless.begin(), hopeless.end());
    for (const int i : hopeless)
      if (!claims.at(i).started) answer["give_up"].push_back(apps_[claims[i].app].name);
    for (std::size_t k = hopeless.size(); k-- > 0;)
      if (!claims[hopeless[k]].started) waiting.erase(waiting.begin() + hopeless[k]);
    show();
    if (claims.empty()) return answer;
    const int pick = scheduler->pick(seen, vacancy);
    if (pick >= 0) answer["run"] = apps_[claims.at(pick).app].name;
    return answer;
  }

  void apply(const manager::Write& write) {
    using manager::Knob;
    const std::string knob(manager::name_of(write.knob));
    const auto told = [&](const std::string& target, const Json& value) {
      keys_.push_back(target + "." + knob);
      writes_[keys_.back()] = value;
    };
    const auto clamped = [](manager::DomainView& domain, int opp) {
      return std::clamp(opp, domain.lowest, domain.highest);
    };
    switch (write.knob) {
      case Knob::subnet: {
        manager::AppView& app = apps_.at(write.target);
        if (write.value < 0 || write.value >= app.subnets) throw std::runtime_error("a sub-network that there is not");
        told(app.name, "L" + std::to_string(write.value + 1));
        app.subnet = write.value;
        break;
      }
      case Knob::mapping: {
        manager::AppView& app = apps_.at(write.target);
        told(app.name, units_.at(write.value).name);
        app.unit = write.value;
        break;
      }
      case Knob::admission: {
        manager::AppView& app = apps_.at(write.target);
        told(app.name, write.value != 0);
        app.admitted = write.value != 0;
        break;
      }
      case Knob::frequency: {
        manager::DomainView& domain = domains_.at(write.target);
        told(domain.name, domain.opps_mhz.at(write.value));
        domain.governed = false;
        domain.requested = write.value;
        domain.opp = clamped(domain, write.value);
        break;
      }
      case Knob::lowest:
      case Knob::highest: {
        manager::DomainView& domain = domains_.at(write.target);
        told(domain.name, domain.opps_mhz.at(write.value));
        (write.knob == Knob::lowest ? domain.lowest : domain.highest) = write.value;
        domain.opp = clamped(domain, domain.opp);
        break;
      }
      case Knob::governor: {
        manager::DomainView& domain = domains_.at(write.target);
        told(domain.name, true);
        domain.governed = true;
        break;
      }
      case Knob::batch: {
        manager::AppView& app = apps_.at(write.target);
        if (write.value < 1 || write.value > app.most_batch) throw std::runtime_error("a batch that there is not");
        told(app.name, write.value);
        app.batch = write.value;
        break;
      }
      case Knob::cores: {
        manager::UnitView& unit = units_.at(write.target);
        told(unit.name, write.value);
        unit.cores_online = write.value;
        break;
      }
    }
  }

  std::unique_ptr<manager::Policy> policy_;
  std::vector<manager::AppView> apps_;
  std::vector<manager::UnitView> units_;
  std::vector<manager::DomainView> domains_;
  std::vector<manager::RailView> rails_;
  std::vector<double> temperatures_c_;
  manager::BatteryView battery_;
  manager::ThermalBudgetView thermal_budget_;
  std::vector<AppTables> tables_;            // by application
  std::vector<std::vector<double>> idle_w_;  // by unit, OPP
  manager::Decision decision_;
  std::vector<std::string> keys_;
  Json writes_;
};

}  // namespace dynasoc::test
