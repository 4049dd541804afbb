#include "application/import.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "common/nan.hpp"
#include "common/text.hpp"

namespace dynasoc {
namespace {

// The Xavier NX's MODE_15W_6CORE (its default) and MODE_10W_4CORE, as NVIDIA's nvpmodel.conf has them.
constexpr double kGpu15WMhz = 1109.25, kCpu15WMhz = 1420.8, kEmcMhz = 1600;
constexpr double kGpu10WMhz = 803.25, kCpu10WMhz = 1190.4;
constexpr int kCores15W = 6, kCores10W = 4;
constexpr std::string_view kClockReading =
    "clocks not published, taken as the caps of the default power mode 15W_6CORE";

// Conversions of units leave digits that nobody read.
OperatingPoint default_mode_point(std::string_view unit) {
  OperatingPoint at;
  at.f_cpu_mhz = kCpu15WMhz;
  at.f_emc_mhz = kEmcMhz;
  if (unit == "gpu")
    at.f_gpu_mhz = kGpu15WMhz;
  else
    at.cores = kCores15W;
  return at;
}

// The different values of a column, in order of appearance.
std::vector<std::string> values_of(const Csv& csv, std::string_view column) {
  std::vector<std::string> out;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    const std::string value(csv.text(row, column));
    if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(value);
  }
  return out;
}

[[noreturn]] void nothing_selected(const Csv& csv, std::string_view column, std::string_view wanted) {
  throw InputError({csv.name(), 0, 0, std::string(column)},
                   "no row has \"" + std::string(wanted) + "\"" + hint(wanted, values_of(csv, column)));
}

// Linear interpolation between order statistics; `sorted` is not empty.
double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum / static_cast<double>(values.size());
}

}  // namespace

ImportedTable import_dynamic_ofa_levels(const Csv& csv, std::string_view device, LatencyColumn latency) {
  csv.expect(
      {"device", "level_1based", "top1_pct", "latency_ms", "latency_source"},
      {"latency_uncertainty_ms", "alt_latency_ms_pickle_fig3", "resolution", "depths", "macs_M_exact", "config_known"});
  ImportedTable out;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    if (csv.text(row, "device") != device) continue;
    const double level = csv.number(row, "level_1based", range(1, 1000));
    if (level != static_cast<double>(out.accuracy.size() + 1))
      throw csv.error(row, "level_1based", "levels count from 1 in order; " + number_text(level) + " does not follow");
    Cell cell;
    cell.subnet = level_name(out.accuracy.size());
    cell.unit = device;
    cell.at = default_mode_point(device);
    if (latency == LatencyColumn::search) {
      cell.latency_ms_mean = csv.number(row, "alt_latency_ms_pickle_fig3", positive());
      cell.provenance = Provenance::measured;
      cell.source =
          "UoS-EEC/DynamicOFA@349461f nets_6.pickle: latency recorded during the search; " + std::string(kClockReading);
    } else {
      cell.latency_ms_mean = csv.number(row, "latency_ms", positive());
      cell.provenance = Provenance::digitised;
      std::string uncertainty(csv.text(row, "latency_uncertainty_ms"));
      cell.source = "UoS-EEC/DynamicOFA@349461f " + std::string(csv.text(row, "latency_source")) +
                    (uncertainty.empty() ? "" : " to " + uncertainty + " ms") + "; " + std::string(kClockReading);
    }
    out.accuracy.push_back(csv.number(row, "top1_pct", range(0, 100)));
    out.table.cells.push_back(std::move(cell));
  }
  if (out.table.cells.empty()) nothing_selected(csv, "device", device);
  return out;
}

ImportedTable import_dynamic_ofa_subnets(const Csv& csv, std::string_view set) {
  for (const char* column : {"set", "level1", "top1_pct", "latency_ms_pickle"})
    if (!csv.has(column))
      throw InputError({csv.name(), 1, 0, column}, "the column \"" + std::string(column) + "\" is missing");
  ImportedTable out;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    if (csv.text(row, "set") != set) continue;
    Cell cell;
    cell.subnet = level_name(out.accuracy.size());
    cell.unit = "gpu";
    cell.at = default_mode_point("gpu");
    cell.latency_ms_mean = csv.number(row, "latency_ms_pickle", positive());
    cell.provenance = Provenance::measured;
    cell.source = "UoS-EEC/DynamicOFA@349461f " + std::string(set) + ".pickle: latency recorded during the search; " +
                  std::string(kClockReading);
    out.accuracy.push_back(csv.number(row, "top1_pct", range(0, 100)));
    out.table.cells.push_back(std::move(cell));
  }
  if (out.table.cells.empty()) nothing_selected(csv, "set", set);
  return out;
}

