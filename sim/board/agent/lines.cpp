#include "lines.hpp"

#include <errno.h>
#include <unistd.h>

#include <cstring>

namespace dynasoc::agent {

bool LineReader::read_from(int file) {
  char piece[16384];
  ssize_t got;
  do {
    got = ::read(file, piece, sizeof piece);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
  if (got == 0) return false;
  buffer_.append(piece, static_cast<std::size_t>(got));
  return true;
}

LineReader::Next LineReader::next(std::string& line) {
  for (;;) {
    const std::size_t end = buffer_.find('\n', scanned_);
    if (end == std::string::npos) {
      scanned_ = buffer_.size();
      const bool too_long = !skipping_ && buffer_.size() - begin_ >= kLongestLine;
      if (skipping_ || too_long) begin_ = buffer_.size();
      buffer_.erase(0, begin_);
      begin_ = 0;
      scanned_ = buffer_.size();
      if (!too_long) return Next::none;
      skipping_ = true;
      return Next::too_long;
    }
    const std::size_t begin = begin_;
    begin_ = scanned_ = end + 1;
    if (skipping_) {
      skipping_ = false;
      continue;
    }
    if (end + 1 - begin > kLongestLine) return Next::too_long;
    line.assign(buffer_, begin, end - begin);
    return Next::line;
  }
}

bool OutputQueue::flush(int file) {
  while (begin_ < waiting_.size()) {
    const ssize_t put = ::write(file, waiting_.data() + begin_, waiting_.size() - begin_);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return false;
    if (put < 0) break;
    begin_ += static_cast<std::size_t>(put);
  }
  if (begin_ == waiting_.size()) {
    waiting_.clear();
    begin_ = 0;
  } else if (begin_ > kLongestLine) {
    waiting_.erase(0, begin_);
    begin_ = 0;
  }
  return true;
}

Json parse_object(const std::string& line) {
  Json object;
  try {
    object = Json::parse(line, [](int depth, Json::parse_event_t, Json&) {
      if (depth > kDeepestJson) throw Refusal("bad_request", "more than 32 objects and arrays in one another");
      return true;
    });
  } catch (const Json::exception& problem) {
    // The library's messages begin with its own name and number, and may quote bytes that are not text.
    const char* text = std::strstr(problem.what(), "] ");
    std::string message = text ? text + 2 : problem.what();
    for (char& c : message) {
      if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '?';
    }
    if (message.size() > 200) message = message.substr(0, 200) + "…";
    throw Refusal("bad_request", "not JSON: " + message);
  }
  if (!object.is_object()) throw Refusal("bad_request", "not a JSON object");
  return object;
}

std::string line_of(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace dynasoc::agent
