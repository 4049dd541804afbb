#include "lock_and_journal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "settle.hpp"

namespace dynasoc::agent {
namespace {

constexpr int kVersion = 1;
constexpr int kPasses = 3;            // of a restoration
constexpr double kEndTakesMs = 1000;  // until a killed agent's last thread is gone, and the lock with it

Refusal io_error(const std::string& path, const std::string& doing, int error) {
  return Refusal("io", path + ": " + doing + ": " + std::strerror(error), {{"path", path}});
}

/// Makes the names in a folder as lasting as what the files hold.
void sync_folder(const std::string& path) {
  const FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::fsync(folder.get()) != 0) throw io_error(path, "cannot be synced", errno);
}

void make_folder(const std::string& path) {
  for (std::size_t end = 1; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0755) == 0) {
      const std::size_t slash = part.rfind('/');
      sync_folder(slash == std::string::npos ? "." : slash == 0 ? "/" : part.substr(0, slash));
    } else if (errno != EEXIST) {
      throw io_error(part, "cannot be made", errno);
    }
  }
}

void write_all(int file, const std::string& text, const std::string& path) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) throw io_error(path, "cannot be written", errno);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

/// Who has a flock on the open file, as /proc/locks tells; 0 if it does not.
int holder(int file) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return 0;
  char wanted[64];
  std::snprintf(wanted, sizeof wanted, "%02x:%02x:%llu", major(about.st_dev), minor(about.st_dev),
                static_cast<unsigned long long>(about.st_ino));
  std::ifstream locks("/proc/locks");
  for (std::string text; std::getline(locks, text);) {
    const std::vector<std::string> parts = words(text);
    if (parts.size() > 5 && parts[1] == "FLOCK" && parts[5] == wanted) return std::atoi(parts[4].c_str());
  }
  return 0;
}

Refusal busy(int pid) {
  const std::string who = pid > 0 ? "the agent with pid " + std::to_string(pid) : std::string("another agent");
  return Refusal("busy", who + " holds this board", pid > 0 ? Json{{"pid", pid}} : Json{{"pid", nullptr}});
}

/// Whether a process only has to be cleared away: its locks are let go when its memory is freed and its last thread is
/// gone, some hundred milliseconds after SIGKILL was sent to a large one. By proc_pid_stat(5) and proc_pid_status(5).
bool ending(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream stat(folder + "/stat");
  std::string text;
  if (!std::getline(stat, text)) return true;  // since it was looked up
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return false;
  const std::vector<std::string> parts = words(text.substr(name_end + 1));  // state, then numbers; the seventh is flags
  constexpr unsigned long kExiting = 4;                                     // PF_EXITING of the kernel's sched.h
  if (parts.size() > 6 && (parts[0] == "Z" || (std::strtoul(parts[6].c_str(), nullptr, 10) & kExiting) != 0))
    return true;
  std::ifstream status(folder + "/status");
  while (std::getline(status, text)) {
    const std::vector<std::string> line = words(text);
    if (line.size() > 1 && (line[0] == "SigPnd:" || line[0] == "ShdPnd:") &&
        (std::strtoull(line[1].c_str(), nullptr, 16) >> (SIGKILL - 1) & 1) != 0)
      return true;
  }
  return false;
}

/// Locks an open file; 0, or what flock answers where this file cannot be locked. A holder that is ending is waited
/// for, as is one that cannot be seen (it may have let go since): whoever starts an agent, or `restore`, right after
/// one was killed gets the board. Throws Refusal `busy`.
template <class HolderOf>
int take(const FileHandle& file, const HolderOf& holder_of) {
  int error = 0, pid = 0;
  const auto decided = [&] {
    error = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (error != EWOULDBLOCK) return true;
    pid = holder_of();
    return pid > 0 && !ending(pid);
  };
  settle(decided, kEndTakesMs);
  if (error == EWOULDBLOCK) throw busy(pid);
  return error;
}

