#include "common/document.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

namespace dynasoc {
namespace {

std::pair<std::size_t, std::size_t> line_and_column(const std::string& text, std::size_t offset) {
  offset = std::min(offset, text.size());
  std::size_t line = 1, start = 0;
  for (std::size_t i = 0; i < offset; ++i)
    if (text[i] == '\n') {
      ++line;
      start = i + 1;
    }
  return {line, offset - start + 1};
}

// Finds where a pointer's value begins in a text that has already been parsed without error.
class Locator {
 public:
  Locator(const std::string& text, std::string_view wanted) : text_(text), wanted_(wanted) {}

  // The offset of the value, or that of its nearest ancestor in the text.
  std::size_t find() {
    space();
    best_ = at_;
    value("");
    return best_;
  }

 private:
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  std::string string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    ++at_;
    return Json::parse(text_.substr(begin, at_ - begin)).get<std::string>();
  }

  void value(const std::string& pointer) {
    if (wanted_ == pointer || (wanted_.starts_with(pointer) && wanted_[pointer.size()] == '/')) best_ = at_;
    if (at_ >= text_.size()) return;
    if (text_[at_] == '{') {
      ++at_;
      for (space(); at_ < text_.size() && text_[at_] != '}'; space()) {
        const std::string child = pointer + "/" + pointer_token(string());
        space();
        ++at_;  // ':'
        space();
        value(child);
        space();
        if (at_ < text_.size() && text_[at_] == ',') ++at_;
      }
      ++at_;
    } else if (text_[at_] == '[') {
      ++at_;
      std::size_t index = 0;
      for (space(); at_ < text_.size() && text_[at_] != ']'; space()) {
        value(pointer + "/" + std::to_string(index++));
        space();
        if (at_ < text_.size() && text_[at_] == ',') ++at_;
      }
      ++at_;
    } else if (text_[at_] == '"') {
      string();
    } else {
      while (at_ < text_.size() && !std::strchr(",]} \t\r\n", text_[at_])) ++at_;
    }
  }

  const std::string& text_;
  std::string_view wanted_;
  std::size_t at_ = 0;
  std::size_t best_ = 0;
};

}  // namespace

std::string kind_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "an array";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "true or false";
    default: return "a number";
  }
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

std::shared_ptr<Document> Document::load(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) throw InputError({path.string(), 0, 0, ""}, "no such file");
  if (std::filesystem::is_directory(path, code)) throw InputError({path.string(), 0, 0, ""}, "is a directory, not a file");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || in.bad()) throw InputError({path.string(), 0, 0, ""}, "cannot be read");
  return parse(text.str(), path.string());
}

std::shared_ptr<Document> Document::parse(std::string text, std::string name) {
  auto document = std::make_shared<Document>();
  document->name_ = std::move(name);
  document->text_ = std::move(text);
  if (std::all_of(document->text_.begin(), document->text_.end(), [](unsigned char c) { return std::isspace(c); }))
    throw InputError({document->name_, 1, 1, ""}, "the file is empty; a JSON object is expected");

  std::vector<std::set<std::string>> keys;
  std::string duplicate;
  const auto watch = [&](int depth, nlohmann::detail::parse_event_t event, Json& parsed) {
    using Event = nlohmann::detail::parse_event_t;
    constexpr int kDeepest = 64;  // far beyond any real file, well short of the stack
    if (depth > kDeepest) throw InputError({document->name_, 0, 0, ""}, "is nested more than 64 levels deep");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second && duplicate.empty())
      duplicate = parsed.get<std::string>();
    return true;
  };
  try {
    document->root_ = Json::parse(document->text_, watch);
  } catch (const nlohmann::json::parse_error& error) {
    const auto [line, column] = line_and_column(document->text_, error.byte > 0 ? error.byte - 1 : 0);
    std::string what = error.what();
    if (const auto colon = what.find("syntax error"); colon != std::string::npos) what = what.substr(colon);
    if (const auto last = what.find("; last read"); last != std::string::npos) what = what.substr(0, last);
    std::replace(what.begin(), what.end(), '\n', ' ');
    throw InputError({document->name_, line, column, ""}, "not valid JSON: " + what);
  } catch (const nlohmann::json::out_of_range&) {
    throw InputError({document->name_, 0, 0, ""}, "not valid JSON: a number is too large for a double");
  }
  if (!duplicate.empty()) {
    const std::string quoted = Json(duplicate).dump();
    std::size_t offset = document->text_.find(quoted);
    if (const auto second = document->text_.find(quoted, offset + 1); second != std::string::npos) offset = second;
    const auto [line, column] = line_and_column(document->text_, offset);
    throw InputError({document->name_, line, column, ""}, "the key " + quoted + " appears twice in one object");
  }
  return document;
}

