#include "board/profile.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "board/keep_away.hpp"
#include "board/probe.hpp"
#include "common/error.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"
#include "results/statistics.hpp"

namespace dynasoc::board {
namespace fs = std::filesystem;
namespace {

void sleep_ms(Agent& agent, double milliseconds) {
  // Whatever comes meanwhile (an event) is of no interest here.
  const std::int64_t until_ns = Agent::now_ns() + static_cast<std::int64_t>(milliseconds * 1e6);
  while (agent.next(until_ns)) {
  }
}

double number(const Json& object, const char* member) {
  const auto it = object.find(member);
  return it != object.end() && it->is_number() ? it->get<double>() : std::nan("");
}

class Campaign {
 public:
  Campaign(Agent& agent, const ProfileSubject& subject, const ProfileOptions& options, const fs::path& journal,
           const std::function<void(double, const std::string&)>& progress)
      : agent_(agent), subject_(subject), options_(options), journal_path_(journal), progress_(progress) {}

  Profile run() {
    const std::int64_t begin_ns = Agent::now_ns();
    const KeepAway away(agent_, file());
    make_cells();
    ProfilePlan plan(out_.cells, options_.plan);
    resume(plan);
    configure();
    journal_ = Recorder(journal_path_);
    if (fs::file_size(journal_path_) == 0) journal_.write(header_);
    agent_.poll = [&] { progress_(share_, note_); };
    measure_idle();
    measure_cells(plan);
    measure_switches();
    if (options_.contention) {
      try {
        measure_co_runs();
      } catch (const AgentError& error) {  // the cells are worth keeping
        out_.warnings.push_back(std::string("pairs of units were not measured: ") + error.what());
      }
    }
    agent_.poll = nullptr;
    for (const int u : units_) release(u);
    for (std::size_t c = 0; c < out_.cells.size(); ++c) {
      out_.latency.push_back(plan.latency(c));
      out_.energy.push_back(plan.energy(c));
    }
    out_.expected_error = plan.expected_error();
    out_.ranking_uncertainty = plan.ranking_uncertainty();
    out_.target_reached = plan.target_reached();
    out_.elapsed_s = static_cast<double>(Agent::now_ns() - begin_ns) * 1e-9;
    return std::move(out_);
  }

 private:
  const PlatformFile& file() const { return subject_.platform.file; }
  const std::string& unit_name(int u) const { return file().units[static_cast<std::size_t>(u)].first; }
  const std::vector<double>& opps_of(int u) const {
    const int d = subject_.platform.links[static_cast<std::size_t>(u)].domains[0];
    return file().domains[static_cast<std::size_t>(d)].second.opps_mhz;
  }
  const BoardUnitFile& board_unit(int u) const {
    for (const auto& [name, unit] : file().board->units)
      if (name == unit_name(u)) return unit;
    throw InternalError("a unit without a place on the board");
  }
  bool on_board(int domain) const {
    if (domain < 0) return false;
    const std::string& name = file().domains[static_cast<std::size_t>(domain)].first;
    return std::any_of(file().board->domains.begin(), file().board->domains.end(),
                       [&](const auto& entry) { return entry.first == name; });
  }
  std::string own_rail(int u) const {
    for (const auto& [name, rail] : file().rails) {
      const bool there = std::any_of(file().board->rails.begin(), file().board->rails.end(),
                                     [&n = name](const auto& entry) { return entry.first == n; });
      if (there && !rail.static_power && rail.units.size() == 1 && rail.units[0].text == unit_name(u)) return name;
    }
    return "";
  }
  std::string whole_rail() const {
    for (const auto& [name, rail] : file().rails) {
      const bool there = std::any_of(file().board->rails.begin(), file().board->rails.end(),
                                     [&n = name](const auto& entry) { return entry.first == n; });
      if (there && rail.static_power && rail.units.size() == file().units.size()) return name;
    }
    return "";
  }

