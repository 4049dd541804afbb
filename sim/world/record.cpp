#include "world/record.hpp"

#include <algorithm>

namespace dynasoc {

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::met: return "met";
    case Outcome::missed: return "missed";
    case Outcome::dropped: return "dropped";
    case Outcome::rejected: return "rejected";
    case Outcome::unfinished: return "unfinished";
  }
  return "?";
}

double Histogram::quantile_ms(double q) const {
  if (total_ == 0) return std::nan("");
  const double rank = q * static_cast<double>(total_ - 1);
  double before = 0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    if (counts_[bin] == 0) continue;
    const auto count = static_cast<double>(counts_[bin]);
    if (rank < before + count) {
      const double low = low_of(bin), high = low_of(bin + 1);
      const double ns = low + (high - low) * (rank - before + 0.5) / count;
      return std::clamp(ns, static_cast<double>(least_), static_cast<double>(most_)) * 1e-6;
    }
    before += count;
  }
  return low_of(counts_.size()) * 1e-6;
}

void Histogram::merge(const Histogram& other) {
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size(), 0);
  for (std::size_t bin = 0; bin < other.counts_.size(); ++bin) counts_[bin] += other.counts_[bin];
  total_ += other.total_;
  least_ = std::min(least_, other.least_);
  most_ = std::max(most_, other.most_);
}

}  // namespace dynasoc
