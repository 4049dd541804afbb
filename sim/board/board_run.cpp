#include "board/board_run.hpp"

#include "board/keep_away.hpp"
#include "common/error.hpp"
#include "common/text.hpp"
#include "world/world_impl.hpp"

namespace dynasoc {
template class World<board::BoardEngine>;
}  // namespace dynasoc

namespace dynasoc::board {

void refuse_what_is_simulated(const Setup& setup) {
  const auto policy = setup.policy_factory ? setup.policy_factory() : setup.policy.make();
  if (policy->clairvoyant())
    throw InputError("policy " + setup.policy.name + " knows the future, and a board does not tell it");
  for (const auto& [name, unit] : setup.platform.file.units)
    if (unit.preemptive)
      throw unit.where.error(
          "is preemptive, but an inference on a board cannot be interrupted; set preemptive to false");
  for (const AppSetup& app : setup.apps)
    if (std::holds_alternative<MultiStreamArrivals>(app.file.arrivals) ||
        std::holds_alternative<OfflineArrivals>(app.file.arrivals))
      throw(app.file.where / "arrivals").error("frames of several samples are not supported on a board");
  if (setup.ideal.prediction || setup.ideal.switching || setup.ideal.granularity)
    throw InputError("a board has no ideal knowledge, switching or granularity");
  if (setup.modes.size() > 1)
    throw InputError("power modes that change during a run (\"mode_changes\") are not supported on a board");
}

BoardRun run_on_board(Session& session, const Setup& setup, const Recording& recording, std::uint64_t replication,
                      std::function<void(double)> progress) {
  refuse_what_is_simulated(setup);
  BoardRun out;
  const KeepAway away(session.agent(), setup.platform.file);
  try {
    session.begin_run();
    World<BoardEngine> world(setup, recording, replication);
    world.engine().attach(session, std::move(progress));
    out.record = world.run();
    out.jobs = world.engine().jobs();
    out.lost = world.engine().lost();
    out.warnings = world.engine().warnings();
    out.lateness_p99_ms = world.engine().lateness_ms(0.99);
  } catch (const Json::exception& error) {
    throw OutsideError(std::string("the agent does not keep to the protocol: ") + error.what());
  }
  out.clock_error_ms = static_cast<double>(session.agent().clock_error_ns()) * 1e-6;
  if (!out.lost.empty()) return out;
  try {
    session.release_clocks();
  } catch (const OutsideError& error) {  // the run is whole
    out.warnings.push_back(error.what());
  }
  return out;
}

}  // namespace dynasoc::board