  void make_cells() {
    if (!file().board)
      throw file().where.error(
          "has no \"board\" section: it does not say where its clocks, units and rails are on a real board");
    for (const auto& [name, unit] : file().board->units) {
      const bool wanted = options_.units.empty() ||
                          std::find(options_.units.begin(), options_.units.end(), name) != options_.units.end();
      if (wanted) units_.push_back(subject_.platform.unit_index(name));
    }
    for (const std::string& name : options_.units)
      if (subject_.platform.unit_index(name) < 0 ||
          std::none_of(units_.begin(), units_.end(), [&](int u) { return unit_name(u) == name; }))
        throw InputError("unit " + in_quotes(name) + " is not in the platform's board section" +
                         hint(name, subject_.platform.unit_names()));
    for (const double mhz : options_.opps_mhz)
      if (std::none_of(units_.begin(), units_.end(), [&](int u) {
            return std::any_of(opps_of(u).begin(), opps_of(u).end(),
                               [&](double f) { return std::abs(f - mhz) < 1e-3 * f; });
          }))
        throw InputError(plain_number(mhz) + " MHz is no operating point of the units asked for");
    std::size_t most_cores = 0;
    for (const int u : units_) most_cores = std::max(most_cores, board_unit(u).cpus.size());
    for (const int cores : options_.cores)
      if (static_cast<std::size_t>(cores) > most_cores)
        throw InputError("no unit asked for has " + std::to_string(cores) + " CPUs on the board");
    subnets_ = options_.subnets;
    if (subnets_.empty()) {
      subnets_.resize(subject_.network->size());
      std::iota(subnets_.begin(), subnets_.end(), 0);
    }
    for (const int u : units_) {
      const auto& opps = opps_of(u);
      const Platform::UnitLinks& links = subject_.platform.links[static_cast<std::size_t>(u)];
      const bool cpu = file().domains[static_cast<std::size_t>(links.domains[0])].second.kind == DomainKind::cpu;
      std::vector<int> wanted;
      for (int i = 0; i < static_cast<int>(opps.size()); ++i) {
        const auto near = [&](double f) { return std::abs(f - opps[static_cast<std::size_t>(i)]) < 1e-3 * f; };
        if (options_.opps_mhz.empty() || std::any_of(options_.opps_mhz.begin(), options_.opps_mhz.end(), near))
          wanted.push_back(i);
      }
      if (wanted.empty())
        throw InputError("none of the clocks asked for is an operating point of unit " + unit_name(u));
      if (!on_board(links.domains[0])) wanted = {static_cast<int>(opps.size()) - 1};  // nobody can set it
      std::vector<double> memory{std::nan("")};
      if (on_board(links.memory_domain) && !options_.memory_mhz.empty()) memory = options_.memory_mhz;
      std::vector<int> cores{0};
      if (cpu)
        cores = options_.cores.empty() ? std::vector<int>{static_cast<int>(board_unit(u).cpus.size())} : options_.cores;
      for (const int s : subnets_)
        for (const int opp : wanted)
          for (const double m : memory)
            for (const int c : cores) {
              PlanCell& cell = out_.cells.emplace_back();
              cell.subnet = s;
              cell.unit = u;
              cell.f_unit_mhz = opps[static_cast<std::size_t>(opp)];
              cell.f_emc_mhz = m;
              cell.cores = c;
              cell.macs_m = subject_.network->file.subnets[static_cast<std::size_t>(s)].macs_m;
              out_.opps.push_back(opp);
            }
    }
    out_.identity = identity_of(agent_.hello().value("board", Json::object()));
    Json cells = Json::array();
    for (const PlanCell& cell : out_.cells)
      cells.push_back({cell.subnet, unit_name(cell.unit), cell.f_unit_mhz, cell.f_emc_mhz, cell.cores});
    header_ = {{"profile", subject_.network->file.name},
               {"platform", file().name},
               {"board", out_.identity},
               {"n", options_.n},
               {"gap_ms", options_.gap_ms},
               {"seed", options_.plan.seed},
               {"executor", options_.load.executor},
               {"weights", options_.load.weights},
               {"board_section", content_hash(to_json(*file().board).dump())},
               {"network", content_hash(to_json(subject_.network->file.subnets).dump())},
               {"cells", content_hash(cells.dump())}};
  }

  // A journal of the same campaign is replayed into the planner; its last line may have been cut short.
  void resume(ProfilePlan& plan) {
    std::error_code code;
    if (!fs::exists(journal_path_, code)) {
      write_file(journal_path_, "");
      return;
    }
    const std::string text = read_file(journal_path_);
    std::size_t line = 0, kept = 0;
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      ++line;
      const Json json = read_json_line(std::string_view(text).substr(begin, end - begin)).value_or(Json());
      const Location here{journal_path_.string(), line, 0, ""};
      if (!json.is_object()) throw InputError(here, "is not a line of a profile's journal");
      if (line == 1) {
        for (const auto& [key, value] : header_.items())
          if (json.value(key, Json()) != value)
            throw InputError(here, "is of another campaign: its " + key + " is " + json.value(key, Json()).dump() +
                                       ", not " + value.dump() + "; choose another directory, or say --force");
      } else if (json.contains("idle")) {
        out_.idle.push_back({json.at("unit"), json.at("opp"), number(json, "unit_w"), number(json, "rest_w")});
      } else if (json.contains("cell")) {
        ProfiledCell cell;
        cell.cell = json.at("cell");
        if (cell.cell >= out_.cells.size()) throw InputError(here, "names a cell that the campaign does not have");
        cell.n = json.value("n", 0);
        cell.mean_ms = number(json, "mean_ms"), cell.std_ms = number(json, "std_ms");
        cell.p50_ms = number(json, "p50_ms"), cell.p90_ms = number(json, "p90_ms"),
        cell.p99_ms = number(json, "p99_ms");
        cell.energy_mj = number(json, "energy_mj"), cell.energy_std_mj = number(json, "energy_std_mj");
        cell.power_w = number(json, "power_w");
        cell.discarded = json.value("discarded", 0);
        cell.memory_mhz = number(json, "memory_mhz");
        cell.failure = json.value("failure", "");
        if (cell.failure.empty()) keep(plan, std::move(cell));  // what failed gets another chance
      }
      kept = end + 1;
    }
    if (kept != text.size()) write_file(journal_path_, text.substr(0, kept));
  }

