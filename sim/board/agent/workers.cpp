#include "workers.hpp"

#include <errno.h>
#include <unistd.h>

#include <cmath>

namespace dynasoc::agent {
namespace {

constexpr std::size_t kLastWords = 4096;

// The kernel's sched_prio_to_weight, nice -20 to 19.
constexpr int kNiceWeights[] = {88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
                                9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,
                                1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,
                                110,   87,    70,    56,    45,    36,    29,    23,    18,    15};

}  // namespace

int nice_of_weight(double weight) {
  int best = 0;
  double least = INFINITY;
  for (int level = 0; level < 40; ++level) {
    const double away = std::abs(std::log(kNiceWeights[level] / 1024.0 / weight));
    if (away < least) {
      least = away;
      best = level - 20;
    }
  }
  return best;
}

void Worker::send(const Json& request) {
  to_send_.push(line_of(request));
  exchange();
}

void Worker::exchange() {
  // One that does not read any more has ended or is about to: its output says so.
  if (process_.input() >= 0 && !to_send_.empty() && !to_send_.flush(process_.input())) process_.close_input();
  if (process_.output() >= 0 && !reader_.full() && !reader_.read_from(process_.output())) process_.close_output();
  listen();
}

void Worker::listen() {
  char piece[4096];
  // Bounded, for a worker that writes without end must not keep the supervisor here.
  for (int i = 0; i < 16 && process_.errors() >= 0; ++i) {
    const ssize_t got = ::read(process_.errors(), piece, sizeof piece);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (got <= 0) {
      process_.close_errors();
      return;
    }
    last_words_.append(piece, static_cast<std::size_t>(got));
    if (last_words_.size() > kLastWords) last_words_.erase(0, last_words_.size() - kLastWords);
  }
}

std::string Worker::last_line() const {
  const std::size_t last = last_words_.find_last_not_of(" \t\r\n");
  if (last == std::string::npos) return "";
  std::size_t begin = last_words_.find_last_of("\r\n", last);
  begin = begin == std::string::npos ? 0 : begin + 1;
  std::string line = last_words_.substr(begin, last + 1 - begin);
  return line.size() > 200 ? line.substr(0, 200) + "…" : line;
}

}  // namespace dynasoc::agent
