// Block tables: where a network's inferences may be interrupted.
#include <cmath>

#include "application/network.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace blocks_target {

std::vector<std::string> seeds() { return files("models/dynamic-ofa-gpu", "blocks.csv"); }

// As a table alone, and as that of a network: its ends divide an inference, in order.
bool read(const std::string& text) {
  static const Beside beside("models/dynamic-ofa-gpu", "blocks.csv");
  static const Network network = [] {
    const std::filesystem::path own = beside.write(seeds().front());
    return Network::load(own.parent_path() / "network.json");
  }();
  const std::filesystem::path file = beside.write(text);
  return good_or_refused([&] {
    read_blocks(Csv::load(file));
    for (const std::string_view unit : {"gpu", "cpu"})
      for (const std::vector<double>& ends : network.block_ends(unit)) {
        double last = 0;
        for (const double end : ends) {
          if (!(end >= last && end <= 1 + 1e-12)) throw Finding("a block ends at " + std::to_string(end));
          last = end;
        }
        if (!ends.empty() && !(std::abs(last - 1) <= 1e-12)) throw Finding("the last ends at " + std::to_string(last));
      }
  });
}

const Register registered{
    {.name = "blocks", .doc = "a network's block table (blocks.csv)", .seeds = seeds, .read = read, .mutants = 3000}};

}  // namespace blocks_target
}  // namespace dynasoc::fuzz