  void keep(ProfilePlan& plan, ProfiledCell cell) {
    if (cell.failure.empty()) {
      const double root = std::sqrt(static_cast<double>(std::max(1, cell.n)));
      Observation seen;
      seen.cell = cell.cell;
      seen.latency_ms = cell.mean_ms;
      seen.standard_error_ms = cell.std_ms / root;
      if (cell.energy_mj > 0) {
        seen.energy_mj = cell.energy_mj;
        seen.energy_standard_error_mj = std::isfinite(cell.energy_std_mj) ? cell.energy_std_mj / root : std::nan("");
      }
      plan.observe(seen);
    } else {
      plan.skip(cell.cell);
    }
    out_.measured.push_back(std::move(cell));
  }

  void configure() {
    const Json found = agent_.call(configuration_of(file()));
    for (const Json& warning : found.value("warnings", Json::array()))
      out_.warnings.push_back(warning.get<std::string>());
    std::vector<bool> kept(subject_.network->size(), false);
    for (const int s : subnets_) kept[static_cast<std::size_t>(s)] = true;
    for (const int u : units_)
      agent_.call(
          load_request("profile-" + unit_name(u), *subject_.network, kept, unit_name(u), board_unit(u), options_.load),
          kLoadTimeoutMs);
  }

  void set_clock(int domain, double mhz) {
    if (!on_board(domain)) return;
    agent_.call({{"op", "set"},
                 {"knob", "frequency"},
                 {"domain", file().domains[static_cast<std::size_t>(domain)].first},
                 {"mhz", mhz}});
  }
  void set_clocks(const PlanCell& cell) {
    const Platform::UnitLinks& links = subject_.platform.links[static_cast<std::size_t>(cell.unit)];
    if (cell.cores > 0 && cell.cores != cores_now_) {
      if (!options_.cores.empty())
        agent_.call({{"op", "set"}, {"knob", "cores"}, {"unit", unit_name(cell.unit)}, {"online", cell.cores}});
      cores_now_ = cell.cores;
    }
    for (const int d : links.domains) set_clock(d, cell.f_unit_mhz);
    if (std::isfinite(cell.f_emc_mhz)) set_clock(links.memory_domain, cell.f_emc_mhz);
  }
  void release(int unit) {
    for (const int d : subject_.platform.links[static_cast<std::size_t>(unit)].domains)
      if (on_board(d))
        agent_.call(
            {{"op", "set"}, {"knob", "release"}, {"domain", file().domains[static_cast<std::size_t>(d)].first}});
  }

  // Idle power at each operating point, with every unit idle.
  void measure_idle() {
    for (const int u : units_) {
      const std::string own = own_rail(u), whole = whole_rail();
      if (own.empty() && whole.empty()) continue;
      std::vector<int> opps;
      for (std::size_t c = 0; c < out_.cells.size(); ++c)
        if (out_.cells[c].unit == u && std::find(opps.begin(), opps.end(), out_.opps[c]) == opps.end())
          opps.push_back(out_.opps[c]);
      for (const int opp : opps) {
        if (std::any_of(out_.idle.begin(), out_.idle.end(),
                        [&](const IdlePower& p) { return p.unit == u && p.opp == opp; }))
          continue;
        note_ = "idle power of " + unit_name(u);
        for (const int d : subject_.platform.links[static_cast<std::size_t>(u)].domains)
          set_clock(d, opps_of(u)[static_cast<std::size_t>(opp)]);
        sleep_ms(agent_, options_.settle_ms);
        // A board that others keep busy has no idle power to tell; a moment without them is waited for.
        Json before, after;
        constexpr int kTries = 5;
        constexpr double kIdle = 0.03;
        bool quiet = false;
        for (int attempt = 0; attempt < kTries && !quiet; ++attempt) {
          before = agent_.call({{"op", "state"}});
          sleep_ms(agent_, options_.idle_s * 1e3);
          after = agent_.call({{"op", "state"}});
          quiet = !(number(after.at("units").at(unit_name(u)), "utilisation") > kIdle);
        }
        if (!quiet)
          out_.warnings.push_back("unit " + unit_name(u) + " was never idle at " +
                                  rounded_text(opps_of(u)[static_cast<std::size_t>(opp)], 5) +
                                  " MHz: its idle power there is too high");
        const double window_s =
            static_cast<double>(after.at("clock_ns").get<std::int64_t>() - before.at("clock_ns").get<std::int64_t>()) *
            1e-9;
        const auto mean_w = [&](const std::string& rail) {
          if (rail.empty()) return std::nan("");
          return (number(after.at("rails").at(rail), "energy_mj") - number(before.at("rails").at(rail), "energy_mj")) *
                 1e-3 / window_s;
        };
        double units_w = 0;  // unknown (NaN) unless every unit has a rail of its own
        for (std::size_t other = 0; other < file().units.size(); ++other)
          units_w += mean_w(own_rail(static_cast<int>(other)));
        const IdlePower idle{u, opp, mean_w(own), mean_w(whole) - units_w};
        journal_.write({{"idle", true}, {"unit", u}, {"opp", opp}, {"unit_w", idle.unit_w}, {"rest_w", idle.rest_w}});
        out_.idle.push_back(idle);
      }
    }
  }

