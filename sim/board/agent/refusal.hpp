// What the agent answers instead of doing what it was asked.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace dynasoc::agent {

using Json = nlohmann::json;

/// Becomes `{"error": {"code", "message", …details}}`; codes are those of docs/board-protocol.md.
class Refusal : public std::runtime_error {
 public:
  Refusal(std::string code, const std::string& message, Json details = Json::object())
      : std::runtime_error(message), code_(std::move(code)), details_(std::move(details)) {}
  const std::string& code() const { return code_; }
  const Json& details() const { return details_; }

 private:
  std::string code_;
  Json details_;
};

}  // namespace dynasoc::agent
