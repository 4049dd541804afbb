// Binary traces of Perfetto (protobuf): the kernel's events in their ftrace bundles, both as single events and in the
// compact form of the scheduler's. Everything else in them is counted and left out.
#pragma once

#include "scenario/trace/kernel_events.hpp"
#include "scenario/trace/source.hpp"

namespace dynasoc::trace {

/// Reads a trace into `events`, whose report is `report`. Bundles are of one CPU each and overlap: the file (512 MB at
/// most) is read and its events are sorted before they are told. Throws InputError where nothing was understood.
void import_perfetto(const Source& source, ImportReport& report, KernelEvents& events);

}  // namespace dynasoc::trace
