// From a search file to a problem: names, lines, contradictions.
#include <algorithm>
#include <cmath>
#include <limits>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "explore/search/search.hpp"
#include "scenario/data_paths.hpp"

namespace dynasoc::search {
namespace {

std::string ms(double x) { return rounded_text(x, 5); }

class Preparation {
 public:
  Preparation(Prepared& out, const Value& root, const std::filesystem::path& folder, const std::string& kernel)
      : out_(out), file_(out.file), root_(root), paths_(folder), folder_(folder), kernel_(kernel_build(kernel)) {}

  void all() {
    objectives();
    if (file_.space.network.empty())
      supernetwork();
    else
      network();
    if (file_.select) select();
    if (file_.compare_with) {
      if (!out_.problem) throw root_["compare_with"].error("wants a super-network's front to compare with");
      const Where where = file_.where / "compare_with";
      out_.compared = recorded(file_.compare_with->network, file_.compare_with->table, out_.unit, where);
      for (const Recorded& one : out_.compared->subnets) out_.problem->supernetwork.from_json(config_of(one, where));
    }
    if (file_.export_as && !file_.export_as->like.empty())
      out_.like = recorded(file_.export_as->like, file_.export_as->table, out_.unit, file_.where / "export_as");
  }

 private:
  void objectives() {
    const auto& list = file_.objectives;
    const bool two =
        list.size() == 2 && list[0] != list[1] && (list[0] == Objective::accuracy || list[1] == Objective::accuracy);
    if (!two)
      throw(file_.where / "objectives")
          .error("must be accuracy and one cost (latency_ms, macs_m or memory_mb), in any order");
    cost_ = list[0] == Objective::accuracy ? list[1] : list[0];
  }

  // The configuration of a network's sub-network; `asked` is where this file wants it.
  static Value config_of(const Recorded& recorded, const Where& asked) {
    if (recorded.config.is_null() || recorded.config.empty())
      throw asked.error("wants configurations, and that of " + recorded.subnet + " is not known: it has no \"config\"");
    const Json& root = recorded.where.document->root();
    return {recorded.where.document, &root.at(Json::json_pointer(recorded.where.pointer)), recorded.where.pointer};
  }

  RecordedNetwork recorded(const Name& network, const Name& table, const std::string& unit, const Where& where) {
    auto out = recorded_network(paths_.network(network), table, unit, where);
    out_.inputs.insert(out_.inputs.end(), out.inputs.begin(), out.inputs.end());
    return out;
  }

  void supernetwork() {
    if (file_.supernetwork.empty())
      throw root_.error("neither \"supernetwork\" nor \"space\": {\"network\": …} says what to search in");
    if (!file_.space.table.empty() || !file_.space.unit.empty())
      throw(file_.where / "space").error("\"table\" and \"unit\" of a space go with its \"network\"");
    const auto path = paths_.supernetwork(file_.supernetwork);
    out_.inputs.push_back(path);
    auto super = Supernetwork::load(path);

    // The block table.
    std::vector<std::string> known;
    const BlockTableFile* table = nullptr;
    std::size_t at = 0;
    for (const auto& [name, one] : super.file.block_tables) {
      known.push_back(name);
      if (name == file_.table.text) table = &one;
      at += table == nullptr;
    }
    if (file_.table.empty()) throw root_.error("\"table\" is missing: which block table?" + hint("", known));
    if (table == nullptr)
      throw file_.table.error(super.file.name + " has no block table " + in_quotes(file_.table.text) +
                              hint(file_.table.text, known));
    const auto csv = super.folder / table->file;
    out_.inputs.push_back(csv);
    BlockLatency blocks = super.read_blocks(csv);
    out_.table_note = table->note;
    out_.platform = table->platform;
    out_.unit = table->unit;
    Space space(super, file_.space);
    lacks(super, space, blocks, csv);
    out_.sum_ms = blocks.sum_ms;
    out_.derived_ms = blocks.derived_ms;
    calibrate(super, *table, blocks);
    correct(super);

    Predictor predictor(super, kernel_);
    out_.inputs.push_back(super.folder / super.file.accuracy_predictor.weights);
    out_.inputs.push_back(super.folder / super.file.accuracy_predictor.manifest);
    AdditiveCost macs = super.macs_m(), memory = super.memory_mb();
    auto problem = std::make_shared<Problem>(Problem{
        std::move(super), std::move(space), blocks.sum_ms.on_line(out_.calibration.slope, out_.calibration.intercept),
        macs, memory, std::move(predictor), out_.correction.slope, out_.correction.intercept, cost_, file_.constraints,
        0, 0});
    reference(*problem);
    contradictions(*problem);
    out_.problem = problem;
  }

