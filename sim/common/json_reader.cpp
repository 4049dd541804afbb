#include "common/json_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <unordered_map>

#include "common/error.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reader {
 public:
  Reader(const std::string& text, const std::string& name) : text_(text), name_(name) {}

  /// Also notes where `wanted` stands.
  Reader(const std::string& text, std::string_view wanted, bool key)
      : text_(text), name_("(read before)"), wanted_(wanted), wanted_key_(key), searching_(true) {}

  Json all() {
    if (text_.size() > limits::kJsonBytes)
      throw InputError({name_, 0, 0, ""}, "is " + bytes_text(text_.size()) + "; a JSON text has at most " +
                                              bytes_text(limits::kJsonBytes));
    space();
    if (at_ == text_.size()) fail(at_, "the file is empty; a JSON object is expected");
    Json out = value(at_, 0);
    space();
    if (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '}' || c == ']') fail(at_, std::string("there is one ") + c + " too many");
      if (c == '/' || c == '#') comment();
      fail(at_, "the value ended before this; nothing may follow it");
    }
    return out;
  }

  std::size_t found() const { return found_; }

 private:
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const {
    const auto [line, column] = line_and_column(text_, offset);
    throw InputError({name_, line, column, pointer_.empty() ? "/" : pointer_}, message);
  }
  [[noreturn]] void comment() const { fail(at_, "JSON has no comments; a member called \"comment\" is ignored"); }

  std::size_t line_of(std::size_t offset) const { return line_and_column(text_, offset).first; }

  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  // `key` is where the member's name stands; the value itself for what has none.
  Json value(std::size_t key, int depth) {
    if (searching_ && (wanted_ == pointer_ || (wanted_.starts_with(pointer_) && wanted_[pointer_.size()] == '/')))
      found_ = wanted_key_ && wanted_ == pointer_ ? key : at_;
    if (at_ == text_.size()) fail(at_, "the file ends here, where a value is expected");
    switch (text_[at_]) {
      case '{': return object(depth + 1);
      case '[': return array(depth + 1);
      case '"': return string();
      default: return scalar();
    }
  }

  void enter(int depth) const {
    if (depth > limits::kJsonDepth)
      fail(at_, "is nested more than " + std::to_string(limits::kJsonDepth) + " levels deep");
  }

  Json object(int depth) {
    enter(depth);
    const std::size_t opened = at_++, above = pointer_.size();
    Json::object_t out;
    std::unordered_map<std::string, std::size_t> seen;
    space();
    while (at_ == text_.size() || text_[at_] != '}') {
      if (at_ == text_.size()) ends_inside(opened, "object");
      if (text_[at_] != '"') no_key(opened);
      if (out.size() == limits::kMembers)
        fail(opened, "has more than " + std::to_string(limits::kMembers) + " members, which is the most");
      const std::size_t key_at = at_;
      std::string key = string();
      if (key.size() > limits::kNameBytes)
        fail(key_at, "a name of " + bytes_text(key.size()) + "; it may have " + bytes_text(limits::kNameBytes));
      pointer_ += "/" + pointer_token(key);
      const auto [earlier, is_new] = seen.emplace(key, key_at);
      if (!is_new)
        fail(key_at, "the key " + in_quotes(key) + " appears twice in one object, first in line " +
                         std::to_string(line_of(earlier->second)));
      space();
      if (at_ == text_.size()) ends_inside(opened, "object");
      if (text_[at_] != ':') fail(at_, "a colon is missing after the key " + in_quotes(key));
      ++at_;
      space();
      // `seen` has told that the key is new: no search through the members again.
      static_cast<Json::object_t::Container&>(out).emplace_back(std::move(key), value(key_at, depth));
      pointer_.resize(above);
      separator('}', opened, "object");
    }
    ++at_;
    return out;
  }

  Json array(int depth) {
    enter(depth);
    const std::size_t opened = at_++, above = pointer_.size();
    Json::array_t out;
    space();
    while (at_ == text_.size() || text_[at_] != ']') {
      if (at_ == text_.size()) ends_inside(opened, "array");
      pointer_ += "/" + std::to_string(out.size());
      out.push_back(value(at_, depth));
      pointer_.resize(above);
      separator(']', opened, "array");
    }
    ++at_;
    return out;
  }

  // After a member: a comma and another one, or the end.
  void separator(char closing, std::size_t opened, const char* what) {
    space();
    if (at_ == text_.size()) ends_inside(opened, what);
    const char c = text_[at_];
    if (c == closing) return;
    if (c == '/' || c == '#') comment();
    if (c == '}' || c == ']')
      fail(at_, std::string("expected ") + closing + ", which closes the " + what + " opened in line " +
                    std::to_string(line_of(opened)) + ", not " + c);
    if (c != ',') fail(at_, "a comma is missing before this");
    const std::size_t comma = at_++;
    space();
    if (at_ < text_.size() && text_[at_] == closing)
      fail(comma, std::string("nothing follows this comma but ") + closing + "; remove it");
    if (at_ < text_.size() && text_[at_] == ',') fail(at_, "there is one comma too many");
  }

  [[noreturn]] void ends_inside(std::size_t opened, const char* what) const {
    fail(at_,
         std::string("the file ends here, inside the ") + what + " opened in line " + std::to_string(line_of(opened)));
  }

  [[noreturn]] void no_key(std::size_t opened) const {
    const char c = text_[at_];
    if (c == '/' || c == '#') comment();
    if (c == ']')
      fail(at_, "expected }, which closes the object opened in line " + std::to_string(line_of(opened)) + ", not ]");
    if (c == ',') fail(at_, "there is one comma too many");
    fail(at_, "a key in double quotes is expected here");
  }

  [[noreturn]] void no_value() const {
    const char c = text_[at_];
    if (c == '/' || c == '#') comment();
    if (c == '\'') fail(at_, "strings stand in double quotes");
    if (c == '}' || c == ']' || c == ',' || c == ':') fail(at_, std::string("a value is expected here, not ") + c);
    std::size_t end = at_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_' ||
                                  text_[end] == '-' || text_[end] == '+' || text_[end] == '.'))
      ++end;
    const std::string word = text_.substr(at_, std::max<std::size_t>(end - at_, 1));
    std::string plain;
    for (const char letter : word)
      if (letter != '-' && letter != '+') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (plain == "nan" || plain == "inf" || plain == "infinity")
      fail(at_, in_quotes(word) + " is no number in JSON: numbers are finite");
    if (plain == "none" || plain == "nil") fail(at_, in_quotes(word) + " is no value (did you mean null?)");
    if (plain == "true" || plain == "false") fail(at_, in_quotes(word) + " is no value (did you mean " + plain + "?)");
    if (is_digit(c) || c == '-' || c == '+' || c == '.')
      fail(at_, in_quotes(word) + " is not a number as JSON writes them");
    if (std::isalpha(static_cast<unsigned char>(c)))
      fail(at_, in_quotes(word) + " is no value; a string stands in double quotes");
    fail(at_, "an unexpected character");
  }

  Json scalar() {
    const auto word = [this](std::string_view expected) {
      if (text_.compare(at_, expected.size(), expected) != 0) return false;
      const std::size_t end = at_ + expected.size();
      if (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_'))
        return false;
      at_ = end;
      return true;
    };
    if (word("true")) return true;
    if (word("false")) return false;
    if (word("null")) return nullptr;
    return number();
  }

  Json number() {
    std::size_t end = at_;
    const auto digits = [&] {
      const std::size_t begin = end;
      while (end < text_.size() && is_digit(text_[end])) ++end;
      return end > begin;
    };
    if (end < text_.size() && text_[end] == '-') ++end;
    const std::size_t first = end;
    bool whole = true, good = digits() && (text_[first] != '0' || end == first + 1);
    if (good && end < text_.size() && text_[end] == '.') {
      whole = false;
      ++end;
      good = digits();
    }
    if (good && end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      whole = false;
      ++end;
      if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
      good = digits();
    }
    if (good && end < text_.size() &&
        (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '.' || text_[end] == '_'))
      good = false;
    if (!good) no_value();
    const char *begin = text_.data() + at_, *stop = text_.data() + end;
    if (whole) {
      if (std::int64_t x = 0; std::from_chars(begin, stop, x).ec == std::errc{}) return at_ = end, Json(x);
      if (std::uint64_t x = 0; std::from_chars(begin, stop, x).ec == std::errc{}) return at_ = end, Json(x);
    }
    double x = 0;
    if (std::from_chars(begin, stop, x).ec == std::errc::result_out_of_range) {
      x = std::strtod(std::string(begin, stop).c_str(), nullptr);  // tells too large from too small
      if (!std::isfinite(x))
        fail(at_, in_quotes(std::string(begin, stop)) + " is too large for a number (the largest is 1.8e308)");
    }
    at_ = end;
    return x;
  }

  std::string string() {
    const std::size_t opened = at_++;
    std::string out;
    for (;;) {
      if (at_ == text_.size()) fail(opened, "this string is not closed");
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') break;
      if (c == '\n' || c == '\r') fail(opened, "this string is not closed in its line");
      if (c < 0x20) fail(at_, "a control character inside a string; write it as an escape (\\t, \\u0001)");
      if (c == '\\') {
        escape(out);
      } else if (c < 0x80) {
        out += text_[at_++];
      } else {
        const std::size_t size = utf8_length(std::string_view(text_).substr(at_));
        if (size == 0) fail(at_, "not valid UTF-8; save the file as UTF-8");
        out.append(text_, at_, size);
        at_ += size;
      }
    }
    ++at_;
    return out;
  }

  void escape(std::string& out) {
    const std::size_t begin = at_++;
    if (at_ == text_.size()) fail(begin, "the file ends here, inside a string");
    switch (text_[at_++]) {
      case '"': out += '"'; return;
      case '\\': out += '\\'; return;
      case '/': out += '/'; return;
      case 'b': out += '\b'; return;
      case 'f': out += '\f'; return;
      case 'n': out += '\n'; return;
      case 'r': out += '\r'; return;
      case 't': out += '\t'; return;
      case 'u': break;
      default: fail(begin, "an unknown escape; a backslash itself is written \\\\");
    }
    std::uint32_t point = hexadecimal(begin);
    if (point >= 0xD800 && point < 0xDC00) {  // one half of a pair
      if (text_.compare(at_, 2, "\\u") != 0) fail(begin, "half a surrogate pair");
      at_ += 2;
      const std::uint32_t low = hexadecimal(begin);
      if (low < 0xDC00 || low > 0xDFFF) fail(begin, "half a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point < 0xE000) {
      fail(begin, "half a surrogate pair");
    }
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | (point >> 6)), put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
      put(0xE0 | (point >> 12)), put(0x80 | ((point >> 6) & 0x3F)), put(0x80 | (point & 0x3F));
    } else {
      put(0xF0 | (point >> 18)), put(0x80 | ((point >> 12) & 0x3F)), put(0x80 | ((point >> 6) & 0x3F)),
          put(0x80 | (point & 0x3F));
    }
  }

  std::uint32_t hexadecimal(std::size_t escape_at) {
    std::uint32_t x = 0;
    const char* end = text_.data() + std::min(at_ + 4, text_.size());
    if (std::from_chars(text_.data() + at_, end, x, 16).ptr != text_.data() + at_ + 4)
      fail(escape_at, "\\u needs four hexadecimal digits");
    at_ += 4;
    return x;
  }

  const std::string& text_;
  std::string name_;
  std::string pointer_;  // of what is being read
  std::size_t at_ = 0;
  std::string_view wanted_;
  bool wanted_key_ = false;
  bool searching_ = false;
  std::size_t found_ = 0;
};

}  // namespace

Json read_json(const std::string& text, const std::string& name) { return Reader(text, name).all(); }

std::optional<Json> read_json_line(std::string_view line) {
  try {
    return read_json(std::string(line), "line");
  } catch (const InputError&) {
    return std::nullopt;
  }
}

std::size_t offset_in_json(const std::string& text, std::string_view pointer, bool key) {
  Reader reader(text, pointer, key);
  reader.all();
  return reader.found();
}

std::pair<std::size_t, std::size_t> line_and_column(std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {  // not the rest of a character
      ++column;
    }
  }
  return {line, column};
}

std::string pointer_token(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

}  // namespace dynasoc
