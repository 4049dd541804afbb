#include "explore/exploration/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "common/directory_lock.hpp"
#include "common/outside.hpp"
#include "common/text.hpp"

namespace dynasoc::explore {
namespace {

constexpr const char* kInUse = "another process is exploring in this directory";

// Whole numbers and numbers as this file writes them.
bool read_number(std::string_view text, double& out) {
  if (text == "nan") {
    out = std::nan("");
    return true;
  }
  const std::string copy(text);
  char* end = nullptr;
  out = std::strtod(copy.c_str(), &end);
  return !copy.empty() && *end == '\0';
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
  return true;
}

}  // namespace

std::string journal_line(const Evaluation& evaluation) {
  std::string line =
      evaluation.key + "\t" + std::to_string(evaluation.replication) + "\t" + evaluation.assignments.dump() + "\t";
  for (std::size_t i = 0; i < evaluation.values.size(); ++i) {
    if (i > 0) line += ",";
    line += std::isnan(evaluation.values[i]) ? "nan" : number_text(evaluation.values[i]);
  }
  return line + "\t" + content_hash(line) + "\n";
}

std::optional<Evaluation> read_journal_line(std::string_view line) {
  const std::size_t last = line.rfind('\t');
  if (last == std::string_view::npos || content_hash(line.substr(0, last)) != line.substr(last + 1))
    return std::nullopt;
  std::vector<std::string_view> cells;
  for (std::size_t at = 0; at <= last;) {
    const std::size_t end = line.find('\t', at);
    cells.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  if (cells.size() != 4) return std::nullopt;
  Evaluation out;
  out.key = cells[0];
  double replication = -1;
  if (!read_number(cells[1], replication) || !(replication >= 0 && replication < 1e6)) return std::nullopt;
  out.replication = static_cast<int>(replication);
  out.assignments = read_json_line(cells[2]).value_or(Json());
  if (!out.assignments.is_object()) return std::nullopt;
  for (std::size_t at = 0; at <= cells[3].size();) {
    const std::size_t end = std::min(cells[3].find(',', at), cells[3].size());
    double value = 0;
    if (!read_number(cells[3].substr(at, end - at), value)) return std::nullopt;
    out.values.push_back(value);
    at = end + 1;
  }
  return out;
}

Journal::Journal(const std::filesystem::path& directory) : path_(directory / "evaluations.tsv") {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) throw OutsideError(path_.string() + ": cannot be opened: " + std::strerror(errno));
  try {
    if (lock_file(file_, path_) == Locked::by_another) throw InputError({path_.string(), 0, 0, ""}, kInUse);
    const std::string text = read_file(path_);
    std::size_t at = 0;
    for (std::size_t number = 1; at < text.size(); ++number) {
      const std::size_t end = text.find('\n', at);
      const bool cut = end == std::string::npos;
      auto evaluation = cut ? std::nullopt : read_journal_line(std::string_view(text).substr(at, end - at));
      if (!evaluation) {
        if (cut || end + 1 == text.size()) break;  // the end of a file that a kill cut short
        throw InputError({path_.string(), number, 1, ""},
                         "this line is damaged (its checksum differs), and others follow it; remove it, and what it "
                         "said is simulated again");
      }
      const auto [it, fresh] = known_.emplace(std::pair{evaluation->key, evaluation->replication}, evaluation->values);
      if (!fresh && !same(it->second, evaluation->values))
        throw InputError({path_.string(), number, 1, ""},
                         "says otherwise than an earlier line of the same configuration and replication; remove the "
                         "one that is wrong");
      at = end + 1;
    }
    if (at < text.size() && ::ftruncate(file_, static_cast<off_t>(at)) != 0)
      throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(errno));
    read_ = known_.size();
  } catch (...) {
    ::close(file_);
    throw;
  }
}

void Journal::refuse_if_in_use(const std::filesystem::path& directory) {
  const auto path = directory / "evaluations.tsv";
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;  // none there
  const bool in_use = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  if (in_use) throw InputError({path.string(), 0, 0, ""}, kInUse);
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

const std::vector<double>* Journal::find(const std::string& key, int replication) const {
  const auto it = known_.find({key, replication});
  return it == known_.end() ? nullptr : &it->second;
}

void Journal::add(Evaluation evaluation) {
  const std::string line = journal_line(evaluation);
  const std::lock_guard lock(mutex_);
  if (!known_.emplace(std::pair{evaluation.key, evaluation.replication}, std::move(evaluation.values)).second) return;
  if (file_ < 0) return;
  // One write: what a kill leaves is whole lines and at most one that is cut, at the end.
  const off_t begin = ::lseek(file_, 0, SEEK_END);
  const ssize_t written = ::write(file_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return;
  const int error = written < 0 ? errno : ENOSPC;
  if (written > 0 && ::ftruncate(file_, begin) == 0) ::lseek(file_, begin, SEEK_SET);
  throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(error));
}

}  // namespace dynasoc::explore