ImportedTable import_figure_points(const Csv& csv, std::string_view series) {
  csv.expect({"figure", "series", "x", "y", "unit_x", "unit_y"}, {"uncertainty_x", "uncertainty_y", "note"});
  constexpr double kSamePoint = 0.02;  // percentage points; the accuracies were published to 0.1
  const auto name_in_legend = [](std::string_view text) {
    return text.substr(0, std::min(text.find(" ["), text.find(" (")));
  };
  struct Point {
    double accuracy;
    Cell cell;
  };
  std::vector<Point> points;
  std::vector<std::string> known;
  bool one_decimal_published = true;
  const auto wanted = [series](std::string_view legend) {
    for (std::size_t at = 0; at <= series.size();) {
      const std::size_t end = std::min(series.find(';', at), series.size());
      if (series.substr(at, end - at) == legend) return true;
      at = end + 1;
    }
    return false;
  };
  for (std::size_t row = 0; row < csv.size(); ++row) {
    const std::string_view legend = name_in_legend(csv.text(row, "series"));
    if (std::find(known.begin(), known.end(), legend) == known.end()) known.emplace_back(legend);
    if (!wanted(legend)) continue;
    const std::string figure(csv.text(row, "figure"));
    const bool search = figure == "Fig3.png";
    if (search) one_decimal_published = false;
    const bool gpu = figure == "Fig4_a.png" || search;
    if (!gpu && figure != "Fig4_b.png")
      throw csv.error(row, "figure",
                      "\"" + figure + "\" is neither Fig4_a.png nor Fig3.png (GPU) nor Fig4_b.png (CPU)");
    const std::string_view unit_x = csv.text(row, "unit_x");
    if (unit_x != "ms" && unit_x != "s")
      throw csv.error(row, "unit_x", "must be ms or s, not \"" + std::string(unit_x) + "\"");
    if (csv.text(row, "unit_y") != "%") throw csv.error(row, "unit_y", "must be %");
    const double scale = unit_x == "s" ? 1000 : 1;
    Cell cell;
    cell.unit = gpu ? "gpu" : "cpu";
    cell.at = default_mode_point(cell.unit);
    cell.latency_ms_mean = tidy(scale * csv.number(row, "x", positive()));
    cell.provenance = Provenance::digitised;
    cell.source = "UoS-EEC/DynamicOFA@349461f " + figure + (legend == series ? "" : ", " + std::string(legend) + ",") +
                  " digitised";
    if (const double u = csv.number_or_nan(row, "uncertainty_x", non_negative()); std::isfinite(u))
      cell.source += " to " + number_text(tidy(scale * u)) + " ms";
    if (const std::string_view note = csv.text(row, "note"); !note.empty())
      cell.source += " (" + std::string(note) + ")";
    cell.source += "; " + std::string(kClockReading);
    points.push_back({csv.number(row, "y", range(0, 100)), std::move(cell)});
  }
  if (points.empty())
    throw InputError({csv.name(), 0, 0, "series"},
                     "there is no series \"" + std::string(series) + "\"" + hint(series, known));

  for (Point& point : points)
    if (const double one_decimal = std::round(point.accuracy * 10) / 10;
        one_decimal_published && std::abs(point.accuracy - one_decimal) <= kSamePoint)
      point.accuracy = one_decimal;
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    if (a.accuracy != b.accuracy) return a.accuracy < b.accuracy;
    if (a.cell.unit != b.cell.unit) return a.cell.unit == "gpu";
    return a.cell.latency_ms_mean < b.cell.latency_ms_mean;
  });
  // Each sub-network takes at most one point of a unit; two points of one unit with the same accuracy stay two.
  ImportedTable out;
  std::vector<bool> used(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (used[i]) continue;
    const std::string name = level_name(out.accuracy.size());
    out.accuracy.push_back(points[i].accuracy);
    std::vector<std::size_t> members{i};
    for (std::size_t j = i + 1; j < points.size(); ++j)
      if (!used[j] && points[j].cell.unit != points[i].cell.unit &&
          std::abs(points[j].accuracy - points[i].accuracy) <= kSamePoint) {
        members.push_back(j);
        break;
      }
    for (const std::size_t j : members) {
      used[j] = true;
      points[j].cell.subnet = name;
      out.table.cells.push_back(points[j].cell);
    }
  }
  return out;
}

