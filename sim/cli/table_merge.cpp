// `dynasoc table merge`: several measurements of the same cells into one table.
#include "application/table_merge.hpp"

#include <cmath>
#include <filesystem>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/table_common.hpp"
#include "common/text.hpp"

namespace dynasoc::cli {
namespace po = boost::program_options;

int table_merge_command(const Arguments& arguments, Console& console) {
  Options options(
      "dynasoc table merge A.csv B.csv… -o OUT.csv [options]",
      "Pools several measurements of the same cells: means weighted by n, the variance with its part between the\n"
      "tables, n added up; percentiles are dropped. Cells that only one table has are taken over. Says where the "
      "tables\n"
      "disagree (by more than the tolerance, or by more than 3 combined standard errors); the exit status is 1 if "
      "they\n"
      "do so by more than the tolerance, and OUT is written all the same.");
  options.add()("output,o", po::value<std::string>(), "file to write; without it the table goes to the terminal")(
      "force,f", "replace the file if it exists")("tolerance", po::value<double>(),
                                                  "how far the means of a cell may be apart, as a fraction (0.05)")(
      "allow-mixed", "pool observed with derived cells; the outcome is derived")(
      "json", "one JSON object about what was pooled; needs --output");
  options.positional("what", -1);
  options.parse(arguments, console);
  if (options.asked_for_help()) return kSuccess;
  const double tolerance = options.get_or("tolerance", 0.05);
  if (!(tolerance >= 0 && tolerance <= 1e3)) throw InputError("--tolerance must be from 0 to 1000");
  if (options.has("json") && !options.has("output"))
    throw InputError("--json prints about the tables; say where the merged one goes with --output");
  std::vector<NamedTable> tables;
  for (const std::string& file : options.get_or<std::vector<std::string>>("what", {}))
    tables.push_back({file, Table::load(file)});
  if (tables.size() < 2) throw InputError("table merge: which tables? Two or more");
  for (std::size_t i = 0; i < tables.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (std::error_code code; std::filesystem::equivalent(tables[i].name, tables[j].name, code))
        throw InputError({tables[i].name, 0, 0, ""}, "is named twice: its measurements would count twice");

  const MergedTable merged = merge_tables(tables, {.allow_mixed = options.has("allow-mixed")});
  deliver(merged.table.to_csv(), options, console, options.get<std::vector<std::string>>("what"));
  constexpr double kManyErrors = 3;
  bool exceeds = false;
  Json report = Json::array();
  for (const PooledCell& pooled : merged.pooled) {
    const Cell& cell = merged.table.cells[pooled.cell];
    const bool far = pooled.difference > tolerance;
    const bool disagrees = far || pooled.standard_errors > kManyErrors;
    exceeds = exceeds || far;
    report.push_back({{"subnet", cell.subnet},
                      {"unit", cell.unit},
                      {"at", cell.at.text()},
                      {"tables", pooled.tables},
                      {"latency_ms_mean", cell.latency_ms_mean},
                      {"latency_ms_std", number_or_null(cell.latency_ms_std)},
                      {"n", cell.n},
                      {"difference", pooled.difference},
                      {"standard_errors", number_or_null(pooled.standard_errors)},
                      {"disagrees", disagrees}});
    if (disagrees && !options.has("json"))
      console.err << "warning: " << cell.subnet << " on " << cell.unit << " (" << cell.at.text() << "): the means are "
                  << rounded_text(100 * pooled.difference, 3) << " % apart"
                  << (std::isfinite(pooled.standard_errors)
                          ? ", " + rounded_text(pooled.standard_errors, 3) + " standard errors"
                          : "")
                  << '\n';
  }
  if (options.has("json")) {
    console.out << Json{{"cells", merged.table.cells.size()},
                        {"pooled", std::move(report)},
                        {"notes", merged.notes},
                        {"tolerance", tolerance},
                        {"exceeds_tolerance", exceeds}}
                       .dump(2)
                << '\n';
  } else {
    for (const std::string& note : merged.notes) console.err << "note: " << note << '\n';
    console.err << merged.table.cells.size() << (merged.table.cells.size() == 1 ? " cell, " : " cells, ")
                << merged.pooled.size() << " of them pooled\n";
  }
  return exceeds ? kCheckFailed : kSuccess;
}

}  // namespace dynasoc::cli
