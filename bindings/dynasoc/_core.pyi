# Made by tools/stubs.py from the module itself.
"""
The simulator, the board model and the managers, in C++. Use it through the package dynasoc.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing
__all__: list[str] = ['Application', 'Comparison', 'Decision', 'Domain', 'Environment', 'InputError', 'InternalError', 'Observation', 'OutsideError', 'Run', 'Sample', 'Scenario', 'Triggers', 'Unit', 'build', 'command', 'compare', 'find', 'forget_policy', 'governor_entries', 'network', 'outcomes', 'platform', 'policy_entries', 'program', 'register_policy', 'run', 'run_of_records', 'runs_python', 'scenario_from_file', 'scenario_from_text', 'seconds_of_run', 'table']
class InputError(ValueError):
    """
    Bad input: a file, an argument, or something that one of them names. The text is one line: file:line:column: /json/pointer: what is wrong (did you mean ...?).
    """
class OutsideError(RuntimeError):
    """
    Something outside of the simulator failed: a disk, another process, a board.
    """
class InternalError(RuntimeError):
    """
    A broken promise inside the simulator: a bug.
    """
class Scenario:
    """
    A scenario as loaded: the file, and what it resolves to.
    """
    def document(self) -> dict[str, typing.Any]:
        """
        the file with includes and overrides applied, without defaults
        """
    def fields(self) -> dict[str, typing.Any]:
        """
        every field, defaults filled in
        """
    @property
    def folder(self) -> str:
        """
        names are resolved from here
        """
    @property
    def inputs(self) -> list[str]:
        """
        every file that was read
        """
    @property
    def metrics(self) -> list[str]:
        """
        Every metric that a replication has a value of, with names of applications filled in, in the table's order.
        """
    @property
    def name(self) -> str:
        ...
    @property
    def names(self) -> dict[str, typing.Any]:
        """
        Applications, units and domains by name, and times.
        """
    @property
    def warnings(self) -> list[str]:
        """
        what is not wrong, and worth knowing
        """
class Triggers:
    """
    When a policy wants to be asked. It is always asked once at the start.
    """
    def __getstate__(self) -> tuple[float, bool, bool, bool, bool, bool]:
        ...
    def __init__(self, *, period_ms: typing.SupportsFloat | typing.SupportsIndex = 0.0, arrival: bool = False, completion: bool = False, target_change: bool = False, load_change: bool = False, thermal_trip: bool = False) -> None:
        ...
    def __setstate__(self, arg0: tuple[typing.SupportsFloat | typing.SupportsIndex, bool, bool, bool, bool, bool]) -> None:
        ...
    @property
    def arrival(self) -> bool:
        """
        when a frame arrives
        """
    @property
    def completion(self) -> bool:
        """
        when a frame is done
        """
    @property
    def load_change(self) -> bool:
        """
        When background load arrives or leaves; a real board sees it only as a change of utilisation.
        """
    @property
    def period_ms(self) -> float:
        """
        every so often; 0 = not periodic
        """
    @property
    def target_change(self) -> bool:
        """
        when an application's targets change
        """
    @property
    def thermal_trip(self) -> bool:
        """
        when throttling begins, changes or ends
        """
class Sample:
    """
    One finished inference, as the application itself could log it.
    """
    @property
    def at_s(self) -> float:
        """
        when it was done
        """
    @property
    def batch(self) -> int:
        """
        frames that its inference served together
        """
    @property
    def latency_ms(self) -> float:
        """
        arrival to result
        """
    @property
    def missed(self) -> bool:
        """
        it came after its deadline
        """
    @property
    def profile_ms(self) -> float:
        """
        What the table says for the sub-network and clocks in force when it was dispatched, of all frames served together.
        """
    @property
    def service_ms(self) -> float:
        """
        start to result
        """
    @property
    def subnet(self) -> int:
        """
        index, 0 is L1, the smallest
        """
    @property
    def unit(self) -> int:
        """
        index of the unit it ran on
        """
class Application:
    """
    An application as its manager sees it. Valid during decide() only.
    """
    def __repr__(self) -> str:
        ...
    def recent(self, most: typing.SupportsIndex = 64) -> list[Sample]:
        """
        the newest finished inferences, oldest first; at most 64
        """
    @property
    def accuracy(self) -> tuple[float, ...]:
        """
        by sub-network, in the network's metric
        """
    @property
    def accuracy_floor(self) -> float:
        """
        in the network's metric; 0 = none
        """
    @property
    def active(self) -> bool:
        """
        between its start and its stop
        """
    @property
    def admitted(self) -> bool:
        """
        its frames are accepted
        """
    @property
    def arrived(self) -> int:
        """
        frames so far
        """
    @property
    def batch(self) -> int:
        """
        most frames that an inference takes together
        """
    @property
    def batch_marginal(self) -> float:
        """
        time of each frame of a batch after the first, over the time of one alone
        """
    @property
    def completed(self) -> int:
        """
        frames so far
        """
    @property
    def dropped(self) -> int:
        """
        frames given up
        """
    @property
    def energy_budget_mj(self) -> float:
        """
        of one inference; 0 = none
        """
    @property
    def index(self) -> int:
        """
        its place among the observation's applications
        """
    @property
    def last(self) -> Sample | None:
        """
        the newest finished inference; None before the first
        """
    @property
    def latency_target_ms(self) -> float:
        """
        0 = none
        """
    @property
    def memory_mb(self) -> tuple[float, ...]:
        """
        by sub-network: of its weights; 0 = not stated
        """
    @property
    def missed(self) -> int:
        """
        frames completed after their deadline
        """
    @property
    def most_batch(self) -> int:
        """
        limit of that knob
        """
    @property
    def name(self) -> str:
        """
        as the scenario calls it
        """
    @property
    def oldest_wait_ms(self) -> float:
        """
        age of the oldest waiting frame
        """
    @property
    def power_budget_w(self) -> float:
        """
        0 = none
        """
    @property
    def priority(self) -> int:
        """
        larger is more important
        """
    @property
    def subnet(self) -> int:
        """
        index in force (or being switched to), 0 is L1, the smallest
        """
    @property
    def subnets(self) -> int:
        """
        number of sub-networks
        """
    @property
    def switch_energy_mj(self) -> float:
        """
        cost of a sub-network switch
        """
    @property
    def switch_ms(self) -> float:
        """
        cost of a sub-network switch
        """
    @property
    def unit(self) -> int:
        """
        index of the unit it runs on
        """
    @property
    def waiting(self) -> int:
        """
        frames queued, not counting the one in service
        """
class Unit:
    """
    A processing unit as a manager sees it. Valid during decide() only.
    """
    def __repr__(self) -> str:
        ...
    @property
    def cores(self) -> int:
        """
        that it has
        """
    @property
    def cores_online(self) -> int:
        """
        now
        """
    @property
    def domains(self) -> tuple[int, ...]:
        """
        indices of the frequency domains that clock it, its own first
        """
    @property
    def index(self) -> int:
        """
        its place among the observation's units
        """
    @property
    def name(self) -> str:
        """
        as the platform calls it
        """
    @property
    def utilisation(self) -> float:
        """
        share of the time since the last look in which it had work
        """
class Domain:
    """
    A frequency domain as a manager sees it. Valid during decide() only.
    """
    def __repr__(self) -> str:
        ...
    @property
    def governed(self) -> bool:
        """
        a governor sets it; false once a policy has written it
        """
    @property
    def highest(self) -> int:
        """
        index: limit of the power mode and of throttling
        """
    @property
    def index(self) -> int:
        """
        its place among the observation's domains
        """
    @property
    def lowest(self) -> int:
        """
        index: limit of the power mode
        """
    @property
    def name(self) -> str:
        """
        as the platform calls it
        """
    @property
    def opp(self) -> int:
        """
        index in effect
        """
    @property
    def opps_mhz(self) -> tuple[float, ...]:
        """
        its operating points, slowest first
        """
    @property
    def requested(self) -> int:
        """
        index last asked for
        """
class Observation:
    """
    What a manager is shown: the monitors of a real board. Valid during decide() only.
    """
    def energy_mj(self, application: Application | typing.SupportsIndex, subnet: typing.SupportsIndex, unit: Unit | typing.SupportsIndex | None = None, opp: typing.SupportsIndex | None = None) -> float:
        """
        The same for the energy of one inference, above idle. Default: the application's unit, the clock in effect.
        """
    def idle_w(self, unit: Unit | typing.SupportsIndex, opp: typing.SupportsIndex) -> float:
        """
        What a unit draws without a job, at an OPP of its domains [W]; NaN where it is not known.
        """
    def latency_ms(self, application: Application | typing.SupportsIndex, subnet: typing.SupportsIndex, unit: Unit | typing.SupportsIndex | None = None, opp: typing.SupportsIndex | None = None) -> float:
        """
        What the tables say of a job running alone: at an operating point (index) of the unit's first domain, the other clocks as they are now. NaN where they do not cover the unit. Default: the application's unit, the clock in effect.
        """
    @property
    def applications(self) -> tuple[Application, ...]:
        """
        in the scenario's order
        """
    @property
    def battery_capacity_j(self) -> float:
        """
        full; 0 = the board has no battery
        """
    @property
    def battery_charge_j(self) -> float:
        """
        now
        """
    @property
    def battery_until_s(self) -> float:
        """
        it is to last up to here
        """
    @property
    def domains(self) -> tuple[Domain, ...]:
        """
        in the platform's order
        """
    @property
    def explain(self) -> bool:
        """
        somebody will read the reasons: worth adding candidates
        """
    @property
    def now_s(self) -> float:
        """
        time since the beginning
        """
    @property
    def rails_w(self) -> dict[str, float]:
        """
        by sensor: last reading; NaN before the first
        """
    @property
    def subject(self) -> int:
        """
        Index of the application (arrival, completion, target_change) or unit (load_change) that it is about; -1 where there is none.
        """
    @property
    def temperatures_c(self) -> tuple[float, ...]:
        """
        by thermal node, as of the last poll
        """
    @property
    def thermal_limit_c(self) -> float:
        """
        infinite = none
        """
    @property
    def trigger(self) -> typing.Literal['start', 'period', 'arrival', 'completion', 'target_change', 'load_change', 'thermal_trip']:
        """
        why it is asked
        """
    @property
    def units(self) -> tuple[Unit, ...]:
        """
        in the platform's order
        """
class Decision:
    """
    Knob writes, applied in order.

    Each takes a reason, a text in which {} stands for the numbers that follow it. `margin`: room left to the target, relative to it; 0 where it has no meaning. `slack`: room left to the binding constraint, in its unit; negative where it is broken. `binding` names that constraint:

        none: slack has no meaning: it is the best there is, or no target is set
        latency: slack in ms
        accuracy: slack in points of the network's metric
        energy: slack in mJ of one inference
        power: slack in W
        temperature: slack in K
        capacity: slack as a share of a unit
        dwell: slack in ms: too soon after the last change
        ladder: slack has no meaning: the end of what there is to choose from

    Applications, units and domains are given as they were shown, or by index.
    """
    def __init__(self) -> None:
        ...
    def __len__(self) -> int:
        ...
    def admission(self, target: Application | typing.SupportsIndex, value: typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of an application: 0 refuses its frames, 1 accepts them
        """
    def batch(self, target: Application | typing.SupportsIndex, value: typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of an application: most waiting frames that its next inferences take together
        """
    def candidate(self, application: Application | typing.SupportsIndex | None = None, subnet: typing.SupportsIndex = -1, unit: Unit | typing.SupportsIndex | None = None, opp: typing.SupportsIndex = -1, latency_ms: typing.SupportsFloat | typing.SupportsIndex = 0.0, accuracy: typing.SupportsFloat | typing.SupportsIndex = 0.0, energy_mj: typing.SupportsFloat | typing.SupportsIndex = 0.0, feasible: bool = False) -> Decision:
        """
        A choice that was looked at. Indices; -1 where it does not speak of one. Worth adding only if the observation says `explain`. `latency_ms`: that the policy expects. `accuracy`: in the network's metric. `energy_mj`: of one inference. `feasible`: it keeps the targets, as the policy reckons.
        """
    def cores(self, target: Unit | typing.SupportsIndex, value: typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of a unit: cores online
        """
    def frequency(self, target: Domain | typing.SupportsIndex, value: typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of a domain: index of its operating point, 0 is the slowest; takes it from its governor
        """
    def governor(self, target: Domain | typing.SupportsIndex, reason: str = '', *args: typing.Any) -> Decision:
        """
        of a domain: gives it back to its governor (the value is ignored)
        """
    def highest(self, target: Domain | typing.SupportsIndex, value: typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of a domain: index of the operating point that its governor may not go above
        """
    def lowest(self, target: Domain | typing.SupportsIndex, value: typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of a domain: index of the operating point that its governor may not go below
        """
    def mapping(self, target: Application | typing.SupportsIndex, value: Unit | typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of an application: index of the unit that it runs on
        """
    def subnet(self, target: Application | typing.SupportsIndex, value: typing.SupportsIndex, reason: str = '', *args: typing.Any, margin: typing.SupportsFloat | typing.SupportsIndex = 0.0, slack: typing.SupportsFloat | typing.SupportsIndex = 0.0, binding: typing.Literal['none', 'latency', 'accuracy', 'energy', 'power', 'temperature', 'capacity', 'dwell', 'ladder'] = 'none') -> Decision:
        """
        of an application: index of its sub-network, 0 is L1, the smallest
        """
class Run:
    def __len__(self) -> int:
        ...
    def candidates(self, replication: typing.SupportsInt | typing.SupportsIndex) -> dict[str, typing.Any]:
        """
        Columns, a row a choice that a decision looked at.
        """
    def decisions(self, replication: typing.SupportsInt | typing.SupportsIndex) -> dict[str, typing.Any]:
        """
        Columns, a row a knob written.
        """
    def energy_j(self, replication: typing.SupportsInt | typing.SupportsIndex) -> float:
        """
        Of the whole board, after the warm-up [J].
        """
    def jobs(self, replication: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.void]:
        """
        A row an inference: the simulator's memory, read-only.
        """
    def metrics(self, replication: typing.SupportsInt | typing.SupportsIndex) -> dict[str, float]:
        """
        Every metric that a replication has a value of, with names of applications filled in, in the table's order.
        """
    def save(self, directory: str, force: bool, command_line: collections.abc.Sequence[str]) -> None:
        """
        Writes the files of a run whose records are all there. Throws OutsideError.
        """
    def summary(self) -> dict[str, typing.Any]:
        """
        The JSON of `run --json`. Several replications are pooled (their frames count as one sample); `spread` then holds mean and standard deviation of the replications' own values. Units are in the names; energies of jobs are above idle.

        miss_rate = (missed + dropped + rejected) / (completed + dropped + rejected): the share of the frames that were decided and had no result by their deadline. Frames unfinished at the end are in `jobs` only.
        """
    def text(self, columns: typing.SupportsInt | typing.SupportsIndex) -> str:
        """
        The same for a terminal: tables, a picture of latency over time, warnings. `columns` is the page's width, 0 for one without an end; `colour` allows ANSI colours.
        """
    def timeline(self, replication: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[numpy.void]:
        """
        A row a sample: the simulator's memory, read-only.
        """
    def why(self, replication: typing.SupportsInt | typing.SupportsIndex, most: typing.SupportsInt | typing.SupportsIndex) -> str:
        """
        The first `most` decisions of a run that was recorded with `Recording::decisions`, oldest first, and how many more there are. Slack is in the unit of its constraint.
        """
    def write_trace(self, path: str, replication: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        Writes one replication in Chrome's trace event format, which Perfetto opens: a process for each unit and each application, with inferences, waiting, outcomes and background loads; the manager's decisions; counters. Needs the record's jobs, decisions and timeline. Complete or not at all. Throws OutsideError.
        """
    @property
    def engine(self) -> str:
        ...
    @property
    def has_decisions(self) -> bool:
        ...
    @property
    def has_jobs(self) -> bool:
        ...
    @property
    def has_timeline(self) -> bool:
        ...
    @property
    def policies(self) -> list[typing.Any] | None:
        ...
    @property
    def policy(self) -> str:
        ...
    @property
    def scenario(self) -> Scenario:
        ...
    @property
    def seed(self) -> int:
        ...
class Comparison:
    def csv(self) -> str:
        """
        Values by contender, replication and metric, one a row: policy,replication,metric,value.
        """
    def text(self, metrics: collections.abc.Sequence[str]) -> str:
        """
        The same for a page `columns` wide (0: unlimited), `metrics` in columns, in several blocks where they do not fit; every difference with its interval and a mark where it is decided.
        """
    def to_json(self) -> dict[str, typing.Any]:
        """
        The JSON of `compare --json`: {"baseline", "policies": {NAME: {metric: {"mean", "ci95", "delta_vs_baseline": {…}}}}}.
        """
    def values(self, contender: typing.SupportsInt | typing.SupportsIndex, metric: str) -> list[float]:
        """
        A metric (a name as of MetricColumn) by replication. Throws InputError for an unknown name.
        """
class Environment:
    """
    A batch of boards for a learner. dynasoc.gym makes it a Gymnasium environment.
    """
    def __init__(self, scenarios: collections.abc.Sequence[Scenario], knobs: str, boards: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        scenarios: board b runs scenarios[b % len]; knobs: JSON, as the member `knobs` of the policy learned.
        """
    def now_s(self, board: typing.SupportsInt | typing.SupportsIndex) -> float:
        """
        Simulated time where a board has stopped.
        """
    def outcomes(self) -> dict[str, typing.Any]:
        """
        By board, of its last episode that ended: cost, energy_j, accuracy, frames, lost, steps.
        """
    def reset(self, seed: typing.SupportsInt | typing.SupportsIndex | None = None) -> numpy.typing.NDArray[numpy.float32]:
        """
        Begins every board anew: observations, (boards, features).
        """
    def step(self, choices: typing.Annotated[numpy.typing.ArrayLike, numpy.int64]) -> tuple[numpy.typing.NDArray[numpy.float32], numpy.typing.NDArray[numpy.float64], numpy.typing.NDArray[numpy.bool], numpy.typing.NDArray[numpy.float32] | None]:
        """
        One decision on every board, (boards, heads): observations, rewards, which episodes ended, and, where any did, the last observations of those (else None).
        """
    @property
    def boards(self) -> int:
        ...
    @property
    def features(self) -> list[str]:
        """
        Names of what is observed, in order.
        """
    @property
    def heads(self) -> list[tuple[str, list[int]]]:
        """
        Of each knob: its name, and what its choices write (sub-network, unit or operating point, as an index).
        """
def command(words: collections.abc.Sequence[str], progress: collections.abc.Callable[[float], typing.Any] | None = None) -> tuple[int, str, str]:
    """
    Runs a command line, as `dynasoc WORDS...` would, in this process. Returns (exit status, what it printed, what it warned of). Errors are raised; Ctrl-C, or an exception of `progress`, ends it with everything on disk complete or resumable.
    """
def compare(scenario: Scenario, policies: collections.abc.Sequence[tuple[str, str]], baseline: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex | None, replications: typing.SupportsInt | typing.SupportsIndex | None, jobs: typing.SupportsInt | typing.SupportsIndex, decide_on: str, anatomy: bool, metrics: collections.abc.Sequence[str], progress: collections.abc.Callable[[float], typing.Any] | None) -> Comparison:
    """
    Runs every contender: policies are (label, what `--policies` takes, or a JSON object with a name).
    """
def find(what: str, given: str) -> str:
    """
    The file of a scenario, platform, network, supernetwork or trace.
    """
def forget_policy(name: str) -> None:
    """
    Undoes register_policy.
    """
def governor_entries() -> list[dict[str, typing.Any]]:
    """
    Every registered governor: name, doc, source (publication or code, and whether it was read or is our reading of it), schema (JSON schema of its parameters).
    """
def network(path: str) -> dict[str, typing.Any]:
    """
    A network file, checked, defaults filled in.
    """
def outcomes() -> tuple[str, ...]:
    """
    Names of the codes of outcomes, in order.
    """
def platform(path: str) -> dict[str, typing.Any]:
    """
    A platform file, checked, defaults filled in.
    """
def policy_entries() -> list[dict[str, typing.Any]]:
    """
    Every registered policy: name, doc, source (publication or code, and whether it was read or is our reading of it), schema (JSON schema of its parameters).
    """
def program(name: str) -> str | None:
    """
    An executable of ours that came with this package; None if there is none.
    """
def register_policy(name: str, doc: str, make: collections.abc.Callable[..., typing.Any], schema: str, version: str) -> None:
    """
    Makes what `make` returns (given the parameters as keyword arguments) known to files as a policy.
    """
def run(scenario: Scenario, policy: str | None, python_policy: typing.Any, seed: typing.SupportsInt | typing.SupportsIndex | None, replications: typing.SupportsInt | typing.SupportsIndex, jobs: typing.SupportsInt | typing.SupportsIndex, record_jobs: bool, record_decisions: bool, record_timeline: bool, progress: collections.abc.Callable[[float], typing.Any] | None) -> Run:
    ...
def run_of_records(scenario: Scenario, path: str, engine: str, jobs: bool, decisions: bool, timeline: bool) -> Run:
    ...
def runs_python(policy: str) -> bool:
    """
    Whether a policy of that name was registered from Python.
    """
def scenario_from_file(path: str, overrides: collections.abc.Sequence[tuple[str, str]]) -> Scenario:
    """
    Loads a scenario file (or a run's manifest.json), applies overrides, resolves names. Throws InputError. `"include": "other.json"` (or a list) lays other files under this one; cycles are refused.
    """
def scenario_from_text(text: str, folder: str, name: str, overrides: collections.abc.Sequence[tuple[str, str]]) -> Scenario:
    """
    The same for JSON in memory.
    """
def seconds_of_run(scenario: Scenario, runs: typing.SupportsInt | typing.SupportsIndex) -> float:
    """
    What a run without logs takes in C++ alone [s]: the mean of `runs`.
    """
def table(path: str, name: str) -> dict[str, list[str]]:
    """
    Columns of a network's table called `name`; or of a table's own file, then `name` is empty.
    """
__version__: str
build: str