ImportedTable import_mlperf_power(const Csv& rows, const Csv& accuracies, std::string_view runtime) {
  for (const char* column :
       {"device", "workload", "runtime", "power_mode", "cpu_freq_khz", "mem_freq_hz", "cores", "latency_ms",
        "p90_latency_ms", "power_w", "idle_w", "energy_mj", "meter", "release", "source"})
    if (!rows.has(column))
      throw InputError({rows.name(), 1, 0, column}, "the column \"" + std::string(column) + "\" is missing");
  accuracies.expect({"workload", "accuracy", "source"}, {});
  struct Workload {
    std::string name;
    double accuracy;
    bool used = false;
  };
  std::vector<Workload> order;
  std::vector<std::string> known;
  for (std::size_t row = 0; row < accuracies.size(); ++row) {
    order.push_back({std::string(accuracies.text(row, "workload")), accuracies.number(row, "accuracy", range(0, 100))});
    known.push_back(order.back().name);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Workload& a, const Workload& b) { return a.accuracy < b.accuracy; });

  ImportedTable out;
  for (const Workload& workload : order) out.accuracy.push_back(workload.accuracy);
  bool any = false;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.text(row, "runtime") != runtime) continue;
    any = true;
    const std::string workload(rows.text(row, "workload"));
    const auto it = std::find_if(order.begin(), order.end(), [&](const Workload& w) { return w.name == workload; });
    if (it == order.end())
      throw rows.error(row, "workload", "\"" + workload + "\" is not in " + accuracies.name() + hint(workload, known));
    it->used = true;
    Cell cell;
    cell.subnet = level_name(static_cast<std::size_t>(it - order.begin()));
    cell.unit = "cpu";
    cell.at.cores = static_cast<int>(rows.number(row, "cores", range(1, 1024)));
    cell.at.f_cpu_mhz = tidy(rows.number(row, "cpu_freq_khz", positive()) / 1e3);
    cell.at.f_emc_mhz = tidy(rows.number(row, "mem_freq_hz", positive()) / 1e6);
    cell.latency_ms_mean = rows.number(row, "latency_ms", positive());
    cell.latency_ms_p90 = rows.number_or_nan(row, "p90_latency_ms", positive());
    cell.energy_mj = rows.number(row, "energy_mj", positive());
    cell.power_w = rows.number(row, "power_w", positive());
    cell.idle_power_w = rows.number(row, "idle_w", non_negative());
    cell.provenance = Provenance::measured;
    cell.source = std::string(rows.text(row, "source")) + " (" + std::string(rows.text(row, "release")) + ", " +
                  std::string(rows.text(row, "power_mode")) + "; clocks are the mode's caps)";
    cell.energy_provenance = Provenance::measured;
    cell.energy_source = std::string(rows.text(row, "meter")) + ", whole board, same run";
    out.table.cells.push_back(std::move(cell));
  }
  if (!any) nothing_selected(rows, "runtime", runtime);
  for (const Workload& workload : order)
    if (!workload.used)
      throw InputError({rows.name(), 0, 0, "workload"}, "\"" + workload.name + "\" of " + accuracies.name() +
                                                            " has no row with runtime \"" + std::string(runtime) +
                                                            "\"");
  const auto index = [](const Cell& cell) {
    std::size_t value = 0;
    std::from_chars(cell.subnet.data() + 1, cell.subnet.data() + cell.subnet.size(), value);
    return value;
  };
  std::stable_sort(out.table.cells.begin(), out.table.cells.end(),
                   [&](const Cell& a, const Cell& b) { return index(a) < index(b); });
  return out;
}