  void measure_cells(ProfilePlan& plan) {
    const double budget = std::max(1.0, options_.plan.budget_share * static_cast<double>(out_.cells.size()));
    while (const auto next = plan.next()) {
      share_ = std::min(0.99, static_cast<double>(plan.measured()) / budget);
      ProfiledCell cell;
      try {
        cell = measure(*next);
      } catch (const AgentError& error) {
        if (error.code() == "thermal") {  // not the cell's fault: wait until the board is cooler
          note_ = "waiting: " + std::string(error.what());
          sleep_ms(agent_, 2000);
          continue;
        }
        cell.cell = *next;
        cell.failure = error.what();
      }
      Json line = {{"cell", cell.cell}};
      if (cell.failure.empty())
        line.update({{"n", cell.n},
                     {"mean_ms", cell.mean_ms},
                     {"std_ms", cell.std_ms},
                     {"p50_ms", cell.p50_ms},
                     {"p90_ms", cell.p90_ms},
                     {"p99_ms", cell.p99_ms},
                     {"energy_mj", cell.energy_mj},
                     {"energy_std_mj", cell.energy_std_mj},
                     {"power_w", cell.power_w},
                     {"discarded", cell.discarded},
                     {"memory_mhz", cell.memory_mhz}});
      else
        line["failure"] = cell.failure;
      journal_.write(line);
      keep(plan, std::move(cell));
    }
  }

