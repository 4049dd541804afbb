#include "scenario/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <type_traits>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "world/power_draw.hpp"

namespace dynasoc {
namespace fs = std::filesystem;
namespace {

template <class T>
std::vector<std::string> names_of(const Named<T>& named) {
  std::vector<std::string> out;
  for (const auto& [name, unused] : named) out.push_back(name);
  return out;
}

int index_in(const std::vector<std::string>& names, const Name& name, const char* what) {
  const auto it = std::find(names.begin(), names.end(), name.text);
  if (it == names.end())
    throw name.error(std::string("unknown ") + what + " " + in_quotes(name.text) + hint(name.text, names));
  return static_cast<int>(it - names.begin());
}

void obey_includes(Document& document, const fs::path& folder, std::vector<fs::path>& chain,
                   std::vector<fs::path>& inputs, const Value& root) {
  if (!root.has("include")) return;
  std::vector<Name> files;
  const Value include = root["include"];
  if (include.json().is_array())
    files = read<std::vector<Name>>(include);
  else if (include.json().is_string())
    files.push_back(read<Name>(include));
  else
    detail::wrong_kind(include, "a scenario's name, or an array of them");
  for (const Name& file : files) {
    const fs::path path = DataPaths(folder).scenario(file);
    constexpr std::size_t kMost = 1000;  // files that include twice each other's likes double at every level
    if (inputs.size() >= kMost) throw file.error("more than " + std::to_string(kMost) + " files are included");
    std::error_code code;
    const fs::path canonical = fs::weakly_canonical(path, code);
    if (std::find(chain.begin(), chain.end(), canonical) != chain.end())
      throw file.error("includes itself: " + path.string() + " is being read already");
    inputs.push_back(path);
    auto base = Document::load(path);
    chain.push_back(canonical);
    obey_includes(*base, path.parent_path(), chain, inputs, Value(base));
    chain.pop_back();
    document.include(base);
  }
  document.drop("include");
}

ModeSetup resolve_mode(const Platform& platform, const ModeFile* mode, Time from, const std::string& name) {
  ModeSetup out;
  out.from = from;
  out.name = name;
  const PlatformFile& file = platform.file;
  for (const auto& [domain_name, domain] : file.domains) {
    int lowest = 0, highest = static_cast<int>(domain.opps_mhz.size()) - 1;
    if (mode != nullptr) {
      for (const auto& [capped, mhz] : mode->max_mhz)
        if (capped == domain_name)
          while (highest > 0 && domain.opps_mhz[highest] > mhz * 1.0005) --highest;
      for (const auto& [floored, mhz] : mode->min_mhz)
        if (floored == domain_name)
          while (lowest < highest && domain.opps_mhz[lowest] < mhz * 0.9995) ++lowest;
    }
    out.lowest_opp.push_back(lowest);
    out.highest_opp.push_back(highest);
  }
  for (std::size_t u = 0; u < file.units.size(); ++u) {
    int cores = 0;
    for (const int d : platform.links[u].domains) cores += file.domains[d].second.cores;
    const bool cpu = file.domains[platform.links[u].domains[0]].second.kind == DomainKind::cpu;
    if (cpu && mode != nullptr && mode->cores_online > 0) cores = std::min(cores, mode->cores_online);
    out.cores_online.push_back(cores);
  }
  return out;
}

class Resolver {
 public:
  Resolver(Scenario& scenario, Setup& setup, Library& library)
      : scenario_(scenario), file_(scenario.file), setup_(setup), paths_(scenario.folder), library_(library) {}

