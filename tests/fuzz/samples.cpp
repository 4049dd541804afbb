// Raw samples and the other forms of `table import`: what comes out is a table (or trace) that loads.
#include "application/import.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace samples_target {

std::vector<std::string> seeds() {
  std::vector<std::string> out = files("docs/example", ".csv", 200'000);
  for (std::string& text : out)
    if (const std::size_t end = text.find('\n', 3000); end != std::string::npos) text.resize(end + 1);
  out.push_back(
      "subnet,unit,latency_ms,cores,f_cpu_mhz,energy_mj,power_w,idle_power_w\n"
      "L1,cpu,10,4,1000,20,2,1\nL1,cpu,11,4,1000,20,2,1\nL2,cpu,30,4,1000,60,2,1\nL2,cpu,31,4,1000,60,2,1\n");
  return out;
}

bool read(const std::string& text) {
  Table table;
  const bool good = good_or_refused([&] {
    std::vector<std::string> warnings;
    table = import_samples(Csv::parse(text, "samples.csv"), 1, "a board", "a meter", &warnings);
  });
  try {
    if (good) Table::from_csv(Csv::parse(table.to_csv(), "written.csv"));
  } catch (const InputError& error) {
    throw Finding("the imported table is refused: " + std::string(error.what()));
  }
  return good;
}

const Register registered{
    {.name = "samples", .doc = "raw samples (`table import samples`)", .seeds = seeds, .read = read, .mutants = 3000}};

}  // namespace samples_target
}  // namespace dynasoc::fuzz