ImportedTable import_hat(const Csv& csv, std::string_view task, std::string_view hardware) {
  csv.expect({"task", "hardware", "latency_ms", "bleu", "provenance", "source"},
             {"level", "params_M", "flops_G", "sacrebleu"});
  ImportedTable out;
  struct Row {
    double bleu;
    Cell cell;
  };
  std::vector<Row> rows;
  bool task_known = false;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    task_known = task_known || csv.text(row, "task") == task;
    if (csv.text(row, "task") != task || csv.text(row, "hardware") != hardware) continue;
    if (csv.text(row, "provenance") != "measured")
      throw csv.error(row, "provenance",
                      "this form holds measured rows, not \"" + std::string(csv.text(row, "provenance")) + "\"");
    Cell cell;
    cell.unit = hardware.find("GPU") != std::string_view::npos ? "gpu" : "cpu";
    cell.latency_ms_mean = csv.number(row, "latency_ms", positive());
    cell.provenance = Provenance::measured;
    cell.source = std::string(csv.text(row, "source")) + "; clocks and number of runs not stated";
    rows.push_back({csv.number(row, "bleu", range(0, 100)), std::move(cell)});
  }
  if (!task_known) nothing_selected(csv, "task", task);
  if (rows.empty()) nothing_selected(csv, "hardware", hardware);
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.bleu != b.bleu ? a.bleu < b.bleu : a.cell.latency_ms_mean < b.cell.latency_ms_mean;
  });
  for (Row& row : rows) {
    row.cell.subnet = level_name(out.accuracy.size());
    out.accuracy.push_back(row.bleu);
    out.table.cells.push_back(std::move(row.cell));
  }
  return out;
}

std::string import_block_table(const Csv& csv) {
  csv.expect({"device", "resolution", "block", "input", "output", "expand", "kernel", "stride", "idskip", "se", "hs",
              "count", "mean_ms", "std_ms"},
             {"flag"});
  static const std::map<std::string_view, std::string_view> kSources = {
      {"cpu", "UoS-EEC/DynamicOFA@349461f latency_table@jetson"},
      {"gpu", "UoS-EEC/DynamicOFA@349461f latency_table@jetson_GPU"},
      {"note10", "han-cai/files@a7c9bcd ofa/note10"}};
  std::string out =
      "resolution,block,input,output,expand,kernel,stride,idskip,se,hs,latency_ms_mean,latency_ms_std,n,provenance,"
      "source,flags\n";
  const auto copy = [&](std::size_t row, const char* column) { out += csv_cell(csv.text(row, column)) + ','; };
  for (std::size_t row = 0; row < csv.size(); ++row) {
    const auto source = kSources.find(csv.text(row, "device"));
    if (source == kSources.end())
      throw csv.error(row, "device",
                      "must be cpu, gpu or note10, not \"" + std::string(csv.text(row, "device")) + "\"");
    for (const char* column : {"mean_ms", "count"}) csv.number(row, column, positive());
    csv.number(row, "std_ms", non_negative());
    csv.number(row, "resolution", positive());
    const std::string flags(csv.text(row, "flag"));
    const bool phone =
        flags.find("note10_verified") != std::string::npos || flags.find("note10_inferred") != std::string::npos;
    const bool phone_count = flags.find("count_is_note10") != std::string::npos;
    for (const char* column :
         {"resolution", "block", "input", "output", "expand", "kernel", "stride", "idskip", "se", "hs"})
      copy(row, column);
    copy(row, "mean_ms");  // the published digits
    copy(row, "std_ms");
    if (phone_count)
      out += ',';
    else
      copy(row, "count");
    out += phone ? "derived," : "measured,";
    out += csv_cell(std::string(source->second) +
                    (phone ? "; the row is that of a Samsung Note10, not of this board" : "")) +
           ',' + csv_cell(flags) + '\n';
  }
  return out;
}

std::string import_latency_log(const Csv& csv, std::string_view session, bool keep_first) {
  csv.expect({"session", "segment", "level_0based", "latency_ms", "is_first_inference"},
             {"index", "t_start", "t_offset_est_s"});
  std::map<std::string, std::vector<double>> steady;  // by segment, without the first inference
  for (std::size_t row = 0; row < csv.size(); ++row)
    if (csv.text(row, "session") == session) {
      auto& segment = steady[std::string(csv.text(row, "segment"))];
      if (csv.number(row, "is_first_inference", range(0, 1)) == 0)
        segment.push_back(csv.number(row, "latency_ms", positive()));
    }
  if (steady.empty()) nothing_selected(csv, "session", session);
  std::map<std::string, double> median;
  for (auto& [segment, values] : steady) {
    if (values.empty())
      throw InputError({csv.name(), 0, 0, "segment"}, "segment " + segment + " has no inference but the first");
    std::sort(values.begin(), values.end());
    median[segment] = quantile(values, 0.5);
  }
  std::string out = "subnet,latency_ms,ratio,first,source\n";
  for (std::size_t row = 0; row < csv.size(); ++row) {
    if (csv.text(row, "session") != session) continue;
    if (!keep_first && csv.number(row, "is_first_inference") != 0) continue;
    const std::string segment(csv.text(row, "segment"));
    const double latency = csv.number(row, "latency_ms", positive());
    out += level_name(static_cast<std::size_t>(csv.number(row, "level_0based", range(0, 1000)))) + ',';
    append_number(out, latency);
    out += ',';
    append_number(out, tidy(latency / median[segment]));
    out += csv.number(row, "is_first_inference") != 0 ? ",1," : ",0,";
    out += csv_cell("UoS-EEC/DynamicOFA@349461f " + std::string(session) + " segment " + segment) + '\n';
  }
  return out;
}

