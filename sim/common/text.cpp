#include "common/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "common/directory_lock.hpp"
#include "common/error.hpp"
#include "common/output_place.hpp"
#include "common/outside.hpp"

namespace dynasoc {

void append_number(std::string& out, double x) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  out.append(buffer, end);
}

void append_number(std::string& out, float x) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  out.append(buffer, end);
}

void append_number(std::string& out, long long x) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  out.append(buffer, end);
}

std::string number_text(double x) {
  std::string out;
  append_number(out, x);
  return out;
}

std::string plain_number(double x) {
  std::string out = number_text(x);
  const auto exponent = out.find('e');
  if (exponent == std::string::npos) return out;
  std::string digits = out.substr(exponent + 1);
  const bool negative = digits[0] == '-';
  digits.erase(0, digits.find_first_not_of("+-0"));
  return out.substr(0, exponent + 1) + (negative ? "-" : "") + digits;
}

std::string rounded_text(double x, int digits) {
  if (!std::isfinite(x)) return "-";
  if (x == 0) return "0";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(x))));
  const int decimals = std::clamp(digits - 1 - magnitude, 0, 9);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, x);
  return buffer;
}

void append_decimal(std::string& out, long long value, int digits) {
  char buffer[48];
  char* const end = buffer + sizeof buffer;
  char* at = end;
  auto rest = value < 0 ? 0 - static_cast<unsigned long long>(value) : static_cast<unsigned long long>(value);
  for (int i = 0; i < digits; ++i, rest /= 10) *--at = static_cast<char>('0' + rest % 10);
  if (digits > 0) *--at = '.';
  do *--at = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (value < 0) *--at = '-';
  out.append(at, end);
}

void append_json(std::string& out, std::string_view text) {
  constexpr const char* kDigits = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    const std::size_t size = utf8_length(text);
    if (c == '"')
      out += "\\\"";
    else if (c < 0x20 || c == '\\')  // Perfetto's reader takes a quote after two backslashes for an escaped one
      out.append("\\u00").append({kDigits[c >> 4], kDigits[c & 15]});
    else if (size == 0)
      out += "\xEF\xBF\xBD";
    else
      out.append(text, 0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  out += '"';
}

namespace {

// Devices, pipes and the like are written to as they are: /dev/null is not to be replaced by a file.
bool is_special(const std::filesystem::path& path) {
  using std::filesystem::file_type;
  std::error_code code;
  const file_type kind = std::filesystem::status(path, code).type();
  return kind == file_type::character || kind == file_type::block || kind == file_type::fifo ||
         kind == file_type::socket;
}

std::string partial_of(const std::filesystem::path& path) { return path.string() + ".partial"; }

OutsideError not_written(const std::filesystem::path& path, const std::string& why) {
  return OutsideError(path.string() + ": cannot be written: " + why);
}

}  // namespace

std::optional<int> descriptor_of(const std::string& path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    int number = -1;
    const char* const end = path.data() + path.size();
    if (path.starts_with(folder))
      if (const auto read = std::from_chars(path.data() + folder.size(), end, number);
          read.ec == std::errc{} && read.ptr == end && number >= 0)
        return number;
  }
  return {};
}

std::filesystem::path behind_links(const std::filesystem::path& path) {
  constexpr int kMostLinks = 40;  // as many as the kernel follows
  std::filesystem::path at = path;
  std::error_code code;
  for (int links = 0; !descriptor_of(at.string()) && std::filesystem::is_symlink(at, code); ++links) {
    if (links == kMostLinks) throw not_written(path, std::strerror(ELOOP));
    const std::filesystem::path target = std::filesystem::read_symlink(at, code);
    if (code) throw not_written(path, code.message());
    at = at.parent_path() / target;
  }
  return at;
}

namespace {

// The file beside `path`, for this process alone, and empty. One that a killed process has left is taken over.
int open_beside(const std::filesystem::path& path) {
  const std::string partial = partial_of(path);
  for (;;) {
    const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) throw not_written(path, std::strerror(errno));
    try {
      if (lock_file(file, path) == Locked::by_another) throw not_written(path, "another process is writing it");
      // Whoever had it may have put it in its place meanwhile.
      struct stat ours {
      }, there{};
      if (::fstat(file, &ours) == 0 && ::stat(partial.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
          ours.st_dev == there.st_dev) {
        if (::ftruncate(file, 0) != 0) throw not_written(path, std::strerror(errno));
        return file;
      }
    } catch (...) {
      ::close(file);
      throw;
    }
    ::close(file);
  }
}

// Whether it is a file beside its place, and not a device or another's descriptor.
bool is_beside(int file, const std::filesystem::path& path) {
  struct stat about {};
  return !descriptor_of(path.string()) && ::fstat(file, &about) == 0 && S_ISREG(about.st_mode);
}

}  // namespace

FileWriter::FileWriter(std::filesystem::path path) : path_(behind_links(path)) {
  if (const auto descriptor = descriptor_of(path_.string()))
    file_ = ::fcntl(*descriptor, F_DUPFD_CLOEXEC, 0);
  else if (is_special(path_))
    file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  else
    file_ = open_beside(path_);
  if (file_ < 0) throw not_written(path_, std::strerror(errno));
}