  // A table need not know all blocks, only those that the space can use.
  void lacks(const Supernetwork& super, const Space& space, const BlockLatency& blocks,
             const std::filesystem::path& csv) const {
    std::vector<std::string> resolutions;
    for (const auto r : space.resolutions()) resolutions.push_back(std::to_string(super.file.resolutions[r]) + " px ");
    std::vector<std::string> missing;
    for (const std::uint8_t r : space.resolutions()) {
      bool complete = !std::isnan(blocks.sum_ms.base[r]);
      for (std::size_t s = 0; s < kStages; ++s)
        for (const auto k : space.stage(s).kernels)
          for (const auto e : space.stage(s).expansions)
            complete = complete && !std::isnan(blocks.sum_ms.stages[r][s].first[k * kChoices + e]) &&
                       !std::isnan(blocks.sum_ms.stages[r][s].later[k * kChoices + e]);
      if (complete) continue;
      const std::string prefix = std::to_string(super.file.resolutions[r]) + " px ";
      for (const std::string& key : blocks.missing)
        if (key.starts_with(prefix)) missing.push_back(key);
    }
    if (missing.empty()) return;
    std::string list, complete;
    for (std::size_t i = 0; i < missing.size() && i < 3; ++i) list += (i ? "; " : "") + missing[i];
    for (const int resolution : blocks.complete)
      complete += (complete.empty() ? "" : ", ") + std::to_string(resolution);
    throw file_.table.error(csv.filename().string() + " lacks " + std::to_string(missing.size()) +
                            " blocks that the space needs: " + list + (missing.size() > 3 ? "; …" : "") +
                            (complete.empty() ? " (it is complete for no resolution)"
                                              : " (it is complete for resolutions " + complete +
                                                    ": \"space\": {\"resolutions\": [" + complete + "]})"));
  }

  void calibrate(const Supernetwork& super, const BlockTableFile& table, const BlockLatency& blocks) {
    const CalibrationFile& wanted = file_.calibration;
    std::vector<std::string> known{"none"};
    for (const LatencyLine& line : table.calibration) known.push_back(line.against);
    if (!wanted.network.empty()) {
      const auto network =
          recorded(wanted.network, wanted.table, wanted.unit.empty() ? table.unit : wanted.unit, wanted.where);
      std::vector<double> x, y;
      for (const Recorded& one : network.subnets) {
        x.push_back(blocks.sum_ms(super.from_json(config_of(one, wanted.where))));
        y.push_back(one.latency_ms);
        if (std::isnan(x.back()))
          throw wanted.where.error("the block table lacks blocks of " + one.subnet + " of " + network.file.name);
      }
      out_.calibration = fit_line(x, y, network.file.name + ", table " + network.table, wanted.where);
      return;
    }
    if (wanted.against.empty())
      throw root_.error(
          "\"calibration\" is missing: sums of blocks are not latencies; name a line, say \"none\", or give "
          "{\"network\": …} to fit one" +
          hint("", known));
    if (wanted.against.text == "none") return;
    for (const LatencyLine& line : table.calibration)
      if (line.against == wanted.against.text) {
        out_.calibration = {line.against, line.slope, line.intercept_ms, line.largest_error_ms, kUnknown, kUnknown, 0};
        return;
      }
    throw wanted.against.error("the block table has no calibration line " + in_quotes(wanted.against.text) +
                               hint(wanted.against.text, known));
  }

