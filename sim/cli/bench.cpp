// dynasoc bench: how fast the standard workload is simulated on this machine, by both engines and by SimPy.
//
// Each measurement runs in a process of its own (peak memory is a process's), single-threaded, and is timed by CPU
// time, so that other programs on the machine disturb it less. What is compared is measured in turn, round by round.
#include "results/bench.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>

#include "cli/bench_explore.hpp"
#include "cli/bench_search.hpp"
#include "cli/bench_sweep.hpp"
#include "cli/options.hpp"
#include "common/installation.hpp"
#include "common/median.hpp"
#include "common/program.hpp"
#include "common/text.hpp"
#include "manager/governor.hpp"
#include "version.hpp"

namespace dynasoc::cli {
namespace fs = std::filesystem;
namespace po = boost::program_options;
namespace {

// What a run of the whole bench consists of.
struct Plan {
  int rounds = 7;
  double inferences = 1e6, simgrid_inferences = 2e5, simpy_inferences = 6e4;
  std::vector<double> sizes{1e4, 1e5, 1e6, 1e7};
  std::vector<int> applications{4, 16, 64, 256, 512};
  double growth_inferences = 5e5;  ///< for each number of applications
  int growth_rounds = 3;
  int starts = 20;
  int comparison_replications = 30;
  double oracle_s = 600;
  std::size_t search_evaluations = 65536;
  int search_seeds = 3;
  bool thorough = true;  ///< all points of the sweep, and the explorations

  static Plan quick() { return {2, 3e4, 1e4, 4e3, {1e3, 1e4, 1e5}, {4, 16, 64}, 2e4, 2, 5, 2, 10, 8192, 1, false}; }
};

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

// One thing that is measured in every round.
struct Series {
  std::vector<double> rates;  ///< inferences per CPU second, by round
  double best_wall_rate = 0;
  double inferences = 0;
  double peak_mb = 0;
  void add(const BenchRun& run) {
    rates.push_back(run.inferences_per_s());
    best_wall_rate = std::max(best_wall_rate, run.inferences / run.wall_s);
    inferences = run.inferences;
    peak_mb = std::max(peak_mb, run.peak_mb);
  }
  double best() const { return *std::max_element(rates.begin(), rates.end()); }
  void write(Json& to, const std::string& suffix = "") const {
    to["inferences_per_s" + suffix] = best();
    to["inferences_per_s" + suffix + "_median"] = median(rates);
    to["wall_inferences_per_s" + suffix] = best_wall_rate;
    to["inferences" + suffix] = inferences;
    to["peak_mb" + suffix] = peak_mb;
  }
};

// Ratio of two series measured in turn: median, least and largest of the rounds.
Json ratio(const Series& a, const Series& b) {
  std::vector<double> rounds;
  for (std::size_t i = 0; i < std::min(a.rates.size(), b.rates.size()); ++i) rounds.push_back(a.rates[i] / b.rates[i]);
  return {{"median", median(rounds)},
          {"least", *std::min_element(rounds.begin(), rounds.end())},
          {"largest", *std::max_element(rounds.begin(), rounds.end())},
          {"of_best", a.best() / b.best()}};
}

Json machine() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string model = "unknown";
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
      model = line.substr(line.find(": ") + 2);
      break;
    }
  double load = std::nan("");
  std::ifstream("/proc/loadavg") >> load;
  const double memory_mb =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576;
  return {{"cpu", model},
          {"cores", default_jobs()},
          {"memory_mb", std::round(memory_mb)},
          {"load_average_at_start", number(load)},
          {"version", DYNASOC_VERSION},
          {"build", DYNASOC_GIT_DESCRIPTION}};
}

// This program; from within another one (a Python interpreter), that which stands beside our module.
std::optional<fs::path> own_program() {
  std::error_code code;
  const fs::path self = installation::image();
  return fs::equivalent(self, "/proc/self/exe", code) ? std::optional(self) : installation::program("dynasoc");
}

double available_mb() {
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);)
    if (line.starts_with("MemAvailable:")) return std::stod(line.substr(13)) / 1024;
  return 0;
}

