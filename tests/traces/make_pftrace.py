#!/usr/bin/env python3
"""Writes kernel.pftrace, the events of ftrace.txt in Perfetto's form, by Perfetto's own protobuf classes (PyPI: perfetto)."""
import pathlib

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace

MS = 1_000_000
trace = Trace()
trace.packet.add().timestamp = 1  # a packet of another kind

first = trace.packet.add().ftrace_events
first.cpu = 1


def event(bundle, ms, pid=0):
    new = bundle.event.add()
    new.timestamp, new.pid = round((100_000 + ms) * MS), pid
    return new


def switch(ms, prev, state, following):
    to = event(first, ms, prev[1]).sched_switch
    to.prev_comm, to.prev_pid, to.prev_prio, to.prev_state = prev[0], prev[1], 120, state
    to.next_comm, to.next_pid, to.next_prio = following[0], following[1], 120


IDLE, WORKER, OTHER = ("swapper/1", 0), ("dnn worker", 4242), ("rcu_sched", 11)
waking = event(first, 10).sched_waking
waking.comm, waking.pid, waking.target_cpu = "dnn worker", 4242, 1
switch(12, IDLE, 0, WORKER)
event(first, 13, 4242).print.buf = "B|4242|infer\n"
switch(32, WORKER, 256, OTHER)  # preempted
switch(34, OTHER, 128, WORKER)
event(first, 41, 4242).print.buf = "E|4242\n"
switch(42, WORKER, 1, IDLE)

# The rest of that CPU in the compact form, whose times are differences.
second = trace.packet.add().ftrace_events
second.cpu = 1
compact = second.compact_sched
compact.intern_table.extend(["dnn worker", "swapper/1"])
compact.switch_timestamp.extend([(100_160) * MS, 30 * MS])
compact.switch_prev_state.extend([0, 1])
compact.switch_next_pid.extend([4242, 0])
compact.switch_next_prio.extend([120, 120])
compact.switch_next_comm_index.extend([0, 1])
compact.waking_timestamp.extend([(100_160) * MS])
compact.waking_pid.extend([4242])
compact.waking_target_cpu.extend([1])
compact.waking_prio.extend([120])
compact.waking_comm_index.extend([0])

# Another CPU: its bundle comes later in the file and holds earlier events.
third = trace.packet.add().ftrace_events
third.cpu = 0
for ms, khz, cpu in ((0, 1190400, 0), (0, 1420800, 1), (150, 1344000, 0)):
    frequency = event(third, ms).cpu_frequency
    frequency.state, frequency.cpu_id = khz, cpu
for ms, hz, load in ((5, 1109250000, 45), (80, 854250000, 15)):
    generic = event(third, ms, 77).generic
    generic.event_name = "devfreq_monitor"
    for name, value in (("dev_name", "17000000.gv11b"), ("freq", hz), ("polling_ms", 25), ("load", load)):
        field = generic.field.add()
        field.name = name
        if isinstance(value, str):
            field.str_value = value
        else:
            field.uint_value = value
rate = event(third, 195).clock_set_rate
rate.name, rate.state = "emc", 1600000000
for ms, state in ((200, 1), (250, 4294967295), (300, 1)):
    idle = event(third, ms).cpu_idle
    idle.state, idle.cpu_id = state, 0
event(third, 205).cpu_frequency_limits.cpu_id = 0  # an event of another kind

pathlib.Path(__file__).with_name("kernel.pftrace").write_bytes(trace.SerializeToString())