  void correct(const Supernetwork& super) {
    std::vector<std::string> known{"none"};
    for (const AccuracyLine& line : super.file.accuracy_predictor.correction) known.push_back(line.against);
    if (file_.correction.empty())
      throw root_.error("\"correction\" is missing: the predictor is biased high; name a line or say \"none\"" +
                        hint("", known));
    if (file_.correction.text == "none") return;
    for (const AccuracyLine& line : super.file.accuracy_predictor.correction)
      if (line.against == file_.correction.text) {
        out_.correction = {line.against, line.slope, line.intercept_pp, line.largest_error_pp, kUnknown, kUnknown, 0};
        return;
      }
    throw file_.correction.error("the predictor has no correction " + in_quotes(file_.correction.text) +
                                 hint(file_.correction.text, known));
  }

  double reference_cost() const {
    const auto& reference = *file_.reference;
    const auto& cost = cost_ == Objective::latency_ms ? reference.latency_ms
                       : cost_ == Objective::macs_m   ? reference.macs_m
                                                      : reference.memory_mb;
    if (!cost) {
      const std::string name = dynasoc::to_json(cost_).get<std::string>();
      throw(file_.where / "reference").error("\"" + name + "\" is missing, which is an objective");
    }
    return *cost;
  }

  void reference(Problem& problem) const {
    if (!file_.reference)
      throw root_.error(
          "\"reference\" is missing: the point where hypervolume begins, for instance {\"latency_ms\": "
          "80, \"accuracy\": 70}");
    problem.reference_cost = reference_cost();
    problem.reference_accuracy = file_.reference->accuracy;
    const double least = problem.costs()(problem.space.extreme(problem.costs()));
    if (problem.reference_cost <= least)
      throw(file_.where / "reference")
          .error("is " + ms(problem.reference_cost) + ", yet no sub-network of the space costs less than " + ms(least) +
                 ": every front would have the hypervolume 0");
  }

  // What sums alone can tell, exactly; the rest shows when nothing feasible is found.
  void contradictions(const Problem& problem) const {
    const ConstraintsFile& wanted = file_.constraints;
    const auto above = [&](const std::optional<double>& most, const char* name, const AdditiveCost& cost,
                           const char* unit, const char* word) {
      if (!most) return;
      if (const double least = cost(problem.space.extreme(cost)); least > *most)
        throw(wanted.where / name)
            .error("no sub-network of the space " + std::string(word) + " " + ms(least) + " " + unit + "; " + name +
                   " is " + ms(*most));
    };
    above(wanted.most_latency_ms, "most_latency_ms", problem.latency_ms, "ms", "is faster than");
    above(wanted.most_macs_m, "most_macs_m", problem.macs_m, "million multiply-accumulates", "has fewer than");
    above(wanted.most_memory_mb, "most_memory_mb", problem.memory_mb, "MB", "is smaller than");
    if (!wanted.least_latency_ms) return;
    if (wanted.most_latency_ms && *wanted.least_latency_ms > *wanted.most_latency_ms)
      throw(wanted.where / "least_latency_ms")
          .error("is " + ms(*wanted.least_latency_ms) + ", which contradicts most_latency_ms, " +
                 ms(*wanted.most_latency_ms));
    if (const double most = problem.latency_ms(problem.space.extreme(problem.latency_ms, true));
        most < *wanted.least_latency_ms)
      throw(wanted.where / "least_latency_ms")
          .error("no sub-network of the space is slower than " + ms(most) + " ms; least_latency_ms is " +
                 ms(*wanted.least_latency_ms));
  }

