#include "world/run.hpp"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <type_traits>

#include "common/child_process.hpp"
#include "common/text.hpp"
#include "kernel/native_engine.hpp"
#include "version.hpp"
#include "world/power_draw.hpp"
#include "world/world.hpp"

namespace dynasoc {

extern template class World<NativeEngine>;

namespace {
SimulateFunction& simgrid_function() {  // set before main, constant afterwards
  static SimulateFunction function = nullptr;
  return function;
}
}  // namespace

SimgridRegistration::SimgridRegistration(SimulateFunction function) { simgrid_function() = function; }

bool simgrid_available() { return simgrid_function() != nullptr; }

RunRecord simulate(const Setup& setup, const Recording& recording, EngineKind engine, std::uint64_t replication,
                   const std::function<void(double)>& progress) {
  if (setup.sample_power) {
    Setup drawn = with_drawn_power(setup, replication);
    drawn.sample_power = false;
    return simulate(drawn, recording, engine, replication, progress);
  }
  if (engine == EngineKind::simgrid) {
    if (!simgrid_available())
      throw InputError(
          "--engine simgrid: this program was built without SimGrid; install it (Debian: libsimgrid-dev) and build "
          "again");
    return simgrid_function()(setup, recording, replication, progress);
  }
  World<NativeEngine> world(setup, recording, replication);
  return world.run(progress);
}

namespace {

using Take = std::function<void(RunRecord)>;

// Replications in threads; whoever ends one that is next in order hands it on, with those behind it that are ready.
class Threads {
 public:
  /// `most` replications are begun and not yet taken.
  Threads(int count, int jobs, int most, const Take& take, const std::function<void(double)>& progress)
      : count_(count),
        jobs_(jobs),
        most_(most),
        take_(take),
        progress_(progress),
        done_(static_cast<std::size_t>(count), 0.0) {}

  void run(const Setup& setup, const Recording& recording) {
    const auto work = [&] {
      for (int r = begin(); r >= 0; r = begin()) {
        try {
          end(r, simulate(setup, recording, EngineKind::native, static_cast<std::uint64_t>(r),
                          [this, r](double share) { report(r, share); }));
          report(r, 1);  // a short run reports nothing itself
        } catch (...) {
          fail();
        }
      }
    };
    std::vector<std::jthread> threads;
    for (int j = 1; j < std::min(jobs_, count_); ++j) threads.emplace_back(work);
    work();
    threads.clear();  // joins
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // The next replication; waits while too many records are about. -1: there is none.
  int begin() {
    std::unique_lock lock(mutex_);
    const int r = next_++;
    room_.wait(lock, [&] { return stop_ || r >= count_ || r < taken_ + most_; });
    return stop_ || r >= count_ ? -1 : r;
  }

  void end(int r, RunRecord record) {
    std::unique_lock lock(mutex_);
    ready_.emplace(r, std::move(record));
    if (taking_) return;  // whoever does will see it
    taking_ = true;
    for (auto it = ready_.find(taken_); it != ready_.end() && !stop_; it = ready_.find(taken_)) {
      RunRecord one = std::move(it->second);
      ready_.erase(it);
      lock.unlock();
      take_(std::move(one));
      lock.lock();
      ++taken_;
      room_.notify_all();
    }
    taking_ = false;
  }

  void report(int r, double share) {
    const std::lock_guard lock(mutex_);
    if (stop_) throw OutsideError("stopped");
    total_ += share - done_[static_cast<std::size_t>(r)];
    done_[static_cast<std::size_t>(r)] = share;
    if (progress_) progress_(total_ / count_);
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    if (!stop_) failure_ = std::current_exception();
    stop_ = true;
    room_.notify_all();
  }

  const int count_, jobs_, most_;
  const Take& take_;
  const std::function<void(double)>& progress_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::map<int, RunRecord> ready_;
  std::vector<double> done_;
  double total_ = 0;
  int next_ = 0, taken_ = 0;
  bool taking_ = false, stop_ = false;
  std::exception_ptr failure_;
};

void in_processes(const Setup& setup, const Recording& recording, int count, int jobs, const Take& take,
                  const std::function<void(double)>& progress) {
  std::deque<ChildProcess> running;
  int started = 0, taken = 0;
  while (taken < count) {
    while (started < count && static_cast<int>(running.size()) < jobs) {
      running.emplace_back([&setup, &recording, started] {
        return pack(simulate(setup, recording, EngineKind::simgrid, static_cast<std::uint64_t>(started)));
      });
      ++started;
    }
    const auto share = [&] { return static_cast<double>(taken) / count; };
    while (!running.front().ready(100))
      if (progress) progress(share());  // may throw: the children go with `running`
    take(unpack(running.front().result()));
    running.pop_front();
    ++taken;
    if (progress) progress(share());
  }
}

// One visitor names every member of a record, for writing and for reading alike.
class Writer {
 public:
  template <class T>
  void operator()(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      (*this)(value.size());
      bytes.append(value);
    } else if constexpr (requires { value.begin(); }) {
      (*this)(value.size());
      for (const auto& member : value) (*this)(member);
    } else if constexpr (std::is_trivially_copyable_v<T>) {
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      const_cast<T&>(value).visit(*this);
    }
  }
  std::string bytes;
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : bytes_(bytes) {}
  template <class T>
  void operator()(T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      const std::size_t size = count();
      value = bytes_.substr(at_, size);
      at_ += size;
    } else if constexpr (requires { value.resize(1); }) {
      value.resize(count());
      for (auto& member : value) (*this)(member);
    } else if constexpr (requires { value.begin(); }) {
      if (count() != value.size()) throw InternalError("a record from a child process is of another kind");
      for (auto& member : value) (*this)(member);
    } else if constexpr (std::is_trivially_copyable_v<T>) {
      if (sizeof value > bytes_.size() - at_) throw InternalError("a record from a child process is cut short");
      std::memcpy(&value, bytes_.data() + at_, sizeof value);
      at_ += sizeof value;
    } else {
      value.visit(*this);
    }
  }

