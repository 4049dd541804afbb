// Ranking files: what is accepted is the same after being written, and what it names is there or refused.
#include "explore/ranking/file.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace ranking_target {

std::vector<std::string> seeds() {
  std::vector<std::string> out = files("scenarios/rtm-bench", ".rank.json");
  out.emplace_back(R"({"name": "two", "scenarios": ["steady"], "policies": ["none", "dynamic-ofa"],
      "metric": "run.cost", "replications": 2, "short": {"scenarios": ["steady"], "replications": 2, "without": []}})");
  return out;
}

bool read(const std::string& text) {
  static const Beside beside("scenarios/rtm-bench", "fuzzed.rank.json");
  explore::RankingFile file;
  if (!good_or_refused([&] { file = explore::load_ranking_file(beside.write(text)); })) return false;
  const Json written = to_json(file);
  Json again;
  if (!good_or_refused([&] { again = to_json(explore::load_ranking_file(beside.write(written.dump()))); }))
    throw Finding("is refused after being written: " + written.dump());
  if (again != written) throw Finding("is something else after being written: " + again.dump());
  // Scenarios are loaded and policies made for each: of the large ones the check would be all that there is time for.
  if (file.scenarios.size() * (file.policies.size() + 1) > 6) return true;
  return good_or_refused([&] { explore::lint_ranking(beside.write(text)); });
}

const Register registered{{.name = "ranking",
                           .doc = "ranking files (NAME.rank.json) and, of small ones, what they name",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{explore::ranking_schema()}; },
                           .mutants = 600}};

}  // namespace ranking_target
}  // namespace dynasoc::fuzz
