#!/usr/bin/env python3
"""The standard workload of `dynasoc bench` written as a SimPy model, to compare speeds.

    tools/bench_simpy.py [SCENARIO] [--duration S | --inferences N] [--same-draws] [--simpy 2|3]

It reads the same scenario, platform and network files and prints one JSON object: simulated inferences, CPU seconds of
the simulation (not of starting Python or reading files), peak memory, and the results, in the names of
`dynasoc run --json`. `dynasoc bench` runs it; status 3 means that no SimPy was found.

It runs on SimPy 3 or later (module `simpy`; Debian 12: python3-simpy3) and on SimPy 2 (module `SimPy`; Debian 12:
python3-simpy), and takes the newer one where both are installed.

THE SAME as in dynasoc, so that both simulate the same run (`--same-draws` shows it: every number agrees):
  - periodic arrivals with jitter; one frame at a time for each application, the others queue; log-normal execution times
  - units shared by weight among applications, background loads and the manager's own computing
  - the dynamic-ofa manager every 50 ms: slow-down learnt from every completion, choice of sub-network and clock with
    hysteresis and dwell time, 50 us of computing, sub-network switches that take time and energy, changes of clock
  - energy of every unit and every inference; temperature; latencies, deadline misses, accuracy, shares of sub-networks

SIMPLER, always in SimPy's favour:
  - Python's own random numbers (`--same-draws` computes dynasoc's, which costs time in pure Python)
  - latencies leave a mean and a maximum, no histogram for percentiles; no reports by window or provenance
  - temperatures advance once a poll, with the mean power since the last one, instead of at every change of power
  - energy is accounted once, not twice for a check; no power sensor
  - the manager's candidates are sorted beforehand, so that it may stop at the first that fits
  - only what this workload uses: fair units without time slices, changes of clock without delay, one thermal node

As SimPy models go it is a lean one: processes are generators that wait for timeouts (arrivals, background load, manager,
thermal poll); a unit keeps one virtual clock for all that share it, and one timer for the next departure, set anew when
somebody comes or goes, instead of interrupting a process for each job.
"""
import argparse
import csv
import json
import math
import os
import random
import resource
import sys
import time


# -- SimPy 3 and SimPy 2 ------------------------------------------------------------------------------------------------

class NoSimPy(Exception):
    pass


def simpy3():
    import simpy

    class Timer:
        """Calls `fire` after `delay`, unless set anew before. SimPy's timeouts cannot be taken back: stale ones are
        let pass, which is cheaper than interrupting a process."""

        def __init__(self, env, fire):
            self.env, self.fire, self.event = env, fire, None

        def set(self, delay):
            self.event = event = self.env.timeout(delay)
            event.callbacks.append(self.due)

        def stop(self):
            self.event = None

        def due(self, event):
            if event is self.event:
                self.fire()

    class Kernel:
        version = simpy.__version__

        def __init__(self):
            self.env = simpy.Environment()

        def process(self, body, *arguments):
            self.env.process(body(self.env.timeout, *arguments))

        def timer(self, fire):
            return Timer(self.env, fire)

        def clock(self):
            env = self.env
            return lambda: env.now

        def run(self, until):
            self.env.run(until=until)

    return Kernel


def simpy2():
    import SimPy
    from SimPy import Simulation as simulation
    hold, passivate = simulation.hold, simulation.passivate

    class Timer(simulation.Process):
        """Calls `fire` after `delay`; `reactivate` takes the earlier setting back."""

        def __init__(self, sim, fire):
            simulation.Process.__init__(self, sim=sim)
            self.fire, self.delay, self.firing = fire, None, False
            sim.activate(self, self.body())

        def body(self):
            while True:
                if self.delay is None:
                    yield passivate, self
                else:
                    yield hold, self, self.delay
                self.delay = None
                self.firing = True
                self.fire()
                self.firing = False

        def set(self, delay):
            self.delay = delay
            if not self.firing:
                self.sim.reactivate(self, delay=delay)

        def stop(self):
            self.delay = None
            if not self.firing:
                self.cancel(self)

    class Kernel:
        version = SimPy.__version__ if hasattr(SimPy, '__version__') else '2'

        def __init__(self):
            self.sim = simulation.Simulation()
            self.sim.initialize()

        def process(self, body, *arguments):
            process = simulation.Process(sim=self.sim)
            self.sim.activate(process, body(lambda delay: (hold, process, delay), *arguments))

        def timer(self, fire):
            return Timer(self.sim, fire)

        def clock(self):
            return self.sim.now

        def run(self, until):
            self.sim.simulate(until=until)

    return Kernel


