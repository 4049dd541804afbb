#include "explore/sweep/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "explore/build_identity.hpp"
#include "version.hpp"
#include "world/run.hpp"

namespace dynasoc::explore {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kTriedValues =
    1000;  // of a list, before anything runs; of a longer one and of a range the first and the last

std::vector<std::string> default_metrics(const Setup& setup) {
  std::vector<std::string> out{"platform.energy_j", "run.miss_rate", "run.accuracy", "run.cost"};
  for (const AppSetup& app : setup.apps)
    for (const char* metric : {"latency_ms.mean", "latency_ms.p99", "miss_rate", "accuracy.mean", "energy_mj_per_job"})
      out.push_back("apps." + app.name + "." + metric);
  return out;
}

}  // namespace

std::shared_ptr<const Sweep> Sweep::load(const fs::path& path, const Overrides& overrides,
                                         const std::vector<std::string>& metrics) {
  auto sweep = std::make_shared<Sweep>();
  sweep->folder_ = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  sweep->name_ = path.stem().string();
  auto file = Document::load(path);
  if (file->root().is_object() && file->root().contains("sweep_version")) {
    // The sweep as it was, with its includes and overrides; names lead where they led then.
    const Value root(file);
    sweep->folder_ = (sweep->folder_ / read<std::string>(root["folder"])).lexically_normal();
    sweep->name_ = read<std::string>(root["name"]);
    if (!root["sweep"].json().is_object()) detail::wrong_kind(root["sweep"], "an object");
    sweep->document_ = Document::part(file, "/sweep");
    for (const auto& [where, value] : overrides) sweep->document_->set(where, value);
  } else {
    std::vector<fs::path> files;  // what they say is in the document
    sweep->document_ = scenario_document(path, overrides, files);
  }
  Document& document = *sweep->document_;
  std::optional<Location> named_in;
  if (document.root().contains("metrics")) {
    const Value value = Value(sweep->document_)["metrics"];
    sweep->metrics_ = read<std::vector<std::string>>(value);
    if (sweep->metrics_.empty()) throw value.error("is empty: a table needs a column");
    if (metrics.empty()) named_in = value.where().location();
  }
  if (!metrics.empty()) {
    sweep->metrics_ = metrics;
    document.put("/metrics", metrics);
  }
  sweep->source_ = document.root().dump();
  document.drop("metrics");
  sweep->axes_ = take_axes(sweep->document_);
  sweep->grid_ = Grid(sweep->axes_);

  // Everything is tried once: who made a slip learns it now and not after an hour.
  const auto remember = [&](const Scenario& scenario) {
    for (const fs::path& input : scenario.inputs)
      if (std::find(sweep->inputs_.begin(), sweep->inputs_.end(), input) == sweep->inputs_.end())
        sweep->inputs_.push_back(input);
    for (const std::string& warning : scenario.warnings)
      if (std::find(sweep->warnings_.begin(), sweep->warnings_.end(), warning) == sweep->warnings_.end())
        sweep->warnings_.push_back(warning);
  };
  const Scenario first = sweep->scenario(0);
  remember(first);
  if (!first.file.name.empty() && document.root().contains("name")) sweep->name_ = first.file.name;
  sweep->title_ = first.file.title;
  if (sweep->metrics_.empty()) sweep->metrics_ = default_metrics(*first.setup);
  if (sweep->metrics_ == std::vector<std::string>{"all"}) sweep->metrics_ = metric_names(*first.setup);
  for (const AppSetup& app : first.setup->apps) sweep->applications_.push_back(app.name);
  try {
    for (const std::string& metric : sweep->metrics_) sweep->columns_.emplace_back(*first.setup, metric);
  } catch (const InputError& error) {
    if (!named_in) throw;
    throw InputError(*named_in, error.what());
  }
  std::uint64_t step = sweep->size();
  for (const Axis& axis : sweep->axes_) {
    step /= axis.values.size();  // from one value of this axis to the next, the others being at their first
    for (std::uint64_t i = 1; i < axis.values.size(); ++i) {
      if (axis.values.is_range() || axis.values.size() > kTriedValues) i = axis.values.size() - 1;
      remember(sweep->scenario(i * step));
    }
  }

  // Results of another build may differ: they are not this sweep's.
  std::string inputs;
  for (const fs::path& input : sweep->inputs_) inputs += sweep->hash_of(input);
  Json wanted = sweep->metrics_;
  sweep->same_for_all_ = build_identity() + wanted.dump();
  sweep->fingerprint_ =
      content_hash(sweep->same_for_all_ + sweep->source_ + inputs + embedded_policies(sweep->source_));
  return sweep;
}

