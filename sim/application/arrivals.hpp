// When frames arrive: the processes a scenario may name, and the generator that draws from them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/fields.hpp"
#include "kernel/random.hpp"
#include "kernel/time.hpp"

namespace dynasoc {

struct PeriodicArrivals {
  static constexpr std::string_view kind = "periodic";
  static constexpr std::string_view doc = "one frame a period, as a camera delivers them";
  double period_ms = 0;
  double jitter_ms = 0;
  double phase_ms = 0;
  static constexpr auto fields() {
    using S = PeriodicArrivals;
    return describe(
        required(&S::period_ms, "period_ms", at_least(1e-3), "between frames"),
        field(&S::jitter_ms, "jitter_ms", non_negative(), "each frame is late by up to this much, uniformly"),
        field(&S::phase_ms, "phase_ms", non_negative(), "of the first frame"));
  }
};

struct PoissonArrivals {
  static constexpr std::string_view kind = "poisson";
  static constexpr std::string_view doc = "independent requests: exponential gaps";
  double rate_hz = 0;
  static constexpr auto fields() {
    return describe(required(&PoissonArrivals::rate_hz, "rate_hz", positive(), "mean arrivals a second"));
  }
};

struct GammaArrivals {
  static constexpr std::string_view kind = "gamma";
  static constexpr std::string_view doc = "Gamma-distributed gaps: cv 1 is Poisson, below it regular, above it bursty";
  double rate_hz = 0;
  double cv = 1;
  static constexpr auto fields() {
    return describe(required(&GammaArrivals::rate_hz, "rate_hz", positive(), "mean arrivals a second"),
                    required(&GammaArrivals::cv, "cv", range(0.01, 20), "coefficient of variation of the gaps"));
  }
};

struct MmppArrivals {
  static constexpr std::string_view kind = "mmpp";
  static constexpr std::string_view doc =
      "bursts: a Poisson process that switches between two rates (two-state MMPP), starting between bursts";
  double low_rate_hz = 0;
  double high_rate_hz = 0;
  double mean_low_s = 0;
  double mean_high_s = 0;
  static constexpr auto fields() {
    using S = MmppArrivals;
    return describe(required(&S::low_rate_hz, "low_rate_hz", non_negative(), "arrivals a second between bursts"),
                    required(&S::high_rate_hz, "high_rate_hz", positive(), "arrivals a second in a burst"),
                    required(&S::mean_low_s, "mean_low_s", at_least(1e-6), "mean time between bursts (exponential)"),
                    required(&S::mean_high_s, "mean_high_s", at_least(1e-6), "mean length of a burst (exponential)"));
  }
};

struct ClosedLoopArrivals {
  static constexpr std::string_view kind = "closed-loop";
  static constexpr std::string_view doc = "the next frame comes when the last one is done: a stream at full speed";
  double think_ms = 0;
  static constexpr auto fields() {
    return describe(
        field(&ClosedLoopArrivals::think_ms, "think_ms", non_negative(), "from a completion to the next frame"));
  }
};

struct TraceArrivals {
  static constexpr std::string_view kind = "trace";
  static constexpr std::string_view doc = "arrival times read from a CSV file";
  Name file;
  std::string column = "arrival_s";
  bool repeat = false;
  static constexpr auto fields() {
    using S = TraceArrivals;
    return describe(required(&S::file, "file", "CSV file, from the scenario's folder or traces/"),
                    field(&S::column, "column", "with ascending times in seconds"),
                    field(&S::repeat, "repeat", "start over at the end, shifted by the last time"));
  }
};

struct CascadeArrivals {
  static constexpr std::string_view kind = "cascade";
  static constexpr std::string_view doc =
      "a frame arrives when another application completes one (a face behind a detection)";
  Name after;
  double probability = 1;
  static constexpr auto fields() {
    return describe(
        required(&CascadeArrivals::after, "after", "application whose completions trigger this one"),
        field(&CascadeArrivals::probability, "probability", range(0, 1), "that a completion triggers a frame"));
  }
};

// MLPerf LoadGen's four scenarios (mlperf.conf of the inference rules).
struct SingleStreamArrivals {
  static constexpr std::string_view kind = "single-stream";
  static constexpr std::string_view doc =
      "MLPerf SingleStream: the next query on completion of the last; judged by the 90th percentile";
  static constexpr auto fields() { return std::tuple<>{}; }
};
struct MultiStreamArrivals {
  static constexpr std::string_view kind = "multi-stream";
  static constexpr std::string_view doc =
      "MLPerf MultiStream: queries of several samples, one after the other; 99th percentile";
  int samples = 8;
  static constexpr auto fields() {
    return describe(field(&MultiStreamArrivals::samples, "samples", range(1, 1024), "in a query, run back to back"));
  }
};
struct ServerArrivals {
  static constexpr std::string_view kind = "server";
  static constexpr std::string_view doc =
      "MLPerf Server: Poisson queries at a target rate, valid while the 99th percentile meets the target";
  double target_qps = 0;
  static constexpr auto fields() {
    return describe(required(&ServerArrivals::target_qps, "target_qps", positive(), "queries a second"));
  }
};
struct OfflineArrivals {
  static constexpr std::string_view kind = "offline";
  static constexpr std::string_view doc = "MLPerf Offline: every sample is there at the start";
  std::int64_t samples = 0;
  static constexpr auto fields() {
    return describe(required(&OfflineArrivals::samples, "samples", range(1, 1e7), "to be processed"));
  }
};

using ArrivalsFile =
    std::variant<PeriodicArrivals, PoissonArrivals, GammaArrivals, MmppArrivals, ClosedLoopArrivals, TraceArrivals,
                 CascadeArrivals, SingleStreamArrivals, MultiStreamArrivals, ServerArrivals, OfflineArrivals>;

/// What starts an application's frames.
enum class ArrivalDriver : std::uint8_t {
  clock,       ///< times known beforehand: `Arrivals::next`
  completion,  ///< its own completions, after `think`
  parent,      ///< another application's completions
};

/// The arrival times of one application in one replication. They depend on the scenario, the seed and the application's
/// name, never on what a manager does.
class Arrivals {
 public:
  /// `trace_s` are the times of a TraceArrivals, ascending [s].
  Arrivals(const ArrivalsFile& file, Stream stream, Time start, std::vector<double> trace_s = {});

