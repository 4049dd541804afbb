// A sweep's directory: what is there, what is missing, and the table made of it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "common/csv.hpp"
#include "common/directory_lock.hpp"
#include "common/parallel.hpp"
#include "common/text.hpp"
#include "explore/sweep/sweep.hpp"

namespace dynasoc::explore {
namespace fs = std::filesystem;
namespace {

InputError wrong(const fs::path& directory, const std::string& message) {
  return InputError({directory.string(), 0, 0, ""}, message);
}

std::optional<std::string> fingerprint_in(const fs::path& directory) {
  const fs::path path = directory / "sweep.json";
  std::error_code code;
  if (!fs::exists(path, code)) return std::nullopt;
  const Value root(Document::load(path));
  if (!root.has("sweep_version")) throw root.error("is not the description of a sweep");
  return read<std::string>(root["fingerprint"]);
}

// Creates the directory, or sees that what it holds is a sweep's. With `force` it is emptied of that.
void claim(const fs::path& directory, bool force) {
  std::error_code code;
  if (fs::exists(directory, code) && !fs::is_directory(directory, code))
    throw wrong(directory, "is a file, not a directory");
  make_directories(directory);
  static const std::set<std::string> kOurs{"sweep.json",  "inputs.tsv",  "points", "points.old",
                                           "results.csv", "report.html", "lock"};
  for (const auto& entry : fs::directory_iterator(directory, code)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".partial")) name.resize(name.size() - 8);
    if (!kOurs.contains(name))
      throw wrong(directory, "holds " + in_quotes(name) + ", which is not a sweep's; choose another directory");
  }
  if (fs::exists(directory / "points", code) && !fs::exists(directory / "sweep.json", code) && !force)
    throw wrong(directory, "has points but no sweep.json that says of what; --force starts anew");
}

void wipe(const fs::path& directory) {
  std::error_code code;
  for (const char* name : {"results.csv", "report.html", "sweep.json", "inputs.tsv", "points", "points.old"})
    fs::remove_all(directory / name, code);
}

// inputs.tsv: a line for each file, its hash and its path from the directory. A line is written before the first point
// that rests on the file.
class InputList {
 public:
  explicit InputList(const fs::path& directory) : directory_(directory) {
    std::error_code code;
    if (!fs::exists(path(), code)) return;
    const std::string text = read_file(path());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at), tab = text.find('\t', at);
      if (end == std::string::npos || tab > end) break;  // cut short by a kill: no point rests on it
      known_[text.substr(tab + 1, end - tab - 1)] = text.substr(at, tab - at);
      at = end + 1;
    }
  }

  /// Whether all files are still what they were.
  bool unchanged() const {
    return std::all_of(known_.begin(), known_.end(), [&](const auto& entry) {
      std::error_code code;
      const fs::path file = directory_ / entry.first;
      return fs::is_regular_file(file, code) && content_hash(read_file(file)) == entry.second;
    });
  }

  void add(const std::vector<std::pair<fs::path, std::string>>& inputs) {
    if (inputs.size() == added_) return;  // the usual case: nothing new since the last point
    added_ = inputs.size();
    std::error_code code;
    const fs::path here = fs::weakly_canonical(directory_, code);
    std::string lines;
    for (const auto& [input, hash] : inputs) {
      const std::string name = fs::relative(input, here, code).string();
      if (known_.emplace(name, hash).second) lines += hash + '\t' + name + '\n';
    }
    append(lines);
  }

  /// Takes over another directory's list. False where the two know different contents of one file.
  bool join(const InputList& other) {
    std::error_code code;
    const fs::path here = fs::weakly_canonical(directory_, code);
    std::string lines;
    for (const auto& [theirs, hash] : other.known_) {
      const std::string name = fs::relative(fs::weakly_canonical(other.directory_ / theirs, code), here, code).string();
      const auto [at, fresh] = known_.emplace(name, hash);
      if (at->second != hash) return false;
      if (fresh) lines += hash + '\t' + name + '\n';
    }
    append(lines);
    return true;
  }

 private:
  fs::path path() const { return directory_ / "inputs.tsv"; }
  void append(const std::string& lines) const {
    if (lines.empty()) return;
    const int file = ::open(path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const ssize_t written = file < 0 ? -1 : ::write(file, lines.data(), lines.size());
    int error = written < 0 ? errno : written < static_cast<ssize_t>(lines.size()) ? ENOSPC : 0;
    if (file >= 0 && ::close(file) != 0 && error == 0) error = errno;
    if (error != 0) throw OutsideError(path().string() + ": cannot be written: " + std::strerror(error));
  }

  fs::path directory_;
  std::map<std::string, std::string> known_;  // path from the directory -> hash
  std::size_t added_ = 0;
};