  void resolve() {
    constexpr std::size_t kMostApplications = 65536;  // a job's record keeps its application in two bytes
    if (file_.applications.empty() && file_.background.empty())
      throw at("applications").error("is empty: there is nothing to simulate");
    if (file_.applications.size() > kMostApplications)
      throw at("applications")
          .error("at most " + std::to_string(kMostApplications) + " are supported, not " +
                 std::to_string(file_.applications.size()));
    if (file_.warmup_s >= file_.duration_s)
      throw at("warmup_s").error("must be shorter than duration_s, which is " + plain_number(file_.duration_s));
    setup_.name = file_.name;
    setup_.seed = static_cast<std::uint64_t>(file_.seed);
    setup_.duration = from_s(file_.duration_s);
    setup_.warmup = from_s(file_.warmup_s);
    setup_.thermal = file_.thermal;
    setup_.sample_power = file_.sample_power;
    setup_.sample_latency = file_.sample_latency;
    setup_.policy = file_.policy;
    setup_.manager_cost_us = file_.manager_cost_us;
    setup_.objective = file_.objective;
    platform();
    scheduler();
    budgets();
    if (file_.sample_power && !has_power_uncertainty(setup_.platform))
      throw at("sample_power")
          .error("the platform " + in_quotes(setup_.platform.file.name) +
                 " states no uncertainty of its power (\"power_uncertainty\" of a unit, \"static_power_std_w\")");
    governors();
    for (const auto& [name, app] : file_.applications) application(name, app);
    for (AppSetup& app : setup_.apps) parent(app);
    for (const AppSetup& app : setup_.apps) count_frames(app);
    for (const auto& [name, load] : file_.background) background(name, load);
    for (const auto& [name, window] : file_.windows) {
      const Time to = window.to_s > 0 ? from_s(window.to_s) : setup_.duration;
      if (to <= from_s(window.from_s))
        throw(at("windows") / name / (window.to_s > 0 ? "to_s" : "from_s"))
            .error(window.to_s > 0 ? "the window ends before it begins"
                                   : "the window begins only after the run has ended");
      setup_.windows.push_back({name, from_s(window.from_s), to});
    }
  }

 private:
  Where at(std::string_view key) const { return file_.where / key; }
  void warn(const std::string& text) {
    if (std::find(scenario_.warnings.begin(), scenario_.warnings.end(), text) == scenario_.warnings.end())
      scenario_.warnings.push_back(text);
  }

  void platform() {
    const fs::path path = paths_.platform(file_.platform);
    scenario_.inputs.push_back(path);
    setup_.platform = *library_.platform(path);
    const Platform& platform = setup_.platform;
    for (const auto& [name, wanted] : file_.opps_mhz) keep_opps(name, wanted);
    if (file_.ambient_c && setup_.platform.file.thermal) setup_.platform.file.thermal->ambient_c = *file_.ambient_c;
    for (std::size_t u = 0; u < platform.file.units.size(); ++u) {
      const auto& opps = platform.file.domains[platform.links[u].domains[0]].second.opps_mhz;
      for (const int d : platform.links[u].domains)
        if (platform.file.domains[d].second.opps_mhz != opps)
          throw platform.file.units[u].second.where.error("its domains must have the same OPPs");
    }
    const auto mode = [&](const Name& name, Time from) {
      if (name.empty()) return resolve_mode(platform, nullptr, from, "");
      const ModeFile* found = platform.mode(name.text);
      if (found == nullptr) {
        const auto known = platform.mode_names();
        throw name.error("platform " + platform.file.name + " has no power mode " + in_quotes(name.text) +
                         hint(name.text, known));
      }
      check_cap(*found, name.text);
      return resolve_mode(platform, found, from, name.text);
    };
    setup_.modes.push_back(mode(file_.mode.empty() ? platform.file.default_mode : file_.mode, 0));
    Time last = 0;
    for (std::size_t i = 0; i < file_.mode_changes.size(); ++i) {
      const ModeChangeFile& change = file_.mode_changes[i];
      if (from_s(change.at_s) <= last)
        throw(at("mode_changes") / i / "at_s")
            .error("mode changes must be in order of time, each later than the one before");
      if (from_s(change.at_s) >= setup_.duration)
        throw change.mode.error("this mode change comes only after the run has ended");
      last = from_s(change.at_s);
      setup_.modes.push_back(mode(change.mode, last));
    }
  }

