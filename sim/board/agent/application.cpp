#include "application.hpp"

#include <algorithm>
#include <utility>

#include "clock.hpp"
#include "members.hpp"

namespace dynasoc::agent {
namespace {

constexpr std::int64_t kLoadNs = 600000 * kNsPerMs;  // engines may be built on the board
constexpr std::int64_t kQuitNs = 500 * kNsPerMs;
constexpr std::int64_t kSilentNs = 100 * kNsPerMs;  // between the end of a worker's output and its own
constexpr std::int64_t kCoolNs = 1000 * kNsPerMs;

std::vector<std::string> names_of(const Json& object) {
  std::vector<std::string> names;
  for (auto member = object.begin(); member != object.end(); ++member) names.push_back(member.key());
  return names;
}

/// What a line that should have been an answer looks like, in a message.
std::string excerpt(const std::string& line) {
  std::string text = line.substr(0, 80);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '?';
  }
  return "\"" + text + (line.size() > 80 ? "…\"" : "\"");
}

/// All that is left to be read of one that has ended.
void drain(Worker& worker) {
  for (int i = 0; i < 16 && !worker.silent(); ++i) worker.exchange();
}

}  // namespace

Application::Application(Desk& desk, Setup setup, Json id) : desk_(desk), setup_(std::move(setup)), id_(std::move(id)) {
  start_worker();
  const std::string& problem = worker_->process().pin_problem();
  if (!problem.empty()) setup_.warnings.push_back("the worker is not pinned to the unit's CPUs: " + problem);
}

void Application::start_worker() {
  worker_ = std::make_unique<Worker>(setup_.process);
  ++workers_;
  last_subnet_.clear();
  silent_until_ns_ = kNever;
  phase_ = Phase::loading;
  deadline_ns_ = now_ns() + kLoadNs;
  worker_->send(setup_.load);
}

void Application::infer(Json id, Inference wanted) {
  if (phase_ != Phase::idle) {
    throw Refusal("bad_request", "infer: application \"" + setup_.name + "\" has an open call");
  }
  const Json& subnets = setup_.load["subnets"];
  if (subnets.find(wanted.subnet) == subnets.end()) {
    throw Refusal("not_found", "infer: application \"" + setup_.name + "\" has no sub-network \"" + wanted.subnet +
                                   "\"" + did_you_mean(wanted.subnet, names_of(subnets)));
  }
  inference_ = std::move(wanted);
  // One that has ended a moment ago is not asked.
  if (worker_ && worker_->process().reap()) lost();
  if (!worker_) start_worker();
  id_ = std::move(id);
  inferring_ = true;
  if (phase_ == Phase::idle) send_infer();
}

void Application::send_infer() {
  inference_.switched = inference_.subnet != last_subnet_;
  last_subnet_ = inference_.subnet;
  inference_.sent_ns = now_ns();
  inference_.own_ns = desk_.own_ns(setup_.unit);
  inference_.cpu_ms = -static_cast<double>(worker_->process().cpu_ns()) * 1e-6;
  deadline_ns_ = inference_.sent_ns + static_cast<std::int64_t>(inference_.deadline_ms * 1e6);
  phase_ = Phase::running;
  worker_->send({{"op", "infer"}, {"subnet", inference_.subnet}, {"repeat", inference_.repeat}});
}

void Application::unload(Json id) {
  if (phase_ != Phase::idle) abandon(Refusal("worker", "application \"" + setup_.name + "\" was unloaded"));
  id_ = std::move(id);
  if (!worker_) {
    phase_ = Phase::gone;
    desk_.answer(id_, Json::object());
    return;
  }
  phase_ = Phase::ending;
  deadline_ns_ = now_ns() + kQuitNs;
  worker_->send({{"op", "quit"}});
  worker_->process().close_input();
}

void Application::abandon(const Refusal& why) {
  if (worker_) worker_->process().kill();
  const Phase before = std::exchange(phase_, Phase::gone);
  if (before == Phase::ending) {
    desk_.answer(id_, Json::object());
  } else if (before != Phase::idle && before != Phase::gone) {
    desk_.refuse(id_, why);
  }
}

void Application::cool(std::int64_t now) {
  if (phase_ != Phase::running || now + kCoolNs >= deadline_ns_) return;
  deadline_ns_ = now + kCoolNs;
  cooling_ = true;
}

std::int64_t Application::wake_ns() const { return std::min(deadline_ns_, silent_until_ns_); }

