// Thousands of mutants of the files that come along, for every parser: each is either good or refused with a place.
#include "support/fuzz.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "application/network.hpp"
#include "common/text.hpp"
#include "device/platform.hpp"
#include "results/output.hpp"
#include "scale.hpp"
#include "scenario/scenario.hpp"
#include "support/lab.hpp"
#include "world/run.hpp"

namespace dynasoc::test {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = DYNASOC_SOURCE_DIR;

std::vector<fs::path> files(const std::string& folder, const std::string& name_or_ending,
                            std::uintmax_t most_bytes = 40'000) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    const fs::path& path = entry.path();
    const bool wanted = path.filename() == name_or_ending || path.extension() == name_or_ending;
    if (wanted && path.string().find("/raw/") == std::string::npos && entry.is_regular_file() &&
        entry.file_size() <= most_bytes)
      out.push_back(path);
  }
  std::sort(out.begin(), out.end());
  REQUIRE(!out.empty());
  return out;
}

/// Mutants of all of `paths`, `count` in sum; `load` gets each. At least a hundredth is accepted and refused: else
/// nothing but the first line of the parser is tested.
template <class Load>
void fuzz(const std::vector<fs::path>& paths, int count, Load load) {
  std::map<std::string, int> complaints;
  int accepted = 0;
  for (int i = 0; i < count; ++i) {
    const fs::path& path = paths[static_cast<std::size_t>(i) % paths.size()];
    Mutator mutate(static_cast<std::uint64_t>(i));
    const std::string text = mutate(read_file(path));
    INFO("mutant " << i << " of " << path);
    bool good = false;
    const std::string wrong = misbehaviour([&] {
      load(text, path);
      good = true;
    });
    accepted += good;
    if (!wrong.empty() && complaints[wrong]++ == 0) CHECK(wrong == "");
  }
  CHECK(accepted > count / 100);
  CHECK(accepted < count - count / 100);
}

/// Runs a setup's beginning, as far as a few hundred thousand events go.
void run_a_little(const Setup& given) {
  struct Enough {};
  Setup setup = given;
  setup.duration = std::min(setup.duration, from_s(2));
  setup.warmup = std::min(setup.warmup, setup.duration / 2);
  int calls = 0;
  try {
    simulate(setup, {true, true, setup.duration / 50 + 1}, EngineKind::native, 0, [&](double) {
      if (++calls > 3) throw Enough{};
    });
  } catch (const Enough&) {
  }
}

std::vector<fs::path> json_files() {
  std::vector<fs::path> out = files("scenarios", ".json");
  for (const auto& more : {files("platforms", ".json"), files("models", "network.json")})
    out.insert(out.end(), more.begin(), more.end());
  return out;
}

TEST_CASE("mutants of JSON texts: read or refused, and the same values as another reader's") {
  int same = 0, stricter = 0;
  fuzz(json_files(), scaled(12'000), [&](const std::string& text, const fs::path& path) {
    const Json other = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    Json own;
    try {
      own = read_json(text, path.string());
    } catch (const InputError& error) {
      const std::string_view what = error.what();
      // Refused although JSON leaves it open; everything else both refuse.
      if (!other.is_discarded()) {
        ++stricter;
        const bool meant = what.find("appears twice") != std::string_view::npos ||
                           what.find("nested more") != std::string_view::npos ||
                           text.starts_with("\xef\xbb\xbf");  // read_file takes it off
        if (!meant) throw InternalError("only refused here: " + std::string(what));
      }
      throw;
    }
    if (own != other) throw InternalError("read differently: " + own.dump().substr(0, 200));
    ++same;
  });
  CHECK(same > scaled(12'000) / 20);
  CHECK(stricter > 0);
}

TEST_CASE("every place in a JSON text can be told") {
  for (const fs::path& path : json_files()) {
    const auto document = Document::load(path);
    const std::string& text = document->text();
    int visited = 0, wrong = 0;
    const auto visit = [&](const auto& self, const Json& json, const std::string& pointer) -> void {
      if (++visited > 300) return;
      const std::size_t at = offset_in_json(text, pointer, false);
      const auto [line, column] = line_and_column(text, at);
      const Location location = document->locate(pointer);
      wrong += location.line != line || location.column != column;
      // What begins there is that value.
      const std::string begins = json.is_object()   ? "{"
                                 : json.is_array()  ? "["
                                 : json.is_string() ? "\""
                                                    : text.substr(at, 1);
      wrong += text.compare(at, begins.size(), begins) != 0;
      if (json.is_number()) wrong += std::stod(text.substr(at, 40)) != json.get<double>();
      if (json.is_object())
        for (const auto& [key, member] : json.items()) {
          const std::string inner = pointer + "/" + pointer_token(key);
          wrong += text[offset_in_json(text, inner, true)] != '"';
          self(self, member, inner);
        }
      if (json.is_array())
        for (std::size_t i = 0; i < json.size(); ++i) self(self, json[i], pointer + "/" + std::to_string(i));
    };
    visit(visit, document->root(), "");
    INFO(path);
    CHECK(visited > 5);
    CHECK(wrong == 0);
  }
}

TEST_CASE("mutants of platforms") {
  fuzz(files("platforms", ".json"), scaled(6000), [](const std::string& text, const fs::path& path) {
    Platform::from(read<PlatformFile>(Value(Document::parse(text, path.string()))));
  });
}

TEST_CASE("mutants of networks") {
  const TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(kRoot / "models/dynamic-ofa-gpu"))
    if (entry.path().extension() == ".csv") fs::copy(entry.path(), folder.path());
  fuzz({kRoot / "models/dynamic-ofa-gpu/network.json"}, scaled(2000), [&](const std::string& text, const fs::path&) {
    folder.write("network.json", text);
    const Network network = Network::load(folder.path() / "network.json");
    for (const auto& [name, reference] : network.file.tables) network.table(name);
  });
}

TEST_CASE("mutants of tables: what is accepted can be written and read again") {
  std::vector<fs::path> tables;
  for (const fs::path& path : files("models", ".csv"))
    if (Csv::load(path).has("subnet")) tables.push_back(path);
  fuzz(tables, scaled(8000), [](const std::string& text, const fs::path& path) {
    const Table table = Table::from_csv(Csv::parse(text, path.string()));
    const std::string written = table.to_csv();
    if (Table::from_csv(Csv::parse(written, path.string())).to_csv() != written)
      throw InternalError("not the same again");
  });
}

TEST_CASE("mutants of traces") {
  fuzz(files("traces", ".csv", 200'000), scaled(2000), [](const std::string& text, const fs::path& path) {
    const Csv csv = Csv::parse(text, path.string());
    for (std::size_t row = 0; row < csv.size(); ++row) csv.number(row, "ratio", positive());
  });
}

TEST_CASE("mutants of scenarios: what is accepted also runs") {
  const auto paths = files("scenarios", ".json");
  fuzz(paths, scaled(3000), [](const std::string& text, const fs::path& path) {
    const Scenario scenario = load_scenario(Document::parse(text, path.string()), path.parent_path());
    run_a_little(*scenario.setup);
  });
}

// The example board and network with a mutant of one of their files in its place, under a scenario that uses all of it.
constexpr const char* kScenario = R"({
  "platform": "board.json",
  "duration_s": 2,
  "applications": {
    "a": {"network": "net/network.json", "unit": "gpu", "arrivals": {"kind": "periodic", "period_ms": 40}, "targets": [{"latency_ms": 20}]},
    "b": {"network": "net/network.json", "unit": "cpu", "arrivals": {"kind": "closed-loop"}, "targets": [{"latency_ms": 40}]}
  },
  "background": {"load": {"unit": "gpu", "weight": 0.5}},
  "policy": {"name": "dynamic-ofa", "dvfs": true, "mapping": true}
})";