class Bench {
 public:
  Bench(const Plan& plan, bool simpy, bool quiet, Console& console)
      : plan_(plan), with_simpy_(simpy), quiet_(quiet), console_(console) {}

  Json run() {
    Json out;
    Json info = machine();  // the load as it is before we add to it
    ProgressBar progress(console_, quiet_);
    speed(out, progress);
    governors(out);
    growth_in_inferences(out, progress);
    growth_in_applications(out, progress);
    managers(out);  // late: children begin with the memory that this process has touched
    out["sweep"] = bench_sweep(!plan_.thorough);
    out["search"] = bench_search(plan_.rounds, plan_.search_evaluations, plan_.search_seeds);
    if (plan_.thorough) out["explore"] = bench_explore(default_jobs(), [&](double) { progress(0.96); });
    start_up(out, progress);
    out["machine"] = std::move(info);
    out["timed_by"] = "CPU time of the measuring process; startup_ms by the wall clock";
    out["notes"] = notes_;
    return out;
  }

 private:
  void speed(Json& out, ProgressBar& progress) {
    Series native, with_jobs, simgrid, simpy;
    std::optional<fs::path> sibling = simgrid_program();
    if (!sibling && simgrid_available()) sibling = installation::image();
    if (!sibling) notes_.push_back("no SimGrid figures: dynasoc-simgrid was not built (Debian: libsimgrid-dev)");
    bool ask_simpy = with_simpy_;
    Json twin;
    BenchWorkload workload;
    workload.inferences = plan_.inferences;
    for (int round = 0; round < plan_.rounds; ++round) {
      native.add(bench_in_child(workload, false, 1)[0]);
      progress(0.4 * (round + 0.3) / plan_.rounds);
      if (ask_simpy) {
        const auto answer = simpy_run();
        ask_simpy = answer.has_value();
        if (answer) {
          twin = *answer;
          simpy.add(bench_run_of(twin));
        }
      }
      if (sibling) simgrid.add(simgrid_run(*sibling, progress));
      progress(0.4 * (round + 0.6) / plan_.rounds);
      with_jobs.add(bench_in_child(workload, true, 1)[0]);
      progress(0.4 * (round + 1) / plan_.rounds);
    }
    out["native"] = Json::object();
    native.write(out["native"]);
    with_jobs.write(out["native"], "_with_jobs");
    out["simgrid"] = nullptr;
    if (sibling) simgrid.write(out["simgrid"] = Json::object());
    out["simpy"] = nullptr;
    if (!simpy.rates.empty()) {
      simpy.write(out["simpy"] = Json::object());
      out["simpy"]["version"] = twin["simpy"];
      out["simpy"]["python"] = twin["python"];
    }
    out["ratios"] = {
        {"native_to_simpy", nullptr}, {"native_with_jobs_to_simpy", nullptr}, {"native_to_simgrid", nullptr}};
    if (!simpy.rates.empty()) {
      out["ratios"]["native_to_simpy"] = ratio(native, simpy);
      out["ratios"]["native_with_jobs_to_simpy"] = ratio(with_jobs, simpy);
    }
    if (sibling) out["ratios"]["native_to_simgrid"] = ratio(native, simgrid);
    out["rounds"] = plan_.rounds;
  }

  // What governors cost: one evaluation, and the workload with them against the same at fixed clocks, in turn.
  void governors(Json& out) const {
    Json& to = out["governors"] = Json::object();
    for (const std::string& name : manager::Registry<manager::Governor>::instance().names())
      to["ns_per_evaluation"][name] = governor_ns(name, static_cast<int>(plan_.inferences));
    for (const bool background : {true, false}) {
      Series fixed, governed;
      BenchWorkload workload;
      workload.inferences = plan_.growth_inferences;
      workload.background = background;
      for (int round = 0; round < plan_.rounds; ++round) {
        workload.clocks = BenchClocks::fixed;
        fixed.add(bench_in_child(workload, false, 1)[0]);
        workload.clocks = BenchClocks::governors;
        governed.add(bench_in_child(workload, false, 1)[0]);
      }
      to[background ? "throughput" : "throughput_without_background"] = ratio(governed, fixed);
    }
  }