/// `scaling_max_freq of policy0`: what people call the knob of a file.
std::string knob_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return path;
  std::string folder = path.substr(0, slash);
  if (ends_with(folder, "/cpufreq")) folder.resize(folder.size() - 8);
  return path.substr(slash + 1) + " of " + folder.substr(folder.rfind('/') + 1);
}

}  // namespace

BoardLock::BoardLock(const Files& files, const std::string& state_folder) {
  make_folder(state_folder);
  const std::string path = state_folder + "/lock";
  state_ = FileHandle(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!state_.open()) throw io_error(path, "cannot be opened", errno);
  const int error = take(state_, [&] {
    if (const int pid = holder(state_.get()); pid > 0) return pid;
    // Some file systems have other numbers in /proc/locks than stat tells. An earlier agent's pid says nothing.
    char text[32] = "";
    const ssize_t n = ::pread(state_.get(), text, sizeof text - 1, 0);
    const int written = n > 0 ? std::atoi(text) : 0;
    return written > 0 && (::kill(written, 0) == 0 || errno == EPERM) ? written : 0;
  });
  if (error != 0) throw io_error(path, "cannot be locked", error);
  board_ = files.open("/sys");
  if (board_.open()) take(board_, [&] { return holder(board_.get()); });
  // Only for the message to another agent: the lock holds without it, on a full disk too.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(state_.get(), 0) != 0 || ::pwrite(state_.get(), pid.data(), pid.size(), 0) < 0) return;
}

Journal::Journal(const Files& files, const std::string& state_folder)
    : files_(files), folder_(state_folder), path_(state_folder + "/journal") {
  std::ifstream in(path_, std::ios::binary);
  if (!in) {
    if (errno != ENOENT) throw io_error(path_, "cannot be read", errno);
    return;
  }
  std::ostringstream whole;
  whole << in.rdbuf();
  const std::string text = whole.str();
  bool first = true;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;  // half written
    const std::string one = text.substr(begin, end - begin);
    begin = end + 1;
    const Json object = Json::parse(one, nullptr, false);
    const auto is_text = [&](const char* name) { return object.contains(name) && object[name].is_string(); };
    if (first) {
      first = false;
      if (object.is_object() && is_text("root") && is_text("boot")) {
        if (object["root"] != files_.root()) {
          const auto other = object["root"].get<std::string>();
          throw Refusal("not_allowed", path_ + ": holds knobs of the board below " + (other.empty() ? "/" : other) +
                                           ": run `dynasoc-agent restore` with that root first, or take another state");
        }
        const auto boot = files_.read("/proc/sys/kernel/random/boot_id").value_or("");
        if (!boot.empty() && object["boot"] != boot && object["boot"] != "") {
          replace();  // with nothing
          return;
        }
        continue;
      }
    }
    if (object.is_object() && is_text("path") && is_text("value") && starts_with(object["path"], "/sys/")) {
      // Compared and not copied: copying recurses, and this may be nested as deep as anything.
      const bool reads_back = !object.contains("reads_back") || object["reads_back"] != false;
      entries_.push_back({object["path"], object["value"], reads_back});
    } else {
      unreadable_.push_back(one);
    }
  }
}

const std::string* Journal::original(const std::string& path) const {
  for (const Entry& entry : entries_) {
    if (entry.path == path) return &entry.value;
  }
  return nullptr;
}

