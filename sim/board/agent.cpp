#include "board/agent.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include "common/error.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"

extern char** environ;  // NOLINT: POSIX's

namespace dynasoc::board {
namespace {

constexpr std::size_t kLongestLine = 65'536;

int reaped(pid_t pid, int options) {
  int status = 0;
  pid_t got = 0;
  while ((got = ::waitpid(pid, &status, options)) < 0 && errno == EINTR) {
  }
  return static_cast<int>(got);
}

void nap_ms(int milliseconds) { ::poll(nullptr, 0, milliseconds); }

std::string text_of(const Json& object, const char* member, const char* otherwise) {
  const auto it = object.is_object() ? object.find(member) : object.end();
  return object.is_object() && it != object.end() && it->is_string() ? it->get<std::string>() : otherwise;
}

// What the other end says, in one line of a length that can be read.
std::string shown(const std::string& text) {
  constexpr std::size_t kMost = 600;
  const std::string line = one_line(text);
  return line.size() <= kMost ? line : in_quotes(line);
}

}  // namespace

std::string name_of_request(const Json& request) {
  std::string out = request.value("op", "");
  for (const char* what : {"knob", "domain", "app", "subnet", "load", "unit"})
    if (const auto it = request.find(what); it != request.end() && it->is_string()) out += " " + it->get<std::string>();
  return out;
}

AgentError::AgentError(const std::string& asked, const Json& error)
    : OutsideError(shown(asked + ": " + text_of(error, "message", "refused"))),
      code_(text_of(error, "code", "")),
      error_(error) {}

std::int64_t Agent::now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

Agent::Agent(const Target& target, int lease_ms)
    : name_(target.name), local_(target.host.empty()), lease_ms_(lease_ms) {
  start(target);
  try {
    hello_ = call({{"op", "hello"}, {"protocol", 1}, {"lease_ms", lease_ms}});
    // Compared as JSON: a number that is no int has no value as one.
    if (hello_.value("protocol", Json()) != Json(1))
      throw OutsideError("the agent of " + name_ + " speaks another protocol");
    // A command that an ssh key forces does not see our options: better no run than one that writes.
    if (target.dry_run && !hello_.value("dry_run", false))
      throw OutsideError("the agent of " + name_ +
                         " was not started with --dry-run (the key's command decides): nothing was done");
    align();
  } catch (const AgentError& error) {
    shut();
    throw OutsideError("the agent of " + name_ + " refuses: " + error.what());
  } catch (const Json::exception&) {
    shut();
    throw OutsideError("the agent of " + name_ + " does not keep to the protocol");
  } catch (...) {
    shut();
    throw;
  }
}

Agent::~Agent() {
  try {
    end();
  } catch (...) {  // it restores by itself when its input ends
  }
  shut();
}

// It restores by itself when its input ends.
void Agent::shut() {
  ended_ = true;
  for (int* file : {&to_, &from_, &errors_}) {
    if (*file >= 0) ::close(*file);
    *file = -1;
  }
  if (pid_ <= 0) return;
  for (int waited_ms = 0; waited_ms < 5000; waited_ms += 5) {
    if (reaped(pid_, WNOHANG) != 0) {
      pid_ = -1;
      return;
    }
    nap_ms(5);
  }
  ::kill(pid_, SIGKILL);
  reaped(pid_, 0);
  pid_ = -1;
}

void Agent::start(const Target& target) {
  const std::vector<std::string> words = target.command("serve");
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int in[2], out[2], err[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 || ::pipe2(out, O_CLOEXEC) != 0 ||
      ::pipe2(err, O_CLOEXEC) != 0)
    throw OutsideError(std::string("no pipe to an agent: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own: Ctrl-C is for this program, which ends the conversation in order.
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF));
  const int error = ::posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  ::close(in[0]), ::close(out[1]), ::close(err[1]);
  to_ = in[1], from_ = out[0], errors_ = err[0];
  if (error != 0) {
    pid_ = -1;
    throw OutsideError(words[0] + " cannot be started: " + std::strerror(error));
  }
  for (const int file : {to_, from_, errors_}) ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) | O_NONBLOCK);
}

// The offset is taken from the shortest of several exchanges: its uncertainty is half of that round trip.
void Agent::align() {
  round_trip_ns_ = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 9; ++i) {
    const std::int64_t sent_ns = now_ns();
    const Json clock = call({{"op", "ping"}}).at("clock_ns");
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;  // sums of two must fit
    if (!clock.is_number_integer() || clock < 0 || clock > kMost)
      throw OutsideError("the agent of " + name_ + " does not keep to the protocol: its clock is " +
                         one_line(in_quotes(clock.dump())));
    const auto board_ns = clock.get<std::int64_t>();
    const std::int64_t trip_ns = now_ns() - sent_ns;
    if (trip_ns >= round_trip_ns_) continue;
    round_trip_ns_ = trip_ns;
    offset_ns_ = board_ns - (sent_ns + trip_ns / 2);
  }
}

std::string Agent::complaint() {
  // What a shell prints last is why it ended.
  std::string text = stderr_text_;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto line = text.rfind('\n');
  return line == std::string::npos ? text : text.substr(line + 1);
}

void Agent::lost(const std::string& why) {
  ended_ = true;
  for (int i = 0; i < 40 && errors_ >= 0; ++i) {  // its last words may be on their way
    char buffer[4096];
    const ssize_t n = ::read(errors_, buffer, sizeof buffer);
    if (n > 0)
      stderr_text_.append(buffer, static_cast<std::size_t>(n));
    else if (n == 0)
      break;
    else
      nap_ms(5);
  }
  const std::string words = complaint();
  throw AgentLost("the agent of " + name_ + " " + why + (words.empty() ? "" : ": " + shown(words)));
}