  void scheduler() {
    if (!file_.scheduler) return;
    const auto& [name, parameters, where] = *file_.scheduler;
    if (file_.scheduler->make()->scheduler() == nullptr) {
      std::vector<std::string> known;
      const auto& registry = manager::Registry<manager::Policy>::instance();
      for (const std::string& other : registry.names())
        if (registry.entry(other).required().empty() && registry.make(other, nullptr)->scheduler() != nullptr)
          known.push_back(other);
      throw where.error("the policy " + in_quotes(name) + " schedules nothing" + hint(name, known));
    }
    if (file_.policy.make()->scheduler() != nullptr)
      throw where.error("the policy " + in_quotes(file_.policy.name) +
                        " schedules by itself: there is nothing left for another scheduler");
    setup_.scheduler = file_.scheduler;
  }

  void budgets() {
    if (file_.battery) {
      const BatteryFile& battery = *file_.battery;
      const Time until = battery.until_s > 0 ? from_s(battery.until_s) : setup_.duration;
      setup_.battery = {battery.capacity_j, battery.capacity_j * battery.charge, until};
    }
    if (!file_.thermal_budget) return;
    const ThermalBudgetFile& budget = *file_.thermal_budget;
    const auto& thermal = setup_.platform.file.thermal;
    if (!thermal || !file_.thermal)
      throw at("thermal_budget")
          .error(thermal ? "has no meaning without temperatures: \"thermal\" is false"
                         : "the platform " + in_quotes(setup_.platform.file.name) + " describes no temperatures");
    setup_.thermal_budget = {
        budget.limit_c, budget.node.empty() ? -1 : index_in(names_of(thermal->nodes), budget.node, "thermal node")};
  }

  // The frequency domains meant by a name: a domain's own, or those of a unit. Throws InputError.
  std::vector<int> domains_of(std::string_view member, const std::string& name) const {
    const Platform& platform = setup_.platform;
    if (const int d = platform.domain_index(name); d >= 0) return {d};
    if (const int u = platform.unit_index(name); u >= 0) return platform.links[u].domains;
    std::vector<std::string> known = platform.domain_names();
    for (const std::string& unit : platform.unit_names())
      if (platform.domain_index(unit) < 0) known.push_back(unit);
    throw(at(member) / name).key_error("unknown frequency domain " + in_quotes(name) + hint(name, known));
  }

  // A board with fewer operating points is another board: everything above sees only those that are left.
  void keep_opps(const std::string& name, const std::vector<double>& wanted) {
    const Where where = at("opps_mhz") / name;
    if (wanted.empty()) throw where.error("is empty: a clock needs an operating point");
    for (const int d : domains_of("opps_mhz", name)) {
      std::vector<double>& opps = setup_.platform.file.domains[d].second.opps_mhz;
      std::vector<double> kept;
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto near = std::min_element(opps.begin(), opps.end(), [&](double a, double b) {
          return std::abs(a - wanted[i]) < std::abs(b - wanted[i]);
        });
        if (std::abs(*near - wanted[i]) > 1e-3 * *near)
          throw(where / i).error(plain_number(wanted[i]) + " MHz is no operating point of " +
                                 setup_.platform.file.domains[d].first + " (the nearest is " + plain_number(*near) +
                                 ")");
        kept.push_back(*near);
      }
      std::sort(kept.begin(), kept.end());
      kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
      opps = std::move(kept);
    }
  }

  // Of the operating points that a scenario keeps, one must be within the mode's limits.
  void check_cap(const ModeFile& mode, const std::string& mode_name) const {
    for (const auto& [name, unused] : file_.opps_mhz)
      for (const int d : domains_of("opps_mhz", name)) {
        const auto& [domain, clock] = setup_.platform.file.domains[d];
        for (const auto& [capped, mhz] : mode.max_mhz)
          if (capped == domain && clock.opps_mhz.front() > mhz * 1.0005)
            throw(at("opps_mhz") / name)
                .error("none of them is allowed in power mode " + mode_name + ", which ends at " + plain_number(mhz) +
                       " MHz");
      }
  }