FileWriter::~FileWriter() {
  if (file_ < 0) return;
  if (is_beside(file_, path_)) ::unlink(partial_of(path_).c_str());  // while nobody else can have it
  ::close(file_);
}

void FileWriter::flush() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t n = ::write(file_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw not_written(path_, std::strerror(errno));
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
  if (poll_) poll_();
}

void FileWriter::commit() {
  poll_ = nullptr;  // from here on it is put in its place
  flush();
  // Closing may tell of an error too; the lock stays with the other descriptor until the file is in its place.
  const int copy = ::fcntl(file_, F_DUPFD_CLOEXEC, 0);
  if (copy < 0 || ::close(copy) != 0) throw not_written(path_, std::strerror(errno));
  if (is_beside(file_, path_) && ::rename(partial_of(path_).c_str(), path_.c_str()) != 0)
    throw not_written(path_, std::strerror(errno));
  ::close(std::exchange(file_, -1));
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  FileWriter writer(path);
  writer.buffer() = content;
  writer.commit();
}

std::string bytes_text(std::size_t bytes) {
  constexpr std::size_t kKilo = 1u << 10, kMega = 1u << 20;
  if (bytes < 10 * kKilo) return std::to_string(bytes) + " bytes";
  const std::size_t unit = bytes < kMega ? kKilo : kMega;
  std::string number = rounded_text(static_cast<double>(bytes) / static_cast<double>(unit), 3);
  if (number.ends_with(".0")) number.resize(number.size() - 2);
  return number + (unit == kKilo ? " KB" : " MB");
}

int open_input(const std::filesystem::path& path, const Location& here, bool& pipe, std::size_t most_bytes) {
  // Opening a pipe that nobody writes to, or a terminal's line, must not wait for ever.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const int error = errno;
  if (file < 0 && (error == ENOENT || error == ENOTDIR)) throw InputError(here, "no such file");
  if (file < 0) throw InputError(here, std::string("cannot be read: ") + std::strerror(error));
  struct stat about {};
  std::string wrong;
  if (::fstat(file, &about) != 0) wrong = std::string("cannot be read: ") + std::strerror(errno);
  if (S_ISDIR(about.st_mode)) wrong = "is a directory, not a file";
  if (S_ISCHR(about.st_mode) || S_ISBLK(about.st_mode)) wrong = "is a device, not a file";
  if (S_ISREG(about.st_mode) && static_cast<std::size_t>(about.st_size) > most_bytes)
    wrong = "is " + bytes_text(static_cast<std::size_t>(about.st_size)) + "; a file that is read has at most " +
            bytes_text(most_bytes);
  if (!wrong.empty()) {
    ::close(file);
    throw InputError(here, wrong);
  }
  pipe = S_ISFIFO(about.st_mode);
  if (pipe) ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) & ~O_NONBLOCK);
  return file;
}

std::string read_file(const std::filesystem::path& path) {
  const Location here{path.string(), 0, 0, ""};
  bool pipe = false;
  const int file = open_input(path, here, pipe, limits::kFileBytes);
  std::string out;
  char buffer[65536];
  ssize_t n = 0;
  while ((n = ::read(file, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || out.size() > limits::kFileBytes) break;
    out.append(buffer, static_cast<std::size_t>(n));
  }
  const int error = errno;
  ::close(file);
  if (n < 0) throw InputError(here, std::string("cannot be read: ") + std::strerror(error));
  if (n > 0)
    throw InputError(here, "is larger than " + bytes_text(limits::kFileBytes) + ", the most that is read of a file");
  if (pipe && out.empty())
    throw InputError(
        here,
        "is a pipe, and nothing came out of it (what did is gone once read, and a command may read a file again)");
  if (out.starts_with("\xFF\xFE") || out.starts_with("\xFE\xFF"))
    throw InputError({path.string(), 1, 1, "/"}, "is UTF-16; save it as UTF-8");
  if (out.starts_with("\xEF\xBB\xBF")) out.erase(0, 3);
  return out;
}

void make_directories(const std::filesystem::path& directory) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (!code) return;
  const InputError error(Location{directory.string(), 0, 0, ""}, "cannot be created: " + code.message());
  for (const std::errc refused :
       {std::errc::read_only_file_system, std::errc::no_space_on_device, std::errc::permission_denied,
        std::errc::operation_not_permitted, std::errc::io_error, std::errc::too_many_links})
    if (code == refused) throw OutsideError(error.what());
  throw error;
}

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto rest = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return rest(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool in_range = first == 0xE0 ? byte(1) >= 0xA0 : first == 0xED ? byte(1) < 0xA0 : true;  // no surrogates
    return in_range && rest(1) && rest(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool in_range = first == 0xF0 ? byte(1) >= 0x90 : first == 0xF4 ? byte(1) < 0x90 : true;
    return in_range && rest(1) && rest(2) && rest(3) ? 4 : 0;
  }
  return 0;
}

std::size_t first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_length(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return text.size();
}

std::string content_hash(std::string_view content) {
  std::uint64_t hash = 1469598103934665603ull;
  for (const unsigned char c : content) hash = (hash ^ c) * 1099511628211ull;
  char buffer[17];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(hash));
  return buffer;
}

}  // namespace dynasoc
