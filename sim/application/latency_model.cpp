#include "application/latency_model.hpp"

#include <algorithm>
#include <cmath>

#include "common/nan.hpp"
#include "common/text.hpp"

namespace dynasoc {
namespace {

int stated_in_both(const OperatingPoint& a, const OperatingPoint& b) {
  const auto both = [](double x, double y) { return int{!std::isnan(x) && !std::isnan(y)}; };
  return both(a.f_cpu_mhz, b.f_cpu_mhz) + both(a.f_gpu_mhz, b.f_gpu_mhz) + both(a.f_emc_mhz, b.f_emc_mhz) +
         int{a.cores > 0 && b.cores > 0};
}

std::string coefficients_text(const SoftRoofline& s) {
  std::string out;
  const auto add = [&](const char* name, double x) {
    if (x != 0) out += (out.empty() ? "" : ", ") + std::string(name) + " " + rounded_text(x);
  };
  add("fixed", s.fixed_ms);
  add("host", s.host_ms);
  add("unit", s.unit_ms);
  add("memory", s.memory_ms);
  if (s.unit_ms > 0 && s.memory_ms > 0) add("p", s.p);
  add("parallel fraction", s.parallel_fraction);
  return out;
}

}  // namespace

void LatencyModel::Span::add(double x) {
  if (!(x > 0)) return;
  low = std::min(low, x);
  high = std::max(high, x);
}

LatencyModel::LatencyModel(const Table& table, const SoftRoofline* scaling, std::string_view unit,
                           std::string_view subnet, UnitClock clock, double parallel_fraction)
    : clock_(clock), parallel_fraction_(parallel_fraction) {
  bool all_derived = true;
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const Cell& cell = table.cells[i];
    if (cell.unit != unit || cell.subnet != subnet) continue;
    index_.push_back(static_cast<int>(i));
    known_.push_back({cell.at, cell.latency_ms_mean, cell.latency_ms_std / cell.latency_ms_mean,
                      cell.power_w - cell.idle_power_w, cell.provenance, cell.latency_ms_std, cell.latency_ms_low,
                      cell.latency_ms_high, 1.0, cell.energy_provenance == Provenance::derived, true});
    all_derived = all_derived && cell.provenance == Provenance::derived;
  }
  if (known_.empty())
    throw InputError("the table has no cell of the sub-network \"" + std::string(subnet) + "\" on \"" +
                     std::string(unit) + "\"");

  // Derived cells answer for themselves, but the level, the shape and the range come from what was observed, if
  // anything.
  std::vector<FitSample> samples;
  bool first = true;
  for (Known& known : known_) {
    known.anchor = all_derived || known.provenance != Provenance::derived;
    has_power_ = has_power_ || std::isfinite(known.above_idle_w);
    if (!known.anchor) continue;
    if (first) reference_ = known.at;
    first = false;
    cpu_.add(known.at.f_cpu_mhz);
    gpu_.add(known.at.f_gpu_mhz);
    emc_.add(known.at.f_emc_mhz);
    cores_.add(known.at.cores);
    samples.push_back({known.at, known.latency_ms});
  }
  if (scaling != nullptr) {
    scaling_ = *scaling;
    has_scaling_ = true;
  }
  if (samples.size() >= 2) {
    const ScalingFit fit = fit_scaling(samples, clock, {.p = std::nullopt, .cross_validate = false});
    if (fit.has_shape()) {
      own_ = fit.model;
      own_fit_ = fit;
      has_own_ = true;
      shape_source_ = "the soft roofline fitted to these " + std::to_string(fit.operating_points) +
                      " operating points (" + coefficients_text(own_) + ")";
    }
  }
  const Span& own_clock = clock == UnitClock::cpu ? cpu_ : gpu_;
  if (!has_own_) {
    if (!own_clock.stated())
      shape_source_ = "no shape: the cells state no clock";
    else if (has_scaling_)
      shape_source_ = "the network's scaling for " + std::string(unit) + " (" + coefficients_text(scaling_) + ")";
    else
      shape_source_ = "no declared scaling: latency taken as inversely proportional to the clock";
  }
  for (Known& known : known_) known.shape = shape_at(completed(kNaN, known.at));
}

