#include "manager/clocks.hpp"

namespace dynasoc::manager {

OppRange opp_range(const Observation& seen, const UnitView& unit) {
  OppRange out{0, 1 << 20};
  for (const int d : unit.domains) {
    out.first = std::max(out.first, seen.domains[d].lowest);
    out.last = std::min(out.last, seen.domains[d].highest);
  }
  if (out.first > out.last) out.first = out.last = seen.domains[unit.domains[0]].opp;  // limits that exclude each other
  return out;
}

void ReferenceClocks::refresh(const Observation& seen, bool own_clocks) {
  opps_.resize(seen.units.size(), 0);
  for (const UnitView& unit : seen.units) {
    const DomainView& domain = seen.domains[unit.domains[0]];
    int& opp = opps_[unit.index];
    if (domain.governed && !own_clocks)
      opp = std::min(std::max(opp, domain.opp), domain.highest);
    else
      opp = std::clamp(domain.requested, std::min(domain.lowest, domain.highest), domain.highest);
  }
}

double ReferenceClocks::slowdown(const Observation& seen, const AppView& app, const Sample& sample,
                                 bool own_clocks) const {
  double table_ms = sample.profile_ms;
  if (const DomainView& domain = seen.domains[seen.units[sample.unit].domains[0]];
      domain.governed && !own_clocks && !seen.exact_profile)
    table_ms = seen.profile->latency_ms(app.index, sample.subnet, sample.unit, opp(sample.unit)) *
               app.batch_factor(sample.batch);
  const double ratio = sample.service_ms / table_ms;
  return table_ms > 0 && std::isfinite(ratio) ? ratio : 0;
}

void ClockVotes::vote(const UnitView& unit, int opp, const Why& why) {
  for (const int d : unit.domains)
    if (Vote& vote = votes_[d]; opp > vote.opp) vote = {opp, why};
}

void ClockVotes::write(const Observation& seen, Decision& decision) const {
  for (const DomainView& domain : seen.domains) {
    const Vote& vote = votes_[domain.index];
    if (vote.opp < 0 || (vote.opp == domain.requested && !domain.governed)) continue;
    decision.set(Knob::frequency, domain.index, vote.opp, vote.why);
  }
}

}  // namespace dynasoc::manager