  // What decisions cost, and what answers about managers do: a comparison, an oracle's plan.
  void managers(Json& out) const {
    Json& to = out["managers"] = Json::object();
    const auto& policies = manager::Registry<manager::Policy>::instance();
    for (const std::string& name : policies.names()) {
      if (!policies.entry(name).required().empty() || policies.make(name, nullptr)->clairvoyant()) continue;
      std::vector<double> rounds;
      for (int round = 0; round < 3; ++round) rounds.push_back(policy_ns(name));
      std::sort(rounds.begin(), rounds.end());
      if (std::isfinite(rounds[1])) to["ns_per_decision"][name] = rounds[1];
    }
    const TimedWork comparison = timed_comparison(plan_.comparison_replications, default_jobs());
    to["comparison"] = {{"runs", comparison.count}, {"seconds", comparison.seconds}, {"jobs", default_jobs()}};
    const TimedWork oracle = timed_oracle(plan_.oracle_s);
    to["oracle"] = {{"frames", oracle.count}, {"seconds", oracle.seconds}};
  }

  BenchRun simgrid_run(const fs::path& program, ProgressBar& progress) const {
    const Finished done = run_program({program.string(), "bench", "--engine", "simgrid", "--json", "--inferences",
                                       number_text(plan_.simgrid_inferences)},
                                      true);
    if (done.status != 0) progress(0.4);  // Ctrl-C ends both
    if (done.status != 0) throw OutsideError("dynasoc-simgrid bench failed: " + last_line(done.err));
    return bench_run_of(Json::parse(done.out));
  }

  std::optional<Json> simpy_run() {
    const fs::path twin = bench_root() / "tools" / "bench_simpy.py";
    std::error_code code;
    if (!fs::exists(twin, code)) {
      notes_.push_back("no SimPy figures: " + twin.string() + " is missing");
      return std::nullopt;
    }
    try {
      const Finished done =
          run_program({"python3", twin.string(), "--inferences", number_text(plan_.simpy_inferences)}, true);
      if (done.status == 0) return Json::parse(done.out);
      notes_.push_back("no SimPy figures: " + last_line(done.err));
    } catch (const OutsideError& error) {
      notes_.push_back(std::string("no SimPy figures: ") + error.what());
    }
    return std::nullopt;
  }

  void growth_in_inferences(Json& out, ProgressBar& progress) {
    Json rows = Json::array(), memory = Json::array();
    std::vector<double> least(plan_.sizes.size(), 1e300), plain_mb(plan_.sizes.size(), 0);
    std::vector<double> inferences(plan_.sizes.size(), 0);
    for (int round = 0; round < plan_.growth_rounds; ++round)
      for (std::size_t i = 0; i < plan_.sizes.size(); ++i) {
        BenchWorkload workload;
        workload.inferences = plan_.sizes[i];
        const int times = static_cast<int>(std::clamp(2e5 / workload.inferences, 1.0, 10.0));
        for (const BenchRun& run : bench_in_child(workload, false, times)) {
          least[i] = std::min(least[i], run.ns_per_inference());
          inferences[i] = run.inferences;
          plain_mb[i] = run.peak_mb;
        }
        progress(0.4 + 0.25 * (round + static_cast<double>(i + 1) / static_cast<double>(plan_.sizes.size())) /
                           plan_.growth_rounds);
      }
    double bytes_per_job = std::nan("");
    for (std::size_t i = 0; i < plan_.sizes.size(); ++i) {
      rows.push_back({{"inferences", inferences[i]}, {"ns_per_inference", least[i]}, {"ratio", least[i] / least[0]}});
      Json row = {{"inferences", inferences[i]},
                  {"peak_mb", plain_mb[i]},
                  {"peak_mb_with_jobs", nullptr},
                  {"bytes_per_job", nullptr}};
      if (64 * plan_.sizes[i] / 1048576 * 1.5 + 100 < available_mb()) {
        BenchWorkload workload;
        workload.inferences = plan_.sizes[i];
        const BenchRun run = bench_in_child(workload, true, 1)[0];
        row["peak_mb_with_jobs"] = run.peak_mb;
        bytes_per_job = (run.peak_mb - plain_mb[i]) * 1048576 / run.inferences;
        if (plan_.sizes[i] >= 1e5) row["bytes_per_job"] = bytes_per_job;  // below, the program's own pages drown it
      } else {
        notes_.push_back("too little free memory to record " + number_text(plan_.sizes[i]) + " jobs");
      }
      memory.push_back(std::move(row));
      progress(0.65 + 0.1 * static_cast<double>(i + 1) / static_cast<double>(plan_.sizes.size()));
    }
    out["growth"]["inferences"] = std::move(rows);
    out["memory"]["inferences"] = std::move(memory);
    out["memory"]["bytes_per_job"] = number(bytes_per_job);
  }

