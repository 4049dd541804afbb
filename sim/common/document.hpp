// JSON files that remember where everything in them stood, so that an error can point at it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace dynasoc {

using Json = nlohmann::ordered_json;  // keeps the file's order: applications are reported as they are listed

/// A parsed JSON text and its origin. Immutable once loaded, but for overrides applied with `set`.
class Document {
 public:
  /// Reads a file. Throws InputError for a missing or unreadable file, a syntax error, a duplicate key, a number that
  /// does not fit a double.
  static std::shared_ptr<Document> load(const std::filesystem::path& path);

  /// Parses `text`; `name` stands where a file's name would in messages.
  static std::shared_ptr<Document> parse(std::string text, std::string name);

  /// Replaces (or adds) the value at a dotted path, `applications.camera.targets.0.latency_ms`. `value` is JSON, or a
  /// bare word, which is taken as a string. Throws InputError where the path's parent does not exist.
  void set(std::string_view dotted_path, std::string_view value);

  /// Lays `base` under this document: members that only `base` has are added, objects are merged, everything else stays.
  /// Messages about added members name `base`'s file.
  void include(std::shared_ptr<const Document> base);

  /// Takes a member out of the root (a directive, once obeyed).
  void drop(const std::string& key) { root_.erase(key); }

  const Json& root() const { return root_; }
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  /// The place of a pointer's value; where it was overridden from the command line, the option is named instead.
  Location locate(const std::string& pointer) const;

 private:
  std::string name_;
  std::string text_;
  Json root_;
  std::vector<std::shared_ptr<const Document>> bases_;
  std::vector<std::pair<std::string, std::string>> overrides_;  // pointer -> "--set path=value"
};

/// Where a value came from: enough to complain about it later. Cheap to copy.
struct Where {
  std::shared_ptr<const Document> document;
  std::string pointer;

  Location location() const;
  InputError error(const std::string& message) const { return InputError(location(), message); }
};

/// One value of a document, with its pointer.
class Value {
 public:
  Value(std::shared_ptr<const Document> document, const Json* json, std::string pointer)
      : document_(std::move(document)), json_(json), pointer_(std::move(pointer)) {}
  explicit Value(std::shared_ptr<const Document> document)
      : document_(std::move(document)), json_(&document_->root()) {}

  const Json& json() const { return *json_; }
  const std::string& pointer() const { return pointer_; }
  const std::shared_ptr<const Document>& document() const { return document_; }
  Where where() const { return {document_, pointer_}; }
  InputError error(const std::string& message) const { return where().error(message); }

  bool has(const std::string& key) const { return json_->is_object() && json_->contains(key); }
  Value operator[](const std::string& key) const;  ///< throws InputError when missing
  Value operator[](std::size_t index) const;

 private:
  std::shared_ptr<const Document> document_;
  const Json* json_;
  std::string pointer_;
};

/// `a string`, `an object`, … for messages.
std::string kind_of(const Json& json);

/// Escapes a key for use in a JSON pointer (RFC 6901).
std::string pointer_token(std::string_view key);

}  // namespace dynasoc