def find_kernel(wanted):
    for version, make in ((3, simpy3), (2, simpy2)):
        if wanted in (None, version):
            try:
                return make()
            except ImportError:
                pass
    raise NoSimPy()


# -- Random numbers -----------------------------------------------------------------------------------------------------

class PythonDraws:
    def __init__(self, seed, name):
        generator = random.Random('%d %s' % (seed, name))
        self.uniform = generator.random
        self.normal = lambda: generator.gauss(0, 1)
        self.exponential = lambda: generator.expovariate(1)


class SameDraws:
    """dynasoc's own streams (sim/kernel/random.hpp)."""
    MASK = (1 << 64) - 1

    def __init__(self, seed, name):
        value = 1469598103934665603
        for byte in name.encode():
            value = ((value ^ byte) * 1099511628211) & self.MASK
        self.key = self.mix(self.mix((seed + 0x9e3779b97f4a7c15) & self.MASK) ^ value)
        self.tweak = self.mix((self.key + self.mix(0xd1b54a32d192ed03)) & self.MASK)  # replication 0
        self.n = 0

    def mix(self, z):
        z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & self.MASK
        z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & self.MASK
        return z ^ (z >> 31)

    def uniform(self):
        n, self.n = self.n, self.n + 1
        bits = self.mix(self.mix((n * 0x9e3779b97f4a7c15 + self.key) & self.MASK) ^ self.tweak)
        return ((bits >> 11) + 0.5) * 2.0 ** -53

    def exponential(self):
        return -math.log(self.uniform())

    def normal(self):  # by inversion; the standard library's inverse is as exact as dynasoc's needs to be
        from statistics import NormalDist
        return NormalDist().inv_cdf(self.uniform())


# -- The model ----------------------------------------------------------------------------------------------------------

class Task:
    """What claims a unit: an application's frame, a background load, the manager's computing. Times in seconds."""
    __slots__ = ('done', 'weight', 'unit', 'work', 'power_factor', 'power_w', 'application', 'finish', 'mark', 'energy_j',
                 'rate', 'reference_s')

    def __init__(self, unit, weight, done, application=None, power_factor=1.0):
        self.unit, self.weight, self.done, self.application = unit, weight, done, application
        self.power_factor = power_factor
        self.work = self.energy_j = 0.0
        self.rate = self.reference_s = 1.0


