#include "manager/oracle/milp.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <set>

#include "common/error.hpp"

#ifdef DYNASOC_WITH_CBC
#include <Cbc_C_Interface.h>
#include <dlfcn.h>
#endif

namespace dynasoc::manager {

#ifdef DYNASOC_WITH_CBC

namespace {

#define DYNASOC_CBC_FUNCTIONS(do)                                                                                 \
  do                                                                                                              \
  (newModel) do(deleteModel) do(setLogLevel) do(setParameter) do(setObjSense) do(addCol) do(addRow) do(solve) do( \
      getColSolution) do(getObjValue) do(getBestPossibleObjValue) do(isProvenOptimal)

// The solver's library, opened when it is first needed: with its own (LAPACK among them) it takes longer to load than
// most runs take.
class Cbc {
 public:
  static const Cbc* instance() {
    static const Cbc cbc;
    return cbc.library_ == nullptr ? nullptr : &cbc;
  }
  Cbc(const Cbc&) = delete;
  Cbc& operator=(const Cbc&) = delete;

#define DYNASOC_DECLARE(name) decltype(&::Cbc_##name) name = nullptr;
  DYNASOC_CBC_FUNCTIONS(DYNASOC_DECLARE)
#undef DYNASOC_DECLARE

 private:
  Cbc() {
    for (const char* name : {"libCbcSolver.so.3", "libCbcSolver.so"})
      if (library_ == nullptr) library_ = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) return;
#define DYNASOC_FIND(name) find(name, "Cbc_" #name);
    DYNASOC_CBC_FUNCTIONS(DYNASOC_FIND)
#undef DYNASOC_FIND
  }
  template <class Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library_, name));
    if (function == nullptr) throw OutsideError(std::string("the solver CBC has no function ") + name);
  }
  void* library_ = nullptr;
};

struct Choice {
  int column;
  int configuration;
  double alone_ns;
};
struct Frame {
  int app;
  Time arrival;
  Time due;                     // absolute; kNever without a target
  std::vector<Choice> choices;  // in time
  int late_column;              // -1: it cannot be late
  int fastest;                  // configuration
};

// Frames wait in the order of arrivals; interval sums look this far ahead.
constexpr std::size_t kWindow = 40;

// A program of columns that are 0 or 1, in the solver.
class BinaryModel {
 public:
  explicit BinaryModel(int most_nodes) : cbc_(*Cbc::instance()), model_(cbc_.newModel(), cbc_.deleteModel) {
    cbc_.setLogLevel(model_.get(), 0);
    cbc_.setParameter(model_.get(), "maxNodes", std::to_string(std::max(1, most_nodes)).c_str());
    cbc_.setObjSense(model_.get(), 1);
  }
  int column(double cost) {
    cbc_.addCol(model_.get(), "", 0, 1, cost, 1, 0, nullptr, nullptr);
    return columns_++;
  }
  void row(const std::vector<int>& columns, const std::vector<double>& factors, char sense, double right) {
    cbc_.addRow(model_.get(), "", static_cast<int>(columns.size()), columns.data(), factors.data(), sense, right);
  }
  void solve() { cbc_.solve(model_.get()); }
  const double* solution() const { return cbc_.getColSolution(model_.get()); }
  double value() const { return cbc_.getObjValue(model_.get()); }
  /// What no solution can be below.
  double bound() const {
    return cbc_.isProvenOptimal(model_.get()) ? value() : std::min(value(), cbc_.getBestPossibleObjValue(model_.get()));
  }

 private:
  const Cbc& cbc_;
  std::unique_ptr<Cbc_Model, decltype(&::Cbc_deleteModel)> model_;
  int columns_ = 0;
};

