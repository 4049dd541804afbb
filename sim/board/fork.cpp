#include "board/fork.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "common/csv.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc::board {
namespace fs = std::filesystem;
namespace {

constexpr double kStepMs = 1;      // recorded writes are carried out this late at most
constexpr double kMostJobs = 1e8;  // of an application: each has its place in memory

std::uint32_t job_number(const Json& json, const Location& here) {
  const double job = json.is_number() ? json.get<double>() : -1;
  if (!(job >= 0 && job <= kMostJobs)) throw InputError(here, "has no job's number");
  return static_cast<std::uint32_t>(job);
}

// Recorded decisions up to an instant, another policy's from then on.
class Forked final : public manager::Policy {
 public:
  /// `released`: domains whose clocks were the board's own governors' at the fork; they go back to governors then.
  Forked(std::vector<RecordedWrite> writes, std::vector<int> released, Time at, std::unique_ptr<manager::Policy> policy)
      : writes_(std::move(writes)),
        released_(std::move(released)),
        at_(at),
        policy_(std::move(policy)),
        wanted_(policy_->triggers()) {}

  manager::Triggers triggers() const override {
    return {.period_ms = kStepMs,
            .arrival = wanted_.arrival,
            .completion = wanted_.completion,
            .target_change = wanted_.target_change,
            .load_change = wanted_.load_change,
            .thermal_trip = wanted_.thermal_trip};
  }

  void decide(const manager::Observation& seen, manager::Decision& decision) override {
    if (seen.now >= at_ && !forked_) {
      forked_ = true;
      for (const int domain : released_)
        decision.set(manager::Knob::governor, domain, 0, manager::because("the recorded clocks end here"));
    }
    const bool periodic = seen.trigger == manager::Trigger::period;
    if (!periodic || due(seen.now)) {
      ignored_.clear();
      // Before the fork it looks and learns, and nobody obeys.
      policy_->decide(seen, seen.now < at_ ? ignored_ : decision);
    }
    for (; next_ < writes_.size() && writes_[next_].at <= seen.now && writes_[next_].at < at_; ++next_)
      decision.set(writes_[next_].knob, writes_[next_].target, writes_[next_].value, manager::because("as recorded"));
  }

 private:
  bool due(Time now) {
    if (wanted_.period_ms <= 0 || now < asked_ + from_ms(wanted_.period_ms)) return false;
    asked_ += from_ms(wanted_.period_ms);
    return true;
  }

  std::vector<RecordedWrite> writes_;
  std::vector<int> released_;
  bool forked_ = false;
  Time at_;
  std::unique_ptr<manager::Policy> policy_;
  manager::Triggers wanted_;
  manager::Decision ignored_;
  std::size_t next_ = 0;
  Time asked_ = 0;
};

Time seconds(const Csv& csv, std::size_t row, const char* column) {
  return from_s(csv.number(row, column, non_negative()));
}

int nearest_opp(const Setup& setup, int domain, double mhz) {
  const auto& opps = setup.platform.file.domains[static_cast<std::size_t>(domain)].second.opps_mhz;
  int best = 0;
  for (int i = 1; i < static_cast<int>(opps.size()); ++i)
    if (std::abs(opps[static_cast<std::size_t>(i)] - mhz) < std::abs(opps[static_cast<std::size_t>(best)] - mhz))
      best = i;
  return best;
}

int app_index(const Setup& setup, const std::string& name) {
  for (std::size_t a = 0; a < setup.apps.size(); ++a)
    if (setup.apps[a].name == name) return static_cast<int>(a);
  return -1;
}

}  // namespace

