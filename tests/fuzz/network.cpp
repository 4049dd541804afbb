// network.json with the tables beside it.
#include "application/network.hpp"

#include "target.hpp"

namespace dynasoc::fuzz {
namespace network_target {

std::vector<std::string> seeds() { return files("models/dynamic-ofa-gpu", "network.json"); }

bool read(const std::string& text) {
  static const Beside beside("models/dynamic-ofa-gpu", "fuzzed.json");
  Network network;
  const bool good = good_or_refused([&] {
    network = Network::load(beside.write(text));
    for (const auto& [name, reference] : network.file.tables) network.table(name);
  });
  if (!good) return false;
  const Json written = to_json(network.file);
  Json again;
  if (!good_or_refused([&] { again = to_json(Network::load(beside.write(written.dump())).file); }))
    throw Finding("is refused after being written: " + written.dump());
  if (again != written) throw Finding("is something else after being written: " + again.dump());
  return true;
}

const Register registered{{.name = "network",
                           .doc = "network.json and the tables that it names",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{object_schema<NetworkFile>()}; },
                           .mutants = 1500}};

}  // namespace network_target
}  // namespace dynasoc::fuzz
