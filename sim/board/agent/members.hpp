// Strict reading of a request's members: what is unknown, missing or of the wrong kind is refused, in one line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "refusal.hpp"

namespace dynasoc::agent {

/// The candidate that `word` most likely stands for; empty if none is near.
std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates);

/// `; did you mean "…"?`, or nothing.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates);

/// Reads members of one object, each once; all throw Refusal `bad_request`.
class Members {
 public:
  /// `what` names the object in messages, e.g. `infer`; members that are not `known` are refused at once.
  Members(const Json& object, std::string what, const std::vector<std::string>& known);

  bool has(const char* name) const { return object_.find(name) != object_.end(); }
  std::string text(const char* name) const;  ///< 1 to 256 bytes
  std::int64_t whole(const char* name, std::int64_t lowest, std::int64_t highest) const;
  std::int64_t whole_or(const char* name, std::int64_t otherwise, std::int64_t lowest, std::int64_t highest) const;
  double number(const char* name, double lowest, double highest) const;
  double number_or(const char* name, double otherwise, double lowest, double highest) const;
  const Json& object(const char* name) const;  ///< not empty

 private:
  const Json& at(const char* name) const;
  [[noreturn]] void refuse(const char* name, const std::string& must) const;

  const Json& object_;
  std::string what_;
};

}  // namespace dynasoc::agent
