#include "scenario/trace/line_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "common/text.hpp"

namespace dynasoc::trace {

namespace {

InputError nothing_came(const Location& here) {
  return InputError(here, "is a pipe, and nothing came out of it: nobody writes to it");
}

}  // namespace

LineReader::LineReader(const Source& source) : name_(source.name) {
  const Location here{name_, 0, 0, ""};
  file_ = open_input(source.path, here, pipe_);
  buffer_.resize(kLongest);
  try {
    while (end_ < 3 && fill()) {
    }
    if (pipe_ && end_ == 0) throw nothing_came(here);
    const std::string_view head(buffer_.data(), end_);
    if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF"))
      throw InputError({name_, 1, 1, ""}, "is UTF-16; save it as UTF-8");
    if (head.starts_with("\xEF\xBB\xBF")) begin_ = 3;
  } catch (...) {
    ::close(file_);
    throw;
  }
}

LineReader::~LineReader() { ::close(file_); }

// Reads on behind what is left, which moves to the front. False at the end of the file or where the buffer is full.
bool LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (ended_ || end_ == buffer_.size()) return false;
  ssize_t n;
  do n = ::read(file_, buffer_.data() + end_, buffer_.size() - end_);
  while (n < 0 && errno == EINTR);
  if (n < 0) throw InputError(here(), std::string("cannot be read: ") + std::strerror(errno));
  ended_ = n == 0;
  end_ += static_cast<std::size_t>(n);
  bytes_ += static_cast<std::uint64_t>(n);
  return n > 0;
}

bool LineReader::next(std::string_view& line) {
  cut_ = false;
  std::size_t searched = 0;
  for (;;) {
    const char* from = buffer_.data() + begin_ + searched;
    const void* found = std::memchr(from, '\n', end_ - begin_ - searched);
    if (found != nullptr) {
      const std::size_t length = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) - begin_;
      line = {buffer_.data() + begin_, length};
      begin_ += length + 1;
      break;
    }
    searched = end_ - begin_;
    if (fill()) continue;
    if (searched == 0) return false;
    line = {buffer_.data(), searched};
    begin_ = end_;
    cut_ = ended_;
    break;  // a line longer than the buffer is given in pieces, none of which will be understood
  }
  ++number_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

void read_stream(const std::filesystem::path& path, const std::function<void(std::string_view)>& take) {
  const Location here{path.string(), 0, 0, ""};
  bool pipe = false, any = false;
  int file = open_input(path, here, pipe);
  const std::unique_ptr<int, void (*)(int*)> closed(&file, [](int* open) { ::close(*open); });
  std::string block(64 << 10, '\0');
  for (;;) {
    const ssize_t n = ::read(file, block.data(), block.size());
    if (n < 0 && errno != EINTR) throw InputError(here, std::string("cannot be read: ") + std::strerror(errno));
    if (n == 0 && pipe && !any) throw nothing_came(here);
    any = any || n > 0;
    take(std::string_view(block.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))));
    if (n == 0) return;
  }
}

}  // namespace dynasoc::trace
