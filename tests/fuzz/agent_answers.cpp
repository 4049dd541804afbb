// What an agent answers to the host: understood, or refused as an OutsideError of one readable line. The agent is
// `cat`.
#include <sys/stat.h>

#include <fstream>

#include "board/agent.hpp"
#include "board/probe.hpp"
#include "board/session.hpp"
#include "common/temporary_folder.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "scenario/scenario.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace agent_answers_target {

// hello is request 1, nine pings follow.
std::string greeting() {
  std::string out = R"({"id":1,"ok":{"protocol":1,"agent":"0.1.0","clock_ns":1000,"lease_ms":2000,"dry_run":false}})"
                    "\n";
  for (int id = 2; id <= 10; ++id)
    out += R"({"id":)" + std::to_string(id) + R"(,"ok":{"clock_ns":)" + std::to_string(1000 * id) + "}}\n";
  return out;
}

std::vector<std::string> seeds() {
  return {
      greeting() +
      R"({"id":11,"ok":{"board":{"model":"A board","soc":null},"cpus":[{"cpu":0},{"cpu":1},{"cpu":2}],)"
      R"("domains":[{"name":"cpu0","kind":"cpu","path":"/sys/x/cpu0","cpus":[0,1,2],"opps_mhz":[500,1000,2000],"mhz":500,"governor":"schedutil","writable":true},)"
      R"({"name":"gpu","kind":"gpu","path":"/sys/devfreq/17000000.gpu","opps_mhz":[200,400],"mhz":200,"governor":"nvhost_podgov"},)"
      R"({"name":"emc","kind":"memory","opps_mhz":[1600],"mhz":1600}],)"
      R"("rails":[{"name":"in0","label":"VDD_IN","power_w":3.5},{"name":"in1","label":"VDD_CPU_GPU_CV","power_w":1}],)"
      R"("thermal":[{"zone":"0","type":"CPU-therm","temperature_c":40,"trips":[{"type":"critical","temperature_c":96}]}],)"
      R"("modes":{"current":"MAXN","known":[]},"problems":[{"what":"a","severity":"warning","remedy":"b"}]}})"
      "\n"};
}

// What becomes of answers to `probe`.
void probe(board::Agent& agent) {
  const Json answer = agent.call({{"op", "probe"}});
  const board::ProbedPlatform platform = board::platform_of(answer, board::platform_name_of(answer));
  board::probe_text(answer, platform);
  if (!good_or_refused([&] {
        Platform::from(dynasoc::read<PlatformFile>(Value(Document::parse(platform.platform.dump(), "platform.json"))));
      }))
    return;  // a board of which no platform can be made; the file says why
}

bool read(const std::string& text) {
  static const TemporaryFolder folder;
  static const std::string program = [] {
    const std::string path = folder.path() / "agent";
    write_file(path, "#!/bin/sh\nexec cat '" + (folder.path() / "answers").string() + "'\n");
    ::chmod(path.c_str(), 0755);
    return path;
  }();
  std::ofstream(folder.path() / "answers", std::ios::binary | std::ios::trunc) << text;
  board::Target target;
  target.agent = program;
  try {
    board::Agent agent(target);
    probe(agent);
    return true;
  } catch (const InputError&) {
    return false;
  } catch (const OutsideError& error) {
    const std::string_view what = error.what();
    for (const char c : what)
      if (static_cast<unsigned char>(c) < 0x20) throw Finding("control characters in: " + std::string(what));
    if (what.size() > 1000) throw Finding("too long: " + std::string(what));
    return false;
  }
}

const Register registered{{.name = "agent-answers",
                           .doc = "what dynasoc-agent sends to the host, up to a platform file",
                           .seeds = seeds,
                           .read = read,
                           .mutants = 100}};

}  // namespace agent_answers_target
}  // namespace dynasoc::fuzz
