#include "members.hpp"

#include <algorithm>
#include <utility>

namespace dynasoc::agent {
namespace {

/// Changes of one letter, and swaps of neighbours, between two words.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

std::string number_text(double x) { return Json(x).dump(); }

std::string shown(const std::string& word) { return word.size() > 64 ? word.substr(0, 64) + "…" : word; }

}  // namespace

std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.size() > 64) return best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t away = distance(word, candidate);
    if (away < least && away < candidate.size()) {
      least = away;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = nearest_name(word, candidates);
  return near.empty() ? near : "; did you mean \"" + near + "\"?";
}

Members::Members(const Json& object, std::string what, const std::vector<std::string>& known)
    : object_(object), what_(std::move(what)) {
  for (auto member = object.begin(); member != object.end(); ++member) {
    if (std::find(known.begin(), known.end(), member.key()) != known.end()) continue;
    throw Refusal("bad_request",
                  what_ + ": unknown member \"" + shown(member.key()) + "\"" + did_you_mean(member.key(), known));
  }
}

std::string Members::text(const char* name) const {
  const Json& value = at(name);
  if (!value.is_string() || value.get_ref<const std::string&>().empty() ||
      value.get_ref<const std::string&>().size() > 256 ||
      value.get_ref<const std::string&>().find('\0') != std::string::npos) {
    refuse(name, "must be a text of 1 to 256 bytes");
  }
  return value.get<std::string>();
}

std::int64_t Members::whole(const char* name, std::int64_t lowest, std::int64_t highest) const {
  const Json& value = at(name);
  const std::string must = "must be a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest);
  if (!value.is_number_integer()) refuse(name, must);
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    refuse(name, must);
  }
  const auto x = value.get<std::int64_t>();
  if (x < lowest || x > highest) refuse(name, must);
  return x;
}

std::int64_t Members::whole_or(const char* name, std::int64_t otherwise, std::int64_t lowest,
                               std::int64_t highest) const {
  return has(name) ? whole(name, lowest, highest) : otherwise;
}

double Members::number(const char* name, double lowest, double highest) const {
  const Json& value = at(name);
  if (!value.is_number() || !(value.get<double>() >= lowest && value.get<double>() <= highest)) {
    refuse(name, "must be a number from " + number_text(lowest) + " to " + number_text(highest));
  }
  return value.get<double>();
}

double Members::number_or(const char* name, double otherwise, double lowest, double highest) const {
  return has(name) ? number(name, lowest, highest) : otherwise;
}

const Json& Members::object(const char* name) const {
  const Json& value = at(name);
  if (!value.is_object() || value.empty()) refuse(name, "must be an object with members");
  return value;
}

const Json& Members::at(const char* name) const {
  const auto found = object_.find(name);
  if (found == object_.end()) throw Refusal("bad_request", what_ + ": \"" + name + "\" is missing");
  return *found;
}

void Members::refuse(const char* name, const std::string& must) const {
  throw Refusal("bad_request", what_ + ": \"" + name + "\" " + must);
}

}  // namespace dynasoc::agent