ImportedTable import_motivation(const Csv& csv) {
  csv.expect({"bar", "device", "workload", "freq_ghz", "latency_ms"},
             {"freq_label", "uncertainty_ms", "required_latency_ms"});
  ImportedTable out;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    if (csv.text(row, "workload") != "DNN") continue;  // sharing cases are not cells
    const std::string_view device = csv.text(row, "device");
    const double ghz = csv.number(row, "freq_ghz", positive());
    const std::string bar = "UoS-EEC/DynamicOFA@349461f Motivation.png bar " + std::string(csv.text(row, "bar")) +
                            " digitised to " + std::string(csv.text(row, "uncertainty_ms")) + " ms; ";
    const std::string label = "the label " + std::string(csv.text(row, "freq_label")) + " is read as ";
    Cell cell;
    cell.subnet = "L1";
    cell.at.f_emc_mhz = kEmcMhz;
    if (device == "GPU") {
      cell.unit = "gpu";
      if (std::abs(ghz - 1.1) < 1e-9)
        cell.at.f_gpu_mhz = kGpu15WMhz;
      else if (std::abs(ghz - 0.803) < 1e-9)
        cell.at.f_gpu_mhz = kGpu10WMhz;
      else
        throw csv.error(row, "freq_ghz", "must be 1.1 or 0.803 GHz on the GPU, not " + number_text(ghz));
      cell.source = bar + label + number_text(cell.at.f_gpu_mhz) + " MHz, the GPU's cap in mode " +
                    (ghz > 1 ? "15W_6CORE" : "10W_4CORE") + "; host clock not stated, memory at that mode's cap";
    } else if (device == "CPU") {
      cell.unit = "cpu";
      const bool fast = std::abs(ghz - 1.4) < 1e-9;
      if (!fast && std::abs(ghz - 1.2) > 1e-9)
        throw csv.error(row, "freq_ghz", "must be 1.4 or 1.2 GHz on the CPU, not " + number_text(ghz));
      cell.at.f_cpu_mhz = fast ? kCpu15WMhz : kCpu10WMhz;
      cell.at.cores = fast ? kCores15W : kCores10W;
      cell.source =
          bar + label + "mode " +
          (fast ? std::string("15W_6CORE (six cores at 1420.8 MHz)")
                : std::string(
                      "10W_4CORE (four cores at 1190.4 MHz): the ratio 1.46 of the two CPU bars is more than their "
                      "clocks' 1.19 can explain"));
    } else {
      throw csv.error(row, "device", "must be GPU or CPU, not \"" + std::string(device) + "\"");
    }
    cell.latency_ms_mean = csv.number(row, "latency_ms", positive());
    cell.provenance = Provenance::digitised;
    out.table.cells.push_back(std::move(cell));
  }
  if (out.table.cells.empty()) nothing_selected(csv, "workload", "DNN");
  return out;
}

