#!/usr/bin/env python3
"""dynasoc bench: what it prints, and that the SimPy model it compares with simulates the same workload."""
import copy
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

SOURCE = os.environ['DYNASOC_SOURCE_DIR']
BINARY = os.environ['DYNASOC_BINARY']
STANDARD = os.path.join(SOURCE, 'scenarios', 'bench', 'standard.json')
TWIN = os.path.join(SOURCE, 'tools', 'bench_simpy.py')
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print('FAILED: ' + what)


def near(a, b, tolerance, what):
    check(abs(a - b) <= tolerance * max(abs(a), abs(b)), '%s: %r and %r differ by more than %g' % (what, a, b, tolerance))


def run(*words, status=0):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    check(done.returncode == status, '%s: status %d, not %d: %s' % (' '.join(words), done.returncode, status, done.stderr))
    return done


def simulate(scenario, duration_s, *more):
    return json.loads(run(BINARY, 'run', scenario, '--json', '--set', 'duration_s=%r' % duration_s, *more).stdout)


def twin(version, scenario, duration_s, *more):
    return json.loads(run('python3', TWIN, scenario, '--duration', repr(duration_s), '--simpy', version, *more).stdout)


def installed_simpy():
    found = []
    for version in ('2', '3'):
        done = subprocess.run(['python3', TWIN, '--duration', '0.5', '--simpy', version], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True)
        check(done.returncode in (0, 3), 'bench_simpy.py: status %d: %s' % (done.returncode, done.stderr))
        if done.returncode == 0:
            found.append(version)
        else:
            check('SimPy' in done.stderr and done.stderr.count('\n') == 1, 'no line about missing SimPy: ' + done.stderr)
    return found


def test_report(simpy):
    """Every figure that scripts may rely on is there, and is a number that can be right."""
    report = json.loads(run(BINARY, 'bench', '--quick', '--json', '--inferences', '5000').stdout)

    def positive(at, *keys):
        value = report
        for key in keys:
            check(key in value, '%s: no %s' % (at, '.'.join(keys)))
            value = value.get(key, float('nan'))
        check(isinstance(value, (int, float)) and value > 0, '.'.join(keys) + ' is %r' % value)

    for key in ('inferences_per_s', 'inferences_per_s_median', 'inferences_per_s_with_jobs', 'inferences_per_s_with_jobs_median',
                'peak_mb', 'peak_mb_with_jobs'):
        positive('native', 'native', key)
    engines = ['native']
    if os.path.exists(BINARY + '-simgrid'):
        engines.append('simgrid')
    else:
        check(report['simgrid'] is None, 'simgrid is not null without its program')
    if simpy:
        engines.append('simpy')
        positive('simpy', 'ratios', 'native_with_jobs_to_simpy', 'median')
    for engine in engines[1:]:
        for key in ('inferences_per_s', 'inferences_per_s_median', 'peak_mb'):
            positive(engine, engine, key)
        for key in ('median', 'least', 'largest', 'of_best'):
            positive('ratios', 'ratios', 'native_to_' + engine, key)
    for engine in engines:
        check(report[engine]['inferences_per_s'] >= report[engine]['inferences_per_s_median'], engine + ': best below median')
    near(report['native']['inferences'], 5000, 0.01, 'inferences that --inferences 5000 simulates')

    for key in ('evaluations_per_s', 'evaluations_per_s_median', 'product_gflops', 'hypervolume'):
        positive('search', 'search', key)
    check(0 < report['search']['share_of_product']['median'] < 1.05, 'search takes less than its own products')

    for table, key, sizes in (('inferences', 'inferences', (1e3, 1e4, 1e5)), ('applications', 'applications', (4, 16, 64))):
        rows = report['growth'][table]
        check(len(rows) == len(sizes), 'growth.%s has %d rows' % (table, len(rows)))
        for row, size in zip(rows, sizes):
            near(row[key], size, 0.01, 'size in growth.' + table)
            check(row['ns_per_inference'] > 0, 'growth.%s: %r' % (table, row))
            near(row['ratio'], row['ns_per_inference'] / rows[0]['ns_per_inference'], 1e-9, 'ratio to the smallest')
    check(len(report['memory']['inferences']) == 3, 'memory has %d rows' % len(report['memory']['inferences']))
    with open(BINARY, 'rb') as program:
        instrumented = any(name in program.read() for name in (b'__asan_init', b'__tsan_init'))
    if not instrumented:
        bytes_per_job = report['memory']['bytes_per_job']
        check(20 < bytes_per_job < 64, '%r bytes a job' % bytes_per_job)
        small, large = (report['memory']['inferences'][i]['peak_mb'] for i in (0, 2))
        check(large - small < 2, 'memory without job records: %r MB at 1e3, %r MB at 1e5 inferences' % (small, large))
    positive('startup', 'startup_ms')
    check(report['machine']['cores'] >= 1 and report['machine']['cpu'], 'machine: %r' % report['machine'])
    check('load_average_at_start' in report['machine'], 'no load average')


