// supernetwork.json, with its block tables.
#include "explore/search/supernetwork.hpp"

#include "target.hpp"

namespace dynasoc::fuzz {
namespace supernetwork_target {

std::vector<std::string> seeds() { return files("models", "supernetwork.json"); }

bool read(const std::string& text) {
  static const Beside beside("models/once-for-all-mbv3", "fuzzed.json");
  return good_or_refused([&] {
    const auto network = search::Supernetwork::load(beside.write(text));
    for (const auto& [name, table] : network.file.block_tables)
      if (table.file.find('/') == std::string::npos) network.read_blocks(network.folder / table.file);
  });
}

const Register registered{{.name = "supernetwork",
                           .doc = "supernetwork.json and its block tables",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{object_schema<search::SupernetworkFile>()}; },
                           .mutants = 300}};

}  // namespace supernetwork_target
}  // namespace dynasoc::fuzz
