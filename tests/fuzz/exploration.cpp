// Exploration files: what is accepted is the same after being written, and spans a space.
#include "explore/exploration/file.hpp"
#include "explore/exploration/space.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace exploration_target {

std::vector<std::string> seeds() { return files("scenarios/explore", ".explore.json"); }

bool read(const std::string& text) {
  explore::ExplorationFile file;
  const auto load = [](const std::string& from, const char* name) {
    return explore::read_exploration(Document::parse(from, name));
  };
  if (!good_or_refused([&] { file = load(text, "text.explore.json"); })) return false;
  const Json written = to_json(file);
  Json again;
  if (!good_or_refused([&] { again = to_json(load(written.dump(), "written.explore.json")); }))
    throw Finding("is refused after being written: " + written.dump());
  if (again != written) throw Finding("is something else after being written: " + again.dump());
  return true;
}

const Register registered{{.name = "exploration",
                           .doc = "exploration files, and the space that they span",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{object_schema<explore::ExplorationFile>()}; },
                           .mutants = 3000}};

}  // namespace exploration_target
}  // namespace dynasoc::fuzz
