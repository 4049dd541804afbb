#include "results/report/columns.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dynasoc::report {
namespace {

template <class T>
std::string little_endian(const std::vector<T>& values) {
  std::string out(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  if constexpr (std::endian::native == std::endian::big)
    for (std::size_t at = 0; at < out.size(); at += sizeof(T))
      std::reverse(out.begin() + static_cast<std::ptrdiff_t>(at),
                   out.begin() + static_cast<std::ptrdiff_t>(at + sizeof(T)));
  return base64(out);
}

template <class To, class From>
std::vector<To> converted(const std::vector<From>& values) {
  std::vector<To> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(), [](From x) { return static_cast<To>(x); });
  return out;
}

}  // namespace

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const std::uint32_t three = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    for (const int shift : {18, 12, 6, 0}) out += kDigits[three >> shift & 63];
  }
  if (const std::size_t left = bytes.size() - at; left > 0) {
    const std::uint32_t rest = byte(at) << 16 | (left > 1 ? byte(at + 1) << 8 : 0);
    out += kDigits[rest >> 18];
    out += kDigits[rest >> 12 & 63];
    out += left > 1 ? kDigits[rest >> 6 & 63] : '=';
    out += '=';
  }
  return out;
}

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }

Json f64_column(const std::vector<double>& values) { return {{"f64", little_endian(values)}}; }
Json f32_column(const std::vector<double>& values) { return f32_column(converted<float>(values)); }
Json f32_column(const std::vector<float>& values) { return {{"f32", little_endian(values)}}; }

Json whole_column(const std::vector<std::uint32_t>& values) {
  const std::uint32_t most = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
  if (most < 1u << 8) return {{"u8", little_endian(converted<std::uint8_t>(values))}};
  if (most < 1u << 16) return {{"u16", little_endian(converted<std::uint16_t>(values))}};
  return {{"u32", little_endian(values)}};
}

std::uint32_t Names::number(std::string_view text) {
  if (last_ < all_.size() && all_[last_] == text) return last_;
  auto it = numbers_.find(text);
  if (it == numbers_.end()) {
    it = numbers_.emplace(text, static_cast<std::uint32_t>(all_.size())).first;
    all_.emplace_back(text);
  }
  return last_ = it->second;
}

Json text_column(const std::vector<std::string>& texts, const std::vector<std::uint32_t>& index) {
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::vector<std::uint32_t> place(texts.size(), kNone), out;
  Json values = Json::array();
  out.reserve(index.size());
  for (const std::uint32_t i : index) {
    if (place[i] == kNone) {
      place[i] = static_cast<std::uint32_t>(values.size());
      values.push_back(texts[i]);
    }
    out.push_back(place[i]);
  }
  return {{"values", std::move(values)}, {"index", whole_column(out)}};
}

}  // namespace dynasoc::report