Table import_frequency_grid(const Csv& csv, std::string_view run) {
  const bool medians = csv.has("response_p50_ms");
  if (medians)
    csv.expect({"device", "workload", "cpu_mhz", "gpu_mhz", "emc_mhz", "response_p50_ms", "response_p99_ms", "source"},
               {"period_ms", "compute_p50_ms", "iters"});
  else
    csv.expect({"device", "workload", "cpu_mhz", "gpu_mhz", "mem_mhz", "gpu_latency_ms_per_batch", "source"}, {"fps"});
  Table out;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    const std::string source(csv.text(row, "source"));
    if (source.find(run) == std::string::npos) continue;
    Cell cell;
    cell.subnet = csv.text(row, "workload");
    cell.unit = "gpu";
    cell.at.f_cpu_mhz = csv.number(row, "cpu_mhz", positive());
    cell.at.f_gpu_mhz = csv.number(row, "gpu_mhz", positive());
    cell.at.f_emc_mhz = csv.number(row, medians ? "emc_mhz" : "mem_mhz", positive());
    cell.provenance = Provenance::measured;
    if (medians) {
      cell.latency_ms_mean = cell.latency_ms_p50 = csv.number(row, "response_p50_ms", positive());
      cell.latency_ms_p99 = csv.number(row, "response_p99_ms", positive());
      if (!csv.text(row, "iters").empty()) cell.n = csv.number(row, "iters", non_negative());
      cell.source = source + " (the median; the mean was not published)";
    } else {
      cell.latency_ms_mean = tidy(csv.number(row, "gpu_latency_ms_per_batch", positive()));
      cell.source = source + " (per batch; its size is not stated)";
    }
    out.cells.push_back(std::move(cell));
  }
  if (out.cells.empty())
    throw InputError({csv.name(), 0, 0, "source"}, "no row's source contains \"" + std::string(run) + "\"");
  std::stable_sort(out.cells.begin(), out.cells.end(), [](const Cell& a, const Cell& b) {
    return std::tie(a.subnet, a.at.f_emc_mhz, a.at.f_gpu_mhz) < std::tie(b.subnet, b.at.f_emc_mhz, b.at.f_gpu_mhz);
  });
  return out;
}

Table import_samples(const Csv& csv, std::size_t skip, const std::string& source, const std::string& meter,
                     std::vector<std::string>* warnings) {
  csv.expect({"subnet", "unit", "latency_ms"},
             {"cores", "f_cpu_mhz", "f_gpu_mhz", "f_emc_mhz", "energy_mj", "power_w", "idle_power_w"});
  if (csv.size() == 0) throw InputError({csv.name(), 1, 0, ""}, "there are no samples");
  if (source.empty())
    throw InputError(
        "the option --source is empty: say the board, how clocks were locked, software versions and the date");
  const bool has_energy = csv.has("energy_mj"), has_power = csv.has("power_w");
  if ((has_energy || has_power || csv.has("idle_power_w")) && meter.empty())
    throw InputError({csv.name(), 1, 0,
                      has_energy  ? "energy_mj"
                      : has_power ? "power_w"
                                  : "idle_power_w"},
                     "energy or power is given: name the meter with --meter (rail or wall, sensor, sampling rate)");
  struct Group {
    Cell cell;
    std::size_t first_row;
    std::vector<double> latency, energy, power, idle;
  };
  std::vector<Group> groups;
  for (std::size_t row = 0; row < csv.size(); ++row) {
    const Cell cell = cell_at(csv, row);
    const auto it = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
      const OperatingPoint &a = g.cell.at, &b = cell.at;
      const auto states_the_same = [](double x, double y) { return std::isnan(x) == std::isnan(y); };
      return g.cell.subnet == cell.subnet && g.cell.unit == cell.unit && a.matches(b) && a.cores == b.cores &&
             states_the_same(a.f_cpu_mhz, b.f_cpu_mhz) && states_the_same(a.f_gpu_mhz, b.f_gpu_mhz) &&
             states_the_same(a.f_emc_mhz, b.f_emc_mhz);
    });
    Group& group = it != groups.end() ? *it : groups.emplace_back(Group{cell, row, {}, {}, {}, {}});
    group.latency.push_back(csv.number(row, "latency_ms", positive()));
    // Energy and power are all there or all absent: a mean over some rows would belong to no latency.
    const double power = has_power ? csv.number(row, "power_w", non_negative()) : kNaN;
    if (has_power) group.power.push_back(power);
    if (has_energy)
      group.energy.push_back(csv.number(row, "energy_mj", non_negative()));
    else if (has_power)
      group.energy.push_back(power * group.latency.back());
    if (csv.has("idle_power_w")) group.idle.push_back(csv.number(row, "idle_power_w", non_negative()));
  }

  Table out;
  constexpr double kColdStart = 1.5;  // a first inference this much above the median is taken for a cold one
  constexpr std::size_t kEnough = 30;
  for (Group& group : groups) {
    const std::string name = group.cell.subnet + " on " + group.cell.unit + " (" + group.cell.at.text() + ")";
    if (group.latency.size() <= skip)
      throw csv.error(group.first_row, "latency_ms",
                      name + " has " + std::to_string(group.latency.size()) + " rows, and the first " +
                          std::to_string(skip) + " are dropped");
    for (auto* values : {&group.latency, &group.energy, &group.power, &group.idle})
      if (!values->empty()) values->erase(values->begin(), values->begin() + static_cast<std::ptrdiff_t>(skip));
    const double first = group.latency.front();
    Cell& cell = group.cell;
    cell.latency_ms_mean = mean_of(group.latency);
    cell.n = static_cast<double>(group.latency.size());
    if (group.latency.size() >= 2) {
      double squares = 0;
      for (const double x : group.latency) squares += (x - cell.latency_ms_mean) * (x - cell.latency_ms_mean);
      cell.latency_ms_std = std::sqrt(squares / (cell.n - 1));
    }
    if (!group.energy.empty()) {
      cell.energy_mj = mean_of(group.energy);
      cell.power_w = has_power ? mean_of(group.power) : cell.energy_mj / cell.latency_ms_mean;
    }
    if (!group.idle.empty()) cell.idle_power_w = mean_of(group.idle);
    std::sort(group.latency.begin(), group.latency.end());
    cell.latency_ms_p50 = quantile(group.latency, 0.50);
    cell.latency_ms_p90 = quantile(group.latency, 0.90);
    cell.latency_ms_p99 = quantile(group.latency, 0.99);
    for (double* value : {&cell.latency_ms_mean, &cell.latency_ms_std, &cell.latency_ms_p50, &cell.latency_ms_p90,
                          &cell.latency_ms_p99, &cell.energy_mj, &cell.power_w, &cell.idle_power_w})
      if (std::isfinite(*value)) *value = tidy(*value);
    if (warnings != nullptr && first > kColdStart * cell.latency_ms_p50 && group.latency.size() > 1)
      warnings->push_back(name + ": the first inference took " + rounded_text(first / cell.latency_ms_p50, 3) +
                          " times the median; drop warm-up with --skip N");
    if (warnings != nullptr && group.latency.size() < kEnough)
      warnings->push_back(name + ": samples: " + std::to_string(group.latency.size()) + "; 30 or more are advisable");
    cell.provenance = Provenance::measured;
    cell.source = source;
    if (!group.energy.empty() || !group.idle.empty()) {
      cell.energy_provenance = Provenance::measured;
      cell.energy_source = meter;
      if (!has_energy && has_power) cell.energy_source += "; energy = power x latency";
      if (has_energy && !has_power) cell.energy_source += "; power = energy / latency";
    }
    out.cells.push_back(std::move(cell));
  }
  try {  // a sample of 1e300 ms is a number, and no table
    Table::from_csv(Csv::parse(out.to_csv(), "table"));
  } catch (const InputError& error) {
    throw csv.header_error("the samples give a table that is refused: " + std::string(error.what()));
  }
  return out;
}

