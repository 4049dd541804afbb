"""A small board as a tree of plain files, for tests of dynasoc-agent: two CPUs with a clock each, JetPack 5's INA3221,
a thermal zone. The agent takes the folder as --root, with no code of its own for tests.
"""
import os
import shutil
import tempfile
import time

OPPS_KHZ = (400000, 800000, 1200000)
CPU = "sys/devices/system/cpu"
POLICY = CPU + "/cpufreq/policy{}"
HWMON = "sys/bus/i2c/drivers/ina3221/7-0040/hwmon/hwmon3"
ZONE = "sys/class/thermal/thermal_zone0"
KNOBS = ("scaling_min_freq", "scaling_max_freq", "scaling_governor")
CONFIGURATION = {
    "domains": {"cpu": {"policy": "cpu0"}, "other": {"policy": "cpu1"}},
    "units": {"cpu": {"cpus": [0]}, "other": {"cpus": [1]}, "both": {"cpus": [0, 1]}},
    "rails": {"VDD_IN": {"label": "VDD_IN"}},
    "thermal": {"cpu": {"type": "CPU-therm", "limit_c": 95}},
    "sampler_cpu": 1, "sample_hz": 500}


class Tree:
    """The files, in a temporary folder; `original` is what the knobs held."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="dynasoc-board-")
        self.root = os.path.join(self.folder, "root")
        self.state = os.path.join(self.folder, "state")
        self._cpus()
        self._sensors()
        self.original = self.snapshot()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, content):
        """Over what is there, as the kernel changes it: the same file."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(content)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def snapshot(self):
        """The bytes of all files that could be knobs."""
        names = [f"{POLICY.format(cpu)}/{knob}" for cpu in (0, 1) for knob in KNOBS] + [CPU + "/cpu1/online"]
        return {name: self.read(name) for name in names}

    def changed(self):
        """Knobs that do not hold their original bytes."""
        now = self.snapshot()
        return sorted(name for name, content in self.original.items() if now[name] != content)

    def wait_restored(self, since, timeout_s=10.0):
        """Milliseconds from `since` (time.monotonic) until all knobs hold their original bytes."""
        while self.changed():
            if time.monotonic() > since + timeout_s:
                raise AssertionError(f"not restored within {timeout_s} s: {self.changed()}")
            time.sleep(0.0002)
        return (time.monotonic() - since) * 1e3

    def share_register(self, cpu=0):
        """A driver with one register for both limits: a range reads back as something else."""
        low, high = (f"{POLICY.format(cpu)}/scaling_{end}_freq" for end in ("min", "max"))
        os.remove(self.path(low))
        os.link(self.path(high), self.path(low))
        self.original = self.snapshot()

    def set_temperature(self, celsius):
        self.write(ZONE + "/temp", f"{round(celsius * 1000)}\n")

    def _cpus(self):
        for name in ("present", "possible", "online"):
            self.write(f"{CPU}/{name}", "0-1\n")
        for cpu in (0, 1):
            policy = POLICY.format(cpu)
            for name, content in {
                    "affected_cpus": cpu, "related_cpus": cpu, "cpuinfo_min_freq": OPPS_KHZ[0],
                    "cpuinfo_max_freq": OPPS_KHZ[-1], "scaling_available_frequencies": " ".join(map(str, OPPS_KHZ)),
                    "scaling_available_governors": "performance schedutil", "scaling_governor": "schedutil",
                    "scaling_min_freq": OPPS_KHZ[0], "scaling_max_freq": OPPS_KHZ[-1]}.items():
                self.write(f"{policy}/{name}", f"{content}\n")
            # The clock is at the highest that is allowed, always.
            os.link(self.path(policy + "/scaling_max_freq"), self.path(policy + "/scaling_cur_freq"))
            os.makedirs(self.path(f"{CPU}/cpu{cpu}"))
            os.symlink(f"../cpufreq/policy{cpu}", self.path(f"{CPU}/cpu{cpu}/cpufreq"))
        self.write(CPU + "/cpu1/online", "1\n")
        self.write("proc/stat", "cpu  200 0 100 5000 0 0 0 0 0 0\ncpu0 100 0 50 2500 0 0 0 0 0 0\n"
                                "cpu1 100 0 50 2500 0 0 0 0 0 0\n")
        self.write("proc/version", "Linux version 5.10.104-tegra\n")

    def _sensors(self):
        for name, content in {"name": "ina3221", "in1_label": "VDD_IN", "in1_input": 5000, "curr1_input": 1000}.items():
            self.write(f"{HWMON}/{name}", f"{content}\n")
        os.makedirs(self.path("sys/class/hwmon"))
        os.symlink(os.path.relpath(self.path(HWMON), self.path("sys/class/hwmon")), self.path("sys/class/hwmon/hwmon3"))
        for name, content in {"type": "CPU-therm", "temp": 45000, "trip_point_0_type": "critical",
                              "trip_point_0_temp": 97000}.items():
            self.write(f"{ZONE}/{name}", f"{content}\n")
