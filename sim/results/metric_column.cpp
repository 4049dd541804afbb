#include "results/metric_column.hpp"

#include <algorithm>
#include <cmath>

namespace dynasoc {
namespace {

std::string with_application(std::string_view metric, const std::string& application) {
  std::string out(metric);
  return out.replace(out.find("APP"), 3, application);
}

}  // namespace

std::vector<std::string> metric_names(const Setup& setup) {
  std::vector<std::string> out;
  for (const Metric& metric : metric_table()) {
    if (metric.of_run != nullptr) out.emplace_back(metric.name);
    if (metric.of_application == nullptr) continue;
    for (const AppSetup& app : setup.apps) out.push_back(with_application(metric.name, app.name));
  }
  return out;
}

MetricColumn::MetricColumn(const Setup& setup, const std::string& name)
    : name_(name), metric_(nullptr), application_(-1) {
  for (const Metric& metric : metric_table()) {
    if (metric.of_run == nullptr && metric.of_application == nullptr) continue;
    if (metric.name == name) {
      metric_ = &metric;
      return;
    }
    if (metric.of_application == nullptr) continue;
    for (std::size_t a = 0; a < setup.apps.size(); ++a)
      if (with_application(metric.name, setup.apps[a].name) == name) {
        metric_ = &metric;
        application_ = static_cast<int>(a);
        return;
      }
  }
  std::vector<std::string> known = metric_names(setup);
  for (const Metric& metric : metric_table())
    if (metric.of_application != nullptr) known.emplace_back(metric.name);
  throw InputError("unknown metric " + in_quotes(name) + hint(name, known) + "; `dynasoc list metrics` names them");
}

double MetricColumn::value(const Metrics& metrics) const {
  if (metric_->of_run != nullptr) return metrics.of_run(metric_->name);
  if (application_ >= 0) return metrics.of_application(static_cast<std::size_t>(application_), metric_->name);
  double sum = 0;
  int n = 0;
  for (std::size_t a = 0; a < metrics.applications.size(); ++a)
    if (const double x = metrics.of_application(a, metric_->name); std::isfinite(x)) sum += x, ++n;
  return n > 0 ? sum / n : std::nan("");
}

std::vector<std::string> split_names(const std::string& list, const std::string& option) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, end - at));
    if (out.back().empty()) throw InputError(option + " " + list + ": an entry is empty");
    if (std::count(out.begin(), out.end(), out.back()) > 1)
      throw InputError(option + ": " + in_quotes(out.back()) + " is there twice");
    at = end + 1;
  }
  return out;
}

}  // namespace dynasoc
