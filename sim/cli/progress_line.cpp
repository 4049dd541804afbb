#include "cli/progress_line.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "common/text.hpp"

namespace dynasoc::cli {
namespace {

constexpr int kWidestBar = 40, kNarrowestBar = 8;

int width_of(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void Pace::look(double now_s, double share) {
  if (begin_s_ < 0) {
    begin_s_ = last_s_ = now_s;
    share_ = share;
    return;
  }
  const double passed_s = now_s - last_s_;
  if (!(passed_s > 0)) return;
  const double half_life_s = std::max(2.0, 0.1 * (now_s - begin_s_));
  const double kept = std::exp2(-passed_s / half_life_s);
  speed_ = kept * speed_ + (1 - kept) * std::max(0.0, share - share_) / passed_s;
  weight_ = kept * weight_ + (1 - kept);
  last_s_ = now_s;
  share_ = share;
}

double Pace::remaining_s() const {
  const double speed = share_per_s();
  return speed > 0 ? (1 - share_) / speed : std::numeric_limits<double>::quiet_NaN();
}

std::string duration_text(double seconds) {
  char out[48];
  const double s = std::min(std::round(std::max(0.0, seconds)), 1e9);
  const auto whole = static_cast<long>(s);
  if (whole < 60)
    std::snprintf(out, sizeof out, "%ld s", whole);
  else if (whole < 3600)
    std::snprintf(out, sizeof out, "%ld min %02ld s", whole / 60, whole % 60);
  else
    std::snprintf(out, sizeof out, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
  return out;
}

std::string prefixed_text(double x) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T"};
  std::size_t p = 0;
  for (; std::abs(x) >= 999.5 && p + 1 < std::size(kPrefixes); ++p) x /= 1000;
  const int digits = std::abs(x) >= 99.5 ? 3 : 2;
  return rounded_text(x, digits) + " " + kPrefixes[p];
}

std::string progress_line(double share, const Pace& pace, const WorkUnit& work, const std::string& note, int columns) {
  share = std::clamp(share, 0.0, 1.0);
  char percent[16];
  std::snprintf(percent, sizeof percent, "%3.0f %%", std::floor(100 * share));  // 100 % is said when it is over
  const double remaining_s = pace.remaining_s();
  const std::string left = std::isfinite(remaining_s) ? ", " + duration_text(remaining_s) + " left" : "";
  const double speed = pace.share_per_s() * work.amount;
  std::string rate = speed > 0 ? ", " + prefixed_text(speed) : "";
  if (speed > 0) rate += (rate.ends_with(' ') ? "" : " ") + work.unit + "/s";
  const std::string noted = note.empty() ? "" : ", " + note;

  const int room = columns - 1;
  std::string text = percent;
  for (const std::string& more : {percent + left + noted + rate, percent + left + noted, percent + left})
    if (width_of(more) + 1 + kNarrowestBar <= room) {
      text = more;
      break;
    }
  if (width_of(text) > room) return "";
  const int width = std::min(kWidestBar, room - width_of(text) - 1);
  if (width < kNarrowestBar) return text;
  const int full = static_cast<int>(share * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < full ? "━" : "─";
  return bar + " " + text;
}

}  // namespace dynasoc::cli
