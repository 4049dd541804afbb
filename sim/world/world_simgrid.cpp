#ifdef DYNASOC_WITH_SIMGRID

#include "kernel/simgrid_engine.hpp"
#include "world/world_impl.hpp"

namespace dynasoc {
template class World<SimgridEngine>;
}  // namespace dynasoc

#endif