OperatingPoint LatencyModel::completed(double f_unit, OperatingPoint at) const {
  if (f_unit > 0) (clock_ == UnitClock::cpu ? at.f_cpu_mhz : at.f_gpu_mhz) = f_unit;
  // A clock that no cell states has no effect; one that is not asked about is that of the cells.
  const auto complete = [](double& f, const Span& span, double reference) {
    if (!span.stated())
      f = kNaN;
    else if (!(f > 0))
      f = reference;
  };
  complete(at.f_cpu_mhz, cpu_, reference_.f_cpu_mhz);
  complete(at.f_gpu_mhz, gpu_, reference_.f_gpu_mhz);
  complete(at.f_emc_mhz, emc_, reference_.f_emc_mhz);
  if (!cores_.stated())
    at.cores = 0;
  else if (at.cores == 0)
    at.cores = reference_.cores;
  return at;
}

double LatencyModel::shape_at(const OperatingPoint& at) const {
  const auto amdahl = [&](int cores) { return (1 - parallel_fraction_) + parallel_fraction_ / cores; };
  const bool cores_declared = has_scaling_ && scaling_.parallel_fraction > 0;
  double shape = 1;
  if (has_own_) {
    shape = own_.latency_ms(own_clock_mhz(clock_, at), at);
    if (has_scaling_) {
      // What the group's cells do not vary follows the declaration.
      OperatingPoint asked = reference_;
      if (!cpu_.varies()) asked.f_cpu_mhz = at.f_cpu_mhz;
      if (!gpu_.varies()) asked.f_gpu_mhz = at.f_gpu_mhz;
      if (!emc_.varies()) asked.f_emc_mhz = at.f_emc_mhz;
      if (!cores_.varies()) asked.cores = at.cores;
      shape *= scaling_.latency_ms(own_clock_mhz(clock_, asked), asked) /
               scaling_.latency_ms(own_clock_mhz(clock_, reference_), reference_);
    }
  } else if (has_scaling_) {
    shape = scaling_.latency_ms(own_clock_mhz(clock_, at), at);
  } else if (const double f = own_clock_mhz(clock_, at), reference = own_clock_mhz(clock_, reference_);
             f > 0 && reference > 0) {
    shape = reference / f;
  }
  if (!cores_declared && !cores_.varies() && parallel_fraction_ > 0 && at.cores > 0 && reference_.cores > 0)
    shape *= amdahl(at.cores) / amdahl(reference_.cores);
  return shape;
}

double LatencyModel::distance2(const OperatingPoint& a, const OperatingPoint& b) {
  double sum = 0;
  const auto add = [&](double x, double y) {
    if (x > 0 && y > 0) sum += std::log(x / y) * std::log(x / y);
  };
  add(a.f_cpu_mhz, b.f_cpu_mhz);
  add(a.f_gpu_mhz, b.f_gpu_mhz);
  add(a.f_emc_mhz, b.f_emc_mhz);
  add(a.cores, b.cores);
  return sum;
}

int LatencyModel::exact(const OperatingPoint& asked) const {
  int best = -1, best_stated = -1;
  double best_distance = 0;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (!known_[i].at.matches(asked)) continue;
    const int stated = stated_in_both(known_[i].at, asked);
    const double distance = distance2(known_[i].at, asked);
    if (best < 0 || stated > best_stated || (stated == best_stated && distance < best_distance)) {
      best = static_cast<int>(i);
      best_stated = stated;
      best_distance = distance;
    }
  }
  return best;
}

Prediction LatencyModel::predict(double f_unit_mhz, const OperatingPoint& at) const {
  OperatingPoint asked = at;
  if (f_unit_mhz > 0) (clock_ == UnitClock::cpu ? asked.f_cpu_mhz : asked.f_gpu_mhz) = f_unit_mhz;
  Prediction out;
  const auto inside = [](const Span& span, double x) { return !(x > 0) || span.holds(x); };
  out.outside_range = !inside(cpu_, asked.f_cpu_mhz) || !inside(gpu_, asked.f_gpu_mhz) ||
                      !inside(emc_, asked.f_emc_mhz) || !inside(cores_, asked.cores);
  out.clock_unstated = !(clock_ == UnitClock::cpu ? cpu_ : gpu_).stated();
  if (const int i = exact(asked); i >= 0) {
    const Known& known = known_[static_cast<std::size_t>(i)];
    out.latency_ms = known.latency_ms;
    out.std_ms = known.std_ms;
    out.low_ms = known.low_ms;
    out.high_ms = known.high_ms;
    out.provenance = known.provenance;
    out.cell = index_[static_cast<std::size_t>(i)];
    return out;
  }
  const OperatingPoint point = completed(kNaN, asked);
  double weights = 0, level = 0, variation_weights = 0, variation = 0;
  for (const Known& known : known_) {
    if (!known.anchor) continue;
    const double weight = 1 / std::max(distance2(point, known.at), 1e-18);
    weights += weight;
    level += weight * std::log(known.latency_ms / known.shape);
    if (std::isfinite(known.variation)) {
      variation_weights += weight;
      variation += weight * known.variation;
    }
  }
  out.latency_ms = shape_at(point) * std::exp(level / weights);
  out.std_ms = variation_weights > 0 ? out.latency_ms * variation / variation_weights : kNaN;
  add_interval(out, point);
  return out;
}

