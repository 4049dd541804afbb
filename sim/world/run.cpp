#include "world/run.hpp"

#include <atomic>
#include <cstring>
#include <deque>
#include <exception>
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

// Replications in threads, in no particular order; results in theirs.
std::vector<RunRecord> in_threads(const Setup& setup, const Recording& recording, int count, int jobs,
                                  const std::function<void(double)>& progress) {
  std::vector<RunRecord> records(static_cast<std::size_t>(count));
  std::vector<double> done(static_cast<std::size_t>(count), 0.0);
  std::atomic<int> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr failure;
  double total = 0;
  const auto report = [&](int r, double share) {
    const std::lock_guard lock(mutex);
    if (stop) throw OutsideError("stopped");
    total += share - done[r];
    done[r] = share;
    if (progress) progress(total / count);
  };
  const auto work = [&] {
    for (int r = next++; r < count && !stop; r = next++) {
      try {
        records[r] = simulate(setup, recording, EngineKind::native, static_cast<std::uint64_t>(r),
                              [&, r](double share) { report(r, share); });
        report(r, 1);  // a short run reports nothing itself
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!stop.exchange(true)) failure = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> threads;
  for (int j = 1; j < std::min(jobs, count); ++j) threads.emplace_back(work);
  work();
  threads.clear();  // joins
  if (failure) std::rethrow_exception(failure);
  return records;
}

std::vector<RunRecord> in_processes(const Setup& setup, const Recording& recording, int count, int jobs,
                                    const std::function<void(double)>& progress) {
  std::vector<RunRecord> records;
  std::deque<ChildProcess> running;
  int started = 0;
  while (static_cast<int>(records.size()) < count) {
    while (started < count && static_cast<int>(running.size()) < jobs) {
      running.emplace_back([&setup, &recording, started] {
        return pack(simulate(setup, recording, EngineKind::simgrid, static_cast<std::uint64_t>(started)));
      });
      ++started;
    }
    const auto share = [&] { return static_cast<double>(records.size()) / count; };
    while (!running.front().ready(100))
      if (progress) progress(share());  // may throw: the children go with `running`
    records.push_back(unpack(running.front().result()));
    running.pop_front();
    if (progress) progress(share());
  }
  return records;
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

std::vector<RunRecord> simulate_all(const Setup& setup, const Recording& recording, EngineKind engine, int count,
                                    int jobs, const std::function<void(double)>& progress) {
  if (engine == EngineKind::native) return in_threads(setup, recording, count, std::max(1, jobs), progress);
  if (!simgrid_available()) simulate(setup, recording, engine, 0);  // says what is missing
  if (count > 1) return in_processes(setup, recording, count, std::max(1, jobs), progress);
  std::vector<RunRecord> one;
  one.push_back(simulate(setup, recording, engine, 0, progress));
  return one;
}

}  // namespace dynasoc