std::string Journal::line(const Entry& entry) {
  Json object{{"path", entry.path}, {"value", entry.value}};
  if (!entry.reads_back) object["reads_back"] = false;
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Journal::header() const {
  return Json{{"journal", kVersion},
              {"root", files_.root()},
              {"boot", files_.read("/proc/sys/kernel/random/boot_id").value_or("")}}
             .dump(-1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

void Journal::keep(const std::string& path, const std::string& value, bool reads_back) {
  if (original(path) != nullptr) return;
  Entry entry{path, value, reads_back};
  std::string text = line(entry);
  const bool begins = empty();
  if (!file_.open()) {
    // What an earlier end left has been read or cut off by `restore`: nothing is appended to a half-written line.
    if (!begins) replace();
    file_ = FileHandle(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (begins ? O_TRUNC : 0), 0644));
    if (!file_.open()) throw io_error(path_, "cannot be opened", errno);
    if (begins) text = header() + text;
  }
  struct stat before {};
  if (::fstat(file_.get(), &before) != 0) throw io_error(path_, "cannot be read", errno);
  try {
    write_all(file_.get(), text, path_);
    if (::fsync(file_.get()) != 0) throw io_error(path_, "cannot be synced", errno);
    if (begins) sync_folder(folder_);
  } catch (const Refusal&) {
    // The half line would be passed over too; without it the file can be gone on with.
    if (::ftruncate(file_.get(), before.st_size) != 0) file_.close();
    if (begins) {
      file_.close();
      ::unlink(path_.c_str());
    }
    throw;
  }
  entries_.push_back(std::move(entry));
}

std::string Journal::put_back(const Entry& entry) const {
  try {
    files_.write(entry.path, entry.value);
  } catch (const Refusal& refusal) {
    // What could not be written then either is as it was.
    if (entry.reads_back && files_.read(entry.path).value_or("") == entry.value) return {};
    return refusal.what();
  }
  if (!entry.reads_back) return {};
  std::string actual;
  const auto shows = [&] {
    actual = files_.read(entry.path).value_or("");
    return actual == entry.value;
  };
  if (settle(shows) >= 0) return {};
  return files_.full(entry.path) + ": was written and reads as \"" + actual + "\"";
}

Json Journal::restore(bool dry_run) {
  Json answer{{"restored", Json::array()}, {"failed", Json::array()}};
  std::vector<Entry> pending(entries_.rbegin(), entries_.rend());
  std::map<std::string, std::string> reasons;
  for (int pass = 0; pass < kPasses && !pending.empty(); ++pass) {
    std::vector<Entry> left;
    for (const Entry& entry : pending) {
      const std::string reason = dry_run ? std::string() : put_back(entry);
      if (reason.empty()) {
        answer["restored"].push_back({{"path", files_.full(entry.path)}, {"value", entry.value}});
      } else {
        reasons[entry.path] = reason;
        left.push_back(entry);
      }
    }
    pending = std::move(left);
  }
  for (const Entry& entry : pending) {
    const std::string path = files_.full(entry.path);
    answer["failed"].push_back(
        {{"knob", knob_name(entry.path)},
         {"path", path},
         {"value", entry.value},
         {"message", reasons[entry.path] + "; to set it by hand: echo " + entry.value + " | sudo tee " + path}});
  }
  for (const std::string& text : unreadable_) {
    answer["failed"].push_back(
        {{"knob", "unknown"},
         {"path", path_},
         {"value", text},
         {"message", path_ + ": holds a line that is not of a journal: look at it, and delete it"}});
  }
  if (dry_run) return answer;
  const bool changed = pending.size() != entries_.size() || pending.empty();
  entries_.assign(pending.rbegin(), pending.rend());
  if (changed) replace();
  return answer;
}

// Leaves the file as the entries say: a new one that takes the old one's place, or none.
void Journal::replace() {
  file_.close();
  if (empty()) {
    if (::unlink(path_.c_str()) == 0) {
      sync_folder(folder_);
    } else if (errno != ENOENT) {
      throw io_error(path_, "cannot be removed", errno);
    }
    return;
  }
  const std::string partial = path_ + ".partial";
  std::string text = header();
  for (const std::string& one : unreadable_) text += one + "\n";
  for (const Entry& entry : entries_) text += line(entry);
  const FileHandle file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.open()) throw io_error(partial, "cannot be opened", errno);
  write_all(file.get(), text, partial);
  if (::fsync(file.get()) != 0) throw io_error(partial, "cannot be synced", errno);
  if (::rename(partial.c_str(), path_.c_str()) != 0) throw io_error(path_, "cannot be replaced", errno);
  sync_folder(folder_);
}

}  // namespace dynasoc::agent