class Program {
 public:
  Program(const std::vector<Problem>& problems, int most_nodes)
      : problems_(problems), model_(most_nodes), future_(*problems.at(0).future) {
    for (std::size_t a = 0; a < problems.size(); ++a) add_frames(static_cast<int>(a));
    std::stable_sort(frames_.begin(), frames_.end(),
                     [](const Frame& a, const Frame& b) { return a.arrival < b.arrival; });
    for (const Frame& frame : frames_) one_of(frame);
    for (std::size_t u = 0; u < problems[0].demand.size(); ++u) fit(static_cast<int>(u));
  }

  MilpSolution solve() {
    model_.solve();
    MilpSolution out;
    const double* x = model_.solution();
    out.bound = model_.bound();
    out.gap = (model_.value() - out.bound) / std::max(1e-12, std::abs(out.bound));
    out.configuration.resize(problems_.size());
    for (const Frame& frame : frames_) {  // in order of arrival, so that each application's are in its own order
      int chosen = frame.fastest;
      double most = frame.late_column >= 0 ? 0.5 : 0;
      for (const Choice& choice : frame.choices)
        if (x[choice.column] > most) {
          most = x[choice.column];
          chosen = choice.configuration;
        }
      out.configuration[static_cast<std::size_t>(frame.app)].push_back(chosen);
    }
    return out;
  }

 private:
  void add_frames(int a) {
    const Problem& problem = problems_[static_cast<std::size_t>(a)];
    const Future::App& app = future_.apps[static_cast<std::size_t>(a)];
    const Objective& objective = future_.objective;
    for (std::uint64_t n = 0; n < problem.arrivals.size(); ++n) {
      Frame frame{a, problem.arrivals[n], kNever, {}, -1, 0};
      // Which target holds depends on when it is dispatched: the laxest of those that may.
      Time relative = 0;
      Time begins = 0;
      for (std::size_t t = 0; t <= app.targets.size(); ++t) {
        const Time next = t < app.targets.size() ? app.targets[t].from : kNever;
        const Time held = t == 0 ? kNever : app.targets[t - 1].deadline;
        if (begins < future_.end && next > frame.arrival && next > begins) relative = std::max(relative, held);
        begins = next;
      }
      if (relative != kNever) frame.due = frame.arrival + relative;
      const bool counts = frame.arrival >= future_.warmup;
      double fastest_ns = std::numeric_limits<double>::infinity();
      struct Option {
        double alone_ns, cost;
        int configuration;
      };
      std::vector<Option> options;
      for (std::size_t c = 0; c < problem.configurations.size(); ++c) {
        const Configuration& with = problem.configurations[c];
        const double alone_ns = problem.alone_ns(n, c);
        if (alone_ns < fastest_ns) fastest_ns = alone_ns, frame.fastest = static_cast<int>(c);
        const double cost = counts ? objective.accuracy * (app.best_accuracy - with.accuracy) +
                                         objective.energy * with.power_w * alone_ns * 1e-9
                                   : 0;
        if (frame.due == kNever || static_cast<double>(frame.arrival) + alone_ns <= static_cast<double>(frame.due))
          options.push_back({alone_ns, cost, static_cast<int>(c)});
      }
      for (const Option& option : options) {
        const int unit = problem.configurations[static_cast<std::size_t>(option.configuration)].unit;
        const bool needless = std::any_of(options.begin(), options.end(), [&](const Option& other) {
          const int its = problem.configurations[static_cast<std::size_t>(other.configuration)].unit;
          return &other != &option && its == unit && other.alone_ns <= option.alone_ns && other.cost <= option.cost &&
                 (other.alone_ns < option.alone_ns || other.cost < option.cost ||
                  other.configuration < option.configuration);
        });
        if (!needless) frame.choices.push_back({model_.column(option.cost), option.configuration, option.alone_ns});
      }
      // Not in time: lost where it is due before the end; else it may simply not be done by then.
      const bool lost = frame.due <= future_.end;
      frame.late_column = model_.column(lost && counts ? objective.miss : 0);
      frames_.push_back(std::move(frame));
    }
  }

  void one_of(const Frame& frame) {
    std::vector<int> columns{frame.late_column};
    for (const Choice& choice : frame.choices) columns.push_back(choice.column);
    model_.row(columns, std::vector<double>(columns.size(), 1), 'E', 1);
  }

