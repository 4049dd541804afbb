#include "kernel/simgrid_engine.hpp"
#include "world/run.hpp"
#include "world/world_impl.hpp"

namespace dynasoc {

template class World<SimgridEngine>;

namespace {

const SimgridRegistration registered{[](const Setup& setup, const Recording& recording, std::uint64_t replication,
                                        const std::function<void(double)>& progress) {
  World<SimgridEngine> world(setup, recording, replication);
  return world.run(progress);
}};

}  // namespace
}  // namespace dynasoc
