// Several measurements of the same cells into one table.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "application/table.hpp"

namespace dynasoc {

/// A table and the name it goes by in messages.
struct NamedTable {
  std::string name;
  Table table;
};

struct MergeOptions {
  bool allow_mixed = false;  ///< pool observed with derived cells
};

/// One cell that stands in several tables.
struct PooledCell {
  std::size_t cell = 0;             ///< index in the merged table
  std::vector<std::string> tables;  ///< that state it, in their order
  double difference = 0;            ///< largest less smallest mean, over the pooled mean
  double standard_errors =
      std::numeric_limits<double>::quiet_NaN();  ///< the same over the two means' combined standard
                                                 ///< error (Welch); NaN where n or deviation lack
};

struct MergedTable {
  Table table;  ///< the first table's cells in its order, then what the others add
  std::vector<PooledCell> pooled;
  std::vector<std::string> notes;  ///< what was lost on the way
};

/// Pools cells of the same sub-network, unit, clocks and cores: means weighted by n (equally, and n left open, where
/// one states none), the variance with its part between the tables, n added up. Percentiles cannot be pooled and are
/// dropped. Provenance is the weakest of the cells' (measured, digitised, derived), sources are joined. Cells of one
/// table are taken as they are. Throws InputError for fewer than two tables, tables that share no unit, and observed
/// cells beside derived ones (unless allowed).
MergedTable merge_tables(const std::vector<NamedTable>& tables, const MergeOptions& options = {});

}  // namespace dynasoc
