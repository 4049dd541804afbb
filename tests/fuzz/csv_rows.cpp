// Tables that are read row by row: the same cells as those of a table that is read at once.
#include "common/csv_rows.hpp"

#include "common/csv.hpp"
#include "target.hpp"

namespace dynasoc::fuzz {
namespace csv_rows_target {

std::vector<std::string> seeds() {
  return {"time_s,app,latency_ms\n0.5,camera,12\n1.5,\"a, b\",\n2,\"say \"\"so\"\"\",7e1\n", "a,b\r\n1,2\r\n3,4\r\n",
          "a\n\n1\n"};
}

bool read(const std::string& text) {
  static const Beside beside("tests/traces", "fuzzed.csv");
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> cells;
  const bool good = good_or_refused([&] {
    CsvRows rows(beside.write(text));
    columns = rows.columns();
    while (rows.next())
      for (auto& row = cells.emplace_back(); row.size() < columns.size();) row.emplace_back(rows.text(row.size()));
  });
  // Comments, a byte-order mark and what becomes of a carriage return within a line are the other's own.
  const bool returns = text.find('\r') != std::string::npos;
  if (!good || returns || text.find('#') != std::string::npos || text.starts_with("\xEF\xBB\xBF")) return good;
  good_or_refused([&] {
    const Csv whole = Csv::parse(text, "whole.csv");
    if (whole.columns() != columns || whole.size() != cells.size()) throw Finding("another table row by row");
    for (std::size_t r = 0; r < cells.size(); ++r)
      for (std::size_t c = 0; c < columns.size(); ++c)
        if (cells[r][c] != whole.text(r, columns[c])) throw Finding("another cell row by row: " + cells[r][c]);
  });
  return true;
}

const Register registered{{.name = "csv-rows",
                           .doc = "tables of results, row by row (`dynasoc report`)",
                           .seeds = seeds,
                           .read = read,
                           .mutants = 3000}};

}  // namespace csv_rows_target
}  // namespace dynasoc::fuzz