  void governors() {
    const Platform& platform = setup_.platform;
    const auto& registry = manager::Registry<manager::Governor>::instance();
    for (const auto& [name, domain] : platform.file.domains) {
      if (!registry.has(domain.governor.text))
        throw domain.governor.error("unknown governor " + in_quotes(domain.governor.text) +
                                    hint(domain.governor.text, registry.names()));
      setup_.governors.push_back({domain.governor.text, std::nullopt, domain.governor.where});
    }
    for (const auto& [name, governor] : file_.governors) {
      // A unit's name means all the clocks that it runs on, which is what one means by "the CPU's governor".
      domains_of("governors", name);  // refuses unknown names
      const int d = platform.domain_index(name), u = platform.unit_index(name);
      if (d >= 0)
        setup_.governors[d] = governor;
      else
        for (const int clock : platform.links[u].domains) {
          const std::string& own = platform.file.domains[clock].first;
          const bool named = std::any_of(file_.governors.begin(), file_.governors.end(),
                                         [&](const auto& entry) { return entry.first == own; });
          if (!named) setup_.governors[clock] = governor;
        }
    }
  }

  std::shared_ptr<const Network> network(const Name& name) {
    const fs::path path = paths_.network(name);
    auto network = library_.network(path);
    auto& inputs = scenario_.inputs;
    if (std::find(inputs.begin(), inputs.end(), path) == inputs.end()) inputs.push_back(path);
    return network;
  }

  std::vector<double> column(const Name& file, const std::string& name, const Range& range, bool ascending) {
    const fs::path path = paths_.trace(file);
    scenario_.inputs.push_back(path);
    const Csv csv = Csv::load(path);
    const Where beside{file.where.document, file.where.pointer.substr(0, file.where.pointer.rfind('/'))};
    if (!csv.has(name))
      throw(beside / "column").error(path.string() + " has no column " + in_quotes(name) + hint(name, csv.columns()));
    std::vector<double> out;
    for (std::size_t row = 0; row < csv.size(); ++row) {
      if (csv.text(row, name).empty()) continue;
      const double x = csv.number(row, name, range);
      if (ascending && !out.empty() && x < out.back())
        throw csv.error(row, name,
                        "arrival times must ascend; " + plain_number(x) + " follows " + plain_number(out.back()));
      out.push_back(x);
    }
    if (out.empty()) throw csv.header_error("the column " + in_quotes(name) + " has no values");
    return out;
  }