// Finished points of older forms of the sweep join those that wait to be used. Killed in the middle, it is done again.
void retire(const fs::path& directory) {
  std::error_code code;
  fs::create_directories(directory / "points.old", code);
  for (int i = 0;; ++i) {
    const fs::path place = directory / "points.old" / std::to_string(i);
    if (fs::exists(place, code)) continue;
    fs::rename(directory / "points", place, code);
    if (code) throw OutsideError(directory.string() + "/points: cannot be renamed: " + code.message());
    return;
  }
}

std::unordered_map<std::string, std::string> pool_of(const fs::path& directory) {
  std::unordered_map<std::string, std::string> out;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(directory / "points.old", code)) {
    PointReader reader({entry.path()});
    for (PointRecord record; reader.next(record);) out[record.key] = record.values;
  }
  return out;
}

// Numbers of sessions, so that each writes files of its own.
int next_session(const fs::path& points) {
  int last = 0;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(points, code)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc{})
      last = std::max(last, number);
  }
  return last + 1;
}

fs::path file_of(const fs::path& points, int session, std::size_t worker) {
  char name[48];
  std::snprintf(name, sizeof name, "%06d-%03zu.points", session, worker);
  return points / name;
}

// Splits `0,1.5,;1,2,` into replications and values.
template <class Each>
void each_row(std::string_view values, Each each) {
  for (std::size_t at = 0; at < values.size();) {
    const std::size_t end = std::min(values.find(';', at), values.size());
    each(values.substr(at, end - at));
    at = end + 1;
  }
}

// Describes the sweep in a claimed directory; what an older form of it has finished waits in points.old.
void describe_in(const Sweep& sweep, const fs::path& directory, bool force) {
  if (force) wipe(directory);
  const fs::path points = directory / "points";
  const auto there = fingerprint_in(directory);
  std::error_code code;
  const bool same = there == sweep.fingerprint() && InputList(directory).unchanged();
  if (there && !same && fs::exists(points, code)) retire(directory);
  if (!same) {
    for (const char* older : {"results.csv", "report.html", "inputs.tsv"}) fs::remove(directory / older, code);
    write_file(directory / "sweep.json", sweep.manifest(directory).dump(2) + "\n");
  }
  fs::create_directories(points, code);
  if (code) throw wrong(directory, "cannot be written to: " + code.message());
}

// Walks through a range and the points that are there: two sorted sequences, side by side.
class Missing {
 public:
  Missing(const fs::path& points, PointRange range) : reader_({points}), range_(range), next_(range.begin) {
    more_ = reader_.next(there_);
  }
  bool take(std::uint64_t& point) {
    for (; next_ < range_.end; ++next_) {
      while (more_ && there_.index < next_) more_ = reader_.next(there_);
      if (more_ && there_.index == next_) continue;
      point = next_++;
      return true;
    }
    return false;
  }

 private:
  PointReader reader_;
  PointRange range_;
  PointRecord there_;
  bool more_;
  std::uint64_t next_;
};