Recorded recorded_writes(const fs::path& path, const Setup& setup) {
  using manager::Knob;
  Recorded out;
  const Csv csv = Csv::load(path);
  for (std::size_t row = 0; row < csv.size(); ++row) {
    if (csv.text(row, "replication") != "0" || csv.text(row, "policy") == "board") continue;
    const std::string target(csv.text(row, "target")), knob(csv.text(row, "knob")), to(csv.text(row, "to"));
    RecordedWrite write;
    write.at = seconds(csv, row, "time_s");
    const auto number = [&] {
      double x = 0;
      const auto [end, error] = std::from_chars(to.data(), to.data() + to.size(), x);
      if (error != std::errc() || end != to.data() + to.size() || !std::isfinite(x))
        throw csv.error(row, "to", "is not a number");
      return x;
    };
    const auto count = [&] {
      constexpr double kMost = 1e6;  // of anything that is counted; more may not fit an int
      const double x = number();
      if (x < 0 || x > kMost || x != std::floor(x)) throw csv.error(row, "to", "is no whole number from 0 to 1000000");
      return static_cast<int>(x);
    };
    const auto index = [&](int found, const char* what) {
      if (found < 0)
        throw csv.error(row, "target", std::string("the scenario has no ") + what + " " + in_quotes(target));
      return found;
    };
    if (knob == name_of(Knob::subnet)) {
      write.knob = Knob::subnet;
      write.target = index(app_index(setup, target), "application");
      write.value = setup.apps[static_cast<std::size_t>(write.target)].network->subnet_index(to);
      if (write.value < 0) throw csv.error(row, "to", "is no sub-network");
    } else if (knob == name_of(Knob::mapping)) {
      write.knob = Knob::mapping;
      write.target = index(app_index(setup, target), "application");
      write.value = setup.platform.unit_index(to);
      if (write.value < 0) throw csv.error(row, "to", "is no unit");
    } else if (knob == name_of(Knob::frequency) || knob == name_of(Knob::lowest) || knob == name_of(Knob::highest)) {
      write.knob = knob == name_of(Knob::frequency) ? Knob::frequency
                   : knob == name_of(Knob::lowest)  ? Knob::lowest
                                                    : Knob::highest;
      write.target = index(setup.platform.domain_index(target), "frequency domain");
      write.value = nearest_opp(setup, write.target, number());
    } else if (knob == name_of(Knob::governor)) {
      write.knob = Knob::governor;
      write.target = index(setup.platform.domain_index(target), "frequency domain");
    } else if (knob == name_of(Knob::cores)) {
      write.knob = Knob::cores;
      write.target = index(setup.platform.unit_index(target), "unit");
      write.value = count();
    } else if (knob == name_of(Knob::admission)) {
      write.knob = Knob::admission;
      write.target = index(app_index(setup, target), "application");
      write.value = to == "open" ? 1 : 0;
    } else if (knob == name_of(Knob::batch)) {
      write.knob = Knob::batch;
      write.target = index(app_index(setup, target), "application");
      write.value = count();
    } else {
      throw csv.error(row, "knob", "is no knob");
    }
    out.writes.push_back(write);
  }
  return out;
}