  void growth_in_applications(Json& out, ProgressBar& progress) {
    const std::size_t count = plan_.applications.size();
    std::vector<double> least(count, 1e300), as_often(count, 1e300), peak_mb(count, 0);
    for (int round = 0; round < plan_.growth_rounds; ++round)
      for (std::size_t i = 0; i < count; ++i) {
        BenchWorkload workload;
        workload.inferences = plan_.growth_inferences;
        workload.applications = plan_.applications[i];
        const BenchRun run = bench_in_child(workload, false, 1)[0];
        least[i] = std::min(least[i], run.ns_per_inference());
        peak_mb[i] = run.peak_mb;
        workload.manager_as_often = true;
        as_often[i] = std::min(as_often[i], bench_in_child(workload, false, 1)[0].ns_per_inference());
        progress(0.75 + 0.22 * (round + static_cast<double>(i + 1) / static_cast<double>(count)) / plan_.growth_rounds);
      }
    Json rows = Json::array();
    for (std::size_t i = 0; i < count; ++i)
      rows.push_back({{"applications", plan_.applications[i]},
                      {"ns_per_inference", least[i]},
                      {"ratio", least[i] / least[0]},
                      {"ns_per_inference_manager_as_often", as_often[i]},
                      {"peak_mb", peak_mb[i]}});
    out["growth"]["applications"] = std::move(rows);
  }

  void start_up(Json& out, ProgressBar& progress) {
    const fs::path smallest = bench_root() / "scenarios" / "minimal.json";
    const auto self = own_program();
    out["startup_ms"] = out["startup_ms_best"] = nullptr;
    if (!self) {
      notes_.push_back("no start-up time: there is no program dynasoc beside this module");
      return;
    }
    std::vector<double> ms;
    for (int i = 0; i < plan_.starts; ++i) {
      const double started = wall_ms();
      const Finished done = run_program({self->string(), "run", smallest.string()}, false);
      ms.push_back(wall_ms() - started);
      if (done.status != 0) throw OutsideError("dynasoc run " + smallest.string() + " failed");
      progress(0.97 + 0.03 * (i + 1) / plan_.starts);
    }
    out["startup_ms"] = median(ms);
    out["startup_ms_best"] = *std::min_element(ms.begin(), ms.end());
  }

  static double wall_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
  }

  Plan plan_;
  bool with_simpy_, quiet_;
  Console& console_;
  std::vector<std::string> notes_;
};

// -- Text
// ---------------------------------------------------------------------------------------------------------------

std::string count_text(double x) {
  char text[32];
  if (x >= 999.5e3)
    std::snprintf(text, sizeof text, "%.*f M", x >= 9.995e6 ? 1 : 2, x / 1e6);
  else if (x >= 999.5)
    std::snprintf(text, sizeof text, "%.*f k", x >= 9.995e3 ? 0 : 1, x / 1e3);
  else
    std::snprintf(text, sizeof text, "%.0f", x);
  return text;
}

template <class... T>
void line(std::string& to, const char* format, T... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  to += text;
  to += '\n';
}

std::string speed_text(const BenchRun& run) {
  std::string out;
  line(out, "%s inferences/s (%s in %.3f s of CPU time), peak memory %.1f MB",
       count_text(run.inferences_per_s()).c_str(), count_text(run.inferences).c_str(), run.cpu_s, run.peak_mb);
  return out;
}

