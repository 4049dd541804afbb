// Every policy against vectors worked by hand: tests/conformance/vectors/policies/<policy>.json, in the format that
// tests/support/policy_desk.hpp describes. Beside a vector's observations a step has
//
//   expect     {"app.subnet": "L2", "app.mapping": "gpu", "gpu.frequency": 1000, "gpu.governor": true, …}: all that may
//              be written, and nothing else may
//   expect_binding, expect_slack, expect_margin, expect_reason   of those writes: one value for all of them, or an
//              object by write; a reason must contain the words
//   because    the arithmetic
#include <filesystem>
#include <set>

#include <catch2/catch.hpp>

#include "support/policy_desk.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;
namespace fs = std::filesystem;

namespace {

const fs::path kVectors = fs::path(DYNASOC_SOURCE_DIR) / "tests/conformance/vectors/policies";
constexpr std::size_t kLeast = 12;

// They have test cases of their own.
const std::set<std::string> kTestedElsewhere{"none", "static", "dynamic-ofa", "dynamic-ofa-demo", "test-hook"};

// What a step says of one write, or null.
const Json* told(const Json& step, const char* member, const std::string& key) {
  if (!step.contains(member)) return nullptr;
  const Json& json = step[member];
  if (!json.is_object()) return &json;
  return json.contains(key) ? &json[key] : nullptr;
}

void follow(const std::string& policy, const Json& file, const Json& vector) {
  test::PolicyDesk desk(policy, file, vector);
  int number = 0;
  for (const Json& step : vector.at("steps")) {
    INFO(policy << ", " << vector.at("name").get<std::string>() << ", step " << ++number << ": "
                << step.at("because").get<std::string>());
    const Json& writes = desk.step(step);
    const Json& expected = step.at("expect");
    INFO("written " << writes.dump() << ", expected " << expected.dump());
    const bool as_expected = nlohmann::json(writes) == nlohmann::json(expected);  // whatever the order
    CHECK(as_expected);
    for (const char* member : {"expect_binding", "expect_slack", "expect_margin", "expect_reason"})
      if (step.contains(member) && step[member].is_object())
        for (const auto& [key, unused] : step[member].items()) CHECK(writes.contains(key));
    for (std::size_t i = 0; i < desk.decision().writes.size(); ++i) {
      const Why& why = desk.decision().writes[i].why;
      const std::string text = why.reason.text();
      INFO(desk.key(i) << ": " << text);
      CHECK(!text.empty());
      CHECK(std::isfinite(why.slack));
      CHECK(std::isfinite(why.margin));
      if (const Json* binding = told(step, "expect_binding", desk.key(i)))
        CHECK(name_of(why.binding) == binding->get<std::string>());
      if (const Json* slack = told(step, "expect_slack", desk.key(i)))
        CHECK(why.slack == Approx(slack->get<double>()).epsilon(1e-3).margin(1e-9));
      if (const Json* margin = told(step, "expect_margin", desk.key(i)))
        CHECK(why.margin == Approx(margin->get<double>()).epsilon(1e-3).margin(1e-9));
      if (const Json* reason = told(step, "expect_reason", desk.key(i)))
        CHECK(text.find(reason->get<std::string>()) != std::string::npos);
    }
  }
}

}  // namespace

TEST_CASE("policies write what vectors worked by hand say") {
  std::set<std::string> tested;
  for (const auto& entry : fs::directory_iterator(kVectors)) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().stem().string();
    INFO(name);
    REQUIRE(Registry<Policy>::instance().has(name));
    const auto document = Document::load(entry.path());
    const Json& file = document->root();
    CHECK(!file.at("source").get<std::string>().empty());
    if (!kTestedElsewhere.contains(name)) CHECK(file.at("vectors").size() >= kLeast);
    for (const Json& vector : file.at("vectors")) follow(name, file, vector);
    tested.insert(name);
  }
  for (const std::string& name : Registry<Policy>::instance().names()) {
    INFO("a policy without vectors: " << name);
    CHECK((tested.contains(name) || kTestedElsewhere.contains(name)));
  }
}