class Unit:
    """Processor sharing by weight. `virtual` is the service received by a unit of weight [s]: a task finishes at a fixed
    virtual time however many others come and go."""

    def __init__(self, kernel, name, domain, power):
        self.now, self.timer = kernel.clock(), kernel.timer(self.departure)
        self.name, self.domain, self.power = name, domain, power
        self.running = []
        self.weights = self.weighted_power = self.virtual = self.synced = 0.0
        self.busy_s = self.above_j = self.jobs_j = self.loads_j = self.switch_j = 0.0
        self.idle_j = self.mhz_s = self.clocked = 0.0
        domain.units.append(self)
        self.take_clock()

    def take_clock(self):
        mhz = self.domain.mhz[self.domain.opp]
        self.idle_w, busy_w = interpolate(self.power, mhz)
        self.above_w, self.mhz = busy_w - self.idle_w, mhz

    def account_clock(self):  # idle power changes with the clock only
        now = self.now()
        self.idle_j += self.idle_w * (now - self.clocked)
        self.mhz_s += self.mhz * (now - self.clocked)
        self.clocked = now

    def advance(self):
        now = self.now()
        if self.running:
            share = (now - self.synced) / self.weights
            self.virtual += share
            self.above_j += self.weighted_power * share
            self.busy_s += now - self.synced
        self.synced = now

    def start(self, task):
        self.advance()
        task.mark = self.virtual
        task.finish = self.virtual + task.work / (task.rate * task.weight)
        task.power_w = task.power_factor * self.above_w
        self.running.append(task)
        self.weights += task.weight
        self.weighted_power += task.weight * task.power_w
        self.plan()

    def settle(self, task):
        energy_j = task.weight * task.power_w * (self.virtual - task.mark)
        task.mark = self.virtual
        task.energy_j += energy_j
        if task.application is None:
            self.loads_j += energy_j
        else:
            self.jobs_j += energy_j

    def leave(self, task):
        self.settle(task)
        running = self.running
        running.remove(task)
        if running:
            self.weights -= task.weight
            self.weighted_power -= task.weight * task.power_w
        else:
            self.weights = self.weighted_power = self.virtual = 0.0

    def plan(self):
        first = math.inf
        for task in self.running:
            if task.finish < first:
                first = task.finish
                self.next = task
        if first < math.inf:
            delay = (first - self.virtual) * self.weights
            self.timer.set(delay if delay > 0 else 0.0)
        else:
            self.timer.stop()

    def departure(self):
        self.advance()
        task = self.next
        self.leave(task)
        self.plan()
        task.done()

    def withdraw(self, task):
        self.advance()
        self.leave(task)
        self.plan()

    def change_clock(self):
        self.advance()
        self.account_clock()
        self.take_clock()
        self.weighted_power = 0.0
        for task in self.running:
            self.settle(task)
            left = (task.finish - self.virtual) * task.rate * task.weight
            application = task.application
            if application is not None:
                task.rate = task.reference_s / application.table[application.loaded][self.domain.opp][0]
            task.power_w = task.power_factor * self.above_w
            task.finish = self.virtual + left / (task.rate * task.weight)
            self.weighted_power += task.weight * task.power_w
        self.plan()


class Domain:
    def __init__(self, name, mhz):
        self.name, self.mhz, self.units = name, mhz, []
        self.opp = len(mhz) - 1
        self.transitions = 0

    def request(self, opp):
        if opp == self.opp:
            return
        self.transitions += 1
        self.opp = opp
        for unit in self.units:
            unit.change_clock()