void LatencyModel::add_interval(Prediction& out, const OperatingPoint& point) const {
  if (out.clock_unstated) return;  // latency is taken not to depend on the clock: there is nothing to vary
  const auto varies_as_cells = [](const Span& span, double asked, double reference) {
    return span.varies() || !(asked > 0) || !(reference > 0) || std::abs(asked / reference - 1) < 1e-3;
  };
  // The group's fit speaks of the clocks that its cells vary, and of no others.
  const bool fitted = has_own_ && varies_as_cells(cpu_, point.f_cpu_mhz, reference_.f_cpu_mhz) &&
                      varies_as_cells(gpu_, point.f_gpu_mhz, reference_.f_gpu_mhz) &&
                      varies_as_cells(emc_, point.f_emc_mhz, reference_.f_emc_mhz) &&
                      varies_as_cells(cores_, point.cores, reference_.cores);
  const double half = fitted ? own_fit_.relative_half_width(own_clock_mhz(clock_, point), point) : kNaN;
  if (std::isfinite(half)) {
    out.low_ms = out.latency_ms * std::exp(-half);
    out.high_ms = out.latency_ms * std::exp(half);
    return;
  }
  double low = 0, high = std::numeric_limits<double>::infinity();
  for (const Known& known : known_) {
    if (!known.anchor) continue;
    double least = 1, most = 1;
    const auto slower = [&](double there, double here) {
      if (!(there > 0) || !(here > 0)) return;
      least = std::min(least, there / here);
      most = std::max(most, there / here);
    };
    slower(known.at.f_cpu_mhz, point.f_cpu_mhz);
    slower(known.at.f_gpu_mhz, point.f_gpu_mhz);
    slower(known.at.f_emc_mhz, point.f_emc_mhz);
    slower(known.at.cores, point.cores);
    low = std::max(low, known.latency_ms * least);
    high = std::min(high, known.latency_ms * most);
  }
  // Cells that contradict each other can leave nothing between the bounds.
  out.low_ms = std::min(low, out.latency_ms);
  out.high_ms = std::max(high, out.latency_ms);
}

void LatencyModel::scale_derived_power(const std::function<double(double)>& factor) {
  const auto at_cell = [&](const Known& known) { return factor(own_clock_mhz(clock_, completed(kNaN, known.at))); };
  double observed = 1;
  for (const Known& known : known_)
    if (std::isfinite(known.above_idle_w) && !known.power_derived) {
      observed = at_cell(known);
      break;
    }
  for (Known& known : known_)
    if (known.power_derived) known.above_idle_w *= at_cell(known) / observed;
}

double LatencyModel::above_idle_w(double f_unit_mhz, const OperatingPoint& at,
                                  const std::function<double(double)>& busy_minus_idle_w) const {
  if (!has_power_) return kNaN;
  OperatingPoint asked = at;
  if (f_unit_mhz > 0) (clock_ == UnitClock::cpu ? asked.f_cpu_mhz : asked.f_gpu_mhz) = f_unit_mhz;
  if (const int i = exact(asked); i >= 0 && std::isfinite(known_[static_cast<std::size_t>(i)].above_idle_w))
    return known_[static_cast<std::size_t>(i)].above_idle_w;
  const OperatingPoint point = completed(kNaN, asked);
  const auto curve_at = [&](const OperatingPoint& where) {
    const double mhz = own_clock_mhz(clock_, where);
    return mhz > 0 ? busy_minus_idle_w(mhz) : 0;
  };
  const double curve = curve_at(point);
  bool anchored = false;  // power that was observed goes before power that was derived
  for (const Known& known : known_) anchored = anchored || (known.anchor && std::isfinite(known.above_idle_w));
  double weights = 0, sum = 0;
  for (const Known& known : known_) {
    if (!std::isfinite(known.above_idle_w) || (anchored && !known.anchor)) continue;
    const double weight = 1 / std::max(distance2(point, known.at), 1e-18);
    const double at_cell = curve_at(completed(kNaN, known.at));
    weights += weight;
    const double cores = point.cores > 0 && known.at.cores > 0 ? static_cast<double>(point.cores) / known.at.cores : 1;
    sum += weight * known.above_idle_w * cores * (curve > 0 && at_cell > 0 ? curve / at_cell : 1);
  }
  return sum / weights;
}

}  // namespace dynasoc
