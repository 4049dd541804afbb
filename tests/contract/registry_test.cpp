// What does the binary hold? A policy or governor whose object file is dropped, or that somebody forgot to list, shows
// here.
#include <cstdio>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "manager/governor.hpp"
#include "manager/policy.hpp"

namespace dynasoc::test {
namespace {

using manager::Governor;
using manager::Policy;
using manager::Registry;

const std::vector<std::string> kPolicies{"alert",    "band-heft",    "critical-speed",
                                         "dream",    "dynamic-ofa",  "dynamic-ofa-demo",
                                         "dysta",    "edf",          "edgeserving",
                                         "fifo",     "hierarchical", "learned",
                                         "legodnn",  "lst",          "mpc",
                                         "nestdnn",  "neuos",        "none",
                                         "oracle",   "pace",         "pid",
                                         "planaria", "prema",        "prime-q",
                                         "proteus",  "race-to-idle", "sdrm3",
                                         "sjf",      "static",       "ucb",
                                         "ztt"};
const std::vector<std::string> kGovernors{"conservative", "interactive",     "jetson_clocks", "nvhost_podgov",
                                          "ondemand",     "performance",     "podgov",        "powersave",
                                          "schedutil",    "simple_ondemand", "userspace"};

// Those of the product; the tests' own start with `test-`.
template <class Interface>
std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const std::string& name : Registry<Interface>::instance().names())
    if (!name.starts_with("test-")) out.push_back(name);
  return out;
}

template <class Interface>
void check_documented() {
  for (const std::string& name : names<Interface>()) {
    INFO(Interface::what << " " << name);
    const manager::Entry& entry = Registry<Interface>::instance().entry(name);
    CHECK(entry.name == name);
    CHECK(entry.doc.size() > 10);
    // Lower case with dashes; governors by their names in sysfs, which have underscores.
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
    CHECK(entry.schema.at("additionalProperties") == false);
    for (const auto& [parameter, schema] : entry.schema.at("properties").items()) {
      INFO("parameter " << parameter);
      CHECK(std::string(schema.at("description")).size() > 3);
      if (parameter == "comment") continue;
      CHECK((schema.contains("type") || schema.contains("enum")));
      const std::string type = schema.value("type", "enum");
      // What may be left out says what it then is; lists and objects are empty, and texts are for people.
      if (type != "array" && type != "object" && type != "string") CHECK(schema.contains("default"));
      if (schema.contains("type") && (schema["type"] == "number" || schema["type"] == "integer"))
        CHECK((schema.contains("minimum") || schema.contains("exclusiveMinimum")));
    }
    CHECK(Registry<Interface>::instance().make(name, nullptr) != nullptr);  // with all defaults
  }
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  char buffer[4096];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  CHECK(pclose(pipe) == 0);
  return out;
}

std::vector<std::string> listed(const char* what) {
  const Json json = Json::parse(output_of(std::string(DYNASOC_BINARY) + " list " + what + " --json"));
  const Json& list = json.is_array() ? json : json.at(what);
  std::vector<std::string> out;
  for (const Json& one : list) out.push_back(std::string(one.at("name")));
  return out;
}

TEST_CASE("exactly the policies and governors that there should be, in the library and in the program", "[registry]") {
  CHECK(names<Policy>() == kPolicies);
  CHECK(names<Governor>() == kGovernors);
  CHECK(listed("policies") == kPolicies);
  CHECK(listed("governors") == kGovernors);
}

TEST_CASE("each says what it is, and each of its parameters has a meaning, a type, a default and bounds",
          "[registry]") {
  check_documented<Policy>();
  check_documented<Governor>();
}

TEST_CASE("parameters are checked when they are read, and the nearest name is offered", "[registry]") {
  const auto message = [](const char* text) -> std::string {
    const auto document = Document::parse(text, "scenario.json");
    try {
      manager::Choice<Policy>::from_value(Value(document));
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(message(R"("dynamic-ofa")") == "accepted");
  CHECK(message(R"({"name": "dynamic-ofa", "hysteresis": 0.1})") == "accepted");
  CHECK_THAT(message(R"("dynamic-of")"), Catch::Contains("did you mean \"dynamic-ofa\""));
  CHECK_THAT(message(R"({"name": "dynamic-ofa", "hysterisis": 0.1})"),
             Catch::Contains("hysterisis") && Catch::Contains("did you mean \"hysteresis\""));
  CHECK_THAT(message(R"({"name": "dynamic-ofa", "hysteresis": 2})"),
             Catch::Contains("/hysteresis") && Catch::Contains("scenario.json:1:"));
  CHECK_THAT(message(R"({"name": "dynamic-ofa", "dvfs": 1})"), Catch::Contains("/dvfs"));
  CHECK_THAT(message(R"({"name": "dynamic-ofa-demo", "variant": "artifact"})"),
             Catch::Contains("did you mean \"artefact\""));
  CHECK_THAT(message(R"({"hysteresis": 0.1})"), Catch::Contains("name"));
  CHECK_THAT(message("3"), Catch::Contains("a name"));
}

TEST_CASE("two objects of one policy share nothing", "[registry]") {
  const auto& registry = Registry<Policy>::instance();
  for (const std::string& name : names<Policy>()) CHECK(registry.make(name, nullptr) != registry.make(name, nullptr));
}

}  // namespace
}  // namespace dynasoc::test