std::string bench_text(const Json& r, bool colour) {
  std::string out;
  const char* bold = colour ? "\033[1m" : "";
  const char* plain = colour ? "\033[0m" : "";
  const auto get = [](const Json& at, const std::string& key) { return at.at(key).get<double>(); };
  const Json& machine = r["machine"];
  line(out,
       "%sdynasoc %s: the standard workload%s  4 applications, 2 background loads, a DVFS manager at 50 ms, energy,",
       bold, machine["version"].get<std::string>().c_str(), plain);
  line(out, "temperatures (scenarios/bench/standard.json)");
  line(out, "%s, %d cores, load average %.1f before the start\n", machine["cpu"].get<std::string>().c_str(),
       machine["cores"].get<int>(),
       machine["load_average_at_start"].is_null() ? 0.0 : get(machine, "load_average_at_start"));

  const int rounds = r["rounds"].get<int>();
  line(out, "%sSPEED%s  on one core                inferences/s         one takes        peak", bold, plain);
  line(out, "       %d rounds in turn          best     median     (at best)      memory", rounds);
  const auto speed = [&](const std::string& name, const Json& at, const std::string& suffix) {
    const double best = get(at, "inferences_per_s" + suffix);
    line(out, "  %-24s %10s %10s %10.0f ns %8.1f MB", name.c_str(), count_text(best).c_str(),
         count_text(get(at, "inferences_per_s" + suffix + "_median")).c_str(), 1e9 / best, get(at, "peak_mb" + suffix));
  };
  speed("native", r["native"], "");
  speed("native, every job kept", r["native"], "_with_jobs");
  if (!r["simgrid"].is_null()) speed("simgrid", r["simgrid"], "");
  if (!r["simpy"].is_null()) speed("SimPy " + r["simpy"]["version"].get<std::string>(), r["simpy"], "");
  const auto compare = [&](const char* text, const char* key) {
    const Json& ratio = r["ratios"][key];
    if (!ratio.is_null())
      line(out, "  %-42s %6.1f times   (rounds: %.1f to %.1f)", text, get(ratio, "median"), get(ratio, "least"),
           get(ratio, "largest"));
  };
  out += '\n';
  compare("native to SimPy", "native_to_simpy");
  compare("native with every job kept to SimPy", "native_with_jobs_to_simpy");
  compare("native to simgrid", "native_to_simgrid");

  line(out, "\n%sGROWTH%s with inferences    one takes             peak memory     with every job kept", bold, plain);
  const Json& sizes = r["growth"]["inferences"];
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Json& memory = r["memory"]["inferences"][i];
    char jobs[64] = "-";
    if (!memory["peak_mb_with_jobs"].is_null() && !memory["bytes_per_job"].is_null())
      std::snprintf(jobs, sizeof jobs, "%.1f MB, %.0f bytes a job", get(memory, "peak_mb_with_jobs"),
                    get(memory, "bytes_per_job"));
    else if (!memory["peak_mb_with_jobs"].is_null())
      std::snprintf(jobs, sizeof jobs, "%.1f MB", get(memory, "peak_mb_with_jobs"));
    line(out, "  %14s %12.0f ns  x %.2f %12.1f MB     %s", count_text(get(sizes[i], "inferences")).c_str(),
         get(sizes[i], "ns_per_inference"), get(sizes[i], "ratio"), get(memory, "peak_mb"), jobs);
  }
  line(out, "\n%sGROWTH%s with applications  one takes             peak memory     manager at 50 ms still", bold,
       plain);
  for (const Json& row : r["growth"]["applications"])
    line(out, "  %14d %12.0f ns  x %.2f %12.1f MB %12.0f ns", row["applications"].get<int>(),
         get(row, "ns_per_inference"), get(row, "ratio"), get(row, "peak_mb"),
         get(row, "ns_per_inference_manager_as_often"));

  line(out, "\n%sGOVERNORS%s  one evaluation", bold, plain);
  for (const auto& [name, ns] : r["governors"]["ns_per_evaluation"].items())
    line(out, "  %-24s %10.0f ns", name.c_str(), ns.get<double>());
  const auto share = [&](const char* text, const char* key) {
    const Json& ratio = r["governors"][key];
    line(out, "  %-58s %5.1f %%   (rounds: %.1f to %.1f)", text, 100 * get(ratio, "median"), 100 * get(ratio, "least"),
         100 * get(ratio, "largest"));
  };
  share("throughput with schedutil and podgov, of fixed clocks", "throughput");
  share("the same without background loads (units idle at times)", "throughput_without_background");

  line(out, "\n%sMANAGERS%s  one decision, four applications on the Xavier NX", bold, plain);
  for (const auto& [name, ns] : r["managers"]["ns_per_decision"].items())
    line(out, "  %-24s %10.0f ns", name.c_str(), ns.get<double>());
  line(out, "  dynasoc compare: %.0f runs of a minute in %.2f s on %d cores", get(r["managers"]["comparison"], "runs"),
       get(r["managers"]["comparison"], "seconds"), r["managers"]["comparison"]["jobs"].get<int>());
  line(out, "  oracle: the plan of %.0f frames in %.1f s", get(r["managers"]["oracle"], "frames"),
       get(r["managers"]["oracle"], "seconds"));

  line(out, "\n%sSWEEP%s", bold, plain);
  out += bench_sweep_text(r["sweep"]);

  out += bench_search_text(r["search"], colour);
  if (r.contains("explore")) {
    line(out, "\n%sEXPLORE%s  racing against full replication", bold, plain);
    out += bench_explore_text(r["explore"]);
  }
  if (!r["startup_ms"].is_null())
    line(out, "\n%sSTART%s  dynasoc run scenarios/minimal.json, whole process: %.1f ms (median; best %.1f)", bold,
         plain, get(r, "startup_ms"), get(r, "startup_ms_best"));
  for (const Json& note : r["notes"]) line(out, "note: %s", note.get<std::string>().c_str());
  return out;
}

}  // namespace

