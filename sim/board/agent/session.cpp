#include "session.hpp"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "application.hpp"
#include "clock.hpp"
#include "members.hpp"

namespace dynasoc::agent {
namespace {

constexpr std::int64_t kGreetingNs = 10000 * kNsPerMs;  // the lease of one that has not said hello
constexpr std::int64_t kTickNs = 200 * kNsPerMs;        // thermal limits, lost sensors
constexpr std::int64_t kFarewellNs = 100 * kNsPerMs;    // for the last lines to be taken
constexpr std::int64_t kWaitInLineNs = 5 * kNsPerMs;  // longer than this the meters are not waited for, but asked later
constexpr std::int64_t kListingNs = 5000 * kNsPerMs;  // of executors, at hello
constexpr std::size_t kEventsStop = 256 * 1024;       // bytes that wait for the host: no more events
constexpr std::size_t kRequestsStop = 1024 * 1024;    // nor more requests, until it reads
constexpr std::size_t kMostOfAKind = 64;              // applications; loads
constexpr double kUsualForeignShare = 0.05;
constexpr double kUsualNeighbourShare = 0.5;
constexpr double kUsualSampleHz = 500;

bool meet(const std::vector<int>& a, const std::vector<int>& b) {
  return std::find_first_of(a.begin(), a.end(), b.begin(), b.end()) != a.end();
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

bool pin_this_thread(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<unsigned>(cpu), &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

std::string real_path(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  const std::string real = found ? found : "";
  ::free(found);
  return real;
}

bool inside(const std::string& path, const std::string& folder) {
  return path.compare(0, folder.size() + 1, folder == "/" ? folder : folder + "/") == 0;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The executors that this program has, as another process of it says: to look for one loads its library, which would
/// stay here, and may fail in ways of its own.
std::vector<std::string> find_executors() {
  ProcessOptions options;
  options.program = "/proc/self/exe";
  options.name = "dynasoc-agent";
  options.arguments = {"executors"};
  Worker lister(options);
  const std::int64_t until_ns = now_ns() + kListingNs;
  while (!lister.silent() && now_ns() < until_ns) {
    pollfd file = {lister.process().output(), POLLIN, 0};
    ::poll(&file, 1, 10);
    lister.exchange();
  }
  std::string line;
  if (lister.next(line) != LineReader::Next::line) {
    throw Refusal("worker", "the executors cannot be listed: " + lister.last_line());
  }
  return parse_object(line)["executors"].get<std::vector<std::string>>();
}

class Session final : public Desk {
 public:
  Session(const AgentOptions& options, int input, int output);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int run();

  void answer(const Json& id, Json ok) override;
  void refuse(const Json& id, const Refusal& refusal) override;
  void tell(Json event) override;
  void measured(const Json& id, const Application& application, const Inference& inference) override;
  std::int64_t own_ns(const std::string& unit) const override;
  void retire(const Process& process) override;
  std::int64_t metering_ns() const override;

 private:
  enum class Reply { now, later };
  struct Operation {
    const char* name;
    Reply (Session::*run)(const Json& request, const Json& id, Json& ok);
  };
  static const std::vector<Operation>& operations();
  static std::vector<std::string> operation_names();

  Reply hello(const Json& request, const Json& id, Json& ok);
  Reply ping(const Json& request, const Json& id, Json& ok);
  Reply probe(const Json& request, const Json& id, Json& ok);
  Reply configure(const Json& request, const Json& id, Json& ok);
  Reply set(const Json& request, const Json& id, Json& ok);
  Reply state(const Json& request, const Json& id, Json& ok);
  Reply monitor(const Json& request, const Json& id, Json& ok);
  Reply load(const Json& request, const Json& id, Json& ok);
  Reply unload(const Json& request, const Json& id, Json& ok);
  Reply infer(const Json& request, const Json& id, Json& ok);
  Reply occupy(const Json& request, const Json& id, Json& ok);
  Reply vacate(const Json& request, const Json& id, Json& ok);
  Reply restore(const Json& request, const Json& id, Json& ok);
  Reply bye(const Json& request, const Json& id, Json& ok);

  void open_board();
  void wait();
  void take_request();
  void handle(LineReader::Next next, const std::string& line);
  void dispatch(const Json& request, const Json& id);
  void step();
  void on_time();
  void tick(std::int64_t now);
  void say(const Json& object);
  void end(const std::string& reason);
  Json finish();
  Json end_all(const std::string& why);

  void check_cool();
  Application& find_application(const std::string& name);
  ProcessOptions own_process(const std::string& unit, std::vector<std::string>& warnings) const;
  std::string allowed_weights(const std::string& wanted) const;
  void note_own(const std::string& unit);
  void pin_again();

  const AgentOptions& options_;
  const int input_, output_;
  int signals_ = -1;
  int input_flags_ = -1, output_flags_ = -1;
  std::vector<int> allowed_cpus_, own_cpus_;
  std::string weights_folder_;

  std::unique_ptr<Hardware> hardware_;
  std::unique_ptr<Refusal> why_no_board_;
  bool greeted_ = false;
  std::int64_t lease_ns_ = kGreetingNs, heard_ns_ = now_ns();

  LineReader reader_;
  bool lines_wait_ = false;  // that were read and not looked at
  OutputQueue to_say_;
  std::set<std::int64_t> open_ids_;
  bool input_ended_ = false;
  std::string reason_;  // of the end; empty: not yet

  std::vector<std::string> executors_;
  std::set<std::string> units_;
  double foreign_share_ = kUsualForeignShare, neighbour_share_ = kUsualNeighbourShare, sample_hz_ = kUsualSampleHz;
  bool has_rails_ = false;
  std::map<std::string, std::unique_ptr<Application>> applications_;
  std::map<std::string, std::unique_ptr<Load>> loads_;
  std::map<std::vector<int>, std::int64_t> retired_ns_;  // by CPUs
  struct Told {
    std::int64_t until_ns = 0, own_ns = 0;
  };
  std::map<std::string, Told> told_;  // by unit: of own time, to the hardware

  std::int64_t monitor_ns_ = 0, next_state_ns_ = kNever, next_tick_ns_ = kNever;
  Json alarm_;  // the thermal limit that is passed
};

const std::vector<Session::Operation>& Session::operations() {
  static const std::vector<Operation> kOperations = {
      {"hello", &Session::hello},         {"ping", &Session::ping},     {"probe", &Session::probe},
      {"configure", &Session::configure}, {"set", &Session::set},       {"state", &Session::state},
      {"monitor", &Session::monitor},     {"load", &Session::load},     {"unload", &Session::unload},
      {"infer", &Session::infer},         {"occupy", &Session::occupy}, {"vacate", &Session::vacate},
      {"restore", &Session::restore},     {"bye", &Session::bye}};
  return kOperations;
}

std::vector<std::string> Session::operation_names() {
  std::vector<std::string> names;
  for (const Operation& operation : operations()) names.emplace_back(operation.name);
  return names;
}

Session::Session(const AgentOptions& options, int input, int output)
    : options_(options), input_(input), output_(output), allowed_cpus_(allowed_cpus()), own_cpus_(allowed_cpus_) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);  // before any other thread is there
  ::signal(SIGPIPE, SIG_IGN);               // writes say it, each of its own reader
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) throw Refusal("io", std::string("signalfd: ") + ::strerror(errno));
  // A host that does not read must not hold the watchdog up.
  input_flags_ = ::fcntl(input_, F_GETFL);
  output_flags_ = ::fcntl(output_, F_GETFL);
  ::fcntl(input_, F_SETFL, input_flags_ | O_NONBLOCK);
  ::fcntl(output_, F_SETFL, ::fcntl(output_, F_GETFL) | O_NONBLOCK);
  if (!options.weights_folder.empty()) {
    weights_folder_ = real_path(options.weights_folder);
    if (weights_folder_.empty()) throw Refusal("io", options.weights_folder + ": " + ::strerror(errno));
  }
  open_board();
  if (why_no_board_) std::fprintf(stderr, "dynasoc-agent: %s\n", why_no_board_->what());
}

Session::~Session() {
  // They may be a terminal's, which others use too.
  if (output_flags_ >= 0) ::fcntl(output_, F_SETFL, output_flags_);
  if (input_flags_ >= 0) ::fcntl(input_, F_SETFL, input_flags_);
  if (signals_ >= 0) ::close(signals_);
}

void Session::open_board() {
  if (hardware_) return;
  try {
    hardware_ = std::make_unique<Hardware>(options_.hardware);
    why_no_board_.reset();
  } catch (const Refusal& refusal) {
    why_no_board_ = std::make_unique<Refusal>(refusal);
  }
}

int Session::run() {
  while (reason_.empty()) {
    if (!to_say_.flush(output_)) {
      end("output");
      break;
    }
    wait();
    step();
    // One request a turn, so that none can keep signals, workers and timers waiting.
    take_request();
    on_time();
  }
  const Json failed = finish();
  for (const Json& knob : failed) {
    std::fprintf(stderr, "dynasoc-agent: not restored: %s\n", knob.value("message", knob.dump()).c_str());
  }
  return failed.empty() ? 0 : 3;
}

void Session::wait() {
  std::int64_t until_ns = std::min({heard_ns_ + lease_ns_, next_state_ns_, next_tick_ns_});
  std::vector<pollfd> files = {{signals_, POLLIN, 0}};
  const bool listens = !input_ended_ && !lines_wait_ && to_say_.size() < kRequestsStop;
  files.push_back({listens ? input_ : -1, POLLIN, 0});  // its end would be told again and again
  files.push_back({output_, static_cast<short>(to_say_.empty() ? 0 : POLLOUT), 0});
  const auto watch = [&](const Worker* worker) {
    if (!worker) return;
    const Process& process = worker->process();
    if (process.output() >= 0) files.push_back({process.output(), POLLIN, 0});
    if (process.errors() >= 0) files.push_back({process.errors(), POLLIN, 0});
    if (process.input() >= 0 && worker->has_output()) files.push_back({process.input(), POLLOUT, 0});
  };
  for (const auto& one : applications_) {
    watch(one.second->worker());
    until_ns = std::min(until_ns, one.second->wake_ns());
  }
  for (const auto& one : loads_) watch(one.second->worker());

  const bool more = (lines_wait_ || input_ended_) && to_say_.size() < kRequestsStop;
  const std::int64_t left_ns = more ? 0 : std::max<std::int64_t>(0, until_ns - now_ns());
  const timespec timeout = {static_cast<time_t>(left_ns / 1000000000), static_cast<long>(left_ns % 1000000000)};
  if (::ppoll(files.data(), files.size(), &timeout, nullptr) <= 0) return;

  signalfd_siginfo signal;
  while (::read(signals_, &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
    if (signal.ssi_signo != SIGCHLD) end("signal");
  }
  if (files[2].revents & (POLLERR | POLLHUP | POLLNVAL)) end("output");
  if (listens && files[1].revents != 0) {
    if (!reader_.read_from(input_)) input_ended_ = true;
    lines_wait_ = true;
  }
}

void Session::take_request() {
  if (!reason_.empty()) return;
  if (lines_wait_ && to_say_.size() < kRequestsStop) {
    std::string line;
    const LineReader::Next next = reader_.next(line);
    if (next == LineReader::Next::none) {
      lines_wait_ = false;
    } else {
      heard_ns_ = now_ns();
      handle(next, line);
    }
  }
  if (input_ended_ && !lines_wait_) end("input");
}

void Session::handle(LineReader::Next next, const std::string& line) {
  Json id;
  try {
    if (next == LineReader::Next::too_long) {
      throw Refusal("bad_request", "a line longer than 65,536 bytes was skipped");
    }
    const Json request = parse_object(line);
    const auto given = request.find("id");
    if (given == request.end()) throw Refusal("bad_request", "\"id\" is missing");
    if (!given->is_number_integer() ||
        (given->is_number_unsigned() && given->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))) {
      throw Refusal("bad_request", "\"id\" must be a whole number");
    }
    id = *given;
    if (open_ids_.count(id.get<std::int64_t>()) != 0) {
      id = nullptr;  // an answer with it would be taken for the open request's
      throw Refusal("bad_request", "\"id\" " + given->dump() + " is of a request that is still open");
    }
    dispatch(request, id);
  } catch (const Refusal& refusal) {
    refuse(id, refusal);
  } catch (const std::exception& problem) {
    refuse(id, Refusal("io", problem.what()));
  }
}

void Session::dispatch(const Json& request, const Json& id) {
  const auto given = request.find("op");
  if (given == request.end() || !given->is_string()) throw Refusal("bad_request", "\"op\" is missing, or not a text");
  const std::string& name = given->get_ref<const std::string&>();
  for (const Operation& operation : operations()) {
    if (name != operation.name) continue;
    if (!greeted_ && name != "hello") throw Refusal("bad_request", "the first request must be \"hello\"");
    Json ok = Json::object();
    open_ids_.insert(id.get<std::int64_t>());
    Reply reply = Reply::now;
    try {
      reply = (this->*operation.run)(request, id, ok);
    } catch (...) {
      open_ids_.erase(id.get<std::int64_t>());
      throw;
    }
    if (reply == Reply::now) answer(id, std::move(ok));
    return;
  }
  throw Refusal("bad_request", "unknown operation \"" + (name.size() > 64 ? name.substr(0, 64) + "…" : name) + "\"" +
                                   did_you_mean(name, operation_names()));
}

void Session::step() {
  const std::int64_t now = now_ns();
  for (auto one = applications_.begin(); one != applications_.end();) {
    one->second->step(now);
    if (one->second->gone()) {
      if (one->second->worker()) retire(one->second->worker()->process());
      one = applications_.erase(one);
    } else {
      ++one;
    }
  }
  for (auto one = loads_.begin(); one != loads_.end();) {
    one->second->step(now);
    one = one->second->gone() ? loads_.erase(one) : std::next(one);
  }
}

void Session::on_time() {
  const std::int64_t now = now_ns();
  if (reason_.empty() && now >= heard_ns_ + lease_ns_) end("lease");
  if (now >= next_tick_ns_) tick(now);
  if (now >= next_state_ns_) {
    // What was missed is not made up for.
    next_state_ns_ = std::max(next_state_ns_ + monitor_ns_, now);
    try {
      Json event = hardware_->state();
      event["event"] = "state";
      tell(std::move(event));
      for (Json& lost : hardware_->take_lost()) tell(std::move(lost));
    } catch (const Refusal& refusal) {
      next_state_ns_ = kNever;
      std::fprintf(stderr, "dynasoc-agent: no more states: %s\n", refusal.what());
    }
  }
}

void Session::tick(std::int64_t now) {
  next_tick_ns_ = now + kTickNs;
  for (const std::string& unit : units_) note_own(unit);
  for (Json& lost : hardware_->take_lost()) tell(std::move(lost));
  Json alarm = hardware_->thermal_alarm();
  if (!alarm.is_null()) {
    if (alarm_.is_null() || alarm_["name"] != alarm["name"]) tell(alarm);
    for (const auto& one : applications_) one.second->cool(now);
    for (const auto& one : loads_) {
      one.second->abandon(
          Refusal("thermal", "a thermal limit was passed, and the load \"" + one.first + "\" was ended"));
    }
  }
  alarm_ = std::move(alarm);
}

void Session::say(const Json& object) { to_say_.push(line_of(object)); }

void Session::answer(const Json& id, Json ok) {
  const std::string line = line_of({{"id", id}, {"ok", std::move(ok)}});
  if (line.size() > kLongestLine) return refuse(id, Refusal("io", "the answer would be longer than 65,536 bytes"));
  if (id.is_number_integer()) open_ids_.erase(id.get<std::int64_t>());
  heard_ns_ = now_ns();
  to_say_.push(line);
}

void Session::refuse(const Json& id, const Refusal& refusal) {
  if (id.is_number_integer() && open_ids_.erase(id.get<std::int64_t>()) != 0) heard_ns_ = now_ns();
  Json error = refusal.details().is_object() ? refusal.details() : Json::object();
  std::string message = refusal.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  error["code"] = refusal.code();
  error["message"] = message;
  say({{"id", id}, {"error", std::move(error)}});
}

void Session::tell(Json event) {
  if (to_say_.size() < kEventsStop) say(event);
}

void Session::end(const std::string& reason) {
  if (reason_.empty()) reason_ = reason;
}

Json Session::end_all(const std::string& why) {
  const Refusal refusal("worker", why);
  for (const auto& one : loads_) one.second->worker() ? one.second->worker()->process().kill() : void();
  for (const auto& one : applications_) one.second->abandon(refusal);
  Json answer = {{"restored", Json::array()}, {"failed", Json::array()}};
  if (hardware_) answer = hardware_->restore();
  // Only now: to see a process off takes a moment, in which the board would not be restored.
  for (const auto& one : loads_) one.second->abandon(refusal);
  for (const auto& one : applications_) {
    if (one.second->worker()) retire(one.second->worker()->process());
  }
  loads_.clear();
  applications_.clear();
  return answer;
}

Json Session::finish() {
  Json failed = Json::array();
  try {
    failed = end_all("the session has ended (" + reason_ + ")")["failed"];
  } catch (const Refusal& refusal) {
    failed.push_back({{"message", refusal.what()}});
  }
  if (reason_ != "bye") say({{"event", "ending"}, {"reason", reason_}});
  hardware_.reset();  // the lock goes before the last words: who has heard them may start another
  for (const std::int64_t until_ns = now_ns() + kFarewellNs; !to_say_.empty() && now_ns() < until_ns;) {
    if (!to_say_.flush(output_)) break;
    pollfd file = {output_, POLLOUT, 0};
    if (!to_say_.empty()) ::poll(&file, 1, 10);
    if (file.revents & (POLLERR | POLLNVAL)) break;
  }
  return failed;
}

Session::Reply Session::hello(const Json& request, const Json&, Json& ok) {
  const Members members(request, "hello", {"id", "op", "protocol", "lease_ms"});
  const std::int64_t protocol = members.whole("protocol", 0, 1000000);
  if (protocol != kProtocol) {
    throw Refusal("bad_request", "this agent speaks protocol 1, not " + std::to_string(protocol),
                  {{"protocol", kProtocol}});
  }
  const std::int64_t lease_ms = members.whole("lease_ms", 100, 60000);
  if (greeted_) throw Refusal("bad_request", "hello was said before");
  open_board();
  if (!hardware_) throw Refusal(*why_no_board_);
  lease_ns_ = lease_ms * kNsPerMs;
  executors_ = find_executors();
  std::vector<std::string> executors = executors_;
  std::vector<std::string> runners;
  for (const auto& runner : options_.runners) runners.push_back(runner.first);
  if (!runners.empty()) executors.emplace_back("command");
  ok = {{"protocol", kProtocol},
        {"agent", DYNASOC_AGENT_VERSION},
        {"clock_ns", now_ns()},
        {"lease_ms", lease_ms},
        {"board", hardware_->identity()},
        {"executors", executors},
        {"runners", runners},
        {"cpus", hardware_->cpus()},
        {"restored", hardware_->restored_at_start()},
        {"dry_run", options_.hardware.dry_run}};
  greeted_ = true;
  return Reply::now;
}

Session::Reply Session::ping(const Json& request, const Json&, Json& ok) {
  const Members members(request, "ping", {"id", "op"});
  ok["clock_ns"] = now_ns();
  return Reply::now;
}

Session::Reply Session::probe(const Json& request, const Json&, Json& ok) {
  const Members members(request, "probe", {"id", "op"});
  ok = hardware_->probe();
  return Reply::now;
}

Session::Reply Session::configure(const Json& request, const Json&, Json& ok) {
  if (!applications_.empty() || !loads_.empty()) {
    throw Refusal("bad_request", "configure: not while applications or loads are there");
  }
  const auto units = request.find("units");
  // The sampler's thread starts from here: where this one is pinned must not become where it is.
  pin_this_thread(allowed_cpus_);
  ok = hardware_->configure(request);
  units_.clear();
  told_.clear();
  std::vector<int> inference_cpus;
  if (units != request.end()) {
    for (auto unit = units->begin(); unit != units->end(); ++unit) {
      units_.insert(unit.key());
      const std::vector<int>& cpus = hardware_->unit_cpus(unit.key());
      inference_cpus.insert(inference_cpus.end(), cpus.begin(), cpus.end());
    }
  }
  foreign_share_ = request.value("foreign_share", kUsualForeignShare);
  neighbour_share_ = request.value("neighbour_share", kUsualNeighbourShare);
  sample_hz_ = ok.value("sample_hz", kUsualSampleHz);
  has_rails_ = ok.count("rails") != 0 && !ok["rails"].empty();

  own_cpus_ = existing_cpus({hardware_->sampler_cpu()});
  if (own_cpus_.empty()) {
    for (const int cpu : allowed_cpus_) {
      if (!meet({cpu}, inference_cpus)) own_cpus_.push_back(cpu);
    }
  }
  if (own_cpus_.empty() || !pin_this_thread(own_cpus_)) own_cpus_ = allowed_cpus_;
  tick(now_ns());
  return Reply::now;
}

Session::Reply Session::set(const Json& request, const Json&, Json& ok) {
  ok = hardware_->set(request);
  if (request.value("knob", "") == "cores") pin_again();
  return Reply::now;
}

Session::Reply Session::state(const Json& request, const Json&, Json& ok) {
  const Members members(request, "state", {"id", "op"});
  ok = hardware_->state();
  for (Json& lost : hardware_->take_lost()) tell(std::move(lost));
  return Reply::now;
}

Session::Reply Session::monitor(const Json& request, const Json&, Json&) {
  const Members members(request, "monitor", {"id", "op", "period_ms"});
  const double period_ms = members.number("period_ms", 0, 3600000);
  if (period_ms > 0 && period_ms < 2) throw Refusal("bad_request", "monitor: \"period_ms\" must be 0, or at least 2");
  monitor_ns_ = static_cast<std::int64_t>(period_ms * 1e6);
  next_state_ns_ = monitor_ns_ > 0 ? now_ns() + monitor_ns_ : kNever;
  return Reply::now;
}

Session::Reply Session::load(const Json& request, const Json& id, Json&) {
  const Members members(
      request, "load",
      {"id", "op", "app", "unit", "executor", "threads", "subnets", "weights", "seed", "command", "latencies"});
  const std::string name = members.text("app"), executor = members.text("executor");
  if (applications_.count(name) != 0) throw Refusal("bad_request", "load: there is an application \"" + name + "\"");
  if (applications_.size() >= kMostOfAKind) throw Refusal("bad_request", "load: 64 applications are the most");
  Application::Setup setup;
  setup.name = name;
  setup.unit = members.text("unit");
  const auto cpus = static_cast<std::int64_t>(hardware_->unit_cpus(setup.unit).size());
  std::int64_t threads = members.whole_or("threads", 0, 0, 256);
  if (threads == 0) threads = std::max<std::int64_t>(1, cpus);
  setup.load = {{"op", "load"},
                {"subnets", members.object("subnets")},
                {"threads", threads},
                {"seed", members.whole_or("seed", 1, 0, INT64_MAX)}};
  if (members.has("weights")) setup.load["weights"] = allowed_weights(members.text("weights"));
  if (members.has("latencies")) {
    if (executor != "replay") throw Refusal("bad_request", "load: \"latencies\" are for the executor replay");
    setup.load["latencies"] = members.object("latencies");
  }
  if (members.has("command") != (executor == "command")) {
    throw Refusal("bad_request", "load: \"command\" and the executor command need each other");
  }
  setup.process = own_process(setup.unit, setup.warnings);
  if (executor == "command") {
    const std::string command = members.text("command");
    const auto runner = options_.runners.find(command);
    if (runner == options_.runners.end()) {
      std::vector<std::string> names;
      for (const auto& one : options_.runners) names.push_back(one.first);
      throw Refusal("not_allowed",
                    "load: no runner \"" + command + "\" was given with --runner" + did_you_mean(command, names));
    }
    setup.process.name.clear();
    setup.process.program = runner->second.front();
    setup.process.arguments.assign(runner->second.begin() + 1, runner->second.end());
  } else {
    if (std::find(executors_.begin(), executors_.end(), executor) == executors_.end()) {
      std::string list;
      for (const std::string& one : executors_) list += (list.empty() ? "" : ", ") + one;
      throw Refusal("not_found", "load: this agent has no executor \"" + executor + "\", but " + list);
    }
    setup.process.arguments = {"worker", "--executor", executor};
  }
  applications_[name] = std::make_unique<Application>(*this, std::move(setup), id);
  return Reply::later;
}

Session::Reply Session::unload(const Json& request, const Json& id, Json&) {
  const Members members(request, "unload", {"id", "op", "app"});
  find_application(members.text("app")).unload(id);
  return Reply::later;
}

Session::Reply Session::infer(const Json& request, const Json& id, Json&) {
  const Members members(request, "infer", {"id", "op", "app", "subnet", "repeat", "deadline_ms"});
  Application& one = find_application(members.text("app"));
  Inference wanted;
  wanted.subnet = members.text("subnet");
  wanted.repeat = members.whole_or("repeat", 1, 1, 1000);
  wanted.deadline_ms = members.number_or("deadline_ms", 10000, 1, 600000);
  check_cool();
  note_own(one.unit());
  one.infer(id, std::move(wanted));
  return Reply::later;
}

Session::Reply Session::occupy(const Json& request, const Json& id, Json& ok) {
  const Members members(request, "occupy", {"id", "op", "load", "unit", "weight", "work_ms"});
  const std::string name = members.text("load");
  if (loads_.count(name) != 0) throw Refusal("bad_request", "occupy: there is a load \"" + name + "\"");
  if (loads_.size() >= kMostOfAKind) throw Refusal("bad_request", "occupy: 64 loads are the most");
  check_cool();
  std::vector<std::string> warnings;
  ProcessOptions process = own_process(members.text("unit"), warnings);
  process.nice = nice_of_weight(members.number_or("weight", 1, 0.015, 88));
  const bool finite = members.has("work_ms");
  const double work_ms = finite ? members.number("work_ms", 0.001, 1e9) : 0;
  process.arguments = {"busy", "--work-ms", Json(work_ms).dump()};
  auto load = std::make_unique<Load>(*this, name, process, id, finite);
  const std::string& problem = load->worker()->process().pin_problem();
  if (!problem.empty()) warnings.push_back("the load is not pinned to the unit's CPUs: " + problem);
  loads_[name] = std::move(load);
  ok = {{"nice", process.nice}, {"warnings", warnings}};
  return finite ? Reply::later : Reply::now;
}

Session::Reply Session::vacate(const Json& request, const Json&, Json&) {
  const Members members(request, "vacate", {"id", "op", "load"});
  const std::string name = members.text("load");
  const auto found = loads_.find(name);
  if (found == loads_.end()) throw Refusal("not_found", "vacate: no load \"" + name + "\"");
  found->second->abandon(Refusal("worker", "the load \"" + name + "\" was vacated before its work was done"));
  loads_.erase(found);
  return Reply::now;
}

Session::Reply Session::restore(const Json& request, const Json&, Json& ok) {
  const Members members(request, "restore", {"id", "op"});
  ok = end_all("ended by a request to restore");
  return Reply::now;
}

Session::Reply Session::bye(const Json& request, const Json&, Json& ok) {
  const Members members(request, "bye", {"id", "op"});
  ok = end_all("ended by bye");
  end("bye");
  return Reply::now;
}

void Session::measured(const Json& id, const Application& application, const Inference& inference) {
  try {
    Json ok = {{"start_ns", inference.start_ns}, {"end_ns", inference.end_ns},     {"latency_ms", inference.latency_ms},
               {"cpu_ms", inference.cpu_ms},     {"switched", inference.switched}, {"worker", application.workers()}};
    const double foreign = hardware_->foreign_share(application.unit(), inference.sent_ns, inference.done_ns,
                                                    inference.own_at_done_ns - inference.own_ns);
    told_[application.unit()] = {inference.done_ns, inference.own_at_done_ns};
    const Json window = hardware_->window(inference.start_ns, inference.end_ns);
    for (const char* name : {"mhz", "energy_mj", "samples"}) ok[name] = window[name];
    const double neighbours = hardware_->neighbour_share();
    ok["foreign"] = foreign;
    ok["neighbours"] = neighbours;
    ok["clean"] = foreign <= foreign_share_ && neighbours <= neighbour_share_ && window["steady"] == true;
    answer(id, std::move(ok));
    for (Json& lost : hardware_->take_lost()) tell(std::move(lost));
  } catch (const Refusal& refusal) {
    refuse(id, refusal);
  }
}

std::int64_t Session::own_ns(const std::string& unit) const {
  const std::vector<int>& cpus = hardware_->unit_cpus(unit);
  std::int64_t sum = meet(own_cpus_, cpus) ? clock_ns(CLOCK_PROCESS_CPUTIME_ID) : 0;
  const auto add = [&](const Worker* worker) {
    if (worker && meet(worker->process().cpus(), cpus)) sum += worker->process().cpu_ns();
  };
  for (const auto& one : applications_) add(one.second->worker());
  for (const auto& one : loads_) add(one.second->worker());
  for (const auto& one : retired_ns_) {
    if (meet(one.first, cpus)) sum += one.second;
  }
  return sum;
}

void Session::retire(const Process& process) { retired_ns_[process.cpus()] += process.cpu_ns(); }

std::int64_t Session::metering_ns() const {
  if (!has_rails_) return 0;
  const auto period_ns = static_cast<std::int64_t>(1e9 / sample_hz_);
  return period_ns > kWaitInLineNs ? 2 * period_ns : 0;
}

/// Tells the hardware of own time that no inference tells of.
void Session::note_own(const std::string& unit) {
  const std::int64_t now = now_ns(), own = own_ns(unit);
  const auto told = told_.find(unit);
  if (told != told_.end()) {
    hardware_->note_own(unit, told->second.until_ns, now, std::max<std::int64_t>(0, own - told->second.own_ns));
  }
  told_[unit] = {now, own};
}

void Session::check_cool() {
  if (alarm_.is_null()) return;
  tick(now_ns());  // it may have cooled since
  if (alarm_.is_null()) return;
  Json details = alarm_;
  details.erase("event");
  throw Refusal("thermal",
                "thermal limit: " + alarm_["name"].get<std::string>() + " is at " + alarm_["temperature_c"].dump() +
                    " °C, and " + alarm_["limit_c"].dump() + " is the most",
                std::move(details));
}

Application& Session::find_application(const std::string& name) {
  const auto found = applications_.find(name);
  if (found != applications_.end()) return *found->second;
  std::vector<std::string> names;
  for (const auto& one : applications_) names.push_back(one.first);
  throw Refusal("not_found", "no application \"" + name + "\" is loaded" + did_you_mean(name, names));
}

/// This program once more, on the CPUs of a unit.
ProcessOptions Session::own_process(const std::string& unit, std::vector<std::string>& warnings) const {
  ProcessOptions process;
  process.program = "/proc/self/exe";
  process.name = "dynasoc-agent";
  process.cpus = hardware_->unit_cpus(unit);
  const std::vector<int> there = existing_cpus(process.cpus);
  if (there.size() < process.cpus.size()) {
    std::string missing;
    for (const int cpu : process.cpus) {
      if (std::find(there.begin(), there.end(), cpu) == there.end()) {
        missing += (missing.empty() ? "" : ", ") + std::to_string(cpu);
      }
    }
    warnings.push_back("unit \"" + unit + "\": this machine has no CPU " + missing +
                       (there.empty() ? ": not pinned" : ": pinned to the others"));
  }
  // Otherwise it would run where this process is pinned to.
  process.cpus = there.empty() ? allowed_cpus_ : there;
  return process;
}

std::string Session::allowed_weights(const std::string& wanted) const {
  if (weights_folder_.empty()) {
    throw Refusal("not_allowed", "load: weights can be named if the agent was started with --allow-weights DIR");
  }
  const Refusal outside("not_allowed", "load: weights must be .safetensors files in " + weights_folder_);
  const std::string path = wanted[0] == '/' ? wanted : weights_folder_ + "/" + wanted;
  // By name first: what is outside is not even looked for.
  if (("/" + wanted + "/").find("/../") != std::string::npos || !ends_with(wanted, ".safetensors") ||
      (!inside(path, weights_folder_) && !inside(path, options_.weights_folder))) {
    throw outside;
  }
  const std::string real = real_path(path);
  if (real.empty()) throw Refusal("not_found", "load: " + path + ": " + ::strerror(errno), {{"path", path}});
  struct stat about {};
  if (!inside(real, weights_folder_) || !ends_with(real, ".safetensors")) throw outside;
  if (::stat(real.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) throw outside;
  return real;
}

void Session::pin_again() {
  for (const auto& one : applications_) {
    if (one.second->worker()) one.second->worker()->process().pin();
  }
  for (const auto& one : loads_) {
    if (one.second->worker()) one.second->worker()->process().pin();
  }
}

}  // namespace

int serve(const AgentOptions& options, int input, int output) {
  Session session(options, input, output);
  return session.run();
}

}  // namespace dynasoc::agent
