// What `dynasoc report` puts into its page, from a directory of results.
//
// A run's directory has everything. Comparisons, sweeps and explorations keep no single runs: what the page opens is
// simulated again, the first replication of a configuration, which gives what it gave then as long as scenario, inputs
// and program are the same.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "results/report/run_data.hpp"
#include "scenario/scenario.hpp"

namespace dynasoc::report {

enum class ResultKind : std::uint8_t { run, comparison, sweep, exploration, ranking };
std::string_view name_of(ResultKind kind);

/// What kind of results a directory holds. Throws InputError for one that holds none, or unfinished ones.
ResultKind kind_of(const std::filesystem::path& directory);

struct Request {
  std::filesystem::path directory;
  std::string title;               ///< empty: that of the results
  std::optional<int> replication;  ///< of a run that is shown; default: the first
  std::size_t runs = 8;            ///< most runs that are simulated again
  int jobs = 1;
  std::string command;     ///< that makes this report
  std::size_t shrink = 1;  ///< the page takes this part of what it usually may: its budgets are divided by it
  std::function<void(double)> progress;
};

/// The page's data. Throws InputError for directories that are unfinished or damaged. What cannot be simulated again is
/// told in "warnings".
Json run_payload(const Request& request);
Json comparison_payload(const Request& request);

// -- What payloads have in common -------------------------------------------------------------------------------------

/// All members, empty.
Json empty_payload(ResultKind kind, const Request& request);

/// A cell of a table: a mean with its interval; ends and mean may be NaN. `better`: "lower", "higher" or nothing.
Json cell(double value, double low, double high, std::string_view better = {});
/// From {"mean": …, "ci95": [low, high]}; a dash where it is null or missing.
Json cell_of(const Json& estimate, std::string_view better = {});
/// Null is NaN.
double number_of(const Json& json);

/// A table that lost rows, or was copied from elsewhere, makes a page that contradicts itself: it holds `found` of
/// `what` (frames, samples), and by `teller`, a file beside it, there are `told`.
InputError lacks_rows(const std::filesystem::path& path, std::uint64_t found, const std::string& what,
                      std::uint64_t told, const std::string& teller);

/// Unit and direction of a metric by its name (`apps.camera.miss_rate`), whatever the applications are called; empty
/// for unknown ones.
struct MetricTraits {
  std::string unit, better;  ///< better: "lower", "higher" or empty
};
MetricTraits traits_of(const std::string& metric);

/// Marks points of `front["points"]` that no other dominates in the means ("on_front"). A point with an undefined value
/// is not on the front.
void mark_front(Json& front);

/// A command as a shell takes it.
std::string shell_line(const std::vector<std::string>& words);
/// The command line `words` as somebody may give it again: --out is another directory, beside `directory`, and what
/// replaces results is left out. Says, as the shell's comment, from where its names were looked up.
std::string again_line(const std::string& command, const std::vector<std::string>& words,
                       const std::filesystem::path& directory);

/// Something to simulate for the page.
struct Rerun {
  std::string label;
  std::function<Scenario()> scenario;  ///< may throw InputError: then the run is left out
  int replications = 1;                ///< there were
  /// Called with the record; a text it returns says why the run is not what it was then, and leaves it out.
  std::function<std::string(const Setup&, const RunRecord&)> differs;
};
/// Simulates each (replication 0), several at once, and appends them to payload["runs"]; why one is left out is
/// appended to payload["warnings"]. Gives their indices in "runs". Fills payload["provenance"] from all of them, and
/// says so in it ("of").
std::vector<std::optional<std::size_t>> simulate_again(const std::vector<Rerun>& reruns, const Request& request,
                                                       Json& payload);

/// Why a run that was simulated again is not what it was then, by a metric of it; empty where the two agree (NaN with
/// NaN, numbers to nine digits or 1e-12: samples of a timeline make thermal steps shorter, which moves the last ones).
std::string difference(const std::string& metric, double now, double then);

/// Files of a list of {"file", "fnv1a64"} (paths from `directory`) that are gone or not what they were, as texts.
std::vector<std::string> changed_inputs(const Json& inputs, const std::filesystem::path& directory);

}  // namespace dynasoc::report