std::shared_ptr<Setup> fork_of(const Scenario& scenario, const fs::path& directory, Time at,
                               const manager::Choice<manager::Policy>& policy, std::vector<std::string>& notes) {
  auto setup = std::make_shared<Setup>(*scenario.setup);
  setup->seed = scenario.setup->seed;
  Recorded recorded = recorded_writes(directory / "decisions.csv", *setup);
  notes = std::move(recorded.notes);

  // Arrivals as they were, but for those that follow a completion.
  std::vector<std::vector<double>> arrivals(setup->apps.size());
  const Csv jobs = Csv::load(directory / "jobs.csv");
  std::vector<std::map<std::uint32_t, double>> ordered(setup->apps.size());
  for (std::size_t row = 0; row < jobs.size(); ++row) {
    if (jobs.text(row, "replication") != "0") continue;
    const int a = app_index(*setup, std::string(jobs.text(row, "app")));
    if (a < 0) throw jobs.error(row, "app", "is no application of the scenario");
    ordered[static_cast<std::size_t>(a)][static_cast<std::uint32_t>(jobs.number(row, "job", range(0, kMostJobs)))] =
        jobs.number(row, "arrival_s", non_negative());
  }
  for (std::size_t a = 0; a < setup->apps.size(); ++a)
    for (const auto& [job, arrival_s] : ordered[a])
      arrivals[a].push_back(std::max(arrival_s, arrivals[a].empty() ? 0 : arrivals[a].back()));

  // Execution times over what the tables say at the clocks that were in effect.
  std::vector<std::map<std::uint32_t, double>> ratios(setup->apps.size());
  const std::size_t domain_count = setup->platform.file.domains.size();
  std::vector<Time> owned(domain_count, kNever);  // since when a domain's clock is the recorded policy's
  for (const RecordedWrite& write : recorded.writes)
    if (write.knob == manager::Knob::frequency)
      owned[static_cast<std::size_t>(write.target)] = std::min(owned[static_cast<std::size_t>(write.target)], write.at);
  std::vector<int> opps(domain_count, -1);
  const fs::path log = directory / "board.jsonl";
  const std::string text = read_file(log);
  std::size_t line = 0;
  try {
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      ++line;
      const Json json = read_json_line(std::string_view(text).substr(begin, end - begin)).value_or(Json());
      const Location here{log.string(), line, 0, ""};
      if (!json.is_object()) throw InputError(here, "is not a line of a board's log");
      if (json.value("replication", 0) != 0) break;
      if (!json.contains("job") || !json.at("answer").contains("ok")) continue;
      // Clocks that the board's own governors chose are repeated as they were found.
      for (std::size_t d = 0; d < domain_count; ++d) {
        const Json& mhz = json["answer"]["ok"].at("mhz");
        const auto it = mhz.find(setup->platform.file.domains[d].first);
        const Time start = from_s(json.value("start_s", 0.0));
        if (it == mhz.end() || !it->is_number() || start >= owned[d] || start >= at) continue;
        const int opp = nearest_opp(*setup, static_cast<int>(d), it->get<double>());
        if (opp == opps[d]) continue;
        recorded.writes.push_back({opps[d] < 0 ? 0 : start, manager::Knob::frequency, static_cast<int>(d), opp});
        opps[d] = opp;
      }
      if (!json.value("alone", false)) continue;
      const int a = app_index(*setup, json.value("app", ""));
      if (a < 0) continue;
      const AppSetup& app = setup->apps[static_cast<std::size_t>(a)];
      const int subnet = app.network->subnet_index(json.value("subnet", ""));
      const auto unit = static_cast<std::size_t>(app.unit);
      if (subnet < 0 || !app.models[unit][static_cast<std::size_t>(subnet)]) continue;
      const Json& ok = json["answer"]["ok"];
      const Platform::UnitLinks& links = setup->platform.links[unit];
      const auto clock = [&](int d) {
        if (d < 0) return std::nan("");
        const auto& [name, domain] = setup->platform.file.domains[static_cast<std::size_t>(d)];
        const auto it = ok.at("mhz").find(name);
        return it != ok.at("mhz").end() && it->is_number() ? it->get<double>() : domain.opps_mhz.back();
      };
      const double mhz = clock(links.domains[0]);
      OperatingPoint point;
      point.f_emc_mhz = clock(links.memory_domain);
      if (unit_clock(setup->platform, unit) == UnitClock::cpu) {
        point.f_cpu_mhz = mhz;
        point.cores = setup->modes[0].cores_online[unit];
      } else {
        point.f_gpu_mhz = mhz;
        point.f_cpu_mhz = clock(links.host_domain);
      }
      const double predicted_ms = app.models[unit][static_cast<std::size_t>(subnet)]->predict(mhz, point).latency_ms;
      const double measured_ms = ok.at("latency_ms").at(0).get<double>();
      if (predicted_ms > 0 && measured_ms > 0)
        ratios[static_cast<std::size_t>(a)][job_number(json.at("job"), here)] = measured_ms / predicted_ms;
    }
  } catch (const Json::exception&) {
    throw InputError({log.string(), line, 0, ""}, "is not a line of a board's log");
  }
  for (std::size_t a = 0; a < setup->apps.size(); ++a) {
    AppSetup& app = setup->apps[a];
    double mean = 0;
    for (const auto& [job, ratio] : ratios[a]) mean += ratio / static_cast<double>(ratios[a].size());
    if (ratios[a].empty()) {
      notes.push_back(app.name + ": no inference of it ran alone; execution times are the tables'");
      mean = 1;
    }
    const std::uint32_t last = ratios[a].empty() ? 0 : ratios[a].rbegin()->first;
    const std::size_t frames = std::max<std::size_t>({1, ordered[a].size(), static_cast<std::size_t>(last) + 1});
    app.replay_ratios.assign(frames, mean);
    for (const auto& [job, ratio] : ratios[a]) app.replay_ratios[job] = ratio;
    app.file.session.reset();
    app.switch_ms = 0;  // sub-networks on the board are resident, and what a switch costs is in the inference
    app.switch_energy_mj = 0;
    const bool follows = std::holds_alternative<ClosedLoopArrivals>(app.file.arrivals) ||
                         std::holds_alternative<CascadeArrivals>(app.file.arrivals) ||
                         std::holds_alternative<SingleStreamArrivals>(app.file.arrivals) ||
                         std::holds_alternative<MultiStreamArrivals>(app.file.arrivals) ||
                         std::holds_alternative<OfflineArrivals>(app.file.arrivals);
    if (follows || arrivals[a].empty()) continue;
    app.file.arrivals = TraceArrivals{};
    app.trace_s = std::move(arrivals[a]);
    for (double& t : app.trace_s) t = std::max(0.0, t - app.file.start_s);
  }
  setup->manager_cost_us = 0;  // the recorded decisions had theirs already
  std::stable_sort(recorded.writes.begin(), recorded.writes.end(),
                   [](const RecordedWrite& a, const RecordedWrite& b) { return a.at < b.at; });
  std::vector<int> released;
  for (std::size_t d = 0; d < domain_count; ++d)
    if (opps[d] >= 0 && owned[d] > at) released.push_back(static_cast<int>(d));
  const auto writes = std::make_shared<const std::vector<RecordedWrite>>(std::move(recorded.writes));
  setup->policy_factory = [writes, released, at, policy] {
    return std::make_unique<Forked>(*writes, released, at, policy.make());
  };
  return setup;
}

}  // namespace dynasoc::board
