// Columns of numbers and texts as the page reads them: little-endian bytes in base64, a third of what digits would
// take and read at once; texts by their number in a list.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_reader.hpp"

namespace dynasoc::report {

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

/// Null where JSON has no number for it.
Json number(double x);

/// `{"f64": BASE64}` and so on. NaN stays NaN.
Json f64_column(const std::vector<double>& values);
/// The same in single precision.
Json f32_column(const std::vector<double>& values);
Json f32_column(const std::vector<float>& values);
/// In as few bytes as the largest value needs.
Json whole_column(const std::vector<std::uint32_t>& values);

/// Different texts, each once, numbered in the order of their first meeting.
class Names {
 public:
  std::uint32_t number(std::string_view text);
  const std::vector<std::string>& all() const { return all_; }
  std::size_t size() const { return all_.size(); }

 private:
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
  std::vector<std::string> all_;
  std::uint32_t last_ = 0;  // met last: runs of the same text are common
};

/// `{"values": [text…], "index": COLUMN}`; only texts that occur are listed.
Json text_column(const std::vector<std::string>& texts, const std::vector<std::uint32_t>& index);

/// A column of texts that is filled one by one.
class TextColumn {
 public:
  void add(std::string_view text) { index_.push_back(names_.number(text)); }
  Json json() const { return text_column(names_.all(), index_); }

 private:
  Names names_;
  std::vector<std::uint32_t> index_;
};

}  // namespace dynasoc::report
