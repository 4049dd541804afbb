// What the session runs: applications (a worker each, that may be lost and made again) and background loads.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "workers.hpp"

namespace dynasoc::agent {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// A call of `infer`, and what the worker said of it.
struct Inference {
  std::string subnet;
  std::int64_t repeat = 1;
  double deadline_ms = 0;
  bool switched = false;
  std::int64_t sent_ns = 0;
  std::int64_t own_ns = 0;                       ///< what `Desk::own_ns` said when it was sent
  std::int64_t done_ns = 0, own_at_done_ns = 0;  ///< when the answer came
  std::int64_t start_ns = 0, end_ns = 0;
  Json latency_ms;
  double cpu_ms = 0;
};

class Application;

/// Where answers and events go, and what is known of the board.
class Desk {
 public:
  virtual ~Desk() = default;
  virtual void answer(const Json& id, Json ok) = 0;
  virtual void refuse(const Json& id, const Refusal& refusal) = 0;
  virtual void tell(Json event) = 0;
  /// Answers an inference that is done: `id` is the request's.
  virtual void measured(const Json& id, const Application& application, const Inference& inference) = 0;
  /// CPU time so far of the session's processes on a unit.
  virtual std::int64_t own_ns(const std::string& unit) const = 0;
  /// A process that has ended, and had this CPU time.
  virtual void retire(const Process& process) = 0;
  /// For how long after its end an inference has to wait for the meters.
  virtual std::int64_t metering_ns() const = 0;
};

class Application {
 public:
  struct Setup {
    std::string name, unit;
    ProcessOptions process;
    Json load;                          ///< the request to the worker
    std::vector<std::string> warnings;  ///< told in the answer to `load`
  };

  /// Starts its worker and loads: `id` is answered when that is done. Throws Refusal.
  Application(Desk& desk, Setup setup, Json id);

  /// Throws Refusal if a call is open, or there is no such sub-network.
  void infer(Json id, Inference wanted);
  /// Lets the worker quit, and answers when it has.
  void unload(Json id);
  /// Ends the worker now; an open call is refused.
  void abandon(const Refusal& why);
  /// A thermal limit is passed: what runs has little time left.
  void cool(std::int64_t now_ns);

  /// Looks at what the worker did. Call when there may be news, and at `wake_ns`.
  void step(std::int64_t now_ns);
  std::int64_t wake_ns() const;
  bool gone() const { return phase_ == Phase::gone; }

  const std::string& unit() const { return setup_.unit; }
  Worker* worker() const { return worker_.get(); }
  int workers() const { return workers_; }

 private:
  enum class Phase { idle, loading, running, metering, ending, gone };

  void start_worker();
  void send_infer();
  void heard(LineReader::Next next, const std::string& line);
  void loaded(const Json& ok);
  void done(const Json& ok);
  /// The worker ended by itself.
  void lost();
  /// The worker is no good any more: it is killed, and the open call refused.
  void fail(const Refusal& why);
  void drop_worker();
  Refusal with_last_words(const std::string& message, Json details = Json::object()) const;

  Desk& desk_;
  Setup setup_;
  Phase phase_ = Phase::idle;
  Json id_;                 // of the open call
  bool inferring_ = false;  // the open call is `infer`, else `load`
  Inference inference_;
  std::string last_subnet_;  // of this worker
  std::unique_ptr<Worker> worker_;
  int workers_ = 0;
  std::int64_t deadline_ns_ = kNever;
  std::int64_t silent_until_ns_ = kNever;  // its output has ended, so it should
  bool cooling_ = false;
};

/// Background load: busy processes on a unit's CPUs.
class Load {
 public:
  /// `answered_at_end`: `id` is answered when the work is done, else it has been. Throws Refusal.
  Load(Desk& desk, std::string name, const ProcessOptions& process, Json id, bool answered_at_end);

  void step(std::int64_t now_ns);
  void abandon(const Refusal& why);
  bool gone() const { return !worker_; }
  Worker* worker() const { return worker_.get(); }

 private:
  Desk& desk_;
  std::string name_;
  Json id_;
  bool owes_answer_;
  Json result_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace dynasoc::agent
