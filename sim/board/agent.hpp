// The host's end of the conversation with a board's agent (docs/board-protocol.md).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "board/target.hpp"
#include "common/error.hpp"
#include "common/json_reader.hpp"

namespace dynasoc::board {

/// The agent refused or could not do what it was asked. Codes are the protocol's.
class AgentError : public OutsideError {
 public:
  AgentError(const std::string& asked, const Json& error);
  const std::string& code() const { return code_; }
  const Json& error() const { return error_; }

 private:
  std::string code_;
  Json error_;
};

/// The conversation is over, whatever was being asked.
class AgentLost : public OutsideError {
  using OutsideError::OutsideError;
};

/// A running agent. One thread. What it says is read when somebody waits; the lease is renewed meanwhile.
class Agent {
 public:
  static constexpr int kLeaseMs = 2000;

  /// Starts it, says hello, aligns the clocks. Throws OutsideError with what the agent (or ssh) had to say.
  explicit Agent(const Target& target, int lease_ms = kLeaseMs);
  ~Agent();  ///< lets it restore the board and end; kills it if that takes more than 5 s
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  const Json& hello() const { return hello_; }
  bool is_local() const { return local_; }  ///< the board is this machine

  /// Sends a request and returns its number. Throws AgentLost.
  std::uint64_t send(Json request);

  /// Sends a request and waits for its answer; other messages wait in `next`. Throws AgentError, AgentLost, and
  /// OutsideError if no answer comes within `timeout_ms`. `poll` is called now and then, and may throw.
  Json call(Json request, double timeout_ms = 30'000);

  /// The next message that nobody has taken, an answer or an event; waits for it until `until_ns` of this machine's
  /// monotonic clock. Nothing if none came. Throws AgentLost.
  std::optional<Json> next(std::int64_t until_ns);

  /// Told every 50 ms while somebody waits; may throw, which ends the waiting.
  std::function<void()> poll;

  /// Half of the shortest round trip seen when the clocks were aligned [ns].
  std::int64_t clock_error_ns() const { return round_trip_ns_ / 2; }
  /// A time of the board's clock on this machine's monotonic clock [ns].
  std::int64_t here_ns(std::int64_t board_ns) const { return board_ns - offset_ns_; }

  static std::int64_t now_ns();  ///< this machine's monotonic clock

  /// Restores the board and ends the agent: its answer to `bye`. Null if it was lost before. Throws OutsideError for
  /// knobs that could not be restored, with the command to type for each.
  Json end();

 private:
  void start(const Target& target);
  void shut();
  void align();
  void read_some(std::int64_t timeout_ns);
  void write_all(const std::string& line);
  [[noreturn]] void lost(const std::string& why);
  std::string complaint();

  std::string name_;
  bool local_ = true;
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1, errors_ = -1;
  int lease_ms_ = kLeaseMs;
  std::uint64_t last_id_ = 0;
  std::uint64_t pings_until_ = 0;  // answers to pings of our own are dropped
  std::int64_t said_ns_ = 0;
  std::int64_t polled_ns_ = 0;
  std::int64_t offset_ns_ = 0;
  std::int64_t round_trip_ns_ = 0;
  std::string partial_;
  std::string stderr_text_;
  std::deque<Json> messages_;
  std::vector<std::uint64_t> pings_;
  bool ended_ = false;
  Json hello_;
};

/// What a request is called in messages: `set frequency of cpu`.
std::string name_of_request(const Json& request);

}  // namespace dynasoc::board
