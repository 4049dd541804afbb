#include "explore/sweep/sweep_report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "common/csv_rows.hpp"
#include "common/text.hpp"
#include "explore/sweep/sweep.hpp"
#include "results/statistics.hpp"

namespace dynasoc::explore {
namespace fs = std::filesystem;
namespace {

using report::cell;
using report::MetricTraits;
using report::number;
using report::traits_of;

constexpr std::size_t kMostCells = 200'000;  // of the table that the page has
constexpr std::size_t kMostPoints = 3'000;   // of the front's plot
constexpr std::size_t kMostShown = 100;      // of the headline

// Rows of results.csv, by column.
struct Table {
  std::vector<std::uint64_t> point;
  std::vector<report::Names> labels;             // [axis]
  std::vector<std::vector<std::uint32_t>> axes;  // [axis][row]
  std::vector<std::vector<double>> metrics;      // [metric][row]
  std::size_t rows() const { return point.size(); }
};

Table read_table(const fs::path& path, const std::vector<std::string>& axes, const std::vector<std::string>& metrics,
                 const std::function<void(double)>& progress) {
  CsvRows rows(path);
  Table out;
  const std::size_t point = rows.column("point");
  std::vector<std::size_t> of_axis, of_metric;
  for (const std::string& name : axes) of_axis.push_back(rows.column(name));
  for (const std::string& name : metrics) of_metric.push_back(rows.column(name));
  out.labels.resize(axes.size());
  out.axes.resize(axes.size());
  out.metrics.resize(metrics.size());
  while (rows.next()) {
    out.point.push_back(rows.whole(point));
    if (out.point.size() > 1 && out.point.back() < out.point[out.point.size() - 2])
      throw rows.error(point, "points are not in order: the file was changed");
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const std::string_view text = rows.text(of_axis[a]);
      if (first_invalid_utf8(text) < text.size()) throw rows.error(of_axis[a], "not valid UTF-8");
      out.axes[a].push_back(out.labels[a].number(text));
    }
    for (std::size_t m = 0; m < metrics.size(); ++m) out.metrics[m].push_back(rows.number_or_nan(of_metric[m]));
    if (progress && out.rows() % 4096 == 0)
      progress(0.3 * static_cast<double>(rows.position()) / static_cast<double>(rows.file_size() + 1));
  }
  return out;
}

// Up to three metrics that tell better from worse: the usual three where they are there.
std::vector<std::size_t> objectives_of(const std::vector<std::string>& metrics) {
  std::vector<std::size_t> out;
  const auto take = [&](std::size_t m) {
    if (out.size() < 3 && !traits_of(metrics[m]).better.empty() && std::find(out.begin(), out.end(), m) == out.end())
      out.push_back(m);
  };
  for (const char* usual : {"platform.energy_j", "run.miss_rate", "run.accuracy"})
    for (std::size_t m = 0; m < metrics.size(); ++m)
      if (metrics[m] == usual) take(m);
  for (std::size_t m = 0; m < metrics.size() && out.size() < 2; ++m) take(m);
  return out;
}

// What the page takes for one configuration: rows that differ in replication or seed alone.
struct Point {
  std::uint64_t index = 0;  // of its first row in the sweep
  std::size_t first_row = 0;
  std::vector<std::size_t> rows;
  std::vector<Estimate> metrics;
};

std::vector<Point> points_of(const Table& table, const std::vector<std::size_t>& axes) {
  std::vector<Point> out;
  std::map<std::vector<std::uint32_t>, std::size_t> known;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::vector<std::uint32_t> labels;
    for (const std::size_t a : axes) labels.push_back(table.axes[a][row]);
    const auto [at, fresh] = known.emplace(std::move(labels), out.size());
    if (fresh) out.push_back({table.point[row], row, {}, {}});
    out[at->second].rows.push_back(row);
  }
  for (Point& point : out)
    for (const auto& column : table.metrics) {
      std::vector<double> values;
      for (const std::size_t row : point.rows) values.push_back(column[row]);
      point.metrics.push_back(estimate(values));
    }
  return out;
}

}  // namespace