// Runs what is missing, or (`known_only`) takes over what an older form of the sweep has finished.
SweepProgress bring_up(const Sweep& sweep, const fs::path& directory, PointRange range, int jobs, bool known_only,
                       const std::function<void(const SweepProgress&)>& progress) {
  const fs::path points = directory / "points";
  SweepProgress state;
  state.total = range.end - range.begin;
  {
    PointReader reader({points});
    for (PointRecord record; reader.next(record);)
      state.found += record.index >= range.begin && record.index < range.end;
  }
  state.done = state.found;
  if (progress) progress(state);
  if (state.done == state.total) return state;

  std::error_code gone;  // a table of fewer points (a part's), or its page, would pass for the whole
  for (const char* of_fewer : {"results.csv", "report.html"}) fs::remove(directory / of_fewer, gone);
  const auto pool = pool_of(directory);
  if (known_only && pool.empty()) return state;
  Missing missing(points, range);
  std::mutex mutex;
  std::atomic<bool> stop{false};
  const auto take = [&](std::uint64_t& point) {
    const std::lock_guard guard(mutex);
    return missing.take(point);
  };
  const auto report = [&] {
    const std::lock_guard guard(mutex);
    if (progress) progress(state);
  };
  const int session = next_session(points);
  InputList inputs(directory);
  std::exception_ptr failure;  // the first; what other workers throw because of it is none
  parallel_for(static_cast<std::size_t>(jobs), jobs, [&](std::size_t worker) {
    try {
      PointWriter writer(file_of(points, session, worker));
      const auto alive = [&] {
        if (stop) throw OutsideError("stopped");
        report();
      };
      for (PointRecord record; !stop && take(record.index);) {
        const Scenario scenario = sweep.scenario(record.index);
        record.key = sweep.key(scenario);
        const auto known = pool.find(record.key);
        if (known_only && known == pool.end()) {
          report();
          continue;
        }
        record.values = known != pool.end() ? known->second : sweep.run(scenario, alive);
        {
          const std::lock_guard guard(mutex);
          inputs.add(sweep.inputs_met());
        }
        writer.append(record);
        {
          const std::lock_guard guard(mutex);
          ++state.done;
          state.reused += known != pool.end();
        }
        report();
      }
    } catch (...) {
      const std::lock_guard guard(mutex);
      if (!stop.exchange(true)) failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
  if (!inputs.unchanged()) {
    // What ran before the change and what ran after it cannot be told apart.
    std::error_code code;
    for (std::size_t worker = 0; worker < static_cast<std::size_t>(jobs); ++worker)
      fs::remove(file_of(points, session, worker), code);
    throw OutsideError(directory.string() +
                       ": a file that the sweep reads was changed while it ran: what was run now is thrown away");
  }
  return state;
}

}  // namespace

SweepProgress run_sweep(const Sweep& sweep, const fs::path& directory, PointRange range, int jobs, bool force,
                        const std::function<void(const SweepProgress&)>& progress) {
  claim(directory, force);
  const DirectoryLock lock(directory);
  describe_in(sweep, directory, force);
  return bring_up(sweep, directory, range, jobs, false, progress);
}

SweepGaps prepare_sweep(const Sweep& sweep, const fs::path& directory, PointRange range, bool force,
                        std::size_t most_ranges, const std::function<void(const SweepProgress&)>& progress) {
  claim(directory, force);
  const DirectoryLock lock(directory);
  describe_in(sweep, directory, force);
  bring_up(sweep, directory, range, 1, true, progress);
  SweepGaps gaps;
  Missing missing(directory / "points", range);
  for (std::uint64_t point = 0; missing.take(point); ++gaps.missing) {
    if (!gaps.ranges.empty() && gaps.ranges.back().end == point)
      gaps.ranges.back().end = point + 1;
    else if (gaps.ranges.size() < most_ranges)
      gaps.ranges.push_back({point, point + 1});
  }
  return gaps;
}

SweepTable write_table(const Sweep& sweep, const fs::path& directory, PointRange range) {
  constexpr std::uint64_t kMostValues = 100;
  const DirectoryLock lock(directory);
  const fs::path points = directory / "points";
  SweepTable table;
  const std::size_t metrics = sweep.metrics().size();
  struct Sums {
    std::vector<double> sum, count;
  };
  std::vector<std::vector<Sums>> sums;
  for (const Axis& axis : sweep.axes())
    sums.emplace_back(axis.values.size() <= kMostValues ? axis.values.size() : 0,
                      Sums{std::vector<double>(metrics), std::vector<double>(metrics)});

  FileWriter csv(directory / "results.csv");
  std::string& out = csv.buffer();
  out = "point";
  for (const Axis& axis : sweep.axes()) out += ',' + csv_cell(axis.name);
  out += ",replication";
  for (const std::string& metric : sweep.metrics()) out += ',' + csv_cell(metric);
  out += '\n';

  PointReader reader({points});
  const bool fold = reader.files() > 1;
  const fs::path folded = file_of(points, next_session(points), 0);
  std::optional<FileWriter> together;
  if (fold) together.emplace(folded);
  Grid grid(sweep.axes());
  std::vector<std::uint64_t> indices;
  std::uint64_t expected = range.begin;
  const auto gap = [&](std::uint64_t to) {
    if (to <= expected) return;
    if (table.missing_points == 0) table.missing = {expected, to};
    table.missing_points += to - expected;
  };
  for (PointRecord record; reader.next(record);) {
    if (fold) {
      together->buffer() += point_line(record);
      together->flush_if_large();
    }
    if (record.index < range.begin || record.index >= range.end) continue;
    gap(record.index);
    expected = record.index + 1;
    ++table.points;
    grid.at(record.index, indices);
    std::string head = std::to_string(record.index);
    for (std::size_t a = 0; a < indices.size(); ++a) head += ',' + csv_cell(sweep.axes()[a].text(indices[a]));
    each_row(record.values, [&](std::string_view row) {
      ++table.rows;
      out += head;
      out += ',';
      out += row;
      out += '\n';
      std::size_t at = row.find(',');
      for (std::size_t m = 0; m < metrics && at != std::string_view::npos; ++m) {
        const std::size_t end = std::min(row.find(',', at + 1), row.size());
        double x = 0;
        const bool defined = std::from_chars(row.data() + at + 1, row.data() + end, x).ec == std::errc{};
        for (std::size_t a = 0; a < indices.size() && defined; ++a)
          if (!sums[a].empty()) sums[a][indices[a]].sum[m] += x, ++sums[a][indices[a]].count[m];
        at = end < row.size() ? end : std::string_view::npos;
      }
    });
    csv.flush_if_large();
  }
  gap(range.end);
  if (fold) {
    together->commit();
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(points, code))
      if (entry.path() != folded && entry.path().extension() == ".points") fs::remove(entry.path(), code);
  }
  for (std::size_t a = 0; a < sums.size(); ++a) {
    table.marginals.emplace_back();
    for (std::size_t v = 0; v < sums[a].size(); ++v) {
      Marginal marginal{sweep.axes()[a].text(v), {}};
      for (std::size_t m = 0; m < metrics; ++m)
        marginal.mean.push_back(sums[a][v].count[m] > 0 ? sums[a][v].sum[m] / sums[a][v].count[m]
                                                        : std::numeric_limits<double>::quiet_NaN());
      table.marginals.back().push_back(std::move(marginal));
    }
  }
  if (table.missing_points > 0) return table;
  csv.commit();
  return table;
}

SweepTable merge_sweeps(const std::vector<fs::path>& directories, const fs::path& into, bool force) {
  std::optional<std::string> fingerprint;
  std::vector<fs::path> points;
  for (const fs::path& directory : directories) {
    const auto own = fingerprint_in(directory);
    if (!own) throw wrong(directory, "holds no sweep: there is no sweep.json in it");
    if (fingerprint && own != fingerprint)
      throw wrong(directory,
                  "is of another sweep (or of another build of the program) than " + directories[0].string());
    fingerprint = own;
    points.push_back(directory / "points");
  }
  claim(into, force);
  {
    const DirectoryLock lock(into);
    const auto there = fingerprint_in(into);
    if (there && there != fingerprint && !force) throw wrong(into, "holds another sweep; --force overwrites it");
    std::error_code code;
    const auto is_target = [&](const fs::path& directory) { return fs::equivalent(directory, into, code); };
    const bool among = std::any_of(directories.begin(), directories.end(), is_target);
    std::erase_if(points, [&](const fs::path& folder) { return is_target(folder.parent_path()); });
    if (!points.empty()) {
      if (force && !among) wipe(into);
      fs::create_directories(into / "points", code);
      for (const char* of_fewer : {"results.csv", "report.html"}) fs::remove(into / of_fewer, code);
      InputList inputs(into);
      for (const fs::path& directory : directories)
        if (!is_target(directory) && !inputs.join(InputList(directory)))
          throw wrong(directory, "rests on files that were others than those of " + into.string());
      // What leads from the old place to inputs must lead there from the new one.
      const Value root(Document::load(directories[0] / "sweep.json"));
      Json json = root.json();
      const auto moved = [&](const std::string& path) {
        return fs::relative(fs::weakly_canonical(directories[0] / path, code), fs::weakly_canonical(into, code), code)
            .string();
      };
      json["folder"] = moved(read<std::string>(root["folder"]));
      for (Json& input : json["inputs"]) input["file"] = moved(input.value("file", ""));
      write_file(into / "sweep.json", json.dump(2) + "\n");
      PointReader reader(points);
      const fs::path target = file_of(into / "points", next_session(into / "points"), 0);
      FileWriter together(target);
      for (PointRecord record; reader.next(record);) {
        together.buffer() += point_line(record);
        together.flush_if_large();
      }
      together.commit();
    }
  }
  const auto sweep = Sweep::load(into / "sweep.json", {}, {});
  return write_table(*sweep, into, {0, sweep->size()});
}

}  // namespace dynasoc::explore
