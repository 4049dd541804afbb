// JSON files that remember where everything in them stood, so that an error can point at it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/json_reader.hpp"

namespace dynasoc {

/// A parsed JSON text and its origin. Immutable once loaded, but for overrides applied with `set`.
class Document {
 public:
  /// Reads a file. Throws InputError for one that cannot be read and for what `read_json` refuses.
  static std::shared_ptr<Document> load(const std::filesystem::path& path);

  /// Parses `text`; `name` stands where a file's name would in messages.
  static std::shared_ptr<Document> parse(std::string text, std::string name);

  /// The value at `pointer` of another document as a document of its own; messages name the other's file and places.
  static std::shared_ptr<Document> part(std::shared_ptr<const Document> whole, const std::string& pointer);

  /// Replaces (or adds) the value at a dotted path, `applications.camera.targets.0.latency_ms`. `value` is JSON, or a
  /// bare word, which is taken as a string. Throws InputError where the path's parent does not exist.
  void set(std::string_view dotted_path, std::string_view value);

  /// Replaces (or adds) the value at a JSON pointer. Messages about it name `place`, or else go on naming the place
  /// where the old one stood. Throws InputError where the pointer leads through a number or a string, or beyond the end
  /// of an array.
  void put(const std::string& pointer, Json value, const std::optional<Location>& place = {});

  /// Lays `base` under this document: members that only `base` has are added, objects are merged, everything else
  /// stays. Messages about added members name `base`'s file.
  void include(std::shared_ptr<const Document> base);

  /// Takes a member out of the root (a directive, once obeyed).
  void drop(const std::string& key) { root_.erase(key); }

  const Json& root() const { return root_; }
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  /// The place of a pointer's value (of its member's name if `key`); where it was overridden from the command line, the
  /// option is named instead.
  Location locate(const std::string& pointer, bool key = false) const;

 private:
  std::string name_;
  std::string text_;
  Json root_;
  Json own_;  // the root as it was before anything was laid under it
  std::vector<std::shared_ptr<const Document>> bases_;
  std::shared_ptr<const Document> whole_;                    // that this is a part of
  std::string prefix_;                                       // where in it
  std::vector<std::pair<std::string, Location>> overrides_;  // pointer -> what to name: "--set path=value", a line
};

/// Where a value came from: enough to complain about it later. Cheap to copy.
struct Where {
  std::shared_ptr<const Document> document;
  std::string pointer;

  Location location(bool key = false) const;
  InputError error(const std::string& message) const { return InputError(location(), message); }
  /// For a member that should not be there at all: points at its name.
  InputError key_error(const std::string& message) const { return InputError(location(true), message); }

  /// The place of something inside.
  Where operator/(std::string_view key) const { return {document, pointer + "/" + pointer_token(key)}; }
  Where operator/(std::size_t index) const { return {document, pointer + "/" + std::to_string(index)}; }
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

/// `the number 5`, `the string "x"`, `an object`, … for messages.
std::string kind_of(const Json& json);

}  // namespace dynasoc