Json sweep_payload(const report::Request& request) {
  const fs::path path = request.directory / "sweep.json";
  const auto document = Document::load(path);
  const Value root(document);
  if (!root.has("sweep_version")) throw root.error("is not the description of a sweep");
  const auto metrics = read<std::vector<std::string>>(root["metrics"]);
  if (!root["axes"].json().is_object()) throw root["axes"].error("an object of axes is expected");
  std::vector<std::string> axes;
  for (const auto& [name, size] : root["axes"].json().items()) axes.push_back(name);
  const Table table = read_table(request.directory / "results.csv", axes, metrics, request.progress);
  std::vector<std::size_t> shown_axes;  // seeds are repetitions, not configurations
  for (std::size_t a = 0; a < axes.size(); ++a)
    if (axes[a] != "seed") shown_axes.push_back(a);
  const std::vector<Point> points = points_of(table, shown_axes);

  Json payload = report::empty_payload(report::ResultKind::sweep, request);
  const auto name = read<std::string>(root["name"]);
  const Json title = root["sweep"].json().is_object() ? root["sweep"].json().value("title", Json()) : Json();
  if (request.title.empty()) payload["title"] = title.is_string() ? title : Json(name);
  payload["subtitle"] = name + "; " + std::to_string(points.size()) + " configurations on " +
                        std::to_string(axes.size()) + (axes.size() == 1 ? " axis; " : " axes; ") +
                        std::to_string(table.rows()) + " rows";
  // In another directory: in its own, all points are there and nothing would be simulated.
  payload["rerun"] = report::shell_line(
      {"dynasoc", "sweep", request.directory.string(), "--out", request.directory.string() + "-again"});
  payload["manifest"] = root.json();
  if (points.empty()) payload["warnings"].push_back("the table has no rows");
  std::size_t distinct = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) distinct += row == 0 || table.point[row] != table.point[row - 1];
  if (const auto all = static_cast<std::size_t>(read<std::int64_t>(root["points"])); distinct < all)
    payload["warnings"].push_back("the table has " + std::to_string(distinct) + " of the sweep's " +
                                  std::to_string(all) +
                                  " points: it is of a part (--shard); `dynasoc merge` makes the whole one");

  // The table itself.
  const std::size_t cells_a_row = std::max<std::size_t>(1, axes.size() + metrics.size());
  const auto kept = report::keep_sample(table.rows(), kMostCells / request.shrink / cells_a_row);
  Json sweep = {
      {"axes", Json::array()}, {"metrics", Json::array()}, {"rows_total", table.rows()}, {"columns", Json::object()}};
  for (std::size_t a = 0; a < axes.size(); ++a) {
    std::vector<std::uint32_t> index;
    for (const std::uint32_t row : kept) index.push_back(table.axes[a][row]);
    Json column = report::text_column(table.labels[a].all(), index);
    sweep["axes"].push_back({{"name", axes[a]}, {"values", column["values"]}});
    sweep["columns"][axes[a]] = std::move(column);
  }
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    std::vector<double> values;
    for (const std::uint32_t row : kept) values.push_back(table.metrics[m][row]);
    const MetricTraits traits = traits_of(metrics[m]);
    sweep["metrics"].push_back({{"name", metrics[m]}, {"unit", traits.unit}, {"better", traits.better}});
    sweep["columns"][metrics[m]] = report::f64_column(values);
  }
  payload["sweep"] = std::move(sweep);

  // What no other point beats.
  const std::vector<std::size_t> objectives = objectives_of(metrics);
  const auto configuration = [&](const Point& point) {
    Json out = Json::array();
    for (const std::size_t a : shown_axes)
      out.push_back({axes[a], table.labels[a].all()[table.axes[a][point.first_row]]});
    return out;
  };
  Json front = {{"objectives", Json::array()}, {"points", Json::array()}, {"bound", nullptr}, {"hypervolume", nullptr}};
  for (const std::size_t m : objectives) {
    const MetricTraits traits = traits_of(metrics[m]);
    front["objectives"].push_back(
        {{"name", metrics[m]}, {"unit", traits.unit}, {"direction", traits.better == "higher" ? "max" : "min"}});
  }
  for (const Point& point : points) {
    Json one = {{"name", "point " + std::to_string(point.index)},
                {"values", Json::array()},
                {"low", Json::array()},
                {"high", Json::array()},
                {"on_front", false},
                {"configuration", Json::array()},
                {"run", nullptr}};
    for (const std::size_t m : objectives) {
      one["values"].push_back(number(point.metrics[m].mean));
      one["low"].push_back(number(point.metrics[m].interval.low));
      one["high"].push_back(number(point.metrics[m].interval.high));
    }
    front["points"].push_back(std::move(one));
  }
  report::mark_front(front);
  std::vector<std::size_t> on_front, others;
  for (std::size_t i = 0; i < points.size(); ++i)
    (front["points"][i]["on_front"].get<bool>() ? on_front : others).push_back(i);
  if (!objectives.empty())
    std::stable_sort(on_front.begin(), on_front.end(), [&](std::size_t a, std::size_t b) {
      const double sign = traits_of(metrics[objectives[0]]).better == "higher" ? -1 : 1;
      return sign * points[a].metrics[objectives[0]].mean < sign * points[b].metrics[objectives[0]].mean;
    });

  // The headline: the front (or, where nothing tells better from worse, points evenly).
  Json& columns = payload["headline"]["columns"];
  columns.push_back({{"name", "point"}, {"unit", ""}});
  for (const std::size_t a : shown_axes) columns.push_back({{"name", axes[a]}, {"unit", ""}});
  for (const std::string& metric : metrics) columns.push_back({{"name", metric}, {"unit", traits_of(metric).unit}});
  std::vector<std::size_t> rows;
  const auto& listed = objectives.empty() ? others : on_front;
  for (const std::uint32_t k : report::keep_evenly(listed.size(), kMostShown)) rows.push_back(listed[k]);
  for (const std::size_t i : rows) {
    Json cells = Json::array({"point " + std::to_string(points[i].index)});
    for (const Json& pair : configuration(points[i])) cells.push_back(pair[1]);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const Estimate& one = points[i].metrics[m];
      cells.push_back(cell(one.mean, one.interval.low, one.interval.high, traits_of(metrics[m]).better));
    }
    payload["headline"]["rows"].push_back({{"cells", std::move(cells)}, {"run", nullptr}});
  }
  payload["headline"]["note"] =
      (objectives.empty() ? std::string("points, evenly spaced")
                          : "the points that no other beats in all of the front's metrics") +
      (rows.size() < listed.size() ? " (" + std::to_string(rows.size()) + " of " + std::to_string(listed.size()) + ")"
                                   : "") +
      "; mean ± half of the 95 % interval over replications and seeds, where there are several";

  // Runs that can be opened.
  std::vector<std::optional<std::size_t>> run_of_point(points.size());
  std::vector<std::size_t> picked;
  for (const std::uint32_t k : report::keep_evenly(rows.size(), request.runs)) picked.push_back(rows[k]);
  std::shared_ptr<const Sweep> loaded;
  if (!picked.empty()) {
    if (const auto changed =
            report::changed_inputs(root.has("inputs") ? root["inputs"].json() : Json(), request.directory);
        !changed.empty()) {
      for (const std::string& what : changed)
        payload["warnings"].push_back("no runs can be opened: an input of the sweep, " + what);
      picked.clear();
    } else {
      try {
        loaded = Sweep::load(path, {}, {});
      } catch (const InputError& error) {
        payload["warnings"].push_back(std::string("no runs can be opened: ") + error.what());
        picked.clear();
      }
    }
  }
  if (!picked.empty()) {
    std::vector<report::Rerun> reruns;
    for (const std::size_t i : picked) {
      std::string label = "point " + std::to_string(points[i].index);
      const char* between = ": ";
      for (const Json& pair : configuration(points[i])) {
        label += between + pair[0].get<std::string>() + " = " + pair[1].get<std::string>();
        between = ", ";
      }
      reruns.push_back({std::move(label),
                        [&, i] {
                          if (points[i].index >= loaded->size()) throw InputError("the sweep has no such point");
                          return loaded->scenario(points[i].index);
                        },
                        static_cast<int>(points[i].rows.size()),
                        [&, i](const Setup& setup, const RunRecord& record) -> std::string {
                          const Metrics values = measure(setup, record);
                          for (std::size_t m = 0; m < metrics.size(); ++m) {
                            const double now = MetricColumn(setup, metrics[m]).value(values);
                            const auto why = report::difference(metrics[m], now, table.metrics[m][points[i].first_row]);
                            if (!why.empty()) return why;
                          }
                          return "";
                        }});
    }
    report::Request part = request;
    part.progress = [&](double share) {
      if (request.progress) request.progress(0.3 + 0.7 * share);
    };
    const auto places = report::simulate_again(reruns, part, payload);
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (!places[k]) continue;
      run_of_point[picked[k]] = *places[k];
      const auto row = static_cast<std::size_t>(std::find(rows.begin(), rows.end(), picked[k]) - rows.begin());
      payload["headline"]["rows"][row]["run"] = *places[k];
    }
    if (picked.size() < listed.size())
      payload["warnings"].push_back(
          "runs of " + std::to_string(picked.size()) + " of " + std::to_string(listed.size()) +
          (objectives.empty() ? " points" : " points of the front") + " are in this page (--runs)");
  }
  if (objectives.size() >= 2) {
    Json all = Json::array();
    front["points_total"] = points.size();
    front["front_total"] = on_front.size();
    std::vector<std::size_t> shown;
    for (const std::uint32_t k : report::keep_evenly(on_front.size(), kMostPoints / request.shrink))
      shown.push_back(on_front[k]);
    shown.insert(shown.end(), rows.begin(), rows.end());  // those of the headline, which may have runs
    for (const std::uint32_t k : report::keep_sample(others.size(), kMostPoints / request.shrink))
      shown.push_back(others[k]);
    std::sort(shown.begin(), shown.end());
    shown.erase(std::unique(shown.begin(), shown.end()), shown.end());
    for (const std::size_t i : shown) {
      Json& point = front["points"][i];
      if (std::any_of(point["values"].begin(), point["values"].end(), [](const Json& x) { return x.is_null(); }))
        continue;
      point["configuration"] = configuration(points[i]);
      if (run_of_point[i]) point["run"] = *run_of_point[i];
      all.push_back(std::move(point));
    }
    front["points"] = std::move(all);
    payload["front"] = std::move(front);
  }
  Json sections = Json::array({"headline"});
  if (!payload["front"].is_null()) sections.push_back("front");
  sections.push_back("sweep");
  if (!payload["runs"].empty())
    for (const char* section : {"timeline", "gantt", "distributions"}) sections.push_back(section);
  sections.push_back("manifest");
  payload["sections"] = std::move(sections);
  return payload;
}

}  // namespace dynasoc::explore