  void application(const std::string& name, const ApplicationFile& file) {
    AppSetup app;
    app.name = name;
    app.file = file;
    app.network = network(file.network);
    const Network& net = *app.network;
    const Platform& platform = setup_.platform;
    const auto units = platform.unit_names();

    std::vector<Name> tables = file.tables;
    if (tables.empty()) {
      // The network's own choice if it is for this board, else the only table that is.
      const auto fits = [&](const std::string& table) {
        for (const auto& [known, reference] : net.file.tables)
          if (known == table) return reference.platform.text == platform.file.name;
        return false;
      };
      if (!net.file.default_table.empty() && fits(net.file.default_table.text)) {
        tables.push_back({net.file.default_table.text, file.network.where});
      } else {
        std::vector<std::string> fitting, boards;
        for (const auto& [known, reference] : net.file.tables) {
          if (fits(known)) fitting.push_back(known);
          if (std::find(boards.begin(), boards.end(), reference.platform.text) == boards.end())
            boards.push_back(reference.platform.text);
        }
        if (fitting.empty()) {
          std::string only;
          for (const std::string& board : boards) only += (only.empty() ? ", only for " : ", ") + board;
          throw file.network.error("network " + net.file.name + " has no table for platform " + platform.file.name +
                                   only);
        }
        if (fitting.size() > 1)
          throw file.network.error("network " + net.file.name + " has several tables for platform " +
                                   platform.file.name + ": name one in \"tables\"" + hint("", fitting));
        tables.push_back({fitting[0], file.network.where});
      }
    }
    app.tables.assign(units.size(), nullptr);
    app.models.assign(units.size(), std::vector<std::optional<LatencyModel>>(net.size()));
    std::set<std::string> named;
    for (const Name& table_name : tables) {
      index_in(names_of(net.file.tables), table_name, "table");
      for (const auto& [known, reference] : net.file.tables) {
        if (known != table_name.text) continue;
        if (reference.platform.text != platform.file.name)
          throw table_name.error("table " + in_quotes(known) + " was obtained on " + reference.platform.text +
                                 ", not on " + platform.file.name);
        scenario_.inputs.push_back(net.folder / reference.file.text);
      }
      if (!named.insert(table_name.text).second)
        throw table_name.error("the table " + in_quotes(table_name.text) + " is named twice");
      const auto table = library_.table(net, table_name.text);
      for (std::size_t row = 0; row < table->cells.size(); ++row) {
        const Cell& cell = table->cells[row];
        const int u = platform.unit_index(cell.unit);
        if (u < 0) throw unknown_unit(net, table_name.text, row, platform);
        if (app.tables[u] && app.tables[u] != table)
          throw table_name.error("two of the tables give cells for unit " + in_quotes(cell.unit));
        if (app.tables[u]) continue;
        app.tables[u] = table;
        const SoftRoofline* scaling = nullptr;
        for (const auto& [unit, shape] : net.file.scaling)
          if (unit == cell.unit) scaling = &shape;
        for (std::size_t s = 0; s < net.size(); ++s) {
          const std::string subnet = level_name(s);
          const bool covered = std::any_of(table->cells.begin(), table->cells.end(), [&](const Cell& other) {
            return other.subnet == subnet && other.unit == cell.unit;
          });
          if (covered)
            app.models[u][s].emplace(*table, scaling, cell.unit, subnet,
                                     unit_clock(platform, static_cast<std::size_t>(u)),
                                     platform.file.units[u].second.parallel_fraction);
        }
      }
    }

    keep_subnets(app);
    for (const std::string& unit : units) app.block_ends.push_back(*library_.block_ends(net, unit));
    if (!net.file.blocks.empty()) {
      scenario_.inputs.push_back(net.blocks_path());
      const auto none = [](const auto& of_unit) {
        return std::all_of(of_unit.begin(), of_unit.end(), [](const auto& ends) { return ends.empty(); });
      };
      if (std::all_of(app.block_ends.begin(), app.block_ends.end(), none))
        warn("network " + net.file.name + ": its block table has no rows for any unit of " + platform.file.name +
             ", so that its inferences are not interrupted");
    }
    std::vector<std::string> covered;
    for (std::size_t u = 0; u < units.size(); ++u)
      if (app.tables[u]) covered.push_back(units[u]);
    if (file.unit.empty()) {
      app.unit = platform.unit_index(covered.at(0));
    } else {
      app.unit = index_in(units, file.unit, "unit");
      if (!app.tables[app.unit])
        throw file.unit.error("the tables of network " + net.file.name + " have no cell for unit " +
                              in_quotes(file.unit.text) + hint(file.unit.text, covered));
    }
    const std::string unit_name = units[app.unit];
    for (const auto& model : app.models[app.unit])
      if (model && model->predict(platform.file.domains[platform.links[app.unit].domains[0]].second.opps_mhz[0], {})
                       .clock_unstated)
        warn("application " + name + ": its table does not state the clock of unit " + unit_name +
             "; latency is taken not to follow it");
    if (!file.subnet.empty()) {
      app.subnet = net.subnet_index(file.subnet.text);
      std::vector<std::string> known;
      for (std::size_t s = 0; s < net.size(); ++s)
        if (app.models[app.unit][s]) known.push_back(level_name(s));
      if (app.subnet < 0 || !app.models[app.unit][app.subnet])
        throw file.subnet.error("network " + net.file.name + " has no sub-network " + in_quotes(file.subnet.text) +
                                " on unit " + units[app.unit] + hint(file.subnet.text, known));
    }
    for (std::size_t i = 1; i < file.targets.size(); ++i)
      if (file.targets[i].from_s <= file.targets[i - 1].from_s)
        throw(file.where / "targets" / i / "from_s")
            .error("targets must be in order of time, each later than the one before");
    if (file.stop_s > 0 && file.stop_s <= file.start_s)
      throw(file.where / "stop_s").error("must be later than start_s");
    if (file.start_s >= file_.duration_s)
      throw(file.where / "start_s")
          .error("starts only after the run has ended, at " + plain_number(file_.duration_s) + " s");

    const bool closed = std::holds_alternative<ClosedLoopArrivals>(file.arrivals) ||
                        std::holds_alternative<SingleStreamArrivals>(file.arrivals) ||
                        std::holds_alternative<MultiStreamArrivals>(file.arrivals);
    if (closed && file.late != LatePolicy::queue)
      throw(file.where / "late").error("has no meaning here: frames that come one after another never wait");
    if (const auto* trace = std::get_if<TraceArrivals>(&file.arrivals)) {
      app.trace_s = column(trace->file, trace->column, limited_by_unit("s", non_negative()), true);
      if (trace->repeat && app.trace_s.back() < 1e-6) throw trace->file.error("cannot be repeated: its last time is 0");
    }
    if (const auto* replay = std::get_if<ReplayExecution>(&file.execution))
      app.replay_ratios = column(replay->file, replay->column, range(1e-6, 1e6), false);

    app.switch_ms = file.switch_ms.value_or(net.file.switch_cost.time_ms);
    app.switch_energy_mj = net.file.switch_cost.energy_mj;
    if (file.session)
      warn("application " + name + ": latencies are " + plain_number(file.session->factor) +
           " x the table's, a declared session factor (" + file.session->source + "); they count as derived");
    setup_.apps.push_back(std::move(app));
  }

