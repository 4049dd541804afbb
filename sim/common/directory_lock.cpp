#include "common/directory_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/error.hpp"

namespace dynasoc {

Locked lock_file(int file, const std::filesystem::path& path) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return Locked::yes;
  if (errno == EWOULDBLOCK) return Locked::by_another;
  if (errno == ENOLCK || errno == EOPNOTSUPP || errno == ENOSYS) return Locked::unknown;
  throw OutsideError(path.string() + ": cannot be locked: " + std::strerror(errno));
}

DirectoryLock::DirectoryLock(const std::filesystem::path& directory) : path_(directory / kName) {
  const Location here{directory.string(), 0, 0, ""};
  for (;;) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    found_ = file_ < 0 && errno == EEXIST;
    if (found_) file_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    if (file_ < 0 && found_ && errno == ENOENT) continue;  // its owner took it away just now
    if (file_ < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
      throw OutsideError(path_.string() + ": cannot be written: " + std::strerror(errno));
    if (file_ < 0) throw InputError(here, std::string("cannot be written to: ") + std::strerror(errno));
    try {
      const Locked locked = lock_file(file_, path_);
      if (locked == Locked::by_another) throw InputError(here, "another process is working on it");
      certain_ = locked == Locked::yes;
    } catch (...) {
      ::close(file_);
      throw;
    }
    // It may have been taken away between the two steps: then what is locked is no longer the directory's.
    struct stat ours {
    }, there{};
    if (::fstat(file_, &ours) == 0 && ::stat(path_.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
        ours.st_dev == there.st_dev)
      return;
    ::close(file_);
  }
}

DirectoryLock::~DirectoryLock() { ::close(file_); }

void DirectoryLock::remove() { ::unlink(path_.c_str()); }

}  // namespace dynasoc
