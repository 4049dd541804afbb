// `dynasoc table show --plot`: latency over the unit's clock, by gnuplot or matplotlib.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "application/scaling_fit.hpp"
#include "cli/table_common.hpp"
#include "common/error.hpp"
#include "common/outside.hpp"
#include "common/program.hpp"
#include "common/temporary_folder.hpp"
#include "common/text.hpp"

namespace dynasoc::cli {
namespace {

namespace fs = std::filesystem;

struct Frame {
  double x_low = std::numeric_limits<double>::infinity(), x_high = 0;
  double y_low = std::numeric_limits<double>::infinity(), y_high = 0;
  bool bars = false;
  bool logarithmic() const { return y_high > 10 * y_low; }
};

struct Curve {
  std::string name;
  std::map<Provenance, std::string> rows;  // `mhz latency low high`
  std::string line;                        // all of them, by ascending clock
};

// What a plot's clock is: the unit's own. Cells that do not state it stand nowhere.
std::vector<Curve> curves_of(const Table& table, Frame& frame) {
  std::map<std::string, std::vector<const Cell*>> sorted;
  std::vector<std::string> order;
  const auto clock = [](const Cell& c) { return own_clock_mhz(unit_clock(c.unit), c.at); };
  for (const Cell& cell : table.cells) {
    if (!(clock(cell) > 0)) continue;
    std::string name = cell.subnet + " " + cell.unit;
    if (cell.at.cores > 0) name += ", " + std::to_string(cell.at.cores) + " cores";
    if (std::isfinite(cell.at.f_emc_mhz)) name += ", EMC " + number_text(cell.at.f_emc_mhz);
    if (!sorted.contains(name)) order.push_back(name);
    sorted[name].push_back(&cell);
  }
  std::vector<Curve> curves;
  for (const std::string& name : order) {
    std::vector<const Cell*>& cells = sorted[name];
    std::stable_sort(cells.begin(), cells.end(), [&](auto* a, auto* b) { return clock(*a) < clock(*b); });
    Curve curve{name, {}, ""};
    for (const Cell* cell : cells) {
      // Bars: the prediction interval, else the deviation of single inferences.
      double low = cell->latency_ms_mean, high = low;
      if (std::isfinite(cell->latency_ms_low))
        low = cell->latency_ms_low, high = cell->latency_ms_high;
      else if (std::isfinite(cell->latency_ms_std))
        low = std::max(low - cell->latency_ms_std, 0.01 * low), high += cell->latency_ms_std;
      const std::string row = number_text(clock(*cell)) + " " + number_text(cell->latency_ms_mean) + " " +
                              number_text(low) + " " + number_text(high) + "\n";
      frame.x_low = std::min(frame.x_low, clock(*cell));
      frame.x_high = std::max(frame.x_high, clock(*cell));
      frame.bars = frame.bars || low < high;
      frame.y_low = std::min(frame.y_low, low);
      frame.y_high = std::max(frame.y_high, high);
      curve.rows[cell->provenance] += row;
      curve.line += row;
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

// Names of sub-networks come from files: nothing in them may end a string of the script.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' || c == '\\' || c == '\n' || c == '`' ? '\'' : c;
  return out + "\"";
}

struct Mark {
  Provenance provenance;
  const char* name;
  int gnuplot;
  const char* matplotlib;
};
constexpr Mark kMarks[] = {{Provenance::measured, "measured", 7, "o"},
                           {Provenance::digitised, "digitised", 9, "^"},
                           {Provenance::derived, "derived", 6, "x"}};

// 1, 2 and 5 of every decade: a logarithmic axis labels its decades only.
std::string ticks_text(const Frame& frame) {
  std::string out;
  for (double decade = std::pow(10, std::floor(std::log10(frame.y_low))); decade <= frame.y_high; decade *= 10)
    for (const int digit : {1, 2, 5}) out += (out.empty() ? "" : ", ") + number_text(digit * decade);
  return out;
}

std::string gnuplot_script(const std::vector<Curve>& curves, const Frame& frame, const std::string& title,
                           const fs::path& image, bool png) {
  std::string data, plot;
  bool seen[3] = {};
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string colour = " lc " + std::to_string(i + 1);
    data += "$line" + std::to_string(i) + " << EOD\n" + curves[i].line + "EOD\n";
    // Curves stand beside each other, so that no bar hides another.
    const double aside = (frame.bars ? 0.003 : 0.0) * (frame.x_high - frame.x_low) *
                         (static_cast<double>(i) - 0.5 * static_cast<double>(curves.size() - 1));
    plot += ", $line" + std::to_string(i) + " using ($1+" + number_text(aside) + "):2 with lines lw 1.5" + colour +
            " title " + quoted(curves[i].name);
    for (const Mark& mark : kMarks) {
      const auto rows = curves[i].rows.find(mark.provenance);
      if (rows == curves[i].rows.end()) continue;
      seen[static_cast<int>(mark.provenance)] = true;
      const std::string block = "$" + std::string(mark.name) + std::to_string(i);
      data += block + " << EOD\n" + rows->second + "EOD\n";
      plot += ", " + block + " using ($1+" + number_text(aside) + "):2:3:4 with yerrorbars ps 0.9 pt " +
              std::to_string(mark.gnuplot) + colour + " notitle";
    }
  }
  for (const Mark& mark : kMarks)
    if (seen[static_cast<int>(mark.provenance)])
      plot += ", NaN with points pt " + std::to_string(mark.gnuplot) + " lc \"black\" title " + quoted(mark.name);
  const double margin = std::max(0.03 * (frame.x_high - frame.x_low), 1.0);
  const std::string range = "set xrange [" + number_text(frame.x_low - margin) + ":" +
                            number_text(frame.x_high + margin) + "]\nset yrange [" +
                            number_text(frame.logarithmic() ? 0.9 * frame.y_low : 0) + ":" +
                            number_text(1.1 * frame.y_high) + "]\n" +
                            (frame.logarithmic() ? "set logscale y\nset ytics (" + ticks_text(frame) + ")\n" : "");
  return std::string("set terminal ") + (png ? "pngcairo size 1100,700 noenhanced" : "svg size 1100,700 noenhanced") +
         "\nset encoding utf8\nset output " + quoted(image.string()) + "\nset title " + quoted(title) +
         "\nset xlabel \"clock of the unit [MHz]\"\nset ylabel \"latency [ms]\"\n"
         "set grid\nset key outside below Left reverse noenhanced\n" +
         range + data + "plot " + plot.substr(2) + "\n";
}

std::string matplotlib_script(const std::vector<Curve>& curves, const Frame& frame, const std::string& title,
                              const fs::path& image) {
  std::string out =
      "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\n"
      "figure, axes = plt.subplots(figsize=(11, 7))\n"
      "def numbers(text):\n  return list(zip(*[[float(x) for x in line.split()] for line in text.split('\\n') if "
      "line]))\n";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    out += "x, y, _, _ = numbers('''" + curves[i].line +
           "''')\nline, = axes.plot(x, y, label=" + quoted(curves[i].name) + ")\n";
    for (const Mark& mark : kMarks)
      if (const auto rows = curves[i].rows.find(mark.provenance); rows != curves[i].rows.end())
        out += "x, y, low, high = numbers('''" + rows->second +
               "''')\naxes.errorbar(x, y, [[a - b for a, b in zip(y, low)], [b - a for a, b in zip(y, high)]], fmt='" +
               mark.matplotlib + "', color=line.get_color())\n";
  }
  for (const Mark& mark : kMarks)
    out += std::string("axes.plot([], [], '") + mark.matplotlib + "', color='black', label='" + mark.name + "')\n";
  return out + "axes.set(xlabel='clock of the unit [MHz]', ylabel='latency [ms]', yscale='" +
         std::string(frame.logarithmic() ? "log" : "linear") + "', title=" + quoted(title) +
         ")\naxes.grid(True)\naxes.legend(loc='center left', bbox_to_anchor=(1, 0.5))\n"
         "figure.savefig(" +
         quoted(image.string()) + ", bbox_inches='tight')\n";
}

// Python says last what is wrong, gnuplot in all of its lines.
std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

void plot_table(const Table& table, const std::string& title, const std::string& path) {
  const std::string ending = fs::path(path).extension();
  if (ending != ".png" && ending != ".svg") throw InputError("--plot " + path + ": must end in .png or .svg");
  Frame frame;
  const std::vector<Curve> curves = curves_of(table, frame);
  if (curves.empty()) throw InputError("--plot: no cell states the clock of its unit; there is nothing to draw");
  const bool gnuplot = succeeds({"gnuplot", "--version"});
  if (!gnuplot && !succeeds({"python3", "-c", "import matplotlib"}))
    throw OutsideError("--plot needs gnuplot, or python3 with matplotlib, and neither is here (Debian: gnuplot-nox)");
  const TemporaryFolder scratch;
  const fs::path image = scratch.path() / ("plot" + ending), script = scratch.path() / "script";
  write_file(script, gnuplot ? gnuplot_script(curves, frame, title, image, ending == ".png")
                             : matplotlib_script(curves, frame, title, image));
  const Finished drawn = run_program({gnuplot ? "gnuplot" : "python3", script.string()}, true);
  std::error_code code;
  if (drawn.status != 0 || !fs::is_regular_file(image, code))
    throw OutsideError(std::string("--plot: ") + (gnuplot ? "gnuplot" : "matplotlib") + " failed to draw " + path +
                       (drawn.err.empty() ? "" : ": " + one_line(last_line(drawn.err))));
  write_file(path, read_file(image));
}

}  // namespace dynasoc::cli
