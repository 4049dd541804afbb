// dynasoc_decide: leads a policy or a governor through a JSON text from standard input and prints what it decides, a
// line of JSON a step. An implementation of the same rules in another language can so be compared with ours on any
// sequence of observations.
//
//   {"policy": "pid", "vectors": […]}                        the format of tests/support/policy_desk.hpp
//   {"governor": "ondemand", "opps_mhz": […], "vectors": […]}  that of tests/support/governor_desk.hpp
//
// prints {"vector": 0, "step": 0, "writes": {"app.subnet": "L2"}, "why": {"app.subnet": {"binding", "slack", "margin",
// "reason"}}} or {"vector": 0, "step": 0, "mhz": 1000, "period_ms": 10, "wake_ms": null}. Expectations in the text are
// not looked at. Status 2 and a message where the text cannot be followed.
#include <iostream>
#include <iterator>

#include "support/governor_desk.hpp"

using namespace dynasoc;

namespace {

void lead(const Json& file) {
  int number = 0;
  for (const Json& vector : file.at("vectors")) {
    Json line = {{"vector", number++}, {"step", 0}};
    const auto each = [&](auto& desk, auto&& tell) {
      int step_number = 0;
      for (const Json& step : vector.at("steps")) {
        line["step"] = step_number++;
        tell(desk, step);
        std::cout << line.dump() << '\n';
      }
    };
    if (file.contains("governor")) {
      test::GovernorDesk desk(file["governor"].get<std::string>(), file, vector);
      each(desk, [&](test::GovernorDesk& governor_desk, const Json& step) {
        line["mhz"] = governor_desk.opps_mhz()[static_cast<std::size_t>(governor_desk.step(step))];
        line["period_ms"] = governor_desk.governor().period_ms();
        const Time wake = governor_desk.governor().wake();
        line["wake_ms"] = wake == kNever ? Json() : Json(to_ms(wake));
      });
    } else {
      test::PolicyDesk desk(file.at("policy").get<std::string>(), file, vector);
      each(desk, [&](test::PolicyDesk& policy_desk, const Json& step) {
        line["writes"] = policy_desk.step(step);
        line["why"] = Json::object();
        for (std::size_t i = 0; i < policy_desk.decision().writes.size(); ++i) {
          const manager::Why& why = policy_desk.decision().writes[i].why;
          line["why"][policy_desk.key(i)] = {{"binding", manager::name_of(why.binding)},
                                             {"slack", why.slack},
                                             {"margin", why.margin},
                                             {"reason", why.reason.text()}};
        }
      });
    }
  }
}

}  // namespace

int main() {
  try {
    std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    const auto document = Document::parse(std::move(text), "standard input");
    const Json& file = document->root();
    const bool governor = file.contains("governor");
    const std::string name = file.at(governor ? "governor" : "policy").get<std::string>();
    if (governor ? !manager::Registry<manager::Governor>::instance().has(name)
                 : !manager::Registry<manager::Policy>::instance().has(name))
      throw std::runtime_error("nothing registered as " + name);
    lead(file);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "dynasoc_decide: " << error.what() << '\n';
    return 2;
  }
}