// ---------------------------------------------------------------------------------------------------------------------

const std::vector<ImportForm>& import_forms() {
  using Options = std::map<std::string, std::string>;
  using Warnings = std::vector<std::string>*;
  const auto get = [](const Options& options, const char* name) {
    const auto it = options.find(name);
    return it == options.end() ? std::string() : it->second;
  };
  static const std::vector<ImportForm> forms = {
      {"samples",
       "your own measurements, one row an inference: subnet,unit,latency_ms and, where known, "
       "cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,energy_mj,power_w,idle_power_w",
       {"samples"},
       {{"source", "board, how clocks were locked, software versions, date: goes into every cell", true},
        {"meter", "which rail or wall meter; needed where energy or power is given"},
        {"skip", "warm-up: rows dropped at the start of each group (0)"}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings warnings) {
         std::size_t skip = 0;
         if (const std::string text = get(options, "skip"); !text.empty()) {
           const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), skip);
           if (code != std::errc{} || end != text.data() + text.size())
             throw InputError("--skip " + text + ": must be a whole number of rows");
         }
         return import_samples(in[0], skip, get(options, "source"), get(options, "meter"), warnings).to_csv();
       }},
      {"dynamic-ofa-levels",
       "operating points of Dynamic-OFA (dynamic_ofa_levels.csv)",
       {"levels"},
       {{"device", "gpu or cpu", true},
        {"latency", "figure (read off Fig 4) or search (recorded during the search)", true}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings) {
         const std::string latency = get(options, "latency");
         if (latency != "figure" && latency != "search")
           throw InputError("--latency " + latency + ": must be figure or search" +
                            hint(latency, std::vector<std::string>{"figure", "search"}));
         return import_dynamic_ofa_levels(in[0], get(options, "device"),
                                          latency == "figure" ? LatencyColumn::figure : LatencyColumn::search)
             .table.to_csv();
       }},
      {"dynamic-ofa-subnets",
       "sub-networks recorded by the search of Dynamic-OFA (subnets_summary.csv)",
       {"sub-networks"},
       {{"set", "nets_6 or nets_7", true}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings) {
         return import_dynamic_ofa_subnets(in[0], get(options, "set")).table.to_csv();
       }},
      {"figure-points",
       "points digitised from Fig 3 or 4 (figures_digitised.csv), GPU and CPU of one series (of several: `A;B`)",
       {"points"},
       {{"series", "name in the legend, for instance \"AutoSlim MnasNet\"", true}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings) {
         return import_figure_points(in[0], get(options, "series")).table.to_csv();
       }},
      {"mlperf-power",
       "MLPerf Inference runs with power, and the accuracy of each workload",
       {"runs", "accuracies (workload,accuracy,source)"},
       {{"runtime", "for instance tflite-v2.7.1-ruy", true}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings) {
         return import_mlperf_power(in[0], in[1], get(options, "runtime")).table.to_csv();
       }},
      {"hat",
       "searched SubTransformers (transformer_hat.csv)",
       {"SubTransformers"},
       {{"task", "for instance \"WMT14 En-De\"", true}, {"hardware", "for instance \"Nvidia TITAN Xp GPU\"", true}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings) {
         return import_hat(in[0], get(options, "task"), get(options, "hardware")).table.to_csv();
       }},
      {"blocks",
       "block latency tables of a super-network (lut_xavier_nx_gpu.csv and the like)",
       {"blocks"},
       {},
       [](const std::vector<Csv>& in, const Options&, Warnings) { return import_block_table(in[0]); }},
      {"latency-log",
       "latencies logged at run time (runtime_latency_samples.csv), into a recorded trace",
       {"log"},
       {{"session", "for instance latencylog_80.txt", true},
        {"first", "keep (the default) or drop the first inference of each segment, a restarted process"}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings) {
         const std::string first = get(options, "first");
         if (!first.empty() && first != "keep" && first != "drop")
           throw InputError("--first " + first + ": must be keep or drop" +
                            hint(first, std::vector<std::string>{"keep", "drop"}));
         return import_latency_log(in[0], get(options, "session"), first != "drop");
       }},
      {"motivation",
       "bars of the motivating figure of Dynamic-OFA (motivation_bars.csv)",
       {"bars"},
       {},
       [](const std::vector<Csv>& in, const Options&, Warnings) { return import_motivation(in[0]).table.to_csv(); }},
      {"frequency-grid",
       "latency over GPU and memory clocks (TX2 and Orin Nano)",
       {"grid"},
       {{"run", "take the rows whose source contains this"}},
       [get](const std::vector<Csv>& in, const Options& options, Warnings) {
         return import_frequency_grid(in[0], get(options, "run")).to_csv();
       }},
  };
  return forms;
}