class Application:
    def __init__(self, kernel, name, unit, table, accuracies, file, switch, draws):
        self.now, self.name, self.unit = kernel.clock(), name, unit
        self.table = table          # [sub-network][clock] -> (latency [s], sigma of the log-normal noise)
        self.accuracies = accuracies
        self.target_s = file['targets'][0]['latency_ms'] * 1e-3
        self.floor = file['targets'][0].get('accuracy_floor', 0)
        self.switch_s, self.switch_j = switch
        self.switch_timer = kernel.timer(self.switched)
        self.normal = draws.normal
        self.task = Task(unit, file.get('weight', 1), self.done, self)
        self.queue = []
        self.serving = self.switching = False
        top = unit.domain.opp
        meets = [s for s in range(len(table)) if table[s][top][0] <= self.target_s]
        self.subnet = self.loaded = max(meets, key=lambda s: accuracies[s]) if meets else 0
        # What the manager knows: completions since it last looked.
        self.samples, self.slowdown, self.changed, self.last_s = [], 1.0, -math.inf, 0.0
        # Results.
        self.jobs = self.completed = self.missed = self.switches = 0
        self.latency_s = self.latency_max_s = self.accuracy = self.energy_j = 0.0
        self.by_subnet = [0] * len(table)

    def arrive(self):
        self.jobs += 1
        self.queue.append(self.now())
        if not self.serving and not self.switching:
            self.dispatch()

    def dispatch(self):
        if not self.queue:
            return
        self.arrival = self.queue.pop(0)  # hardly ever more than two wait
        unit, task = self.unit, self.task
        latency_s, sigma = self.table[self.loaded][unit.domain.opp]
        self.started = self.now()
        self.serving = True
        self.profile_s = latency_s
        task.work = latency_s * math.exp(sigma * self.normal() - 0.5 * sigma * sigma)
        task.reference_s = latency_s
        task.rate = 1.0
        task.energy_j = 0.0
        unit.start(task)

    def done(self):
        now = self.now()
        self.serving = False
        latency_s = now - self.arrival
        self.completed += 1
        self.latency_s += latency_s
        if latency_s > self.latency_max_s:
            self.latency_max_s = latency_s
        if latency_s > self.target_s:
            self.missed += 1
        self.accuracy += self.accuracies[self.loaded]
        self.energy_j += self.task.energy_j
        self.by_subnet[self.loaded] += 1
        self.last_s = latency_s
        self.samples.append((now - self.started) / self.profile_s)
        if self.subnet != self.loaded:
            self.switch()
        else:
            self.dispatch()

    def choose(self, subnet):
        self.subnet = subnet
        if not self.serving and not self.switching and self.loaded != subnet:
            self.switch()

    def switch(self):
        self.switches += 1
        self.energy_j += self.switch_j
        self.unit.switch_j += self.switch_j
        self.switching, self.switching_to = True, self.subnet
        self.switch_timer.set(self.switch_s)

    def switched(self):
        self.switching, self.loaded = False, self.switching_to
        if self.subnet != self.loaded:
            self.switch()
        else:
            self.dispatch()


class Manager:
    """dynamic-ofa: the most accurate sub-network that meets the target at the measured slow-down, at the clock of least
    energy (sim/manager/policies/dynamic_ofa.cpp)."""
    REMEMBERED = 64

    def __init__(self, kernel, file, applications, unit):
        self.now = kernel.clock()
        self.period_s = file.get('period_ms', 50) * 1e-3
        self.smoothing, self.hysteresis = file.get('smoothing', 0.2), file.get('hysteresis', 0.07)
        self.dwell_s, self.cost_s = file.get('dwell_ms', 500) * 1e-3 - 1e-9, file.get('cost_us', 50) * 1e-6
        self.dvfs = file.get('dvfs', False)
        self.task = Task(unit, 1.0, self.apply)
        self.unit, self.applications = unit, applications
        self.deciding = False
        self.writes = 0
        self.owned = set()  # domains that the manager has taken from their governors
        self.candidates, self.fastest = {}, {}
        for app in applications:
            domain, power = app.unit.domain, app.unit.power
            for only in [None] if self.dvfs else range(len(domain.mhz)):
                points = []
                for subnet, row in enumerate(app.table):
                    for opp, (latency_s, unused) in enumerate(row):
                        if only in (None, opp) and app.accuracies[subnet] >= app.floor:
                            idle_w, busy_w = interpolate(power, domain.mhz[opp])
                            points.append((-app.accuracies[subnet], (busy_w - idle_w) * latency_s, latency_s, subnet, opp))
                self.fastest[app, only] = min(points, key=lambda point: point[2])[3:]
                points.sort(key=lambda point: point[:3])
                self.candidates[app, only] = [(-point[0], point[2], point[3], point[4]) for point in points]

    def body(self, wait):
        while True:
            yield wait(self.period_s)
            if not self.deciding:
                self.decide()
                self.deciding = True
                self.task.work = self.cost_s
                self.task.energy_j = 0.0
                self.unit.start(self.task)

    def decide(self):
        now = self.now()
        self.subnets, wanted = [], {}
        for app in self.applications:
            first = app.completed == len(app.samples) and app.completed <= self.REMEMBERED
            for ratio in app.samples[-self.REMEMBERED:]:
                app.slowdown = ratio if first else app.slowdown + self.smoothing * (ratio - app.slowdown)
                first = False
            app.samples.clear()

            domain, slowdown, current = app.unit.domain, app.slowdown, app.subnet
            clock, accuracy_now = domain.opp, app.accuracies[current]
            target_s = app.target_s
            tighter_s = target_s * (1 - self.hysteresis)
            may_rise = now - app.changed >= self.dwell_s or app.last_s > target_s
            key = (app, None if self.dvfs else clock)
            for accuracy, latency_s, subnet, opp in self.candidates[key]:
                rise = subnet != current and accuracy >= accuracy_now
                if rise and not may_rise:
                    continue
                if latency_s * slowdown <= (tighter_s if rise or opp < clock else target_s):
                    break
            else:
                subnet, opp = self.fastest[key]
            if subnet != current:
                self.subnets.append((app, subnet))
                app.changed = now
            if self.dvfs and wanted.get(domain, -1) < opp:
                wanted[domain] = opp
        # A clock that is right by its governor's doing is taken over as well.
        self.clocks = [(domain, opp) for domain, opp in wanted.items() if opp != domain.opp or domain not in self.owned]
        self.owned.update(wanted)

    def apply(self):
        self.deciding = False
        self.writes += len(self.subnets) + len(self.clocks)
        for app, subnet in self.subnets:
            app.choose(subnet)
        for domain, opp in self.clocks:
            domain.request(opp)


