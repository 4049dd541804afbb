// dynasoc_decide: leads a policy or a governor through a JSON text from standard input and prints what it decides, a
// line of JSON a step. An implementation of the same rules in another language can so be compared with ours on any
// sequence of observations.
//
//   {"policy": "pid", "vectors": […]}                        the format of tests/support/policy_desk.hpp
//   {"governor": "ondemand", "opps_mhz": […], "vectors": […]}  that of tests/support/governor_desk.hpp
//
// prints {"vector": 0, "step": 0, "writes": {"app.subnet": "L2"}, "why": {"app.subnet": {"binding", "slack", "margin",
// "reason"}}} or {"vector": 0, "step": 0, "mhz": 1000, "period_ms": 10, "wake_ms": null}. Expectations in the text are
// not looked at. With `--lines` each line is a text of its own, and an empty line follows its answer. Status 2 and a
// message where a text cannot be followed.
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

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

void answer(std::string text, const std::string& origin) {
  const auto document = Document::parse(std::move(text), origin);
  const Json& file = document->root();
  const bool governor = file.contains("governor");
  const std::string name = file.at(governor ? "governor" : "policy").get<std::string>();
  if (governor ? !manager::Registry<manager::Governor>::instance().has(name)
               : !manager::Registry<manager::Policy>::instance().has(name))
    throw std::runtime_error("nothing registered as " + name);
  lead(file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2 && std::string_view(argv[1]) == "--lines") {
      int number = 0;
      for (std::string line; std::getline(std::cin, line); std::cout << '\n')
        answer(std::move(line), "line " + std::to_string(++number));
    } else if (argc == 1) {
      answer({std::istreambuf_iterator<char>(std::cin), {}}, "standard input");
    } else {
      throw std::runtime_error("the only option is --lines");
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "dynasoc_decide: " << error.what() << '\n';
    return 2;
  }
}