std::string import_files(const std::string& name, const std::vector<std::filesystem::path>& inputs,
                         const std::map<std::string, std::string>& options, std::vector<std::string>* warnings) {
  std::vector<std::string> known;
  for (const ImportForm& form : import_forms()) {
    known.push_back(form.name);
    if (form.name != name) continue;
    if (inputs.size() != form.inputs.size()) {
      std::string wanted;
      for (const std::string& input : form.inputs) wanted += (wanted.empty() ? "" : ", ") + input;
      throw InputError("the form \"" + name + "\" reads " + std::to_string(form.inputs.size()) +
                       (form.inputs.size() == 1 ? " file (" : " files (") + wanted + "), not " +
                       std::to_string(inputs.size()));
    }
    std::vector<std::string> option_names;
    for (const ImportOption& option : form.options) {
      option_names.push_back(option.name);
      if (option.required && !options.contains(option.name))
        throw InputError("the form \"" + name + "\" needs --" + option.name + " (" + option.doc + ")");
    }
    for (const auto& [option, unused] : options)
      if (std::find(option_names.begin(), option_names.end(), option) == option_names.end())
        throw InputError("the form \"" + name + "\" has no option --" + option + hint(option, option_names));
    std::vector<Csv> files;
    files.reserve(inputs.size());
    for (const auto& input : inputs) files.push_back(Csv::load(input));
    return form.run(files, options, warnings);
  }
  throw InputError("there is no form \"" + name + "\"" + hint(name, known));
}

}  // namespace dynasoc