class Board:
    """Temperature of the one thermal node, exact under the mean power between two polls."""

    def __init__(self, kernel, file, units):
        self.now, self.units = kernel.clock(), units
        self.static_w = file['static_power_w']
        thermal = file['thermal']
        ((name, node),) = thermal['nodes'].items()
        require(all(unit.get('thermal_node') == name for unit in file['units'].values()), 'a unit without its node')
        self.trip_c = min(trip['temperature_c'] for trip in thermal['trips'])
        self.ambient_c, self.resistance = thermal['ambient_c'], 1 / node['to_ambient_w_per_k']
        self.period_s = thermal['poll_ms'] * 1e-3
        self.keeps = math.exp(-self.period_s * node['to_ambient_w_per_k'] / node['capacity_j_per_k'])
        self.temperature_c = self.peak_c = thermal['initial_c']
        self.seen_j = 0.0

    def energy_j(self):
        total_j = 0.0
        for unit in self.units:
            unit.advance()
            unit.account_clock()
            total_j += unit.idle_j + unit.above_j
        return total_j

    def body(self, wait):
        while True:
            yield wait(self.period_s)
            energy_j = self.energy_j()
            power_w = (energy_j - self.seen_j) / self.period_s + self.static_w
            self.seen_j = energy_j
            aim_c = self.ambient_c + power_w * self.resistance
            self.temperature_c = aim_c + (self.temperature_c - aim_c) * self.keeps
            if self.temperature_c > self.peak_c:
                self.peak_c = self.temperature_c
                require(self.peak_c < self.trip_c, 'a trip point was reached, which this model does not simulate')


def arrivals(wait, app, file, draws):
    now, arrive, uniform = app.now, app.arrive, draws.uniform
    period_s, jitter_s, phase_s = (file.get(name, 0) * 1e-3 for name in ('period_ms', 'jitter_ms', 'phase_ms'))
    n = 0
    while True:
        at = phase_s + n * period_s
        if jitter_s > 0:
            at += jitter_s * uniform()
        yield wait(at - now())
        arrive()
        n += 1


def background(wait, unit, file, draws):
    task = Task(unit, file.get('weight', 1), None, power_factor=file.get('power_factor', 1))
    task.work = math.inf
    demand = file.get('demand', {'kind': 'continuous'})
    if demand['kind'] == 'continuous':
        unit.start(task)
        return
        yield
    draw = draws.exponential if demand.get('exponential') else lambda: 1.0
    while True:
        unit.start(task)
        yield wait(demand['on_ms'] * 1e-3 * draw())
        unit.withdraw(task)
        yield wait(demand['off_ms'] * 1e-3 * draw())


