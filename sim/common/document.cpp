#include "common/document.hpp"

#include <algorithm>
#include <cctype>

#include "common/text.hpp"

namespace dynasoc {

std::string kind_of(const Json& json) {
  switch (json.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "an array";
    case Json::value_t::string: return "the string " + in_quotes(json.get_ref<const std::string&>());
    case Json::value_t::boolean: return json.get<bool>() ? "true" : "false";
    default: return "the number " + plain_number(json.get<double>());
  }
}

std::shared_ptr<Document> Document::load(const std::filesystem::path& path) {
  return parse(read_file(path), path.string());
}

std::shared_ptr<Document> Document::parse(std::string text, std::string name) {
  auto document = std::make_shared<Document>();
  document->name_ = std::move(name);
  document->text_ = std::move(text);
  document->root_ = read_json(document->text_, document->name_);
  return document;
}

std::shared_ptr<Document> Document::part(std::shared_ptr<const Document> whole, const std::string& pointer) {
  auto document = std::make_shared<Document>();
  document->name_ = whole->name();
  document->root_ = whole->root().at(Json::json_pointer(pointer));
  document->whole_ = std::move(whole);
  document->prefix_ = pointer;
  return document;
}

namespace {

// JSON, or a bare word. What begins like JSON must be JSON.
Json value_of_option(const std::string& option, std::string_view value) {
  if (first_invalid_utf8(value) < value.size()) throw InputError(option + ": is not valid UTF-8");
  try {
    return read_json(std::string(value), option);
  } catch (const InputError&) {
    if (!value.empty() && std::string_view("{[\"").find(value[0]) != std::string_view::npos) throw;
    return std::string(value);
  }
}

void lay_under(Json& over, const Json& under) {
  for (const auto& [key, value] : under.items()) {
    if (!over.contains(key))
      over[key] = value;
    else if (over[key].is_object() && value.is_object())
      lay_under(over[key], value);
  }
}

// The end of the last whole character before `most`.
std::size_t valid_cut(std::string_view utf8, std::size_t most) {
  while (most > 0 && (static_cast<unsigned char>(utf8[most]) & 0xC0) == 0x80) --most;
  return most;
}

}  // namespace

void Document::set(std::string_view dotted_path, std::string_view value) {
  constexpr std::size_t kShown = 200;  // of a value, in messages: a trained policy has ten thousand numbers
  const std::string option =
      "--set " + std::string(dotted_path) + "=" +
      (value.size() <= kShown ? std::string(value) : std::string(value.substr(0, valid_cut(value, kShown))) + "…");
  if (dotted_path.empty()) throw InputError(option + ": the path is empty");
  if (first_invalid_utf8(dotted_path) < dotted_path.size()) throw InputError(option + ": is not valid UTF-8");
  Json parsed = value_of_option(option, value);

  Json* at = &root_;
  std::string pointer;
  for (std::size_t begin = 0; begin <= dotted_path.size();) {
    const std::size_t end = std::min(dotted_path.find('.', begin), dotted_path.size());
    const std::string token(dotted_path.substr(begin, end - begin));
    const bool last = end == dotted_path.size();
    pointer += "/" + pointer_token(token);
    if (token.empty()) throw InputError(option + ": " + pointer + ": a name in the path is empty");
    if (at->is_array()) {
      const bool digits =
          token.size() < 10 && std::all_of(token.begin(), token.end(), [](unsigned char c) { return std::isdigit(c); });
      if (!digits || std::stoul(token) >= at->size())
        throw InputError(option + ": " + pointer + ": no such element; the array has " + std::to_string(at->size()) +
                         ", counted from 0");
      at = &(*at)[std::stoul(token)];
    } else if (at->is_object()) {
      if (!last && !at->contains(token)) {
        std::vector<std::string> known;
        for (const auto& [key, unused] : at->items()) known.push_back(key);
        if (at != &root_) throw InputError(option + ": " + pointer + ": no such member" + hint(token, known));
        // A field that the file leaves out begins as an object; whether there is such a field is for the reader to say.
        (*at)[token] = Json::object();
        overrides_.emplace_back(pointer, Location{option, 0, 0, ""});
      }
      at = &(*at)[token];
    } else {
      throw InputError(option + ": " + pointer + ": its parent is " + kind_of(*at) + ", which has no members");
    }
    if (last) break;
    begin = end + 1;
  }
  *at = std::move(parsed);
  overrides_.emplace_back(pointer, Location{option, 0, 0, ""});
}

void Document::put(const std::string& pointer, Json value, const std::optional<Location>& place) {
  if (place) overrides_.emplace_back(pointer, *place);
  Json* at = &root_;
  Json::json_pointer path(pointer);
  std::vector<std::string> tokens;
  for (; !path.empty(); path.pop_back()) tokens.push_back(path.back());
  std::string here;
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
    if (at->is_null()) *at = Json::object();
    if (at->is_array()) {
      const std::size_t index = token->size() < 10 && token->find_first_not_of("0123456789") == std::string::npos
                                    ? std::stoul(*token)
                                    : at->size();
      if (index >= at->size())
        throw InputError(locate(here), "has no element " + in_quotes(*token) + "; it has " +
                                           std::to_string(at->size()) + ", counted from 0");
      at = &(*at)[index];
    } else if (at->is_object()) {
      at = &(*at)[*token];
    } else {
      throw InputError(locate(here), "is " + kind_of(*at) + ", which has no member " + in_quotes(*token));
    }
    here += "/" + pointer_token(*token);
  }
  *at = std::move(value);
}

void Document::include(std::shared_ptr<const Document> base) {
  if (bases_.empty()) own_ = root_;
  if (root_.is_object() && base->root().is_object()) lay_under(root_, base->root());
  bases_.push_back(std::move(base));
}

Location Document::locate(const std::string& pointer, bool key) const {
  for (auto it = overrides_.rbegin(); it != overrides_.rend(); ++it)
    if (pointer == it->first || (pointer.starts_with(it->first) && pointer[it->first.size()] == '/'))
      return {it->second.file, it->second.line, it->second.column, pointer};
  if (!bases_.empty()) {
    const Json::json_pointer at(pointer);
    if (!own_.contains(at))
      for (const auto& base : bases_)
        if (base->root().contains(at)) return base->locate(pointer, key);
  }
  if (whole_) return whole_->locate(prefix_ + pointer, key);
  if (text_.empty()) return {name_, 0, 0, pointer};
  const auto [line, column] = line_and_column(text_, offset_in_json(text_, pointer, key));
  return {name_, line, column, pointer};
}

Location Where::location(bool key) const {
  if (!document) return {"(built in)", 0, 0, pointer};
  Location location = document->locate(pointer, key);
  if (location.pointer.empty()) location.pointer = "/";
  return location;
}

Value Value::operator[](const std::string& key) const {
  if (!has(key)) throw error("\"" + key + "\" is missing");
  return {document_, &json_->at(key), pointer_ + "/" + pointer_token(key)};
}

Value Value::operator[](std::size_t index) const {
  if (!json_->is_array() || index >= json_->size()) throw error("element " + std::to_string(index) + " is missing");
  return {document_, &(*json_)[index], pointer_ + "/" + std::to_string(index)};
}

}  // namespace dynasoc