void Document::set(std::string_view dotted_path, std::string_view value) {
  const std::string option = "--set " + std::string(dotted_path) + "=" + std::string(value);
  if (dotted_path.empty()) throw InputError(option + ": the path is empty");
  Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) parsed = std::string(value);

  Json* at = &root_;
  std::string pointer;
  for (std::size_t begin = 0; begin <= dotted_path.size();) {
    const std::size_t end = std::min(dotted_path.find('.', begin), dotted_path.size());
    const std::string token(dotted_path.substr(begin, end - begin));
    const bool last = end == dotted_path.size();
    pointer += "/" + pointer_token(token);
    if (at->is_array()) {
      const bool digits = !token.empty() && token.size() < 10 &&
                          std::all_of(token.begin(), token.end(), [](unsigned char c) { return std::isdigit(c); });
      if (!digits || std::stoul(token) >= at->size())
        throw InputError(option + ": " + pointer + ": no such element (the array has " + std::to_string(at->size()) + ")");
      at = &(*at)[std::stoul(token)];
    } else if (at->is_object()) {
      if (!last && !at->contains(token)) {
        std::vector<std::string> known;
        for (const auto& [key, unused] : at->items()) known.push_back(key);
        throw InputError(option + ": " + pointer + ": no such member" + hint(token, known));
      }
      at = &(*at)[token];
    } else {
      throw InputError(option + ": " + pointer + ": the parent is " + kind_of(*at) + ", which has no members");
    }
    if (last) break;
    begin = end + 1;
  }
  *at = std::move(parsed);
  overrides_.emplace_back(pointer, option);
}

namespace {
void lay_under(Json& over, const Json& under) {
  for (const auto& [key, value] : under.items()) {
    if (!over.contains(key))
      over[key] = value;
    else if (over[key].is_object() && value.is_object())
      lay_under(over[key], value);
  }
}
}  // namespace

void Document::include(std::shared_ptr<const Document> base) {
  if (root_.is_object() && base->root().is_object()) lay_under(root_, base->root());
  bases_.push_back(std::move(base));
}

Location Document::locate(const std::string& pointer) const {
  for (auto it = overrides_.rbegin(); it != overrides_.rend(); ++it)
    if (pointer == it->first || (pointer.starts_with(it->first) && pointer[it->first.size()] == '/'))
      return {it->second, 0, 0, pointer};
  if (text_.empty()) return {name_, 0, 0, pointer};
  if (!bases_.empty()) {
    const Json own = Json::parse(text_);
    const Json::json_pointer at(pointer);
    if (!own.contains(at))
      for (const auto& base : bases_)
        if (base->root().contains(at)) return base->locate(pointer);
  }
  const auto [line, column] = line_and_column(text_, Locator(text_, pointer).find());
  return {name_, line, column, pointer};
}

Location Where::location() const {
  if (!document) return {"(built in)", 0, 0, pointer};
  Location location = document->locate(pointer);
  if (location.pointer.empty()) location.pointer = "/";
  return location;
}

Value Value::operator[](const std::string& key) const {
  if (!has(key)) throw error("\"" + key + "\" is missing");
  return {document_, &json_->at(key), pointer_ + "/" + pointer_token(key)};
}

Value Value::operator[](std::size_t index) const {
  return {document_, &json_->at(index), pointer_ + "/" + std::to_string(index)};
}

}  // namespace dynasoc