void Application::step(std::int64_t now) {
  if (!worker_) return;
  if (phase_ == Phase::gone) {
    worker_->process().reap();
    return;
  }
  const bool ended = worker_->process().reap();
  if (ended) {
    drain(*worker_);
  } else {
    worker_->exchange();
  }
  std::string line;
  for (LineReader::Next next; worker_ && (next = worker_->next(line)) != LineReader::Next::none;) heard(next, line);
  if (worker_ && ended) return lost();
  if (worker_ && worker_->silent()) {
    if (silent_until_ns_ == kNever) silent_until_ns_ = now + kSilentNs;
    if (now >= silent_until_ns_) worker_->process().kill();
    if (now >= silent_until_ns_) silent_until_ns_ = now + kSilentNs;
  }
  if (now < deadline_ns_) return;
  deadline_ns_ = kNever;
  switch (phase_) {
    case Phase::metering:
      phase_ = Phase::idle;
      desk_.measured(id_, *this, inference_);
      break;
    case Phase::loading:
      fail(with_last_words("the worker of \"" + setup_.name + "\" did not load in 10 minutes"));
      break;
    case Phase::running:
      if (std::exchange(cooling_, false)) {
        fail(Refusal("thermal", "a thermal limit was passed, and the call of \"" + setup_.name + "\" was ended"));
      } else {
        fail(with_last_words("the worker of \"" + setup_.name + "\" did not answer within " +
                             Json(inference_.deadline_ms).dump() + " ms and was killed"));
      }
      break;
    case Phase::ending: worker_->process().kill(); break;
    case Phase::idle:
    case Phase::gone: break;
  }
}

void Application::heard(LineReader::Next next, const std::string& line) {
  if (phase_ == Phase::ending) return;
  if (next == LineReader::Next::too_long) {
    return fail(with_last_words("the worker of \"" + setup_.name + "\" wrote a line longer than 65,536 bytes"));
  }
  if (phase_ != Phase::loading && phase_ != Phase::running) {
    return fail(with_last_words("the worker of \"" + setup_.name + "\" wrote unasked: " + excerpt(line)));
  }
  Json answer;
  try {
    answer = parse_object(line);
  } catch (const Refusal&) {
  }
  const auto ok = answer.find("ok");
  if (answer.is_object() && answer.size() == 1 && ok != answer.end() && ok->is_object()) {
    return phase_ == Phase::loading ? loaded(*ok) : done(*ok);
  }
  const auto error = answer.find("error");
  if (!answer.is_object() || error == answer.end() || !error->is_object() || !error->count("message") ||
      !(*error)["message"].is_string()) {
    return fail(with_last_words("the worker of \"" + setup_.name + "\" wrote what is not an answer: " + excerpt(line)));
  }
  const Refusal refusal("worker",
                        "the worker of \"" + setup_.name + "\" refuses: " + (*error)["message"].get<std::string>());
  if (phase_ == Phase::loading) return fail(refusal);  // without its sub-networks it is of no use
  phase_ = Phase::idle;
  deadline_ns_ = kNever;
  cooling_ = false;
  desk_.refuse(id_, refusal);
}

void Application::loaded(const Json& ok) {
  const auto subnets = ok.find("subnets");
  const auto missing = [&](const std::string& name) { return subnets->find(name) == subnets->end(); };
  const std::vector<std::string> wanted = names_of(setup_.load["subnets"]);
  if (subnets == ok.end() || !subnets->is_object() || std::any_of(wanted.begin(), wanted.end(), missing)) {
    return fail(with_last_words("the worker of \"" + setup_.name + "\" does not say that it loaded all sub-networks"));
  }
  phase_ = Phase::idle;
  deadline_ns_ = kNever;
  if (inferring_) return send_infer();
  Json answer = ok;
  answer["pid"] = worker_->process().pid();
  answer["warnings"] = setup_.warnings;
  desk_.answer(id_, std::move(answer));
}

