#include "safetensors.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace dynasoc::agent {
namespace {

constexpr std::uint64_t kHeaderLimit = 16 << 20;  // the super-network's is 50 kB

std::size_t type_size(const std::string& type) {
  static const std::map<std::string, std::size_t> sizes{{"F64", 8}, {"I64", 8}, {"U64", 8},  {"F32", 4}, {"I32", 4},
                                                        {"U32", 4}, {"F16", 2}, {"BF16", 2}, {"I16", 2}, {"U16", 2},
                                                        {"I8", 1},  {"U8", 1},  {"BOOL", 1}};
  const auto found = sizes.find(type);
  return found == sizes.end() ? 0 : found->second;
}

std::uint64_t little_endian(const unsigned char* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

float float_of_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

float float_of_half(std::uint32_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ffu;
  if (exponent == 31) return float_of_bits(sign | 0x7f800000u | mantissa << 13);
  if (exponent > 0) return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;  // zero, or too small for an exponent of its own
  return sign ? -magnitude : magnitude;
}

bool whole(const Json& number) { return number.is_number_unsigned(); }

// Duplicate names are valid JSON, of which the parser would silently keep the last.
class NoDuplicates {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::key && depth == 1 && !seen_.emplace(parsed.get<std::string>(), true).second)
      duplicate_ = true;
    return true;
  }
  bool duplicate() const { return duplicate_; }

 private:
  std::map<std::string, bool> seen_;
  bool duplicate_ = false;
};

}  // namespace

SafeTensors::SafeTensors(const std::string& path) : path_(path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw Refusal("io", path + ": " + std::strerror(errno), {{"path", path}});
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file);
    throw Refusal("io", path + ": not a file", {{"path", path}});
  }
  size_ = static_cast<std::size_t>(status.st_size);
  void* mapped = size_ < 8 ? nullptr : mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
  const int error = errno;
  close(file);
  if (mapped == MAP_FAILED) throw Refusal("io", path + ": " + std::strerror(error), {{"path", path}});
  if (!mapped) refuse("shorter than 8 bytes");
  bytes_ = static_cast<const unsigned char*>(mapped);

  try {
    const std::uint64_t length = little_endian(bytes_, 8);
    if (length > kHeaderLimit) refuse("its header would have " + std::to_string(length) + " bytes, more than 16 MB");
    if (length > size_ - 8) refuse("ends within its header");
    data_ = 8 + static_cast<std::size_t>(length);
    read_header(std::string(reinterpret_cast<const char*>(bytes_) + 8, static_cast<std::size_t>(length)),
                size_ - data_);
  } catch (...) {  // the destructor of what was never built does not run
    munmap(mapped, size_);
    throw;
  }
}

SafeTensors::~SafeTensors() { munmap(const_cast<unsigned char*>(bytes_), size_); }

void SafeTensors::refuse(const std::string& message) const {
  throw Refusal("bad_request", path_ + " is not a .safetensors file that can be used: " + message);
}

void SafeTensors::read_header(const std::string& header, std::size_t data_size) {
  NoDuplicates names;
  const Json json = Json::parse(header, std::ref(names), false);
  if (!json.is_object()) refuse("its header is not a JSON object");
  if (names.duplicate()) refuse("a tensor is there twice");
  std::vector<std::pair<std::size_t, std::size_t>> spans;
  for (const auto& item : json.items()) {
    if (item.key() == "__metadata__") continue;
    const std::string name = Json(item.key()).dump(-1, ' ', true, Json::error_handler_t::replace);
    const Json& entry = item.value();
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets"))
      refuse(name + " must have dtype, shape and data_offsets, and nothing else");
    const Json &type = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
    const std::size_t element = type.is_string() ? type_size(type.get<std::string>()) : 0;
    if (element == 0) refuse(name + " has an unknown dtype");
    if (!shape.is_array() || shape.size() > 8 || !std::all_of(shape.begin(), shape.end(), whole))
      refuse(name + " has a shape that is not a list of whole numbers");
    if (!offsets.is_array() || offsets.size() != 2 || !whole(offsets[0]) || !whole(offsets[1]))
      refuse(name + " has data_offsets that are not two whole numbers");

    Tensor tensor;
    tensor.type = type.get<std::string>();
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > data_size) refuse(name + " reaches beyond the end of the file");
    std::uint64_t bytes = element;
    for (const Json& dimension : shape) {
      const auto n = dimension.get<std::uint64_t>();
      if (n != 0 && bytes > data_size / n) refuse(name + " is larger than the file");
      bytes *= n;
      tensor.shape.push_back(static_cast<std::int64_t>(n));
    }
    if (bytes != end - begin) refuse(name + " has a shape and data_offsets of different sizes");
    tensor.begin = static_cast<std::size_t>(begin);
    tensor.end = static_cast<std::size_t>(end);
    if (begin < end) spans.emplace_back(tensor.begin, tensor.end);
    tensors_.emplace(item.key(), std::move(tensor));
  }
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i)
    if (spans[i].first < spans[i - 1].second) refuse("two tensors overlap");
}

std::vector<std::string> SafeTensors::names() const {
  std::vector<std::string> names;
  for (const auto& entry : tensors_) names.push_back(entry.first);
  return names;
}

std::vector<float> SafeTensors::read(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) refuse("tensor " + name + " is missing");
  const Tensor& tensor = found->second;
  if (tensor.type != "F32" && tensor.type != "F16")
    refuse("tensor " + name + " has dtype " + tensor.type + ", not F32 or F16");
  if (tensor.shape != shape)
    refuse("tensor " + name + " has shape " + Json(tensor.shape).dump() + ", not " + Json(shape).dump());
  const unsigned char* at = bytes_ + data_ + tensor.begin;
  const std::size_t element = type_size(tensor.type);
  std::vector<float> values((tensor.end - tensor.begin) / element);
  for (float& value : values) {  // the file may put a tensor at any address
    const auto bits = static_cast<std::uint32_t>(little_endian(at, static_cast<int>(element)));
    value = element == 4 ? float_of_bits(bits) : float_of_half(bits);
    at += element;
  }
  return values;
}

}  // namespace dynasoc::agent
