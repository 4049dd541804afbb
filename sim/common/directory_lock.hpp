// One process at a time works on a directory.
#pragma once

#include <filesystem>

namespace dynasoc {

/// What came of asking for an open file's lock. Some file systems of clusters know no locks.
enum class Locked { yes, by_another, unknown };

/// Locks an open file for this process until it is closed; does not wait. Throws OutsideError where the system fails.
Locked lock_file(int file, const std::filesystem::path& path);

/// Held while somebody works on a directory, through a file named `lock` in it. The system lets it go with the process,
/// however that ends; the file stays, unless `remove` is called.
class DirectoryLock {
 public:
  static constexpr const char* kName = "lock";

  /// Throws InputError where another process holds it or the directory may not be written to, OutsideError where the
  /// disk refuses. Where the file system knows no locks, nobody is kept out.
  explicit DirectoryLock(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// Whether the file was there before: who made it has been killed, or keeps it.
  bool found() const { return found_; }
  /// The same, and it is certain that nobody keeps it.
  bool left() const { return found_ && certain_; }

  /// Takes the file away: nobody is at work here, and nobody has been stopped.
  void remove();

 private:
  std::filesystem::path path_;
  int file_ = -1;
  bool found_ = false, certain_ = true;
};

}  // namespace dynasoc
