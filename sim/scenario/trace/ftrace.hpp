// Text of the Linux kernel's tracer: `trace-cmd report`, or /sys/kernel/tracing/trace.
//
// Taken are cpu_frequency, cpu_idle, sched_switch, sched_waking/wakeup/wakeup_new, devfreq_monitor, devfreq_frequency,
// clock_set_rate and trace markers (tracing_mark_write, print). Time stamps are seconds with a fraction.
#pragma once

#include "scenario/trace/kernel_events.hpp"
#include "scenario/trace/source.hpp"

namespace dynasoc::trace {

/// Reads a log into `events`, whose report is `report`. Streams. Throws InputError where nothing was understood.
void import_ftrace(const Source& source, ImportReport& report, KernelEvents& events);

}  // namespace dynasoc::trace