void Agent::write_all(const std::string& line) {
  std::size_t done = 0;
  const std::int64_t give_up_ns = now_ns() + 5'000'000'000;
  while (done < line.size()) {
    // A socket and not a pipe: writing to an agent that is gone must not be a signal.
    const ssize_t n = ::send(to_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
    if (n > 0) {
      done += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      if (now_ns() > give_up_ns) lost("does not read any more");
      read_some(10'000'000);  // it may be waiting for us to read
    } else if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      return;  // gone; but what it said before, perhaps why, is still to be read
    } else if (n < 0 && errno != EINTR) {
      lost("is gone");
    }
  }
  said_ns_ = now_ns();
}

std::uint64_t Agent::send(Json request) {
  if (ended_) throw AgentLost("the agent of " + name_ + " has ended");
  request["id"] = ++last_id_;
  const std::string line = request.dump() + "\n";
  if (line.size() > kLongestLine)
    throw OutsideError(name_of_request(request) + ": the request is longer than the protocol allows (" +
                       std::to_string(line.size()) + " of " + std::to_string(kLongestLine) + " bytes)");
  write_all(line);
  return last_id_;
}

void Agent::read_some(std::int64_t timeout_ns) {
  pollfd files[2] = {{from_, POLLIN, 0}, {errors_, POLLIN, 0}};
  const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  if (::ppoll(files, errors_ >= 0 ? 2 : 1, &timeout, nullptr) <= 0) return;
  char buffer[65'536];
  if (errors_ >= 0 && files[1].revents != 0) {
    const ssize_t n = ::read(errors_, buffer, sizeof buffer);
    if (n > 0) {
      stderr_text_.append(buffer, static_cast<std::size_t>(n));
      if (constexpr std::size_t kKept = 4096; stderr_text_.size() > kKept)
        stderr_text_.erase(0, stderr_text_.size() - kKept);
    } else if (n == 0) {
      ::close(errors_);
      errors_ = -1;
    }
  }
  if (files[0].revents == 0) return;
  const ssize_t n = ::read(from_, buffer, sizeof buffer);
  if (n == 0) lost("has ended");
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    lost("is gone");
  }
  partial_.append(buffer, static_cast<std::size_t>(n));
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = partial_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line = std::string_view(partial_).substr(begin, end - begin);
    Json message = read_json_line(line).value_or(Json());
    if (!message.is_object()) lost("says what is not the protocol's (" + one_line(in_quotes(line)) + ")");
    const auto answer = message.find("ok"), refusal = message.find("error");
    const bool answers =
        (answer != message.end() && answer->is_object()) || (refusal != message.end() && refusal->is_object());
    const auto event = message.find("event");
    const bool tells = event != message.end() && event->is_string() && !message.contains("id");
    if (!answers && !tells) lost("says what is not the protocol's (" + one_line(in_quotes(line)) + ")");
    if (const auto id = message.find("id"); id != message.end() && id->is_number_integer())
      if (std::erase(pings_, id->get<std::uint64_t>()) > 0) continue;
    messages_.push_back(std::move(message));
  }
  partial_.erase(0, begin);
  if (partial_.size() > kLongestLine) lost("sends lines longer than the protocol allows");
}

std::optional<Json> Agent::next(std::int64_t until_ns) {
  for (;;) {
    if (!messages_.empty()) {
      Json message = std::move(messages_.front());
      messages_.pop_front();
      return message;
    }
    if (ended_) throw AgentLost("the agent of " + name_ + " has ended");
    const std::int64_t now = now_ns();
    if (now - said_ns_ > static_cast<std::int64_t>(lease_ms_) * 1'000'000 / 3) pings_.push_back(send({{"op", "ping"}}));
    if (poll && now - polled_ns_ > 50'000'000) {
      polled_ns_ = now;
      poll();
    }
    const std::int64_t left_ns = until_ns - now;
    read_some(std::clamp<std::int64_t>(left_ns, 0, std::min(50, lease_ms_ / 4) * 1'000'000ll));
    if (messages_.empty() && now_ns() >= until_ns) return std::nullopt;
  }
}

Json Agent::call(Json request, double timeout_ms) {
  const std::string what = name_of_request(request);
  const std::uint64_t id = send(std::move(request));
  const std::int64_t until_ns = now_ns() + static_cast<std::int64_t>(timeout_ms * 1e6);
  std::deque<Json> others;
  const auto put_back = [&] {
    for (; !others.empty(); others.pop_back()) messages_.push_front(std::move(others.back()));
  };
  try {
    while (auto message = next(until_ns)) {
      if (message->value("id", Json()) != Json(id)) {
        others.push_back(std::move(*message));
        continue;
      }
      put_back();
      if (const auto error = message->find("error"); error != message->end()) throw AgentError(what, *error);
      return message->at("ok");
    }
  } catch (...) {
    put_back();
    throw;
  }
  put_back();
  throw OutsideError("the agent of " + name_ + " did not answer within " + plain_number(timeout_ms * 1e-3) +
                     " s: " + what);
}

Json Agent::end() {
  if (ended_ || to_ < 0) return nullptr;
  poll = nullptr;
  Json answer = call({{"op", "bye"}}, 5000);
  ended_ = true;
  ::close(to_);
  to_ = -1;
  std::string failed;
  if (const auto list = answer.find("failed"); list != answer.end() && list->is_array())
    for (const Json& knob : *list)
      failed += "; " + one_line(text_of(knob, "path", "?") + " should be " + text_of(knob, "value", "?") + " (" +
                                text_of(knob, "message", "") + ")");
  if (!failed.empty())
    throw OutsideError("the board of " + name_ + " could not be restored" + failed +
                       "; `dynasoc-agent restore` on the board tries again");
  return answer;
}

}  // namespace dynasoc::board
