// Claim files: those that come along name scenarios beside them.
#include "results/checks/claim.hpp"

#include "target.hpp"

namespace dynasoc::fuzz {
namespace claim_target {

std::vector<std::string> seeds() { return files("scenarios/claims", ".claim.json"); }

bool read(const std::string& text) {
  static const Beside beside("scenarios/claims", "fuzzed.claim.json");
  return good_or_refused([&] { check::load_claim(beside.write(text)); });
}

const Register registered{{.name = "claim",
                           .doc = "claim files and everything that they name",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{object_schema<check::ClaimFile>()}; },
                           .mutants = 400}};

}  // namespace claim_target
}  // namespace dynasoc::fuzz
