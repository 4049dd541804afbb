#include "common/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "common/error.hpp"

namespace dynasoc {

void append_number(std::string& out, double x) {
  char buffer[32];
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

FileWriter::FileWriter(std::filesystem::path path) : path_(std::move(path)) {
  file_ = ::open((path_.string() + ".partial").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(errno));
}

FileWriter::~FileWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink((path_.string() + ".partial").c_str());
}

void FileWriter::flush() {
  for (std::size_t done = 0; done < buffer_.size();) {
    const ssize_t n = ::write(file_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(errno));
    done += static_cast<std::size_t>(n);
  }
  buffer_.clear();
}

void FileWriter::commit() {
  flush();
  const int result = ::close(file_);
  file_ = -1;
  const std::string partial = path_.string() + ".partial";
  if (result != 0 || ::rename(partial.c_str(), path_.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    ::unlink(partial.c_str());
    throw OutsideError(path_.string() + ": cannot be written: " + why);
  }
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  FileWriter writer(path);
  writer.buffer() = content;
  writer.commit();
}

std::string read_file(const std::filesystem::path& path) {
  const Location here{path.string(), 0, 0, ""};
  std::error_code code;
  const auto kind = std::filesystem::status(path, code).type();
  if (kind == std::filesystem::file_type::not_found) throw InputError(here, "no such file");
  if (kind == std::filesystem::file_type::directory) throw InputError(here, "is a directory, not a file");
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw InputError(here, std::string("cannot be read: ") + std::strerror(errno));
  constexpr std::size_t kMost = 512u << 20;  // beyond any real input; a device may never end
  std::string out;
  char buffer[65536];
  ssize_t n = 0;
  while ((n = ::read(file, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || out.size() > kMost) break;
    out.append(buffer, static_cast<std::size_t>(n));
  }
  const int error = errno;
  ::close(file);
  if (n < 0) throw InputError(here, std::string("cannot be read: ") + std::strerror(error));
  if (n > 0) throw InputError(here, "is larger than 512 MB");
  if (out.starts_with("\xFF\xFE") || out.starts_with("\xFE\xFF"))
    throw InputError({path.string(), 1, 1, "/"}, "is UTF-16; save it as UTF-8");
  if (out.starts_with("\xEF\xBB\xBF")) out.erase(0, 3);
  return out;
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