  ProfiledCell measure(std::size_t index) {
    const PlanCell& cell = out_.cells[index];
    const std::string app = "profile-" + unit_name(cell.unit), subnet = level_name(cell.subnet);
    note_ = subnet + " on " + unit_name(cell.unit) + " at " + rounded_text(cell.f_unit_mhz, 5) + " MHz";
    sleep_ms(agent_, options_.cool_down_ms);
    set_clocks(cell);
    sleep_ms(agent_, options_.settle_ms);
    const auto infer = [&](int repeat) {
      return agent_.call(
          {{"op", "infer"}, {"app", app}, {"subnet", subnet}, {"repeat", repeat}, {"deadline_ms", 60'000}}, 70'000);
    };
    const Json warm = infer(options_.warm_up);
    const double guess_ms = warm.at("latency_ms").back().get<double>();
    const int several = static_cast<int>(
        std::clamp(std::ceil(options_.window_ms / std::max(guess_ms, 1e-3)), 1.0, std::min<double>(options_.n, 500)));
    const std::string rail = own_rail(cell.unit);

    ProfiledCell out;
    out.cell = index;
    const int repeat = options_.gap_ms > 0 ? 1 : several;
    std::vector<double> latencies, energies;
    double energy_mj = 0, span_s = 0;
    int measured_energy = 0;
    while (static_cast<int>(latencies.size()) < options_.n && out.discarded < 3 * options_.n) {
      if (options_.gap_ms > 0) sleep_ms(agent_, options_.gap_ms);
      const Json call = infer(repeat);
      if (!call.value("clean", false)) {
        out.discarded += repeat;
        continue;
      }
      const int memory = subject_.platform.links[static_cast<std::size_t>(cell.unit)].memory_domain;
      out.memory_mhz = memory < 0
                           ? std::nan("")
                           : number(call.at("mhz"), file().domains[static_cast<std::size_t>(memory)].first.c_str());
      for (const Json& ms : call.at("latency_ms")) latencies.push_back(ms.get<double>());
      const double call_mj = rail.empty() ? std::nan("") : number(call.at("energy_mj"), rail.c_str());
      if (!std::isfinite(call_mj)) continue;
      energy_mj += call_mj;
      energies.push_back(call_mj / repeat);
      measured_energy += repeat;
      span_s +=
          static_cast<double>(call.at("end_ns").get<std::int64_t>() - call.at("start_ns").get<std::int64_t>()) * 1e-9;
    }
    if (static_cast<int>(latencies.size()) < options_.n) {
      out.failure = "disturbed all the time: " + std::to_string(out.discarded) +
                    " inferences ran beside foreign load or under moving clocks";
      return out;
    }
    std::sort(latencies.begin(), latencies.end());
    const auto quantile = [&](double q) {
      return latencies[static_cast<std::size_t>(q * static_cast<double>(latencies.size() - 1) + 0.5)];
    };
    const auto count = static_cast<double>(latencies.size());
    out.n = static_cast<int>(latencies.size());
    out.mean_ms = std::accumulate(latencies.begin(), latencies.end(), 0.0) / count;
    double squares = 0;
    for (const double x : latencies) squares += (x - out.mean_ms) * (x - out.mean_ms);
    out.std_ms = out.n > 1 ? std::sqrt(squares / (count - 1)) : 0;
    out.p50_ms = quantile(0.5), out.p90_ms = quantile(0.9), out.p99_ms = quantile(0.99);
    out.energy_mj = measured_energy > 0 ? energy_mj / measured_energy : std::nan("");
    out.power_w = span_s > 0 ? energy_mj * 1e-3 / span_s : std::nan("");
    out.energy_std_mj = std::nan("");
    if (energies.size() > 1) {
      double spread = 0;
      for (const double e : energies) spread += (e - out.energy_mj) * (e - out.energy_mj);
      // Of one inference, from that between calls of `repeat`.
      out.energy_std_mj = std::sqrt(spread / static_cast<double>(energies.size() - 1) * repeat);
    }
    out_.inferring_s += std::accumulate(latencies.begin(), latencies.end(), 0.0) * 1e-3;
    return out;
  }

  // What a change of the sub-network adds to the first inference after it, caches cold.
  void measure_switches() {
    out_.switch_ms = std::nan("");
    if (subnets_.size() < 2 || units_.empty()) return;
    note_ = "switching";
    const std::string app = "profile-" + unit_name(units_[0]);
    PlanCell at = out_.cells[0];
    at.f_unit_mhz = opps_of(units_[0]).back();
    for (const PlanCell& cell : out_.cells)
      if (cell.unit == units_[0] && cell.f_unit_mhz <= at.f_unit_mhz) at.cores = cell.cores;
    try {
      set_clocks(at);
      sleep_ms(agent_, options_.settle_ms);
      double extra = 0;
      int count = 0;
      constexpr int kRounds = 5;
      for (int round = 0; round < kRounds; ++round)
        for (const int s : subnets_) {
          const Json call =
              agent_.call({{"op", "infer"}, {"app", app}, {"subnet", level_name(s)}, {"repeat", 4}}, 70'000);
          if (!call.value("switched", false) || !call.value("clean", false)) continue;
          const auto ms = call.at("latency_ms").get<std::vector<double>>();
          if (ms.size() < 4) continue;
          extra += ms[0] - (ms[1] + ms[2] + ms[3]) / 3;
          ++count;
        }
      out_.switches = count;
      if (count > 0) out_.switch_ms = std::max(0.0, extra / count);
    } catch (const AgentError&) {  // a worker that crashed: the cells are worth keeping
    }
  }

  // How much a unit's inferences slow down while another unit works, at the highest clocks.
  void measure_co_runs() {
    for (const int victim : units_)
      for (const int aggressor : units_) {
        if (victim == aggressor) continue;
        note_ = unit_name(victim) + " beside " + unit_name(aggressor);
        for (const int u : {victim, aggressor})
          for (const int d : subject_.platform.links[static_cast<std::size_t>(u)].domains)
            set_clock(d, opps_of(u).back());
        sleep_ms(agent_, options_.settle_ms);
        const std::string subnet = level_name(subnets_.back());
        const auto request = [&](int u, int repeat) {
          return Json{{"op", "infer"},
                      {"app", "profile-" + unit_name(u)},
                      {"subnet", subnet},
                      {"repeat", repeat},
                      {"deadline_ms", 60'000}};
        };
        const auto mean = [](const Json& call) {
          const auto ms = call.at("latency_ms").get<std::vector<double>>();
          return std::accumulate(ms.begin(), ms.end(), 0.0) / static_cast<double>(ms.size());
        };
        CoRun pair{victim, aggressor, mean(agent_.call(request(victim, options_.n), 70'000)), 0};
        const double other_ms = mean(agent_.call(request(aggressor, 3), 70'000));
        // Bounded before it is whole: a board may answer that an inference took no time.
        const int enough =
            static_cast<int>(std::clamp(3 * pair.alone_ms * options_.n / std::max(other_ms, 1e-3) + 1, 1.0, 1000.0));
        const std::uint64_t running = agent_.send(request(aggressor, enough));
        pair.beside_ms = mean(agent_.call(request(victim, options_.n), 70'000));
        while (const auto message = agent_.next(Agent::now_ns() + 70'000'000'000))
          if (message->value("id", Json()) == Json(running)) break;
        out_.co_runs.push_back(pair);
      }
  }

  Agent& agent_;
  const ProfileSubject& subject_;
  const ProfileOptions& options_;
  fs::path journal_path_;
  const std::function<void(double, const std::string&)>& progress_;
  std::vector<int> units_, subnets_;
  int cores_now_ = 0;
  double share_ = 0;
  std::string note_;
  Recorder journal_;
  Json header_;
  Profile out_;
};

std::string provenance_of(const Profile& profile, const ProfileOptions& options, const std::string& date) {
  return "dynasoc board profile on " + profile.identity + ", " + date + ": " + std::to_string(options.warm_up) +
         " inferences of warm-up, cells in random then chosen order, clocks pinned and read back, " +
         (options.gap_ms > 0 ? rounded_text(options.gap_ms, 4) + " ms between inferences, "
                             : std::string("inferences back to back, ")) +
         rounded_text(options.cool_down_ms, 4) + " ms between cells, calls beside foreign load left out";
}

}  // namespace

Profile run_profile(Agent& agent, const ProfileSubject& subject, const ProfileOptions& options, const fs::path& journal,
                    const std::function<void(double, const std::string&)>& progress) {
  try {
    return Campaign(agent, subject, options, journal, progress).run();
  } catch (const AgentLost& error) {
    throw OutsideError(std::string(error.what()) + "; what was measured is in " + journal.string() +
                       ", and the same command goes on with it");
  } catch (const Json::exception& error) {
    throw OutsideError(std::string("the agent, or the journal " + journal.string() + ", does not keep to its form: ") +
                       error.what());
  }
}

void write_profile(const fs::path& out, const std::string& network_name, const ProfileSubject& subject,
                   const ProfileOptions& options, const Profile& profile, const std::string& date) {
  const PlatformFile& platform = subject.platform.file;
  const std::string source = provenance_of(profile, options, date);
  const fs::path model = out / "models" / network_name;
  fs::create_directories(model);
  fs::create_directories(out / "platforms");

  const auto idle_of = [&](int unit, int opp) {
    for (const IdlePower& idle : profile.idle)
      if (idle.unit == unit && idle.opp == opp) return idle.unit_w;
    return std::nan("");
  };
  Table measured, filled;
  const auto blank = [&](std::size_t c) {
    const PlanCell& cell = profile.cells[c];
    Cell row;
    row.subnet = level_name(cell.subnet);
    row.unit = platform.units[static_cast<std::size_t>(cell.unit)].first;
    const int d = subject.platform.links[static_cast<std::size_t>(cell.unit)].domains[0];
    const bool cpu = platform.domains[static_cast<std::size_t>(d)].second.kind == DomainKind::cpu;
    (cpu ? row.at.f_cpu_mhz : row.at.f_gpu_mhz) = cell.f_unit_mhz;
    row.at.f_emc_mhz = cell.f_emc_mhz;
    row.at.cores = cell.cores;
    row.idle_power_w = idle_of(cell.unit, profile.opps[c]);
    return row;
  };
  std::vector<bool> done(profile.cells.size(), false);
  for (const ProfiledCell& cell : profile.measured) {
    if (!cell.failure.empty()) continue;
    done[cell.cell] = true;
    Cell row = blank(cell.cell);
    row.latency_ms_mean = cell.mean_ms;
    row.latency_ms_std = cell.std_ms;
    row.n = cell.n;
    row.latency_ms_p50 = cell.p50_ms, row.latency_ms_p90 = cell.p90_ms, row.latency_ms_p99 = cell.p99_ms;
    row.provenance = Provenance::measured;
    row.source = source;
    if (std::isfinite(cell.energy_mj)) {
      row.energy_mj = cell.energy_mj;
      row.power_w = cell.power_w;
      row.energy_provenance = Provenance::measured;
      row.energy_source = "the unit's own rail on the board, idle included";
    } else {
      row.idle_power_w = std::nan("");
    }
    measured.cells.push_back(row);
    filled.cells.push_back(row);
  }
  for (std::size_t c = 0; c < profile.cells.size(); ++c) {
    if (done[c] || !std::isfinite(profile.latency[c].mean)) continue;
    Cell row = blank(c);
    row.latency_ms_mean = profile.latency[c].mean;
    row.latency_ms_low = profile.latency[c].low, row.latency_ms_high = profile.latency[c].high;
    row.provenance = Provenance::derived;
    row.source = "soft roofline and Gaussian process fitted to the measured cells of this campaign: " + source;
    if (std::isfinite(profile.energy[c].mean)) {
      row.energy_mj = profile.energy[c].mean;
      row.power_w = row.energy_mj / row.latency_ms_mean;
      row.energy_mj_low = profile.energy[c].low, row.energy_mj_high = profile.energy[c].high;
      row.energy_provenance = Provenance::derived;
      row.energy_source = "the same model, of the unit's own rail, idle included";
    } else {
      row.idle_power_w = std::nan("");
    }
    filled.cells.push_back(row);
  }
  const std::string csv = platform.name + ".profile.csv", filled_csv = platform.name + ".profile.filled.csv";
  if (measured.cells.empty())
    throw OutsideError("not one cell could be measured: " +
                       (profile.measured.empty() ? std::string("nothing was tried") : profile.measured[0].failure));
  write_file(model / csv, measured.to_csv());
  write_file(model / filled_csv, filled.to_csv());

  NetworkFile network = subject.network->file;
  Json json = to_json(network);
  json["name"] = network_name;
  json["tables"] = {{"profile", {{"file", csv}, {"platform", platform.name}, {"note", "the measured cells"}}},
                    {"profile-filled",
                     {{"file", filled_csv},
                      {"platform", platform.name},
                      {"note", "measured cells, and the others as the campaign's model predicts them"}}}};
  json["default_table"] = "profile-filled";
  json["scaling"] = Json::object();
  if (std::isfinite(profile.switch_ms))
    json["switch_cost"] = {{"time_ms", profile.switch_ms},
                           {"energy_mj", 0},
                           {"provenance", "measured"},
                           {"source",
                            "first inference after a switch between resident sub-networks, over the three that follow "
                            "(a negative mean counts as 0); mean of " +
                                std::to_string(profile.switches) + "; its energy is in the inference's. " + source}};
  write_file(model / "network.json", json.dump(2) + "\n");

  Json board = to_json(platform);
  for (std::size_t u = 0; u < platform.units.size(); ++u) {
    struct Point {
      double idle_w = std::nan(""), busy_sum_w = 0;
      int busy_n = 0;
      bool derived = false;
    };
    std::map<int, Point> points;
    for (const IdlePower& idle : profile.idle)
      if (idle.unit == static_cast<int>(u)) {
        points[idle.opp].idle_w = idle.unit_w;
      }
    for (const ProfiledCell& cell : profile.measured)
      if (cell.failure.empty() && profile.cells[cell.cell].unit == static_cast<int>(u) && std::isfinite(cell.power_w)) {
        points[profile.opps[cell.cell]].busy_sum_w += cell.power_w;
        ++points[profile.opps[cell.cell]].busy_n;
      }
    for (std::size_t c = 0; c < profile.cells.size(); ++c) {
      if (profile.cells[c].unit != static_cast<int>(u) || !std::isfinite(profile.energy[c].mean)) continue;
      Point& point = points[profile.opps[c]];
      if (point.busy_n > 0 && !point.derived) continue;
      point.derived = true;
      point.busy_sum_w += profile.energy[c].mean / profile.latency[c].mean;
      ++point.busy_n;
    }
    Json power = Json::array();
    for (const auto& [opp, point] : points) {
      if (!std::isfinite(point.idle_w) || point.busy_n == 0) continue;
      const int d = subject.platform.links[u].domains[0];
      power.push_back(
          {{"mhz", platform.domains[static_cast<std::size_t>(d)].second.opps_mhz[static_cast<std::size_t>(opp)]},
           {"idle_w", point.idle_w},
           {"busy_w", std::max(point.busy_sum_w / point.busy_n, point.idle_w)},
           {"provenance", point.derived ? "derived" : "measured"},
           {"source",
            point.derived
                ? "idle measured; busy is the mean of the sub-networks as the campaign's model predicts them: " + source
                : "the unit's own rail, idle and busy (mean of " + std::to_string(point.busy_n) +
                      " sub-networks): " + source}});
    }
    if (!power.empty()) board["units"][platform.units[u].first]["power"] = std::move(power);
  }
  double rest_w = 0;
  int rests = 0;
  for (const IdlePower& idle : profile.idle)
    if (std::isfinite(idle.rest_w)) rest_w += idle.rest_w, ++rests;
  if (rests > 0) {
    board["static_power_w"] = std::max(0.0, rest_w / rests);
    board["static_power_provenance"] = "derived";
    board["static_power_source"] = "the whole board's rail less the units' own, both measured, idle: " + source;
  }
  if (!profile.co_runs.empty()) {
    board["contention"] = Json::array();
    for (const CoRun& pair : profile.co_runs)
      board["contention"].push_back({{"victim", platform.units[static_cast<std::size_t>(pair.victim)].first},
                                     {"aggressor", platform.units[static_cast<std::size_t>(pair.aggressor)].first},
                                     {"slowdown", std::max(1.0, pair.beside_ms / pair.alone_ms)},
                                     {"provenance", "measured"},
                                     {"source", "the largest sub-network on both, highest clocks: " + source}});
  }
  write_file(out / "platforms" / (platform.name + ".json"), board.dump(2) + "\n");
}

Json profile_json(const ProfileSubject& subject, const Profile& profile) {
  const PlatformFile& platform = subject.platform.file;
  int measured = 0, failed = 0, discarded = 0;
  for (const ProfiledCell& cell : profile.measured) {
    ++(cell.failure.empty() ? measured : failed);
    discarded += cell.discarded;
  }
  Json out = {{"board", profile.identity},
              {"platform", platform.name},
              {"network", subject.network->file.name},
              {"cells", {{"all", profile.cells.size()}, {"measured", measured}, {"failed", failed}}},
              {"discarded_inferences", discarded},
              {"expected_error", profile.expected_error},
              {"ranking_uncertainty", profile.ranking_uncertainty},
              {"target_reached", profile.target_reached},
              {"switch_ms", profile.switch_ms},
              {"elapsed_s", profile.elapsed_s},
              {"inferring_s", profile.inferring_s},
              {"warnings", profile.warnings},
              {"overhead", profile.elapsed_s > 0 ? 1 - profile.inferring_s / profile.elapsed_s : 0}};
  out["failures"] = Json::array();
  for (const ProfiledCell& cell : profile.measured)
    if (!cell.failure.empty()) out["failures"].push_back({{"cell", cell.cell}, {"message", cell.failure}});
  out["contention"] = Json::array();
  for (const CoRun& pair : profile.co_runs)
    out["contention"].push_back({{"victim", platform.units[static_cast<std::size_t>(pair.victim)].first},
                                 {"aggressor", platform.units[static_cast<std::size_t>(pair.aggressor)].first},
                                 {"alone_ms", pair.alone_ms},
                                 {"beside_ms", pair.beside_ms}});
  return out;
}

std::string profile_text(const ProfileSubject& subject, const Profile& profile) {
  const PlatformFile& platform = subject.platform.file;
  std::string out = "  " + subject.network->file.name + " on " + profile.identity +
                    "\n\n  latency [ms], * predicted (95 % interval)\n";
  for (std::size_t u = 0; u < platform.units.size(); ++u) {
    std::vector<int> opps, subnets, cores;
    for (std::size_t c = 0; c < profile.cells.size(); ++c) {
      if (profile.cells[c].unit != static_cast<int>(u)) continue;
      const auto add = [](std::vector<int>& to, int x) {
        if (std::find(to.begin(), to.end(), x) == to.end()) to.push_back(x);
      };
      add(opps, profile.opps[c]), add(subnets, profile.cells[c].subnet), add(cores, profile.cells[c].cores);
    }
    const int d = subject.platform.links[u].domains[0];
    for (const int k : cores) {
      if (opps.empty()) continue;
      out += "\n  " + platform.units[u].first +
             (k > 0 ? ", " + std::to_string(k) + (k == 1 ? " core" : " cores") : "") + "\n  MHz     ";
      for (const int s : subnets) out += std::string(22 - level_name(s).size(), ' ') + level_name(s);
      out += "\n";
      for (const int opp : opps) {
        std::string mhz = rounded_text(
            platform.domains[static_cast<std::size_t>(d)].second.opps_mhz[static_cast<std::size_t>(opp)], 5);
        out += "  " + mhz + std::string(mhz.size() < 8 ? 8 - mhz.size() : 1, ' ');
        for (const int s : subnets)
          for (std::size_t c = 0; c < profile.cells.size(); ++c) {
            const PlanCell& cell = profile.cells[c];
            if (cell.unit != static_cast<int>(u) || cell.subnet != s || profile.opps[c] != opp || cell.cores != k)
              continue;
            const CellPrediction& p = profile.latency[c];
            std::string text = "-";
            for (const ProfiledCell& m : profile.measured)
              if (m.cell == c && m.failure.empty()) text = rounded_text(m.mean_ms, 4);
            if (text == "-" && std::isfinite(p.mean))
              text =
                  "* " + rounded_text(p.mean, 4) + " (" + rounded_text(p.low, 3) + "-" + rounded_text(p.high, 3) + ")";
            out += std::string(text.size() < 22 ? 22 - text.size() : 1, ' ') + text;
            break;  // of several memory clocks the first
          }
        out += "\n";
      }
    }
  }
  const Json json = profile_json(subject, profile);
  out += "\n  " + std::to_string(json["cells"]["measured"].get<int>()) + " of " + std::to_string(profile.cells.size()) +
         " cells measured";
  if (json["cells"]["failed"].get<int>() > 0)
    out += ", " + std::to_string(json["cells"]["failed"].get<int>()) + " could not be";
  if (json["cells"]["measured"].get<std::size_t>() < profile.cells.size())
    out += "; 9 of 10 of the others are known to " + rounded_text(100 * profile.expected_error, 2) +
           " % or better; expected share of wrongly ordered pairs " +
           rounded_text(100 * profile.ranking_uncertainty, 2) + " %";
  out += "\n";
  if (std::isfinite(profile.switch_ms))
    out +=
        "  a switch of the sub-network adds " + rounded_text(profile.switch_ms, 2) + " ms to the inference after it\n";
  for (const CoRun& pair : profile.co_runs)
    out += "  " + platform.units[static_cast<std::size_t>(pair.victim)].first + " beside " +
           platform.units[static_cast<std::size_t>(pair.aggressor)].first + ": " + rounded_text(pair.alone_ms, 4) +
           " -> " + rounded_text(pair.beside_ms, 4) + " ms\n";
  out += "  " + rounded_text(profile.elapsed_s, 3) + " s, of which " + rounded_text(profile.inferring_s, 3) +
         " s in inferences that were kept; " + std::to_string(json["discarded_inferences"].get<int>()) +
         " inferences were thrown away as disturbed\n";
  for (const std::string& warning : profile.warnings) out += "  warning: " + warning + "\n";
  for (const ProfiledCell& cell : profile.measured)
    if (!cell.failure.empty())
      out += "  failed: " + level_name(profile.cells[cell.cell].subnet) + " at " +
             rounded_text(profile.cells[cell.cell].f_unit_mhz, 5) + " MHz: " + cell.failure + "\n";
  return out;
}

}  // namespace dynasoc::board
