// What the rules of `table lint` work on. Included by table_lint*.cpp only.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "application/network.hpp"
#include "application/table.hpp"
#include "application/table_lint.hpp"
#include "common/median.hpp"

namespace dynasoc::lint {

/// One row of a block table.
struct Block {
  std::size_t line = 0;
  int resolution = 0;  ///< of the network's input [px]
  std::string key;     ///< block, channels, expansion, kernel, …: the same at every resolution
  std::string name;    ///< `Conv`, `expanded_conv`, …
  int kernel = 0;      ///< 0 where it has none
  double mean_ms = 0;
  double std_ms = std::nan("");
  double n = 0;  ///< 0 = not stated
  bool derived = false;
};

/// One file.
struct Linted {
  std::filesystem::path path;
  std::string file;  ///< as it is named in findings
  Table table;       ///< cells, or
  std::vector<Block> blocks;
  std::vector<std::size_t> lines;          ///< of the cells
  std::shared_ptr<const Network> network;  ///< that names this file; may be null
  std::string platform;                    ///< empty if nothing says
};

class Findings {
 public:
  void add(std::string_view rule, const std::string& file, std::vector<std::size_t> rows, const std::string& message);
  void add(std::string_view rule, Severity severity, const std::string& file, std::vector<std::size_t> rows,
           const std::string& message);
  std::vector<LintFinding> take();

 private:
  std::vector<LintFinding> all_;
};

inline constexpr double kEnoughRuns = 30;
inline constexpr double kWide = 0.10;  ///< coefficient of variation

std::string percent(double fraction, int digits = 2);
std::string count_of(std::size_t n, const char* singular, const char* plural);
std::string short_name(const Linted& file);  ///< the file's name, with the folder `raw/` if it is in one

void lint_cells(const std::vector<Linted>& files, Findings& out);
void lint_blocks(const std::vector<Linted>& files, Findings& out);

}  // namespace dynasoc::lint