  // What is not in memory is not there to choose: as if no table covered it.
  static void keep_subnets(AppSetup& app) {
    if (app.file.subnets.empty()) return;
    const Network& net = *app.network;
    std::vector<bool> kept(net.size(), false);
    for (const Name& name : app.file.subnets) {
      const int s = net.subnet_index(name.text);
      std::vector<std::string> known;
      for (std::size_t i = 0; i < net.size(); ++i) known.push_back(level_name(i));
      if (s < 0)
        throw name.error("network " + net.file.name + " has no sub-network " + in_quotes(name.text) +
                         hint(name.text, known));
      if (kept[static_cast<std::size_t>(s)]) throw name.error(in_quotes(name.text) + " is there twice");
      kept[static_cast<std::size_t>(s)] = true;
    }
    for (std::size_t u = 0; u < app.models.size(); ++u) {
      bool any = false;
      for (std::size_t s = 0; s < net.size(); ++s) {
        if (!kept[s]) app.models[u][s].reset();
        any = any || app.models[u][s];
      }
      if (!any) app.tables[u] = nullptr;
    }
    if (std::none_of(app.tables.begin(), app.tables.end(), [](const auto& table) { return table != nullptr; }))
      throw(app.file.where / "subnets").error("the tables cover none of these sub-networks");
  }

  // Only now is the table's file looked into again: messages want its lines, and nothing else does.
  static InputError unknown_unit(const Network& network, const std::string& table, std::size_t row,
                                 const Platform& platform) {
    for (const auto& [name, reference] : network.file.tables) {
      if (name != table) continue;
      const Csv csv = Csv::load(network.folder / reference.file.text);
      return csv.error(row, "unit",
                       "platform " + platform.file.name + " has no unit " + in_quotes(csv.text(row, "unit")) +
                           hint(csv.text(row, "unit"), platform.unit_names()));
    }
    throw InternalError("a table that the network does not have");
  }