  // Of members that follow, each at least a byte long.
  std::size_t count() {
    std::size_t out = 0;
    (*this)(out);
    if (out > bytes_.size() - at_) throw InternalError("a record from a child process is cut short");
    return out;
  }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace

std::string pack(const RunRecord& record) {
  Writer out;
  out(record);
  out(record.jobs.size());
  for (std::size_t i = 0; i < record.jobs.size(); ++i) out(record.jobs[i]);
  return std::move(out.bytes);
}

RunRecord unpack(const std::string& bytes) {
  RunRecord record;
  Reader in(bytes);
  in(record);
  const std::size_t jobs = in.count();
  for (std::size_t i = 0; i < jobs; ++i) {
    JobRecord job;
    in(job);
    record.jobs.add(job);
  }
  return record;
}

namespace {

constexpr std::string_view kRecordsMagic = "dynasoc records " DYNASOC_GIT_DESCRIPTION "\n";

}  // namespace

void write_records(const std::filesystem::path& path, const std::vector<RunRecord>& records) {
  FileWriter file(path);
  file.buffer() = kRecordsMagic;
  for (const RunRecord& record : records) {
    const std::string bytes = pack(record);
    const std::size_t size = bytes.size();
    file.buffer().append(reinterpret_cast<const char*>(&size), sizeof size);
    file.buffer() += bytes;
    file.flush_if_large();
  }
  file.commit();
}

std::vector<RunRecord> read_records(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  const InputError damaged({path.string(), 0, 0, ""}, "is not a file of records of this build, or is cut short");
  if (!content.starts_with(kRecordsMagic)) throw damaged;
  std::vector<RunRecord> records;
  for (std::size_t at = kRecordsMagic.size(); at < content.size();) {
    std::size_t size = 0;
    if (content.size() - at < sizeof size) throw damaged;
    std::memcpy(&size, content.data() + at, sizeof size);
    at += sizeof size;
    if (content.size() - at < size) throw damaged;
    try {
      records.push_back(unpack(content.substr(at, size)));
    } catch (const InternalError&) {
      throw damaged;
    }
    at += size;
  }
  return records;
}

namespace {

void simulate_in_order(const Setup& setup, const Recording& recording, EngineKind engine, int count, int jobs, int most,
                       const Take& take, const std::function<void(double)>& progress) {
  if (engine == EngineKind::native) return Threads(count, jobs, most, take, progress).run(setup, recording);
  if (!simgrid_available()) simulate(setup, recording, engine, 0);  // says what is missing
  if (count > 1) return in_processes(setup, recording, count, jobs, take, progress);
  take(simulate(setup, recording, engine, 0, progress));
}

}  // namespace

void simulate_each(const Setup& setup, const Recording& recording, EngineKind engine, int count, int jobs,
                   const Take& take, const std::function<void(double)>& progress) {
  simulate_in_order(setup, recording, engine, count, std::max(1, jobs), std::max(1, jobs), take, progress);
}

std::vector<RunRecord> simulate_all(const Setup& setup, const Recording& recording, EngineKind engine, int count,
                                    int jobs, const std::function<void(double)>& progress) {
  std::vector<RunRecord> records;
  records.reserve(static_cast<std::size_t>(count));
  const Take keep = [&](RunRecord record) { records.push_back(std::move(record)); };
  simulate_in_order(setup, recording, engine, count, std::max(1, jobs), count, keep, progress);
  return records;
}

}  // namespace dynasoc
