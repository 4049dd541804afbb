// What a suite's runs gave when they were last accepted (`NAME.baseline.json` beside `NAME.suite.json`): the values
// that later ones are paired with, and a digest of everything else, so that a change can be explained. Written by
// `dynasoc check --update` alone; a number a line, a metric's replications on one, so that a review sees what moved.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/fields.hpp"
#include "results/metrics.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::suite {

/// Of an application, replications pooled. Absent: undefined.
struct AppDigest {
  std::optional<double> completed, lost, miss_rate, latency_ms, waiting_ms, p99_ms, accuracy, energy_mj_per_job;
  std::optional<double> switches;
  Named<double> share, service_ms, provenance;

  static constexpr auto fields() {
    using S = AppDigest;
    return describe(
        field(&S::completed, "completed", "frames"), field(&S::lost, "lost", "frames dropped or rejected"),
        field(&S::miss_rate, "miss_rate", "as of `run --json`"), field(&S::latency_ms, "latency_ms", any(), "mean"),
        field(&S::waiting_ms, "waiting_ms", any(), "of it, beside the frame's own service: mean"),
        field(&S::p99_ms, "p99_ms", any(), "of latency"), field(&S::accuracy, "accuracy", "mean"),
        field(&S::energy_mj_per_job, "energy_mj_per_job", any(), "above idle"),
        field(&S::switches, "switches", "of sub-network"), field(&S::share, "share", "of frames, by sub-network"),
        field(&S::service_ms, "service_ms", any(), "mean, by sub-network"),
        field(&S::provenance, "provenance", "share of latencies that are measured, digitised, derived"));
  }
};

struct UnitDigest {
  std::optional<double> utilisation, mean_mhz, energy_j;
  static constexpr auto fields() {
    using S = UnitDigest;
    return describe(field(&S::utilisation, "utilisation", "share of time"),
                    field(&S::mean_mhz, "mean_mhz", any(), "over time"),
                    field(&S::energy_j, "energy_j", any(), "mean"));
  }
};

struct Digest {
  Named<AppDigest> apps;
  Named<UnitDigest> units;
  std::optional<double> board_j, peak_temperature, clock_changes, decisions;
  static constexpr auto fields() {
    using S = Digest;
    return describe(field(&S::apps, "apps", "by name"), field(&S::units, "units", "by name"),
                    field(&S::board_j, "board_j", any(), "energy of the board, mean"),
                    field(&S::peak_temperature, "peak_temperature", "degrees Celsius"),
                    field(&S::clock_changes, "clock_changes", "mean"), field(&S::decisions, "decisions", "mean"));
  }
};

/// `x` to 6 significant digits.
double six_digits(double x);

/// From what `run --json` prints; numbers to 6 significant digits.
Digest digest_of(const Json& summary);

struct StoredRun {
  std::string run;  ///< what was run: scenario, manager, seed, replications, engine, changes; empty in older files
  std::int64_t seed = 0;
  int replications = 0;
  Named<std::string> inputs;
  Named<std::vector<std::optional<double>>> metrics;
  Digest digest;
  Where where;
  static constexpr auto fields() {
    using S = StoredRun;
    return describe(field(&S::run, "run", "what the suite asked for"),
                    required(&S::seed, "seed", range(0, kMostSeed), "of the runs"),
                    required(&S::replications, "replications", range(1, kMostReplications), "of the runs"),
                    field(&S::inputs, "inputs", "hash of each file that was read, by its name and folder"),
                    field(&S::metrics, "metrics", "by name: a value a replication, null where undefined"),
                    required(&S::digest, "digest", "what else the runs gave"));
  }
};

struct BaselineFile {
  std::string comment;
  Named<StoredRun> runs;
  static constexpr auto fields() {
    using S = BaselineFile;
    return describe(field(&S::comment, "comment", "who writes this file"),
                    required(&S::runs, "runs", "of the suite, by name"));
  }
};

inline constexpr std::string_view kBaselineEnding = ".baseline.json";

/// `a.baseline.json` for `a.suite.json`.
std::filesystem::path baseline_path(const std::filesystem::path& suite);

/// Nothing where there is no file yet. Throws InputError.
std::optional<BaselineFile> load_baseline(const std::filesystem::path& path);

/// The file's text: objects over lines, arrays in one.
std::string baseline_text(const BaselineFile& baseline);

/// The named run, if it is there.
template <class T>
const T* find(const Named<T>& all, const std::string& name) {
  for (const auto& [key, value] : all)
    if (key == name) return &value;
  return nullptr;
}

}  // namespace dynasoc::suite