# -- Files --------------------------------------------------------------------------------------------------------------

def require(condition, what):
    if not condition:
        raise SystemExit('bench_simpy.py: ' + what)


def interpolate(points, mhz):
    """(idle, busy) power of a unit [W], linear between its points."""
    if mhz <= points[0]['mhz']:
        return points[0]['idle_w'], points[0]['busy_w']
    for low, high in zip(points, points[1:]):
        if mhz <= high['mhz']:
            share = (mhz - low['mhz']) / (high['mhz'] - low['mhz'])
            return tuple(low[name] + share * (high[name] - low[name]) for name in ('idle_w', 'busy_w'))
    return points[-1]['idle_w'], points[-1]['busy_w']


def read_json(*parts):
    with open(os.path.join(*parts), encoding='utf-8') as file:
        return json.load(file)


def latencies(cells, unit, kind, mhz, subnets):
    """[sub-network][clock] -> (mean [s], sigma); every cell must be in the table."""
    column = {'cpu': 'f_cpu_mhz', 'gpu': 'f_gpu_mhz'}[kind]
    known = {(cell['subnet'], float(cell[column])): cell for cell in cells if cell['unit'] == unit}
    out = []
    for level in range(1, subnets + 1):
        row = []
        for clock in mhz:
            require(('L%d' % level, clock) in known, 'no cell of L%d at %g MHz' % (level, clock))
            cell = known['L%d' % level, clock]
            mean_ms, std_ms = float(cell['latency_ms_mean']), float(cell['latency_ms_std'] or 0)
            row.append((mean_ms * 1e-3, math.sqrt(math.log1p((std_ms / mean_ms) ** 2))))
        out.append(row)
    return out


def build(kernel, root, scenario, draws_of):
    platform = read_json(root, 'platforms', scenario['platform'] + '.json')
    seed = scenario.get('seed', 1)
    require(not platform.get('contention'), 'contention between units is not simulated')
    domains = {}
    for name, file in platform['domains'].items():
        require(not file.get('stall_us') and not file.get('settle_ms'), 'changes of clock that take time are not simulated')
        domains[name] = Domain(name, file['opps_mhz'])
    units = {}
    for name, file in platform['units'].items():
        require(file.get('discipline', 'fair') == 'fair' and not file.get('switch_us'), 'only fair units are simulated')
        units[name] = Unit(kernel, name, domains[file['domains'][0]], file['power'])
    applications = []
    for name, file in scenario['applications'].items():
        folder = os.path.join(root, 'models', file['network'])
        network = read_json(folder, 'network.json')
        with open(os.path.join(folder, network['tables'][network['default_table']]['file']), encoding='utf-8') as table:
            cells = list(csv.DictReader(table))
        require(file['arrivals']['kind'] == 'periodic' and len(file['targets']) == 1 and file.get('late', 'queue') == 'queue',
                'only periodic arrivals with one target, all served, are simulated')
        unit = units[file['unit']]
        accuracies = [subnet['accuracy'] for subnet in network['subnets']]
        table = latencies(cells, file['unit'], platform['domains'][unit.domain.name]['kind'], unit.domain.mhz, len(accuracies))
        switch = (network['switch_cost']['time_ms'] * 1e-3, network['switch_cost']['energy_mj'] * 1e-3)
        app = Application(kernel, name, unit, table, accuracies, file, switch, draws_of(seed, name + '/execution'))
        applications.append(app)
        kernel.process(arrivals, app, file['arrivals'], draws_of(seed, name + '/arrivals'))
    for name, file in scenario.get('background', {}).items():
        kernel.process(background, units[file['unit']], file, draws_of(seed, name + '/demand'))
    require(scenario['policy']['name'] == 'dynamic-ofa', 'only the manager dynamic-ofa is simulated')
    home = next(u for u in units.values() if platform['domains'][u.domain.name]['kind'] == 'cpu')
    manager = Manager(kernel, scenario['policy'], applications, home)
    kernel.process(manager.body)
    board = Board(kernel, platform, list(units.values()))
    kernel.process(board.body)
    return applications, units, domains, manager, board