std::vector<std::string> Sweep::labels(std::uint64_t point) const {
  std::vector<std::uint64_t> indices;
  grid_.at(point, indices);
  std::vector<std::string> out;
  for (std::size_t a = 0; a < axes_.size(); ++a) out.push_back(axes_[a].text(indices[a]));
  return out;
}

Scenario Sweep::scenario(std::uint64_t point) const {
  std::vector<std::uint64_t> indices;
  grid_.at(point, indices);
  try {
    auto document = std::make_shared<Document>(*document_);
    for (std::size_t a = 0; a < axes_.size(); ++a) axes_[a].apply(*document, indices[a]);
    return load_scenario(document, folder_, {}, &library_);
  } catch (const InputError& error) {
    if (axes_.empty()) throw;
    std::string values;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      if (values.size() > 400) {  // one line that can still be read
        values += ", …";
        break;
      }
      const std::string value = axes_[a].text(indices[a]);
      values += (a == 0 ? "" : ", ") + axes_[a].name + " = " + (value.size() > 60 ? in_quotes(value) : value);
    }
    std::string message = error.what();
    const std::string place = error.location().text() + ": ";
    if (message.starts_with(place)) message.erase(0, place.size());
    throw InputError(error.location(), message + " (where " + values + ")");
  }
}

const std::string& Sweep::hash_of(const fs::path& input) const {
  const std::lock_guard lock(mutex_);
  auto& hash = hashes_[input.string()];
  if (hash.empty()) hash = content_hash(read_file(input));
  return hash;
}

std::vector<std::pair<fs::path, std::string>> Sweep::inputs_met() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<fs::path, std::string>> out;
  std::error_code code;
  for (const auto& [path, hash] : hashes_) out.emplace_back(fs::weakly_canonical(path, code), hash);
  return out;
}

std::string Sweep::key(const Scenario& scenario) const {
  std::string all = same_for_all_ + scenario.document->root().dump();
  all += embedded_policies(all);
  for (const fs::path& input : scenario.inputs) all += hash_of(input);
  return content_hash(all);
}

std::string Sweep::run(const Scenario& scenario, const std::function<void()>& alive) const {
  const Setup& setup = *scenario.setup;
  // Columns know applications by their place. They rarely differ from point to point.
  const bool same = setup.apps.size() == applications_.size() &&
                    std::equal(setup.apps.begin(), setup.apps.end(), applications_.begin(),
                               [](const AppSetup& app, const std::string& name) { return app.name == name; });
  std::vector<MetricColumn> own;
  if (!same)
    for (const std::string& metric : metrics_) own.emplace_back(setup, metric);
  const std::vector<MetricColumn>& columns = same ? columns_ : own;

  std::string out;
  for (int r = 0; r < scenario.file.replications; ++r) {
    const RunRecord record = simulate(setup, {.jobs = true, .decisions = false, .timeline_period = 0},
                                      EngineKind::native, static_cast<std::uint64_t>(r), [&](double) { alive(); });
    const Metrics values = measure(setup, record);
    out += (r == 0 ? "" : ";") + std::to_string(r);
    for (const MetricColumn& column : columns) {
      out += ',';
      if (const double x = column.value(values); std::isfinite(x)) append_number(out, x);
    }
  }
  return out;
}

Json Sweep::manifest(const fs::path& directory) const {
  std::error_code code;
  const fs::path here = fs::weakly_canonical(directory, code);
  const auto relative = [&](const fs::path& path) {
    return fs::relative(fs::weakly_canonical(path, code), here, code).string();
  };
  Json axes = Json::object(), inputs = Json::array();
  for (const Axis& axis : axes_) axes[axis.name] = axis.values.size();
  for (const fs::path& input : inputs_) inputs.push_back({{"file", relative(input)}, {"fnv1a64", hash_of(input)}});
  return {{"sweep_version", 1},
          {"dynasoc", DYNASOC_VERSION},
          {"build", DYNASOC_GIT_DESCRIPTION},
          {"fingerprint", fingerprint_},
          {"name", name_},
          {"folder", relative(folder_)},
          {"points", size()},
          {"axes", axes},
          {"metrics", metrics_},
          {"inputs", inputs},
          {"sweep", Json::parse(source_)}};
}

PointRange shard(std::uint64_t points, std::uint64_t i, std::uint64_t n) {
  // floor(points i / n) without overflow.
  const auto at = [&](std::uint64_t k) { return points / n * k + points % n * k / n; };
  return {at(i - 1), at(i)};
}

}  // namespace dynasoc::explore
