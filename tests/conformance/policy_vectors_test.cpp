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

#include "kernel/random.hpp"
#include "support/policy_desk.hpp"
#include "support/source_dir.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;
namespace fs = std::filesystem;

namespace {

const fs::path kPolicyVectors = test::source_dir() / "tests/conformance/vectors/policies";
constexpr std::size_t kLeastVectors = 12;

// They have test cases of their own.
const std::set<std::string> kTestedElsewhere{"oracle",           "none",    "static",   "dynamic-ofa",
                                             "dynamic-ofa-demo", "learned", "test-hook"};

// What a step says of one write, or null.
const Json* told(const Json& step, const char* member, const std::string& key) {
  if (!step.contains(member)) return nullptr;
  const Json& json = step[member];
  if (!json.is_object()) return &json;
  return json.contains(key) ? &json[key] : nullptr;
}

void follow_policy(const std::string& policy, const Json& file, const Json& vector) {
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
  for (const auto& entry : fs::directory_iterator(kPolicyVectors)) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().stem().string();
    INFO(name);
    REQUIRE(Registry<Policy>::instance().has(name));
    const auto document = Document::load(entry.path());
    const Json& file = document->root();
    CHECK(!file.at("source").get<std::string>().empty());
    if (!kTestedElsewhere.contains(name)) CHECK(file.at("vectors").size() >= kLeastVectors);
    for (const Json& vector : file.at("vectors")) follow_policy(name, file, vector);
    tested.insert(name);
  }
  for (const std::string& name : Registry<Policy>::instance().names()) {
    INFO("a policy without vectors: " << name);
    CHECK((tested.contains(name) || kTestedElsewhere.contains(name)));
  }
}

// Boards, tables, targets and parameters drawn at random, half of the parameters at an end of their range.
TEST_CASE("whatever policies are shown, they write what there is, and say why in numbers") {
  for (const std::string& name : Registry<Policy>::instance().names()) {
    const Entry entry = Registry<Policy>::instance().entry(name);
    if (name == "test-hook" || !entry.required().empty()) continue;
    if (Registry<Policy>::instance().make(name, nullptr)->clairvoyant()) continue;
    const Json& schema = entry.schema.at("properties");
    for (std::uint64_t run = 0; run < 150; ++run) {
      const Stream draws(11, name, run);
      std::uint64_t n = 0;
      const auto uniform = [&] { return draws.uniform(n++); };
      const auto chance = [&](double p) { return uniform() < p; };
      const auto whole = [&](int below) { return static_cast<int>(below * uniform()); };

      Json parameters = Json::object();
      for (const auto& [key, option] : schema.items()) {
        if (chance(0.4)) continue;
        if (option.contains("enum")) parameters[key] = option["enum"][whole(static_cast<int>(option["enum"].size()))];
        if (option.value("type", "") == "boolean") parameters[key] = chance(0.6);
        if (option.contains("minimum") && option.contains("maximum") && chance(0.5))
          parameters[key] = option[chance(0.5) ? "minimum" : "maximum"];
      }
      const int opps = 1 + whole(6);
      Json clocks = Json::array();
      for (int i = 1; i <= opps; ++i) clocks.push_back(200 * i);
      const auto table = [&](int subnets, double scale) {
        Json out = Json::array();
        for (int i = 0; i < subnets; ++i) {
          Json row = Json::array();
          for (int opp = 0; opp < opps; ++opp)
            row.push_back(chance(0.05) ? Json() : Json(chance(0.05) ? 0 : scale * (i + 1) * uniform() / (opp + 1)));
          out.push_back(row);
        }
        return out;
      };
      Json vector = {{"parameters", parameters}};
      for (const char* unit : {"cpu", "gpu"}) {
        vector["board"]["domains"][unit] = {{"opps_mhz", clocks}, {"governed", chance(0.5)}};
        vector["board"]["units"][unit] = {{"domains", {unit}}};
        if (chance(0.5)) vector["board"]["units"][unit]["idle_w"] = std::vector<double>(opps, uniform());
      }
      const int apps = 1 + whole(3);
      for (int a = 0; a < apps; ++a) {
        const int subnets = 1 + whole(6);
        std::vector<double> accuracy;
        for (int i = 0; i < subnets; ++i) accuracy.push_back(chance(0.3) ? 70 : 60 + 30 * uniform());
        Json& app = vector["applications"]["app" + std::to_string(a)];
        app = {{"accuracy", accuracy}, {"unit", chance(0.5) ? "cpu" : "gpu"}, {"active", chance(0.9)}};
        for (const char* unit : {"cpu", "gpu"})
          if (chance(0.9)) {
            app["latency_ms"][unit] = table(subnets, 200);
            if (chance(0.9)) app["energy_mj"][unit] = table(subnets, 500);
          }
      }
      INFO(name << ", run " << run << ": " << vector.dump());
      test::PolicyDesk desk(name, Json::object(), vector);
      double now_ms = 0;
      for (int k = 0; k < 60; ++k) {
        const std::string app = "app" + std::to_string(whole(apps));
        Json step = {{"at_ms", now_ms}, {"subject", app}, {"explain", chance(0.3)}, {"set", Json::object()}};
        const double kind = uniform();
        step["trigger"] = k == 0       ? "start"
                          : kind < 0.6 ? "completion"
                          : kind < 0.8 ? "period"
                          : kind < 0.9 ? "arrival"
                                       : "target_change";
        if (k == 0 || kind >= 0.9) {
          step["set"][app + ".latency_target_ms"] = chance(0.2) ? 0 : 300 * uniform();
          step["set"][app + ".accuracy_floor"] = chance(0.5) ? 0 : 100 * uniform();
          step["set"][app + ".energy_budget_mj"] = chance(0.7) ? 0 : 500 * uniform();
          step["set"][app + ".power_budget_w"] = chance(0.7) ? 0 : 10 * uniform();
          step["set"][app + ".active"] = chance(0.9);
          step["set"][app + ".switch_ms"] = chance(0.5) ? 0 : 400 * uniform();
        }
        if (chance(0.1)) {
          const int lowest = whole(opps), highest = lowest + whole(opps - lowest);
          step["set"]["gpu.lowest_mhz"] = clocks[lowest];
          step["set"]["gpu.highest_mhz"] = clocks[highest];
        }
        if (chance(0.3)) step["set"]["temperatures_c"] = {120 * uniform(), chance(0.2) ? Json() : Json(50)};
        step["set"][app + ".waiting"] = chance(0.5) ? 0 : whole(50);
        step["set"][app + ".oldest_wait_ms"] = chance(0.5) ? 0 : 1000 * uniform();
        if (kind < 0.6) {
          const double service_ms = chance(0.05) ? 0 : 400 * uniform();
          step["complete"] = {{{"app", app},
                               {"service_ms", service_ms},
                               {"latency_ms", service_ms + 100 * uniform()},
                               {"profile_ms", chance(0.1) ? 0 : 200 * uniform()},
                               {"repeat", chance(0.05) ? 100 : 1}}};
        }
        REQUIRE_NOTHROW(desk.step(step));
        for (const Write& write : desk.decision().writes) {
          REQUIRE(std::isfinite(write.why.slack));
          REQUIRE(std::isfinite(write.why.margin));
          const std::string reason = write.why.reason.text();
          REQUIRE(reason.find("nan") == std::string::npos);
          REQUIRE(reason.find("inf") == std::string::npos);
        }
        now_ms += chance(0.1) ? 0 : 300 * uniform();
      }
    }
  }
}
