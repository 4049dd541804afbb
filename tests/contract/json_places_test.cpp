// Where in a file something stands: for every value of the files that come along.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "common/document.hpp"

namespace dynasoc {
namespace {

std::vector<std::filesystem::path> json_files() {
  std::vector<std::filesystem::path> out;
  for (const char* folder : {"scenarios", "platforms", "models"})
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(DYNASOC_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".json" && entry.path().string().find("/raw/") == std::string::npos &&
          entry.file_size() <= 40'000)
        out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  REQUIRE(!out.empty());
  return out;
}

TEST_CASE("every place in a JSON text can be told") {
  for (const std::filesystem::path& path : json_files()) {
    const auto document = Document::load(path);
    const std::string& text = document->text();
    int visited = 0, wrong = 0;
    const auto visit = [&](const auto& self, const Json& json, const std::string& pointer) -> void {
      if (++visited > 300) return;
      const std::size_t at = offset_in_json(text, pointer, false);
      const auto [line, column] = line_and_column(text, at);
      const Location location = document->locate(pointer);
      wrong += location.line != line || location.column != column;
      // What begins there is that value.
      const std::string begins = json.is_object()   ? "{"
                                 : json.is_array()  ? "["
                                 : json.is_string() ? "\""
                                                    : text.substr(at, 1);
      wrong += text.compare(at, begins.size(), begins) != 0;
      if (json.is_number()) wrong += std::stod(text.substr(at, 40)) != json.get<double>();
      if (json.is_object())
        for (const auto& [key, member] : json.items()) {
          const std::string inner = pointer + "/" + pointer_token(key);
          wrong += text[offset_in_json(text, inner, true)] != '"';
          self(self, member, inner);
        }
      if (json.is_array())
        for (std::size_t i = 0; i < json.size(); ++i) self(self, json[i], pointer + "/" + std::to_string(i));
    };
    visit(visit, document->root(), "");
    INFO(path);
    CHECK(visited > 5);
    CHECK(wrong == 0);
  }
}

}  // namespace
}  // namespace dynasoc
