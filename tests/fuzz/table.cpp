// Tables of cells: what is accepted can be written and read again.
#include "application/table.hpp"

#include "target.hpp"

namespace dynasoc::fuzz {
namespace table_target {

std::vector<std::string> seeds() {
  std::vector<std::string> out = files("models", ".csv");
  std::erase_if(out, [](const std::string& text) {
    return text.find("subnet,") == std::string::npos || text.find("latency_ms_mean") == std::string::npos;
  });
  return out;
}

bool read(const std::string& text) {
  std::string written;
  if (!good_or_refused([&] { written = Table::from_csv(Csv::parse(text, "table.csv")).to_csv(); })) return false;
  std::string again;
  if (!good_or_refused([&] { again = Table::from_csv(Csv::parse(written, "written.csv")).to_csv(); }))
    throw Finding("is refused after being written: " + written);
  if (again != written) throw Finding("is something else after being written: " + again);
  return true;
}

const Register registered{
    {.name = "table", .doc = "tables of latencies and energies", .seeds = seeds, .read = read, .mutants = 6000}};

}  // namespace table_target
}  // namespace dynasoc::fuzz