void Application::done(const Json& ok) {
  const std::int64_t now = now_ns();
  const auto whole = [&](const char* name) {
    const auto found = ok.find(name);
    return found != ok.end() && found->is_number_integer() ? found->get<std::int64_t>() : -1;
  };
  inference_.start_ns = whole("start_ns");
  inference_.end_ns = whole("end_ns");
  inference_.latency_ms = ok.value("latency_ms", Json());
  const Json& latencies = inference_.latency_ms;
  if (!latencies.is_array() || latencies.size() != static_cast<std::size_t>(inference_.repeat) ||
      !std::all_of(latencies.begin(), latencies.end(), [](const Json& x) { return x.is_number() && x >= 0; })) {
    return fail(with_last_words("the worker of \"" + setup_.name + "\" does not say a latency of each repetition"));
  }
  if (inference_.start_ns < inference_.sent_ns || inference_.end_ns < inference_.start_ns || inference_.end_ns > now) {
    return fail(with_last_words("the worker of \"" + setup_.name +
                                "\" tells times that are not of CLOCK_MONOTONIC during the call"));
  }
  // A worker that knows its CPU time in the window says so; from here only that of the whole call can be seen.
  const auto cpu_ms = ok.find("cpu_ms");
  inference_.cpu_ms += static_cast<double>(worker_->process().cpu_ns()) * 1e-6;
  if (cpu_ms != ok.end() && cpu_ms->is_number()) inference_.cpu_ms = cpu_ms->get<double>();
  inference_.done_ns = now;
  inference_.own_at_done_ns = desk_.own_ns(setup_.unit);
  cooling_ = false;
  const std::int64_t wait_ns = desk_.metering_ns();
  phase_ = wait_ns > 0 ? Phase::metering : Phase::idle;
  deadline_ns_ = wait_ns > 0 ? inference_.end_ns + wait_ns : kNever;
  if (wait_ns <= 0) desk_.measured(id_, *this, inference_);
}

void Application::lost() {
  const Process& process = worker_->process();
  Json details = Json::object();
  if (process.signal() != 0) details["signal"] = process.signal();
  const Refusal refusal = with_last_words("the worker of \"" + setup_.name + "\" " + process.ending(), details);
  const Phase before = phase_;
  if (before == Phase::idle) {
    drop_worker();
    Json event = {{"event", "worker"}, {"app", setup_.name}, {"message", refusal.what()}};
    desk_.tell(std::move(event));
  } else if (before == Phase::ending) {
    drop_worker();
    phase_ = Phase::gone;
    desk_.answer(id_, Json::object());
  } else if (before == Phase::metering) {
    drop_worker();  // after its answer, which is not lost with it
    desk_.measured(id_, *this, inference_);
  } else {
    fail(refusal);
  }
}

void Application::fail(const Refusal& why) {
  const Phase before = phase_;
  const bool loading_first = before == Phase::loading && !inferring_;
  drop_worker();
  if (loading_first) phase_ = Phase::gone;
  if (before == Phase::idle || before == Phase::metering) {
    desk_.tell({{"event", "worker"}, {"app", setup_.name}, {"message", why.what()}});
  }
  if (before == Phase::metering) return desk_.measured(id_, *this, inference_);
  if (before != Phase::idle) desk_.refuse(id_, why);
}

void Application::drop_worker() {
  worker_->process().kill();
  desk_.retire(worker_->process());
  worker_.reset();
  phase_ = Phase::idle;
  deadline_ns_ = silent_until_ns_ = kNever;
  cooling_ = false;
}

Refusal Application::with_last_words(const std::string& message, Json details) const {
  const std::string last = worker_ ? worker_->last_line() : "";
  if (!last.empty()) details["stderr"] = worker_->last_words();
  return Refusal("worker", last.empty() ? message : message + ": " + last, std::move(details));
}

Load::Load(Desk& desk, std::string name, const ProcessOptions& process, Json id, bool answered_at_end)
    : desk_(desk),
      name_(std::move(name)),
      id_(std::move(id)),
      owes_answer_(answered_at_end),
      worker_(std::make_unique<Worker>(process)) {}

void Load::step(std::int64_t) {
  if (!worker_) return;
  const bool ended = worker_->process().reap();
  if (ended) {
    drain(*worker_);
  } else {
    worker_->exchange();
  }
  std::string line;
  while (worker_->next(line) == LineReader::Next::line) {
    try {
      result_ = parse_object(line);
    } catch (const Refusal&) {
    }
  }
  if (!ended) return;
  desk_.retire(worker_->process());
  const std::string ending = "the load \"" + name_ + "\" " + worker_->process().ending();
  const int signal = worker_->process().signal();
  worker_.reset();
  if (owes_answer_ && result_.is_object()) {
    desk_.answer(id_, result_);
  } else if (owes_answer_) {
    desk_.refuse(id_, Refusal("worker", ending, {{"signal", signal}}));
  } else {
    desk_.tell({{"event", "worker"}, {"load", name_}, {"message", ending}});
  }
}

void Load::abandon(const Refusal& why) {
  if (!worker_) return;
  worker_->process().kill();
  desk_.retire(worker_->process());
  worker_.reset();
  if (owes_answer_) desk_.refuse(id_, why);
}

}  // namespace dynasoc::agent
