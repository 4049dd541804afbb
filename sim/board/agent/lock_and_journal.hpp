// What makes it safe to turn a board's knobs: one agent a board, and every original value on the disk before the knob
// is first written.
#pragma once

#include <string>
#include <vector>

#include "files.hpp"

namespace dynasoc::agent {

/// Held while the object lives: by the folder of state and by the board's own `sys`, so that two agents with different
/// folders of state exclude one another too. The kernel lets it go however the process ends.
class BoardLock {
 public:
  /// Makes the folder if it is missing. A holder that was killed (or cannot be seen) is waited for, up to a second.
  /// Throws Refusal `busy` with the holder's `pid`, `io`.
  BoardLock(const Files& files, const std::string& state_folder);

 private:
  FileHandle state_, board_;
};

/// Original values of knobs, oldest first, as JSON lines in `journal` of the folder of state. The first line names the
/// board's root and, where it has one, the boot: a start of the system undoes what was written before, so that a
/// journal of an earlier boot is dropped.
class Journal {
 public:
  /// Reads what an earlier end has left. A last line that was only half written is passed over, as its knob was not
  /// written yet. Throws Refusal `io`, and `not_allowed` for the journal of another root.
  Journal(const Files& files, const std::string& state_folder);

  bool empty() const { return entries_.empty() && unreadable_.empty(); }
  std::size_t size() const { return entries_.size() + unreadable_.size(); }
  /// Null if the knob has not been written.
  const std::string* original(const std::string& path) const;
  /// On the disk when it returns; once for each knob. `reads_back`: whether the file shows what was written to it.
  /// Throws Refusal `io`; then nothing is kept, and the knob must not be written.
  void keep(const std::string& path, const std::string& value, bool reads_back = true);
  /// Writes all back, newest first; those that fail are tried again after the others, as limits may have been in each
  /// other's way, and stay if they still fail: `{"restored", "failed"}`. `dry_run`: only tells what it would do.
  Json restore(bool dry_run);

 private:
  struct Entry {
    std::string path, value;
    bool reads_back = true;
  };
  static std::string line(const Entry& entry);
  std::string header() const;
  std::string put_back(const Entry& entry) const;
  void replace();

  const Files& files_;
  std::string folder_, path_;
  std::vector<Entry> entries_;
  std::vector<std::string> unreadable_;  // whole lines that are not ours: kept for people
  FileHandle file_;
};

}  // namespace dynasoc::agent