  // Frames that may arrive in a run, estimated from above.
  double frames(const AppSetup& app) const {
    const double seconds =
        (app.file.stop_s > 0 ? std::min(app.file.stop_s, file_.duration_s) : file_.duration_s) - app.file.start_s;
    double shortest_ms = std::numeric_limits<double>::infinity();
    for (const auto& table : app.tables)
      if (table)
        for (const Cell& cell : table->cells) shortest_ms = std::min(shortest_ms, cell.latency_ms_mean);
    return std::visit(
        [&](const auto& process) -> double {
          using T = std::remove_cvref_t<decltype(process)>;
          if constexpr (std::same_as<T, PeriodicArrivals>) return seconds * 1e3 / process.period_ms;
          if constexpr (std::same_as<T, PoissonArrivals> || std::same_as<T, GammaArrivals>)
            return seconds * process.rate_hz;
          if constexpr (std::same_as<T, ServerArrivals>) return seconds * process.target_qps;
          if constexpr (std::same_as<T, MmppArrivals>)
            return seconds * std::max(process.low_rate_hz, process.high_rate_hz);
          if constexpr (std::same_as<T, TraceArrivals>)
            return static_cast<double>(app.trace_s.size()) *
                   (process.repeat ? std::ceil(seconds / app.trace_s.back()) : 1);
          if constexpr (std::same_as<T, OfflineArrivals>) return static_cast<double>(process.samples);
          if constexpr (std::same_as<T, CascadeArrivals>) return frames(setup_.apps[app.parent]);
          if constexpr (std::same_as<T, ClosedLoopArrivals>) return seconds * 1e3 / (shortest_ms + process.think_ms);
          if constexpr (std::same_as<T, SingleStreamArrivals> || std::same_as<T, MultiStreamArrivals>)
            return seconds * 1e3 / shortest_ms;
        },
        app.file.arrivals);
  }

  void count_frames(const AppSetup& app) const {
    constexpr double kMost = 4e9;  // a frame's number is a 32-bit one
    const Where where = app.file.where / "arrivals";
    if (const double count = frames(app); count > kMost)
      throw where.error("some " + plain_number(std::round(count / 1e8) * 1e8) +
                        " frames would arrive in the run; 4 billion is the most");
    if (const auto* bursts = std::get_if<MmppArrivals>(&app.file.arrivals))
      if (bursts->low_rate_hz * bursts->mean_low_s + bursts->high_rate_hz * bursts->mean_high_s < 1e-3)
        throw where.error("less than one frame would arrive in a thousand bursts");
  }

  void parent(AppSetup& app) {
    const auto* cascade = std::get_if<CascadeArrivals>(&app.file.arrivals);
    if (cascade == nullptr) return;
    app.parent = index_in(names_of(file_.applications), cascade->after, "application");
    int at_app = app.parent;
    for (std::size_t step = 0; step <= setup_.apps.size(); ++step) {
      const auto* next = std::get_if<CascadeArrivals>(&setup_.apps[at_app].file.arrivals);
      if (next == nullptr) return;
      at_app = index_in(names_of(file_.applications), next->after, "application");
    }
    throw cascade->after.error(
        "cascades form a circle: nothing would ever arrive; let one of them have arrivals of its own");
  }

  void background(const std::string& name, const BackgroundFile& file) {
    BackgroundSetup load;
    load.name = name;
    load.file = file;
    load.unit = index_in(setup_.platform.unit_names(), file.unit, "unit");
    if (file.to_s > 0 && file.to_s <= file.from_s) throw(file.where / "to_s").error("must be later than from_s");
    const bool bursts = std::holds_alternative<PeriodicDemand>(file.demand);
    if (!bursts && setup_.platform.file.units[load.unit].second.discipline != Discipline::fair)
      throw(file.where / "demand")
          .error("unit " + in_quotes(file.unit.text) +
                 " serves one job at a time: a load that never ends its "
                 "turn would hold it for ever; use a demand of kind \"periodic\"");
    setup_.background.push_back(std::move(load));
  }