  ArrivalDriver driver() const { return driver_; }
  Time think() const { return think_; }
  int samples_per_frame() const { return samples_; }

  /// Whether the parent's n-th completion triggers a frame.
  bool triggered_by(std::uint64_t parent_job) const { return stream_.uniform(parent_job) < probability_; }

  /// Time of the next frame of a clock-driven process, or kNever. Never decreases.
  Time next() {
    if (kind_ != Kind::periodic) return next_other();
    const double nominal = at_ns_ + static_cast<double>(n_) * mean_gap_ns_;
    const double late = jitter_ns_ > 0 ? jitter_ns_ * stream_.uniform(n_) : 0;
    ++n_;
    last_ = std::max(last_, from_ns(nominal + late));  // jitter beyond a period must not reorder frames
    return last_;
  }

 private:
  Time next_other();
  enum class Kind : std::uint8_t { periodic, poisson, gamma, mmpp, trace, offline, none };

  Stream stream_;
  Kind kind_ = Kind::none;
  ArrivalDriver driver_ = ArrivalDriver::clock;
  std::uint64_t n_ = 0;
  Time start_ = 0;
  Time last_ = 0;
  double at_ns_ = 0;  // real-valued time of renewal processes, so that rounding never accumulates
  double mean_gap_ns_ = 0;
  double jitter_ns_ = 0;
  double shape_ = 1;
  double probability_ = 1;
  Time think_ = 0;
  int samples_ = 1;
  std::int64_t count_ = 0;

  bool burst_ = false;
  double phase_ends_ns_ = 0;
  MmppArrivals mmpp_;

  std::vector<double> trace_s_;
  bool repeat_ = false;
};

}  // namespace dynasoc