def test_options():
    alone = json.loads(run(BINARY, 'bench', '--engine', 'native', '--json', '--inferences', '1000').stdout)
    near(alone['inferences'], 1000, 0.02, 'inferences of bench --engine native')
    check(run(BINARY, 'bench', '--inferences', '5', status=2).stdout == '', 'output beside an error')
    check('native' in run(BINARY, 'bench', '--engine', 'nativ', status=2).stderr, 'no hint for a misspelt engine')
    text = run(BINARY, 'bench', '--quick', '--no-simpy', '--inferences', '1000').stdout
    check('native' in text and 'SimPy' not in text and '\033' not in text, 'text of --no-simpy: ' + text)
    with_path = dict(os.environ, PATH='')
    done = subprocess.run([BINARY, 'bench', '--quick', '--json', '--inferences', '1000'], env=with_path, stdout=subprocess.PIPE,
                          universal_newlines=True)
    report = json.loads(done.stdout)
    check(report['simpy'] is None and report['ratios']['native_to_simpy'] is None, 'SimPy figures without python3')
    check(any('SimPy' in note for note in report['notes']), 'no note about the missing python3: %r' % report['notes'])


def same_run(version, scenario, duration_s, wanted_transitions):
    """With dynasoc's own random numbers, the SimPy model must repeat dynasoc's run: every frame, every decision. Its clock
    is a double and dynasoc's counts nanoseconds, hence 1e-6; temperatures take the mean power between two polls."""
    ours, theirs = simulate(scenario, duration_s), twin(version, scenario, duration_s, '--same-draws')
    for name, app in ours['apps'].items():
        other, what = theirs['apps'][name], 'SimPy %s, %s' % (version, name)
        for key in ('jobs', 'completed', 'missed', 'subnet_switches'):
            check(app[key] == other[key], '%s: %s %r and %r' % (what, key, app[key], other[key]))
        for key in ('mean', 'max'):
            near(app['latency_ms'][key], other['latency_ms'][key], 1e-6, what + ', latency ' + key)
        near(app['accuracy']['mean'], other['accuracy']['mean'], 1e-9, what + ', accuracy')
        near(app['energy_mj_per_job'], other['energy_mj_per_job'], 1e-6, what + ', energy')
        for level, share in other['subnet_share'].items():
            near(app['subnet_share'][level], share, 1e-9, what + ', share of ' + level)
    board, other = ours['platform'], theirs['platform']
    near(board['energy_j'], other['energy_j'], 1e-6, 'energy of the board')
    near(board['peak_temperature_c'], other['peak_temperature_c'], 5e-3, 'peak temperature')
    for name, unit in other['units'].items():
        for key in ('utilisation', 'energy_j', 'mean_mhz'):
            near(board['units'][name][key], unit[key], 1e-6, '%s of unit %s' % (key, name))
    for key in ('decisions', 'dvfs_transitions'):
        check(board[key] == other[key], '%s: %r and %r' % (key, board[key], other[key]))
    check(board['decisions'] > 0, 'a run in which the manager does nothing shows little')
    check(not wanted_transitions or board['dvfs_transitions'] > 10, 'no changes of clock: %r' % board['dvfs_transitions'])


def test_same_runs(version):
    same_run(version, STANDARD, 60.0, False)
    with open(STANDARD, encoding='utf-8') as file:
        lighter = json.load(file)
    for app in lighter['applications'].values():  # room to slow clocks down
        app['arrivals']['period_ms'] *= 1.5
        app['targets'][0]['latency_ms'] *= 1.7
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'lighter.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(lighter, file)
        same_run(version, path, 60.0, True)
        other = copy.deepcopy(lighter)
        other['policy']['dvfs'] = False
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(other, file)
        ours, theirs = simulate(path, 30.0), twin(version, path, 30.0, '--same-draws')
        for name, app in ours['apps'].items():
            near(app['latency_ms']['mean'], theirs['apps'][name]['latency_ms']['mean'], 1e-6, 'without dvfs, ' + name)


def test_same_distribution(version):
    """With Python's random numbers (as it is timed), means over 6 seeds agree within 4 standard errors of their
    difference, and counts but for the frames at the ends of the runs."""
    seeds, duration_s = range(1, 7), 120.0
    ours = [simulate(STANDARD, duration_s, '--seed', str(seed)) for seed in seeds]
    theirs = [twin(version, STANDARD, duration_s, '--seed', str(seed)) for seed in seeds]
    for name in ours[0]['apps']:
        for a, b in zip(ours, theirs):
            a, b = a['apps'][name], b['apps'][name]
            check(abs(a['jobs'] - b['jobs']) <= 1, '%s: %d and %d frames' % (name, a['jobs'], b['jobs']))
            check(abs(a['completed'] - b['completed']) <= 4, '%s: %d and %d completed' % (name, a['completed'], b['completed']))
        mine, other = ([run['apps'][name]['latency_ms']['mean'] for run in runs] for runs in (ours, theirs))
        error = math.sqrt((statistics.variance(mine) + statistics.variance(other)) / len(seeds))
        difference = statistics.mean(mine) - statistics.mean(other)
        check(abs(difference) <= 4 * error, 'SimPy %s, %s: mean latencies %r and %r ms differ by %.1f standard errors' %
              (version, name, mine, other, abs(difference) / error))


def main():
    simpy = installed_simpy()
    test_report(simpy)
    test_options()
    for version in simpy:
        test_same_runs(version)
        test_same_distribution(version)
    if not simpy:
        print('SimPy is not installed: its model was not compared')
    print('%d failed' % len(failures) if failures else 'ok')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