  Scenario& scenario_;
  const ScenarioFile& file_;
  Setup& setup_;
  DataPaths paths_;
  Library& library_;
};

fs::path folder_of(const fs::path& file) { return file.parent_path().empty() ? fs::path(".") : file.parent_path(); }

void complete(const std::shared_ptr<Document>& document, const fs::path& folder, const Overrides& overrides,
              std::vector<fs::path>& inputs) {
  if (!document->root().is_object()) detail::wrong_kind(Value(document), "an object");
  if (document->root().contains("include")) {
    std::error_code code;
    std::vector<fs::path> chain{fs::weakly_canonical(document->name(), code)};
    obey_includes(*document, folder, chain, inputs, Value(document));
  }
  for (const auto& [path, value] : overrides) document->set(path, value);
}

std::string of_network(const Network& network, const std::string& what) {
  return network.file.where.document->name() + "\n" + what;
}

}  // namespace

std::shared_ptr<Document> scenario_document(const fs::path& path, const Overrides& overrides,
                                            std::vector<fs::path>& inputs) {
  auto document = Document::load(path);
  inputs.push_back(path);
  complete(document, folder_of(path), overrides, inputs);
  return document;
}

template <class T, class Read>
std::shared_ptr<const T> Library::once(Shelf<T>& shelf, const std::string& name, const Read& read) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = shelf.find(name); found != shelf.end()) return found->second;
  }
  // Two threads may read the same file: better than that all wait for one. What comes first is kept.
  auto fresh = std::make_shared<const T>(read());
  const std::lock_guard lock(mutex_);
  return shelf.emplace(name, std::move(fresh)).first->second;
}

std::shared_ptr<const Platform> Library::platform(const fs::path& path) {
  return once(platforms_, path.string(), [&] { return Platform::load(path); });
}

std::shared_ptr<const Network> Library::network(const fs::path& path) {
  return once(networks_, path.string(), [&] { return Network::load(path); });
}

// Networks may stand in one folder and name the same files: what is read of these depends on the network, too.
std::shared_ptr<const Table> Library::table(const Network& network, const std::string& name) {
  return once(tables_, of_network(network, name), [&] { return network.table(name); });
}

std::shared_ptr<const Library::BlockEnds> Library::block_ends(const Network& network, const std::string& unit) {
  return once(block_ends_, of_network(network, unit), [&] { return network.block_ends(unit); });
}

Scenario load_scenario(std::shared_ptr<Document> document, const fs::path& folder, const Overrides& overrides,
                       Library* library) {
  Scenario scenario;
  scenario.folder = folder;
  complete(document, folder, overrides, scenario.inputs);
  scenario.document = document;
  scenario.file = read<ScenarioFile>(Value(document));
  if (scenario.file.name.empty()) scenario.file.name = fs::path(document->name()).stem().string();
  auto setup = std::make_shared<Setup>();
  Library own;
  Resolver(scenario, *setup, library != nullptr ? *library : own).resolve();
  scenario.setup = std::move(setup);
  return scenario;
}

Scenario load_scenario(const fs::path& path, const Overrides& overrides, Library* library) {
  Scenario scenario = load_scenario(Document::load(path), folder_of(path), overrides, library);
  scenario.inputs.insert(scenario.inputs.begin(), path);
  return scenario;
}

Json scenario_schema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "DynaSoC scenario"}};
  schema.update(object_schema<ScenarioFile>());
  schema["properties"]["$schema"] = {{"type", "string"}};
  schema["properties"]["include"] = {
      {"description", "other scenario files laid under this one"},
      {"anyOf", Json::array({{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}})}};
  // What a file must have may also come from what it includes.
  schema["anyOf"] = Json::array({{{"required", schema["required"]}}, {{"required", Json::array({"include"})}}});
  schema.erase("required");
  return schema;
}

}  // namespace dynasoc
