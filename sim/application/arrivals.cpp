#include "application/arrivals.hpp"

#include <algorithm>
#include <type_traits>

namespace dynasoc {

Arrivals::Arrivals(const ArrivalsFile& file, Stream stream, Time start, std::vector<double> trace_s)
    : stream_(stream), start_(start), last_(start), at_ns_(static_cast<double>(start)), trace_s_(std::move(trace_s)) {
  std::visit(
      [this](const auto& process) {
        using T = std::remove_cvref_t<decltype(process)>;
        if constexpr (std::same_as<T, PeriodicArrivals>) {
          kind_ = Kind::periodic;
          mean_gap_ns_ = process.period_ms * 1e6;
          jitter_ns_ = process.jitter_ms * 1e6;
          at_ns_ += process.phase_ms * 1e6;
        } else if constexpr (std::same_as<T, PoissonArrivals>) {
          kind_ = Kind::poisson;
          mean_gap_ns_ = 1e9 / process.rate_hz;
        } else if constexpr (std::same_as<T, ServerArrivals>) {
          kind_ = Kind::poisson;
          mean_gap_ns_ = 1e9 / process.target_qps;
        } else if constexpr (std::same_as<T, GammaArrivals>) {
          kind_ = Kind::gamma;
          mean_gap_ns_ = 1e9 / process.rate_hz;
          shape_ = 1 / (process.cv * process.cv);
        } else if constexpr (std::same_as<T, MmppArrivals>) {
          kind_ = Kind::mmpp;
          mmpp_ = process;
          phase_ends_ns_ = at_ns_ + mmpp_.mean_low_s * 1e9 * stream_.exponential(n_++);
        } else if constexpr (std::same_as<T, ClosedLoopArrivals>) {
          driver_ = ArrivalDriver::completion;
          think_ = from_ms(process.think_ms);
        } else if constexpr (std::same_as<T, TraceArrivals>) {
          kind_ = Kind::trace;
          repeat_ = process.repeat;
        } else if constexpr (std::same_as<T, CascadeArrivals>) {
          driver_ = ArrivalDriver::parent;
          probability_ = process.probability;
        } else if constexpr (std::same_as<T, SingleStreamArrivals>) {
          driver_ = ArrivalDriver::completion;
        } else if constexpr (std::same_as<T, MultiStreamArrivals>) {
          driver_ = ArrivalDriver::completion;
          samples_ = process.samples;
        } else {
          static_assert(std::same_as<T, OfflineArrivals>);
          kind_ = Kind::offline;
          count_ = process.samples;
        }
      },
      file);
}

Time Arrivals::next_other() {
  switch (kind_) {
    case Kind::periodic: break;  // in next()
    case Kind::poisson: at_ns_ += mean_gap_ns_ * stream_.exponential(n_++); return from_ns(at_ns_);
    case Kind::gamma: at_ns_ += mean_gap_ns_ * stream_.gamma(n_++, shape_); return from_ns(at_ns_);
    case Kind::mmpp:
      for (;;) {
        const double rate_hz = burst_ ? mmpp_.high_rate_hz : mmpp_.low_rate_hz;
        const double gap_ns = rate_hz > 0 ? 1e9 / rate_hz * stream_.exponential(n_++) : 1e300;
        if (at_ns_ + gap_ns <= phase_ends_ns_) {
          at_ns_ += gap_ns;
          return from_ns(at_ns_);
        }
        at_ns_ = phase_ends_ns_;  // the exponential forgets: draw afresh in the next phase
        burst_ = !burst_;
        phase_ends_ns_ += (burst_ ? mmpp_.mean_high_s : mmpp_.mean_low_s) * 1e9 * stream_.exponential(n_++);
      }
    case Kind::trace: {
      if (trace_s_.empty() || (!repeat_ && n_ >= trace_s_.size())) return kNever;
      const auto lap = static_cast<double>(n_ / trace_s_.size());
      const Time at = start_ + from_s(trace_s_[n_ % trace_s_.size()] + lap * trace_s_.back());
      ++n_;
      return at;
    }
    case Kind::offline: return count_-- > 0 ? start_ : kNever;
    case Kind::none: break;
  }
  return kNever;
}

}  // namespace dynasoc