  void network() {
    const SpaceFile& space = file_.space;
    if (!file_.supernetwork.empty())
      throw file_.supernetwork.error("either a super-network or the sub-networks of \"space\".\"network\", not both");
    if (!space.resolutions.empty() || !space.kernels.empty() || !space.expansions.empty() || !space.depths.empty() ||
        !space.stages.empty())
      throw space.where.error("options of a super-network go without \"network\"");
    if (cost_ != Objective::latency_ms)
      throw(file_.where / "objectives").error("the sub-networks of a network have latency_ms and accuracy");
    out_.candidates = recorded(space.network, space.table, space.unit, space.where);
    out_.platform = out_.candidates->platform;
    out_.unit = out_.candidates->unit;
    const CalibrationFile& wanted = file_.calibration;
    if (!wanted.against.empty() && wanted.against.text != "none")
      throw wanted.against.error("a line's name goes with a block table; here {\"network\", \"from\", \"table\"}");
    if (!wanted.network.empty()) {
      if (wanted.from.empty())
        throw wanted.where.error("\"from\" is missing: the table whose latencies the candidates' stand for");
      const auto from = recorded(wanted.network, wanted.from, wanted.unit, wanted.where);
      const auto to = recorded(wanted.network, wanted.table, wanted.unit, wanted.where);
      std::vector<double> x, y;
      for (std::size_t i = 0; i < from.subnets.size(); ++i) {
        x.push_back(from.subnets[i].latency_ms);
        y.push_back(to.subnets[i].latency_ms);
      }
      out_.calibration =
          fit_line(x, y, from.file.name + ", from table " + from.table + " to " + to.table, wanted.where);
    }
    if (file_.select && file_.select->by == SelectBy::hypervolume && !file_.reference)
      throw root_.error("\"reference\" is missing: the point where hypervolume begins");
    if (file_.reference) reference_cost();
  }

  void select() {
    const SelectFile& select = *file_.select;
    if (select.count > select.most)
      throw(select.where / "count").error("must be at most \"most\", which is " + std::to_string(select.most));
    if (!select.targets) {
      if (select.by == SelectBy::regret) throw select.where.error("\"targets\" is missing: regret over which targets?");
      return;
    }
    if (cost_ != Objective::latency_ms)
      throw(select.where / "targets").error("are latencies; latency_ms is not an objective");
    if (const auto* uniform = std::get_if<UniformTargets>(&*select.targets)) {
      if (uniform->low_ms >= uniform->high_ms)
        throw(uniform->where / "high_ms").error("must be above low_ms, " + ms(uniform->low_ms));
      out_.targets = {uniform->low_ms, uniform->high_ms, {}};
    } else if (const auto* list = std::get_if<ListedTargets>(&*select.targets)) {
      if (list->latency_ms.empty()) throw(list->where / "latency_ms").error("lists no target");
      out_.targets.values = list->latency_ms;
    } else {
      const auto& column = std::get<ColumnTargets>(*select.targets);
      const auto path = folder_ / column.file.text;
      const Csv csv = Csv::load(path);
      out_.inputs.push_back(path);
      if (!csv.has(column.column))
        throw(column.where / "column")
            .error("there is no column " + in_quotes(column.column) + " in " + path.filename().string() +
                   hint(column.column, csv.columns()));
      for (std::size_t row = 0; row < csv.size(); ++row)
        out_.targets.values.push_back(csv.number(row, column.column, limited_by_unit("ms", positive())));
      if (out_.targets.values.empty()) throw column.file.error("has no rows");
    }
    std::sort(out_.targets.values.begin(), out_.targets.values.end());
  }

  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  Prepared& out_;
  SearchFile& file_;
  const Value& root_;
  DataPaths paths_;
  std::filesystem::path folder_;
  KernelBuild kernel_;
  Objective cost_ = Objective::latency_ms;
};

}  // namespace

Prepared prepare(const std::filesystem::path& search_json, const Overrides& overrides, const std::string& kernel) {
  const auto document = Document::load(search_json);
  if (!document->root().is_object()) detail::wrong_kind(Value(document), "an object");
  for (const auto& [path, value] : overrides) document->set(path, value);
  const Value root{std::shared_ptr<const Document>(document)};
  Prepared out;
  out.file = read<SearchFile>(root);
  out.path = search_json;
  out.inputs.push_back(search_json);
  if (!root.has("space")) out.file.space.where = {};
  Preparation(out, root, search_json.parent_path().empty() ? "." : search_json.parent_path(), kernel).all();
  return out;
}

}  // namespace dynasoc::search