void fuzz_world(const std::string& name, const fs::path& original, int count) {
  const TemporaryFolder folder;
  std::string board = read_file(kRoot / "platforms/minimal.json");
  board.replace(board.find("\"name\": \"minimal\""), 17, "\"name\": \"board\"");
  folder.write("board.json", board);
  std::string network = read_file(kRoot / "models/example/network.json");
  network.replace(network.find("\"platform\": \"minimal\""), 21, "\"platform\": \"board\"");
  folder.write("net/network.json", network);
  folder.write("net/minimal.csv", read_file(kRoot / "models/example/minimal.csv"));
  folder.write("original", name.ends_with("csv") ? read_file(original) : name == "board.json" ? board : network);
  folder.write("scenario.json", kScenario);
  run_a_little(*load_scenario(folder.path() / "scenario.json").setup);
  fuzz({folder.path() / "original"}, count, [&](const std::string& text, const fs::path&) {
    folder.write(name, text);
    run_a_little(*load_scenario(folder.path() / "scenario.json").setup);
  });
}

TEST_CASE("a run on mutants of a board") { fuzz_world("board.json", kRoot / "platforms/minimal.json", scaled(2000)); }
TEST_CASE("a run on mutants of a network") {
  fuzz_world("net/network.json", kRoot / "models/example/network.json", scaled(1500));
}
TEST_CASE("a run on mutants of a table") {
  fuzz_world("net/minimal.csv", kRoot / "models/example/minimal.csv", scaled(1500));
}

TEST_CASE("mutants of manifests") {
  const TemporaryFolder folder;
  Scenario scenario = load_scenario(kRoot / "scenarios/minimal.json");
  RunRequest request;
  request.command_line = {"scenarios/minimal.json"};
  request.inputs = hashes_of(scenario.inputs);
  std::vector<RunRecord> records;
  records.push_back(simulate(*scenario.setup, {true, true, 0}, EngineKind::native, 0));
  write_output(folder.path(), scenario, request, records, Json::object());
  fuzz({folder.path() / "manifest.json"}, scaled(3000), [&](const std::string& text, const fs::path& path) {
    RunRequest again;
    load_manifest(Document::parse(text, path.string()), path, {}, again);
  });
}

TEST_CASE("mutants of --set: the option is named") {
  const std::vector<std::string> good = {"duration_s=2",
                                         "applications.camera.weight=2",
                                         "applications.camera.targets.0.latency_ms=30",
                                         "policy={\"name\": \"static\", \"level\": 2}",
                                         "name=another",
                                         "thermal=false"};
  const auto document_text = read_file(kRoot / "scenarios/minimal.json");
  int refused = 0, unnamed = 0;
  for (int i = 0; i < scaled(3000); ++i) {
    Mutator mutate(static_cast<std::uint64_t>(i));
    const std::string setting = mutate(good[static_cast<std::size_t>(i) % good.size()]);
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    INFO(setting);
    try {
      load_scenario(Document::parse(document_text, "minimal.json"), kRoot / "scenarios",
                    {{setting.substr(0, equals), setting.substr(equals + 1)}});
    } catch (const InputError& error) {
      ++refused;
      const std::string_view what =
          error.what();  // too many frames are the fault of two members, of which one is in the file
      unnamed +=
          what.find("--set ") == std::string_view::npos && what.find("frames would arrive") == std::string_view::npos;
    }
  }
  CHECK(refused > scaled(3000) / 10);
  CHECK(unnamed == 0);
}

}  // namespace
}  // namespace dynasoc::test
