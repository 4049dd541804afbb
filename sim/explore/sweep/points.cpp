#include "explore/sweep/points.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/error.hpp"
#include "common/text.hpp"

namespace dynasoc::explore {
namespace fs = std::filesystem;

std::string point_line(const PointRecord& record) {
  std::string line = std::to_string(record.index) + '\t' + record.key + '\t' + record.values;
  line += '\t' + content_hash(line) + '\n';
  return line;
}

bool parse_point_line(std::string_view line, PointRecord& record) {
  if (line.empty() || line.back() != '\n') return false;
  line.remove_suffix(1);
  const std::size_t check = line.rfind('\t');
  if (check == std::string_view::npos || content_hash(line.substr(0, check)) != line.substr(check + 1)) return false;
  line = line.substr(0, check);
  const std::size_t first = line.find('\t'), second = line.find('\t', first + 1);
  if (second == std::string_view::npos) return false;
  const auto [end, code] = std::from_chars(line.data(), line.data() + first, record.index);
  if (code != std::errc{} || end != line.data() + first) return false;
  record.key = line.substr(first + 1, second - first - 1);
  record.values = line.substr(second + 1);
  return true;
}

PointWriter::~PointWriter() {
  if (file_ >= 0) ::close(file_);
}

void PointWriter::append(const PointRecord& record) {
  if (file_ < 0) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0) throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(errno));
  }
  const std::string line = point_line(record);
  const off_t begin = ::lseek(file_, 0, SEEK_CUR);
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t n = ::write(file_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const std::string why = n < 0 ? std::strerror(errno) : "the disk takes no more";
      if (done > 0 && ::ftruncate(file_, begin) == 0) ::lseek(file_, begin, SEEK_SET);
      throw OutsideError(path_.string() + ": cannot be written: " + why);
    }
    done += static_cast<std::size_t>(n);
  }
}

// One file, read line by line through a small buffer.
class PointReader::File {
 public:
  explicit File(fs::path path) : path_(std::move(path)) {}
  ~File() { close(); }

  PointRecord record;

  /// Reads the next record; false at the end.
  bool advance() {
    if (file_ < 0) {
      file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
      if (file_ < 0)
        throw InputError({path_.string(), 0, 0, ""}, std::string("cannot be read: ") + std::strerror(errno));
    }
    const std::uint64_t before = record.index;
    for (;;) {
      const std::size_t end = buffer_.find('\n', at_);
      if (end == std::string::npos) {
        if (fill()) continue;
        close();
        return false;  // the end, or a line that a kill cut short
      }
      const bool good = parse_point_line(std::string_view(buffer_).substr(at_, end + 1 - at_), record);
      at_ = end + 1;
      ++line_;
      if (!good) {
        // Only the last line may be spoilt (a machine that lost power may end a file in zeros).
        if (buffer_.find('\n', at_) == std::string::npos && !fill()) {
          close();
          return false;
        }
        throw InputError({path_.string(), line_, 0, ""},
                         "is not a record of a finished point: the file was changed; delete it, and its points are run "
                         "again");
      }
      if (line_ > 1 && record.index <= before)
        throw InputError({path_.string(), line_, 0, ""},
                         "points must ascend in a file; delete it, and its points are "
                         "run again");
      return true;
    }
  }

  /// Forgets what was read, so that a file that waits costs no descriptor and no buffer.
  void rewind() {
    close();

    line_ = 0;
  }

 private:
  bool fill() {
    constexpr std::size_t kBlock = 16384;
    buffer_.erase(0, at_);
    at_ = 0;
    const std::size_t size = buffer_.size();
    buffer_.resize(size + kBlock);
    ssize_t n = 0;
    do n = ::read(file_, buffer_.data() + size, kBlock);
    while (n < 0 && errno == EINTR);
    buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0) throw InputError({path_.string(), 0, 0, ""}, std::string("cannot be read: ") + std::strerror(errno));
    return n > 0;
  }
  void close() {
    if (file_ >= 0) ::close(file_);
    file_ = -1;
    buffer_ = {};
    at_ = 0;
  }

  fs::path path_;
  int file_ = -1;
  std::size_t line_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;
};

PointReader::PointReader(const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code)) {
      if (entry.path().extension() != ".points") continue;
      auto file = std::make_unique<File>(entry.path());
      if (!file->advance()) continue;
      ++count_;
      file->rewind();
      waiting_.push_back(std::move(file));
    }
  }
  std::sort(waiting_.begin(), waiting_.end(),
            [](const auto& a, const auto& b) { return a->record.index > b->record.index; });
}
PointReader::~PointReader() = default;
PointReader::PointReader(PointReader&&) noexcept = default;

bool PointReader::next(PointRecord& record) {
  const auto later = [](const auto& a, const auto& b) { return a->record.index > b->record.index; };
  for (;;) {
    while (!waiting_.empty() && (open_.empty() || waiting_.back()->record.index <= open_.front()->record.index)) {
      auto file = std::move(waiting_.back());
      waiting_.pop_back();
      if (!file->advance()) continue;
      open_.push_back(std::move(file));
      std::push_heap(open_.begin(), open_.end(), later);
    }
    if (open_.empty()) return false;
    std::pop_heap(open_.begin(), open_.end(), later);
    const bool fresh = !any_ || open_.back()->record.index > last_;
    if (fresh) {
      record = open_.back()->record;
      last_ = record.index;
      any_ = true;
    }
    if (open_.back()->advance())
      std::push_heap(open_.begin(), open_.end(), later);
    else
      open_.pop_back();
    if (fresh) return true;
  }
}

}  // namespace dynasoc::explore
