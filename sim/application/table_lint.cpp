#include "application/table_lint.hpp"

#include <fstream>
#include <map>
#include <set>

#include "application/table_lint_rules.hpp"
#include "common/csv.hpp"
#include "common/document.hpp"
#include "common/text.hpp"

namespace dynasoc {
namespace fs = std::filesystem;

std::string_view name_of(Severity severity) {
  for (const auto& [name, value] : EnumNames<Severity>::names)
    if (value == severity) return name;
  return "";
}

const std::vector<LintRule>& lint_rules() {
  using enum Severity;
  static const std::vector<LintRule> rules = {
      // Rows that are not this board's.
      {"copied-rows", error,
       "rows equal another device's (or another source's) to the last digit: mean and, where stated, deviation and n; "
       "a warning where all of them are marked derived",
       "a number measured on one device says nothing about another"},
      {"inferred-copy", warning,
       "rows whose block is a copy wherever the other table can be compared, at resolutions that it does not have, and "
       "whose n is not this table's own",
       "what is copied wherever one can look is copied where one cannot"},
      {"count-pattern", warning,
       "n is that of another device's row (or of a block whose n is, at other resolutions) and not this table's own, "
       "but the mean is another",
       "the number of runs was carried over: mean and deviation cannot be weighted by it"},
      // Numbers that cannot be.
      {"energy-unsourced", error, "energy or power is stated without its provenance or the meter behind it",
       "rails, wall and model differ by watts; an energy without its meter cannot be compared with any other"},
      {"latency-unit", error, "a latency is 300 to 3000 times (or a 300th to a 3000th of) the median of its like",
       "seconds or microseconds among milliseconds"},
      {"energy-unit", error, "energy is 300 to 3000 times (or a 300th to a 3000th of) power times latency",
       "joules or microjoules among millijoules, milliwatts among watts"},
      {"energy-mismatch", error, "energy differs from power times latency by more than 5 %",
       "two of the three were not taken in the same run, or one has another unit or meter"},
      {"energy-below-idle", error, "power while running is not above the idle power of the same meter",
       "an inference would cost nothing: the meter, the rail or the idle reading is another"},
      {"percentile-order", error, "p50, p90 and p99 do not ascend", "columns were swapped"},
      {"latency-rises-with-clock", warning,
       "latency grows with a clock, all else equal, by more than 1 % and three standard errors; an error above 10 %",
       "throttling, a clock that was not held, or rows in the wrong place"},
      {"power-falls-with-clock", warning, "power at the unit's higher clock is lower by more than 2 %, all else equal",
       "throttling, a clock that was not held, or rows in the wrong place"},
      // Means that are not worth much.
      {"std-above-mean", warning, "the standard deviation is larger than the mean",
       "the mean is made by a few outliers; its standard error is not small"},
      {"spread", warning, "the coefficient of variation is above 10 % (one finding a file)",
       "clocks were not locked, or something else ran"},
      {"few-runs", warning, "n is below 30", "means of few runs move by their own noise"},
      {"count-differs", note, "counts within a table differ by more than a factor of 2",
       "rows come from different sessions, or some were filtered"},
      {"runs-not-stated", note, "neither n nor a deviation is stated for observed cells",
       "no interval can be given for these means"},
      {"warm-up", warning,
       "at one resolution at least half the blocks of one kernel size are high against the other resolutions, and at "
       "most a tenth of the others",
       "whatever was measured first was measured cold"},
      {"outlier", warning,
       "a block's mean is off the median of the 6 nearest other resolutions (of at least 7; a clear trend over "
       "resolution taken out first) by more than 8 % and Tukey's fence of the table (2.7 robust standard deviations); "
       "in tables quiet enough that the fence stays below 8 %, also off the median of all other resolutions",
       "neighbouring resolutions do nearly the same work: a search over the table would chase or avoid such rows"},
      // Tables that cannot be compared.
      {"mixed-sources", warning, "observed cells of one unit come from different sources",
       "the same sub-network was published with latencies 1.2 times apart: ratios across sources mean nothing"},
      {"mixed-meters", warning, "observed energies of one unit come from different meters",
       "wall and rail power differ by the adapter and the carrier board"},
      {"mixed-clocks", warning,
       "some cells of a unit state a clock and others do not, or its sub-networks share no operating point",
       "sub-networks can only be compared at the same clocks"},
      {"conflicting-latency", warning,
       "two tables state latencies more than 2 % apart for the same sub-network (or the same architecture) at the same "
       "operating point of the same board",
       "use one source in one experiment; never mix them"},
      // Facts for whoever writes a manager.
      {"dominated-point", warning,
       "another operating point of the same sub-network is both faster and cheaper by more than 1 % (observed energy)",
       "no manager should choose it, unless a cap forces it to"},
      {"subnet-order", note, "a larger sub-network is faster than the one before it by more than 1 %, all else equal",
       "the ladder of sub-networks is not one of latency on this unit"},
      {"stale-acceptance", error, "the list of accepted findings and the tables disagree",
       "an entry that covers more than there is would hide the next copy"},
  };
  return rules;
}

namespace lint {

void Findings::add(std::string_view rule, Severity severity, const std::string& file, std::vector<std::size_t> rows,
                   const std::string& message) {
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  if (rows.empty()) return;
  all_.push_back({std::string(rule), severity, file, std::move(rows), message});
}

void Findings::add(std::string_view rule, const std::string& file, std::vector<std::size_t> rows,
                   const std::string& message) {
  for (const LintRule& known : lint_rules())
    if (known.name == rule) return add(rule, known.severity, file, std::move(rows), message);
  throw InternalError("no lint rule " + std::string(rule));
}

std::vector<LintFinding> Findings::take() {
  const auto place = [](const LintFinding& f) {
    std::size_t at = 0;
    while (lint_rules()[at].name != f.rule) ++at;
    return at;
  };
  std::stable_sort(all_.begin(), all_.end(), [&](const LintFinding& a, const LintFinding& b) {
    return std::pair(a.file, place(a)) < std::pair(b.file, place(b));
  });
  return std::move(all_);
}

std::string percent(double fraction, int digits) { return rounded_text(100 * fraction, digits) + " %"; }

std::string count_of(std::size_t n, const char* singular, const char* plural) {
  return std::to_string(n) + " " + (n == 1 ? singular : plural);
}

std::string short_name(const Linted& file) {
  // raw/ holds files of the same names in several models: the folder is part of the name there.
  const fs::path folder = file.path.parent_path().filename();
  return folder == "raw" ? (folder / file.path.filename()).string() : file.path.filename().string();
}

namespace {

bool is_cells(const Csv& csv) { return csv.has("subnet") && csv.has("unit") && csv.has("latency_ms_mean"); }
bool is_blocks(const Csv& csv) {
  return csv.has("block") && csv.has("resolution") && (csv.has("latency_ms_mean") || csv.has("mean_ms"));
}

// Lines of the rows from `begin` to `last`, which are known. A row takes a line or more: where lines and rows are
// equally far apart, all between them are too. So a file of a million rows is not read again for each of them.
void fill_lines(const Csv& csv, std::size_t begin, std::size_t last, std::vector<std::size_t>& lines) {
  if (last <= begin + 1) return;
  if (lines[last] - lines[begin] == last - begin) {
    for (std::size_t row = begin + 1; row < last; ++row) lines[row] = lines[begin] + (row - begin);
    return;
  }
  const std::size_t middle = begin + (last - begin) / 2;
  lines[middle] = csv.location(middle, csv.columns()[0]).line;
  fill_lines(csv, begin, middle, lines);
  fill_lines(csv, middle, last, lines);
}

std::vector<std::size_t> lines_of(const Csv& csv) {
  std::vector<std::size_t> lines(csv.size());
  if (lines.empty()) return lines;
  for (const std::size_t row : {std::size_t{0}, lines.size() - 1})
    lines[row] = csv.location(row, csv.columns()[0]).line;
  fill_lines(csv, 0, lines.size() - 1, lines);
  return lines;
}

// Loading refuses such rows; here they are findings like others, and the only ones of their file.
bool lint_unsourced(const Csv& csv, const std::string& file, Findings& out) {
  std::vector<std::size_t> rows;
  const std::vector<std::size_t> lines = lines_of(csv);
  for (std::size_t row = 0; row < csv.size(); ++row) {
    bool states = false;
    for (const char* column : {"energy_mj", "power_w", "idle_power_w"})
      states = states || !csv.text(row, column).empty();
    if (states && (csv.text(row, "energy_provenance").empty() || csv.text(row, "energy_source").empty()))
      rows.push_back(lines[row]);
  }
  const std::size_t n = rows.size();
  out.add("energy-unsourced", file, std::move(rows),
          count_of(n, "row states", "rows state") +
              " energy or power, but not energy_provenance and energy_source; nothing else in the file was judged");
  return n > 0;
}

std::vector<Block> blocks_of(const Csv& csv) {
  const bool published = csv.has("mean_ms");
  const char* mean = published ? "mean_ms" : "latency_ms_mean";
  const char* deviation = published ? "std_ms" : "latency_ms_std";
  const char* count = published ? "count" : "n";
  const auto channels = [&](std::size_t row, const char* column) {
    const std::string_view text = csv.text(row, column);
    return std::string(text.substr(text.rfind('x') + 1));  // npos + 1 is 0: a plain number stays
  };
  std::vector<Block> blocks;
  if (csv.size() == 0) throw csv.header_error("the table has no blocks: no row follows the header");
  const std::vector<std::size_t> lines = lines_of(csv);
  for (std::size_t row = 0; row < csv.size(); ++row) {
    Block b;
    b.line = lines[row];
    b.resolution = static_cast<int>(csv.number(row, "resolution", range(1, 1e5)));
    b.name = csv.text(row, "block");
    b.key = b.name + " " + channels(row, "input") + " to " + channels(row, "output");
    for (const char* column : {"expand", "kernel", "stride", "idskip", "se", "hs"})
      if (const auto text = csv.text(row, column); !text.empty())
        b.key += " " + std::string(column) + std::string(text);
    if (!csv.text(row, "kernel").empty()) b.kernel = static_cast<int>(csv.number(row, "kernel", range(1, 1000)));
    b.mean_ms = csv.number(row, mean, positive());
    b.std_ms = csv.number_or_nan(row, deviation, non_negative());
    if (!csv.text(row, count).empty()) b.n = csv.number(row, count, non_negative());
    b.derived = csv.text(row, "provenance") == "derived";
    blocks.push_back(std::move(b));
  }
  return blocks;
}

// By its first line: other CSV files beside tables may be as they like.
bool looks_like_a_table(const fs::path& path) {
  constexpr std::size_t kMostHeaderBytes = 64u << 10;
  std::ifstream file(path);
  std::string header(kMostHeaderBytes, '\0');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  header.resize(static_cast<std::size_t>(file.gcount()));
  header.resize(std::min(header.find('\n'), header.size()));
  return header.find("latency_ms_mean") != std::string::npos || header.find("mean_ms") != std::string::npos;
}

void collect(const fs::path& path, std::map<fs::path, Csv>& into) {
  const std::size_t before = into.size();
  std::error_code code;
  if (fs::is_directory(path, code)) {
    for (fs::recursive_directory_iterator it(path, code), end; it != end; it.increment(code))
      if (it->path().extension() == ".csv" && it->is_regular_file(code)) {
        if (!looks_like_a_table(it->path())) continue;
        Csv csv = Csv::load(it->path());
        if (is_cells(csv) || is_blocks(csv)) into.try_emplace(it->path().lexically_normal(), std::move(csv));
      }
    if (into.size() == before) throw InputError({path.string(), 0, 0, ""}, "no tables are below this folder");
    return;
  }
  std::vector<fs::path> files{path};
  if (path.extension() == ".json") {
    const Network network = Network::load(path);
    files.clear();
    for (const auto& [name, reference] : network.file.tables) files.push_back(network.folder / reference.file.text);
  }
  for (const fs::path& file : files)
    if (const fs::path named = file.lexically_normal(); !into.contains(named)) into.try_emplace(named, Csv::load(file));
}

// The network.json beside a table, if it names it; else the board, if the file's name is `<platform>.<source>.csv`.
void find_network(Linted& file, std::map<fs::path, std::shared_ptr<const Network>>& networks) {
  if (const fs::path stem = file.path.stem(); stem.has_extension()) {
    const std::string name = stem.string();
    file.platform = name.substr(0, name.find('.'));
  }
  const fs::path json = file.path.parent_path() / "network.json";
  const auto [it, fresh] = networks.try_emplace(json);
  std::error_code code;
  if (fresh && fs::is_regular_file(json, code)) it->second = std::make_shared<const Network>(Network::load(json));
  if (!it->second) return;
  for (const auto& [name, reference] : it->second->file.tables)
    if (reference.file.text == file.path.filename().string()) {
      file.network = it->second;
      file.platform = reference.platform.text;
    }
}

}  // namespace
}  // namespace lint

LintReport lint_tables(const std::vector<fs::path>& paths) {
  using namespace lint;
  LintReport report;
  Findings out;
  std::vector<Linted> files;
  std::map<fs::path, std::shared_ptr<const Network>> networks;
  std::map<fs::path, Csv> found;
  for (const fs::path& path : paths) collect(path, found);
  for (const auto& [path, csv] : found) {
    report.files.push_back(path);
    Linted file;
    file.path = path;
    file.file = path.string();
    if (is_cells(csv)) {
      if (lint_unsourced(csv, file.file, out)) continue;
      file.table = Table::from_csv(csv);
      file.lines = lines_of(csv);
      find_network(file, networks);
    } else if (is_blocks(csv)) {
      file.blocks = blocks_of(csv);
    } else {
      throw csv.header_error(
          "is neither a table of cells (subnet, unit, latency_ms_mean, …) nor a block table (resolution, block, "
          "latency_ms_mean or mean_ms, …)");
    }
    files.push_back(std::move(file));
  }
  lint_cells(files, out);
  lint_blocks(files, out);
  report.findings = out.take();
  return report;
}

AcceptedFindings AcceptedFindings::load(const fs::path& path) {
  const Value root{std::shared_ptr<const Document>(Document::load(path))};
  auto list = read<AcceptedFindings>(root);
  list.folder = path.parent_path();
  std::vector<std::string> known;
  for (const LintRule& rule : lint_rules()) known.emplace_back(rule.name);
  std::set<std::pair<std::string, std::string>> seen;
  for (const AcceptedFinding& entry : list.accepted) {
    if (std::find(known.begin(), known.end(), entry.rule.text) == known.end())
      throw entry.rule.error("there is no rule " + in_quotes(entry.rule.text) + hint(entry.rule.text, known));
    if (!seen.insert({entry.rule.text, entry.file.text}).second)
      throw entry.rule.error(in_quotes(entry.rule.text) + " of " + in_quotes(entry.file.text) + " is accepted twice");
    if (entry.why.empty()) throw entry.rule.error("the reason (why) is empty");
  }
  return list;
}

std::vector<LintFinding> take_accepted(std::vector<LintFinding>& findings, const AcceptedFindings& list,
                                       const std::vector<fs::path>& judged) {
  const auto absolute = [](const fs::path& path) { return fs::weakly_canonical(fs::absolute(path)); };
  std::set<fs::path> files;
  for (const fs::path& path : judged) files.insert(absolute(path));
  std::vector<LintFinding> accepted, stale;
  for (const AcceptedFinding& entry : list.accepted) {
    const fs::path file = absolute((list.folder.empty() ? fs::path(".") : list.folder) / entry.file.text);
    std::error_code code;
    if (!files.contains(file) && fs::exists(file, code)) continue;  // it was not asked about
    const auto meant = [&](const LintFinding& f) { return f.rule == entry.rule.text && absolute(f.file) == file; };
    std::size_t rows = 0;
    for (const LintFinding& f : findings)
      if (meant(f)) rows += f.rows.size();
    if (rows == static_cast<std::size_t>(entry.count)) {
      for (const LintFinding& f : findings)
        if (meant(f)) accepted.push_back(f);
      std::erase_if(findings, meant);
      continue;
    }
    const Location at = entry.rule.where.location();
    stale.push_back({"stale-acceptance",
                     Severity::error,
                     at.file,
                     {at.line},
                     entry.rule.text + " of " + entry.file.text + ": " + std::to_string(entry.count) +
                         " rows are accepted, " + std::to_string(rows) + " were found"});
  }
  findings.insert(findings.end(), stale.begin(), stale.end());
  return accepted;
}

std::string rows_text(const std::vector<std::size_t>& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t last = i;
    while (last + 1 < rows.size() && rows[last + 1] == rows[last] + 1) ++last;
    out += (out.empty() ? "" : ", ") + std::to_string(rows[i]);
    if (last > i) out += (last == i + 1 ? ", " : "-") + std::to_string(rows[last]);
    i = last + 1;
  }
  return out;
}

}  // namespace dynasoc
