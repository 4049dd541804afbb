// The page: one HTML file with its data, style, scripts and chart library in it, which asks nobody for anything.
#pragma once

#include <string>
#include <string_view>

#include "common/json_reader.hpp"

namespace dynasoc::report {

/// A file inside the program; the table ends with one whose name is null (cmake/embed.cmake).
struct EmbeddedFile {
  const char *name, *begin, *end;
};
extern const EmbeddedFile kPageFiles[];

/// Text as it may stand between tags and in attributes.
std::string html_text(std::string_view text);

/// JSON as it may stand inside a script element: whatever the texts in it are, nothing in it ends the element, and
/// it reads back as the same JSON.
std::string script_json(const Json& json);

/// A template with its {{title}}, {{styles}}, {{library}}, {{scripts}} and {{data}} filled in, each as often as it
/// occurs; what is filled in is not looked through again. Throws InternalError for another name in double braces.
struct PageParts {
  std::string title;  ///< plain text
  std::string_view styles, library, scripts;
  std::string data;  ///< of `script_json`
};
std::string fill_page(std::string_view page, const PageParts& parts);

/// The page of a payload.
std::string page_of(const Json& payload);

}  // namespace dynasoc::report
