#include "common/error.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "common/fields.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc {

std::string Location::text() const {
  std::string out = file.empty() ? "\"\"" : file;
  if (line > 0) out += ":" + std::to_string(line);
  if (line > 0 && column > 0) out += ":" + std::to_string(column);
  if (!pointer.empty()) out += ": " + pointer;
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t size = c < 0x80 ? 1 : utf8_length(text.substr(i));
    if (size == 0 || c < 0x20 || c == 0x7F) {
      constexpr const char* kDigits = "0123456789abcdef";
      if (c == '\n')
        out += "\\n";
      else if (c == '\t')
        out += "\\t";
      else
        out += {'\\', 'x', kDigits[c >> 4], kDigits[c & 15]};
      ++i;
    } else {
      out.append(text, i, size);
      i += size;
    }
  }
  return out;
}

InputError::InputError(const Location& location, const std::string& message)
    : std::runtime_error(one_line(location.text() + ": " + message)), location_(location) {}

InputError::InputError(const std::string& message) : std::runtime_error(one_line(message)) {}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 80;
  if (text.size() <= kMost) return "\"" + std::string(text) + "\"";
  const auto boundary = [&](std::size_t at) {  // of a character, which has at most three bytes after its first
    const std::size_t furthest = std::min(at + 3, text.size());
    while (at < furthest && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    return at;
  };
  return "\"" + std::string(text.substr(0, boundary(kMost / 2))) + "…" +
         std::string(text.substr(boundary(text.size() - kMost / 4))) + "\"";
}

namespace {

char folded(char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// Levenshtein distance with a swap of neighbours counted as one slip; capitals and underscores count for nothing.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  const auto same = [](char x, char y) { return folded(x) == folded(y); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, change});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
        current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

// `latency` for `latency_ms`, `latency_s` for `latency_ms`: the same quantity, another unit.
bool same_quantity(std::string_view a, std::string_view b) {
  const auto stem = [](std::string_view s) {
    const std::string_view unit = unit_of(s);
    return unit.empty() ? s : s.substr(0, s.size() - unit.size() - 1);
  };
  return stem(a) == stem(b);
}

// `L4` is no slip for `L1`: in a short name a digit is what tells one from another.
bool differs_in_digits(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || a.size() > 3) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && std::isdigit(static_cast<unsigned char>(a[i])) &&
        std::isdigit(static_cast<unsigned char>(b[i])))
      return true;
  return false;
}

// All that are nearest, if they are near enough to be a slip of the fingers.
std::vector<const std::string*> all_nearest(std::string_view name, std::span<const std::string> candidates) {
  std::vector<const std::string*> best;
  if (name.empty() || name.size() > 200) return best;
  std::size_t best_distance = name.size() <= 3 ? 1 : std::max<std::size_t>(2, name.size() / 3);
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 200 || differs_in_digits(name, candidate)) continue;
    std::size_t distance = edit_distance(name, candidate);
    if (same_quantity(name, candidate)) distance = std::min<std::size_t>(distance, 1);
    if (distance > best_distance) continue;
    if (distance < best_distance) best.clear();
    best_distance = distance;
    best.push_back(&candidate);
  }
  // `latency_ms` for `latency_ms_mean`: cut short rather than mistyped.
  constexpr std::size_t kTelling = 4;
  if (best.empty() && name.size() >= kTelling)
    for (const std::string& candidate : candidates)
      if (candidate.starts_with(name)) best.push_back(&candidate);
  return best;
}

}  // namespace

std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates) {
  const auto best = all_nearest(name, candidates);
  if (best.empty()) return std::nullopt;
  return *best[0];
}

std::string hint(std::string_view name, std::span<const std::string> candidates) {
  const auto near = all_nearest(name, candidates);
  if (!near.empty()) {
    std::string out = " (did you mean ";
    for (std::size_t i = 0; i < std::min<std::size_t>(near.size(), 3); ++i)
      out += (i ? " or " : "") + in_quotes(*near[i]);
    return out + "?)";
  }
  if (candidates.empty()) return "";
  constexpr std::size_t kMost = 12;
  std::string out = " (known: ";
  for (std::size_t i = 0; i < std::min(kMost, candidates.size()); ++i) {
    const std::string shown = in_quotes(candidates[i]);
    out += (i ? ", " : "") + shown.substr(1, shown.size() - 2);
  }
  return out + (candidates.size() > kMost ? ", …)" : ")");
}

}  // namespace dynasoc
