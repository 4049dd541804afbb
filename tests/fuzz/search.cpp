// Search files.
#include "explore/search/search.hpp"

#include "target.hpp"

namespace dynasoc::fuzz {
namespace search_target {

std::vector<std::string> seeds() { return files("scenarios/search", ".json"); }

bool read(const std::string& text) {
  static const Beside beside("scenarios/search", "fuzzed.json");
  return good_or_refused([&] { search::prepare(beside.write(text)); });
}

const Register registered{{.name = "search",
                           .doc = "search files with their super-network and tables",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{object_schema<search::SearchFile>()}; },
                           .mutants = 300}};

}  // namespace search_target
}  // namespace dynasoc::fuzz