def main():
    parser = argparse.ArgumentParser(description='The standard workload of `dynasoc bench` as a SimPy model.')
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument('scenario', nargs='?', default=os.path.join(here, 'scenarios', 'bench', 'standard.json'))
    parser.add_argument('--duration', type=float, help='simulated seconds')
    parser.add_argument('--inferences', type=float, help='simulate as long as this many frames take to arrive')
    parser.add_argument('--seed', type=int, help="of the random numbers (default: the scenario's)")
    parser.add_argument('--same-draws', action='store_true', help="dynasoc's random numbers, to compare results")
    parser.add_argument('--simpy', type=int, choices=(2, 3), help='major version (default: the newest installed)')
    arguments = parser.parse_args()
    try:
        kernel = find_kernel(arguments.simpy)()
    except NoSimPy:
        debian = '/usr/bin/python3'  # another python3 may stand before it in the PATH
        if os.path.exists(debian) and not os.environ.get('BENCH_SIMPY_RETRIED'):
            os.environ['BENCH_SIMPY_RETRIED'] = '1'
            os.execv(debian, [debian] + sys.argv)
        print('SimPy is not installed (Debian: python3-simpy3 or python3-simpy)', file=sys.stderr)
        return 3

    scenario = read_json(arguments.scenario)
    root = os.path.abspath(arguments.scenario)
    while not os.path.isdir(os.path.join(root, 'platforms')) and root != os.path.dirname(root):
        root = os.path.dirname(root)
    if not os.path.isdir(os.path.join(root, 'platforms')):
        root = here
    if arguments.seed is not None:
        scenario['seed'] = arguments.seed
    duration_s = arguments.duration or scenario['duration_s']
    if arguments.inferences:
        duration_s = arguments.inferences / sum(1e3 / a['arrivals']['period_ms'] for a in scenario['applications'].values())
    applications, units, domains, manager, board = build(kernel, root, scenario,
                                                         SameDraws if arguments.same_draws else PythonDraws)
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    kernel.run(duration_s)
    energy_j = board.energy_j() + board.static_w * duration_s + sum(unit.switch_j for unit in units.values())
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s

    for unit in units.values():
        for task in unit.running:
            unit.settle(task)
    completed = sum(app.completed for app in applications)
    print(json.dumps({
        'simpy': kernel.version, 'python': sys.version.split()[0], 'duration_s': duration_s, 'inferences': completed,
        'seconds': cpu_s, 'wall_s': wall_s, 'inferences_per_s': completed / cpu_s,
        'peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        'apps': {app.name: {
            'jobs': app.jobs, 'completed': app.completed, 'missed': app.missed,
            'latency_ms': {'mean': app.latency_s / app.completed * 1e3, 'max': app.latency_max_s * 1e3},
            'accuracy': {'mean': app.accuracy / app.completed}, 'energy_mj_per_job': app.energy_j / app.completed * 1e3,
            'subnet_switches': app.switches,
            'subnet_share': {'L%d' % (s + 1): n / app.completed for s, n in enumerate(app.by_subnet) if n},
        } for app in applications if app.completed},
        'platform': {
            'energy_j': energy_j, 'mean_power_w': energy_j / duration_s, 'peak_temperature_c': board.peak_c,
            'dvfs_transitions': sum(domain.transitions for domain in domains.values()), 'decisions': manager.writes,
            'units': {name: {'utilisation': unit.busy_s / duration_s,
                             'energy_j': unit.idle_j + unit.above_j + unit.switch_j,
                             'background_energy_j': unit.loads_j,
                             'mean_mhz': unit.mhz_s / duration_s} for name, unit in units.items()},
        },
    }, indent=2))
    return 0


if __name__ == '__main__':
    sys.exit(main())
