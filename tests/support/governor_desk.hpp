// A governor at a desk: it is led through steps that a JSON text tells. Where a step says nothing of it, the clock last
// chosen is in effect and the window began at the last sample.
#pragma once

#include <map>

#include "manager/governor.hpp"
#include "support/policy_desk.hpp"

namespace dynasoc::test {

class GovernorDesk {
 public:
  GovernorDesk(const std::string& name, const Json& file, const Json& vector)
      : governor_(make_by_name<manager::Governor>(name, vector.value("parameters", Json::object()))),
        opps_(file.at("opps_mhz").get<std::vector<double>>()),
        opp_(opp_of(opps_, vector.at("start_mhz").get<double>())),
        highest_(static_cast<int>(opps_.size()) - 1),
        cpus_(vector.value("cpus", 0)) {
    limit(vector);
  }

  /// The OPP chosen.
  int step(const Json& step) {
    using manager::Ask, manager::CoreLoad;
    limit(step);
    if (step.contains("mhz")) opp_ = opp_of(opps_, step["mhz"].get<double>());
    manager::DomainSample sample;
    sample.now = from_ms(step.at("at_ms").get<double>());
    sample.ask = ask_of(step.value("ask", "sample"));
    sample.since = step.contains("since_ms") ? from_ms(step["since_ms"].get<double>()) : sampled_;
    sample.opps_mhz = opps_;
    sample.opp = opp_;
    sample.lowest = lowest_;
    sample.highest = highest_;
    sample.changing = step.value("changing", false);
    for (CoreLoad& core : cores_) core = CoreLoad{.running = core.running};
    const auto take = [&](const char* key, auto CoreLoad::*member) {
      if (!step.contains(key)) return;
      if (cores_.size() < step[key].size()) cores_.resize(step[key].size());
      for (std::size_t i = 0; i < step[key].size(); ++i) step[key][i].get_to(cores_[i].*member);
    };
    take("busy", &CoreLoad::busy);
    take("running", &CoreLoad::running);
    take("io_wake", &CoreLoad::io_wake);
    take("rt", &CoreLoad::rt);
    take("deadline", &CoreLoad::deadline);
    take("dl_bandwidth", &CoreLoad::dl_bandwidth);
    take("irq", &CoreLoad::irq);
    if (cores_.empty()) cores_.resize(1);
    for (CoreLoad& core : cores_) core.busy_mhz = core.busy * sample.mhz();
    take("busy_mhz", &CoreLoad::busy_mhz);
    sample.cores = cores_;
    sample.cpus = step.value("cpus", cpus_ > 0 ? cpus_ : static_cast<int>(cores_.size()));
    if (sample.ask == Ask::sample) sampled_ = sample.now;
    opp_ = governor_->next(sample);
    return opp_;
  }

  const manager::Governor& governor() const { return *governor_; }
  const std::vector<double>& opps_mhz() const { return opps_; }

 private:
  static manager::Ask ask_of(const std::string& name) {
    using manager::Ask;
    static const std::map<std::string, Ask> asks{{"start", Ask::start},   {"limits", Ask::limits},
                                                 {"sample", Ask::sample}, {"load", Ask::load},
                                                 {"clock", Ask::clock},   {"timer", Ask::timer}};
    return asks.at(name);
  }
  void limit(const Json& told) {
    if (told.contains("lowest_mhz")) lowest_ = opp_of(opps_, told["lowest_mhz"].get<double>());
    if (told.contains("highest_mhz")) highest_ = opp_of(opps_, told["highest_mhz"].get<double>());
  }

  std::unique_ptr<manager::Governor> governor_;
  std::vector<double> opps_;
  int opp_;
  int lowest_ = 0, highest_;
  int cpus_;
  std::vector<manager::CoreLoad> cores_;
  Time sampled_ = 0;
};

}  // namespace dynasoc::test