int bench_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc bench [options]",
      "Simulates the standard workload (scenarios/bench/standard.json) on both engines and as a SimPy model, and "
      "prints\n"
      "simulated inferences a second, their ratios, peak memory, growth and start-up time. Three to four minutes.");
  options.add()("json", "print one JSON object and nothing else")("quick", "small sizes, a few seconds: rough figures")(
      "inferences", po::value<double>(), "length of the native engine's runs (default: 1e6)")(
      "no-simpy", "leave the SimPy model out")("quiet", "no progress bar")(
      "engine", po::value<std::string>(), "one run of this engine alone: native or simgrid")(
      "explore", "the section EXPLORE alone: what racing saves (not part of --quick)");
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  Plan plan = options.has("quick") ? Plan::quick() : Plan{};
  plan.inferences = options.get_or<double>("inferences", plan.inferences);
  if (!(plan.inferences >= 100 && plan.inferences <= 1e9)) throw InputError("--inferences must be from 100 to 1e9");

  if (options.has("engine")) {
    const EngineKind engine = engine_of(options.get<std::string>("engine"));
    BenchWorkload workload;
    workload.inferences = plan.inferences;
    const BenchRun run = bench_here(*bench_scenario(workload).setup, false, engine);
    Json out = to_json(run);
    out["inferences_per_s"] = run.inferences_per_s();
    if (options.has("json"))
      console.out << out.dump(2) << "\n";
    else
      console.out << speed_text(run);
    return kSuccess;
  }
  if (options.has("explore")) {
    ProgressBar progress(console, options.has("quiet"));
    const Json section = bench_explore(default_jobs(), [&](double share) { progress(share); });
    console.out << (options.has("json") ? section.dump(2) + "\n" : bench_explore_text(section));
    return kSuccess;
  }
  const Json result = Bench(plan, !options.has("no-simpy"), options.has("quiet"), console).run();
  if (options.has("json"))
    console.out << result.dump(2) << "\n";
  else
    console.out << bench_text(result, console.colour);
  return kSuccess;
}

}  // namespace dynasoc::cli
