#include "kernel/native_engine.hpp"
#include "world/world_impl.hpp"

namespace dynasoc {
template class World<NativeEngine>;
}  // namespace dynasoc
