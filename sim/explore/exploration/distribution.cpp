#include "explore/exploration/distribution.hpp"

#include <mutex>

#include "common/parallel.hpp"
#include "common/text.hpp"

namespace dynasoc::explore {

std::string pending_lines(const Candidates& candidates, const Pending& pending, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(most, pending.needed.size()); ++i) {
    const Candidate& candidate = candidates[pending.needed[i].candidate];
    const Json line = {
        {"key", candidate.key}, {"replication", pending.needed[i].replication}, {"assignments", candidate.assignments}};
    out += line.dump() + "\n";
  }
  return out;
}

std::string evaluate_lines(const Space& space, const std::filesystem::path& path, int jobs,
                           const std::function<void(double)>& progress) {
  const std::string text = read_file(path);
  struct Task {
    std::size_t line;
    std::string json;
  };
  std::vector<Task> tasks;
  std::size_t number = 1;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) tasks.push_back({number, text.substr(at, end - at)});
    at = end + 1;
  }
  const auto evaluated = [&](const Value& value) {
    Evaluation evaluation;
    evaluation.replication = dynasoc::read<int>(value["replication"], range(0, 1e5));
    const Configuration configuration = space.from_assignments(value["assignments"]);
    evaluation.assignments = space.assignments(configuration);
    const Scenario scenario = space.scenario(configuration);
    evaluation.key = space.key(scenario);
    if (evaluation.key != dynasoc::read<std::string>(value["key"]))
      throw value["key"].error(
          "is not the key of this configuration here: the line is of another exploration, other "
          "files, or another build of this program");
    evaluation.values = space.evaluate(*scenario.setup, static_cast<std::uint64_t>(evaluation.replication));
    return journal_line(evaluation);
  };
  std::vector<std::string> lines(tasks.size());
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(tasks.size(), jobs, [&](std::size_t i) {
    try {
      lines[i] = evaluated(Value(Document::parse(tasks[i].json, path.string())));
    } catch (const InputError&) {
      // Once more, for the message: empty lines before it put that where the line is.
      evaluated(Value(Document::parse(std::string(tasks[i].line - 1, '\n') + tasks[i].json, path.string())));
      throw;
    }
    const std::lock_guard lock(mutex);
    if (progress) progress(static_cast<double>(++done) / static_cast<double>(tasks.size()));
  });
  std::string out;
  for (const std::string& line : lines) out += line;
  return out;
}

}  // namespace dynasoc::explore