  // In each interval from an arrival to a deadline, what must be done within it fits.
  void fit(int unit) {
    std::vector<int> every;
    for (std::size_t a = 0; a < problems_.size(); ++a) every.push_back(static_cast<int>(a));
    fit(unit, every);
    if (problems_.size() > 1)
      for (const int a : every) fit(unit, {a});
  }
  void fit(int unit, const std::vector<int>& apps) {
    double weight = 0;
    for (const int a : apps) weight += future_.apps[static_cast<std::size_t>(a)].weight;
    const Demand& demand = problems_[0].demand[static_cast<std::size_t>(unit)];
    std::vector<const Frame*> frames;
    for (const Frame& frame : frames_)
      if (frame.due != kNever && std::find(apps.begin(), apps.end(), frame.app) != apps.end()) frames.push_back(&frame);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const std::size_t last = std::min(frames.size(), i + kWindow);
      std::set<Time> ends;
      for (std::size_t j = i; j < last; ++j) ends.insert(frames[j]->due);
      for (const Time end : ends) {
        std::vector<int> columns;
        std::vector<double> factors;
        double most = 0;
        for (std::size_t j = i; j < last; ++j) {
          if (frames[j]->due > end) continue;
          double longest = 0;
          for (const Choice& choice : frames[j]->choices) {
            if (problems_[static_cast<std::size_t>(frames[j]->app)]
                    .configurations[static_cast<std::size_t>(choice.configuration)]
                    .unit != unit)
              continue;
            columns.push_back(choice.column);
            factors.push_back(choice.alone_ns * 1e-6);
            longest = std::max(longest, choice.alone_ns * 1e-6);
          }
          most += longest;
        }
        const double room_ms = demand.done_ns(frames[i]->arrival, end, weight) * 1e-6;
        if (most > room_ms) model_.row(columns, factors, 'L', room_ms + 1e-6);  // a nanosecond for rounding
      }
    }
  }

  const std::vector<Problem>& problems_;
  BinaryModel model_;
  const Future& future_;
  std::vector<Frame> frames_;
};

std::mutex one_at_a_time;  // the solver's C interface keeps state of its own

}  // namespace

bool milp_available() { return Cbc::instance() != nullptr; }

MilpSolution solve_milp(const std::vector<Problem>& problems, int most_nodes) {
  const std::lock_guard lock(one_at_a_time);
  return Program(problems, most_nodes).solve();
}

bool solve_binary(const BinaryProgram& program, int most_nodes, std::vector<char>& taken) {
  const std::lock_guard lock(one_at_a_time);
  BinaryModel model(most_nodes);
  for (const double cost : program.cost) model.column(cost);
  for (const BinaryProgram::Row& row : program.rows) model.row(row.columns, row.factors, row.sense, row.right);
  model.solve();
  const double* x = model.solution();
  if (x == nullptr) return false;
  // What it tells of a program without a solution is no solution: looked at, whatever it says of itself.
  std::vector<char> found(program.cost.size(), 0);
  for (std::size_t i = 0; i < found.size(); ++i) found[i] = x[i] > 0.5;
  for (const BinaryProgram::Row& row : program.rows) {
    double left = 0;
    for (std::size_t i = 0; i < row.columns.size(); ++i) left += found[row.columns[i]] ? row.factors[i] : 0;
    const double near = 1e-6 * (1 + std::abs(row.right));
    if (left > row.right + near || (row.sense == 'E' && left < row.right - near)) return false;
  }
  taken = std::move(found);
  return true;
}

#else

bool milp_available() { return false; }
MilpSolution solve_milp(const std::vector<Problem>&, int) { throw InternalError("built without a solver"); }
bool solve_binary(const BinaryProgram&, int, std::vector<char>&) { throw InternalError("built without a solver"); }

#endif

}  // namespace dynasoc::manager
