#include "results/report/decimation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dynasoc::report {
namespace {

constexpr std::size_t kOfBucket = 4;  // first, least, largest, last

std::size_t bucket_of(double t_s, double begin_s, double end_s, std::size_t buckets) {
  if (!(end_s > begin_s)) return 0;
  const double share = std::clamp((t_s - begin_s) / (end_s - begin_s), 0.0, 1.0);
  return std::min(static_cast<std::size_t>(share * static_cast<double>(buckets)), buckets - 1);
}

}  // namespace

SeriesDecimator::SeriesDecimator(double begin_s, double end_s, std::size_t most)
    : begin_s_(begin_s), end_s_(end_s), most_(std::max(most, kOfBucket)) {}

void SeriesDecimator::add(double t_s, double value) {
  if (std::isnan(value)) return;
  ++total_;
  const Point point{t_s, value};
  // The last of a constant stretch is known only when the stretch ends.
  if (any_ && value == last_.value) {
    pending_ = point;
    has_pending_ = true;
    return;
  }
  if (has_pending_) keep(pending_);
  has_pending_ = false;
  keep(point);
}

void SeriesDecimator::keep(const Point& point) {
  ++corners_;
  any_ = true;
  last_ = point;
  if (!buckets_.empty()) return into_bucket(point);
  all_.push_back(point);
  if (all_.size() <= most_) return;
  buckets_.resize(most_ / kOfBucket);
  for (const Point& one : all_) into_bucket(one);
  all_ = {};
}

void SeriesDecimator::into_bucket(const Point& point) {
  Bucket& bucket = buckets_[bucket_of(point.t_s, begin_s_, end_s_, buckets_.size())];
  if (!bucket.any) bucket = {point, point, point, point, true};
  if (point.value < bucket.least.value) bucket.least = point;
  if (point.value > bucket.largest.value) bucket.largest = point;
  bucket.last = point;
}

SeriesDecimator::Points SeriesDecimator::finish() {
  if (has_pending_) keep(pending_);
  has_pending_ = false;
  Points out;
  out.total = corners_;
  const auto put = [&](const Point& point) {
    if (!out.t_s.empty() && out.t_s.back() == point.t_s && out.value.back() == point.value) return;
    out.t_s.push_back(point.t_s);
    out.value.push_back(point.value);
  };
  for (const Point& point : all_) put(point);
  for (const Bucket& bucket : buckets_) {
    if (!bucket.any) continue;
    put(bucket.first);
    const bool rises = bucket.least.t_s <= bucket.largest.t_s;
    put(rises ? bucket.least : bucket.largest);
    put(rises ? bucket.largest : bucket.least);
    put(bucket.last);
  }
  return out;
}

std::vector<std::uint32_t> keep_evenly(std::size_t count, std::size_t most) {
  std::vector<std::uint32_t> out;
  if (count <= most) {
    for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<std::uint32_t>(i));
  } else if (most == 1) {
    out.push_back(0);
  } else {
    for (std::size_t k = 0; k < most; ++k) out.push_back(static_cast<std::uint32_t>(k * (count - 1) / (most - 1)));
  }
  return out;
}

std::vector<std::uint32_t> keep_sample(std::size_t count, std::size_t most) {
  if (count <= most) return keep_evenly(count, most);
  std::vector<std::uint64_t> hashes(count);
  for (std::size_t i = 0; i < count; ++i) {  // SplitMix64's output function
    std::uint64_t x = (i + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    hashes[i] = x ^ x >> 31;
  }
  std::vector<std::uint32_t> out(count);
  std::iota(out.begin(), out.end(), 0u);
  std::nth_element(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(most), out.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return hashes[a] < hashes[b]; });
  out.resize(most);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::uint32_t> keep_extremes(const std::vector<double>& t_s, const std::vector<float>& values,
                                         const std::vector<bool>& must, const std::vector<bool>& should,
                                         std::size_t most) {
  const std::size_t count = t_s.size();
  most = std::max(most, kOfBucket);
  if (count <= most) return keep_evenly(count, most);

  // Half for the extremes, of which a bucket has two.
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  const std::size_t buckets = most / kOfBucket;
  std::vector<std::uint32_t> least(buckets, kNone), largest(buckets, kNone);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (std::isnan(values[i])) continue;
    const std::size_t b = bucket_of(t_s[i], t_s.front(), t_s.back(), buckets);
    if (least[b] == kNone || values[i] < values[least[b]]) least[b] = i;
    if (largest[b] == kNone || values[i] > values[largest[b]]) largest[b] = i;
  }
  std::vector<bool> kept(count, false);
  std::size_t left = most;
  const auto take = [&](std::uint32_t i) {
    left -= !kept[i];
    kept[i] = true;
  };
  for (const auto* ends : {&least, &largest})
    for (const std::uint32_t i : *ends)
      if (i != kNone) take(i);

  const auto take_those = [&](auto wanted) {
    std::vector<std::uint32_t> of_kind;
    for (std::uint32_t i = 0; i < count; ++i)
      if (!kept[i] && wanted(i)) of_kind.push_back(i);
    for (const std::uint32_t k : keep_evenly(of_kind.size(), left)) take(of_kind[k]);
  };
  if (left > 0) take_those([&](std::uint32_t i) { return must[i]; });
  if (left > 0) take_those([&](std::uint32_t i) { return should[i]; });
  if (left > 0) take_those([](std::uint32_t) { return true; });
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < count; ++i)
    if (kept[i]) out.push_back(i);
  return out;
}

}  // namespace dynasoc::report
