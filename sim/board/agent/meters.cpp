#include "meters.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <utility>

#include "clock.hpp"

namespace dynasoc::agent {
namespace {

constexpr std::int64_t kNsPerSecond = 1000000000;
constexpr double kRingSeconds = 20;  // the longest window whose energy is known
constexpr std::size_t kSmallestRing = 1024, kLargestRing = std::size_t{1} << 18;
constexpr std::int64_t kClockPeriodNs = 10 * kNsPerMs;
constexpr std::int64_t kAccountPeriodNs = 25 * kNsPerMs;
constexpr std::int64_t kReopenPeriodNs = 100 * kNsPerMs;
constexpr std::size_t kMostClockReadings = 2400;
constexpr int kMostMisses = 3;         // in a row; a bus may be busy once
constexpr double kClockJitter = 0.01;  // of clocks that are measured and not told

const double kUnknown = std::numeric_limits<double>::quiet_NaN();

using Source = RailSource;

Source source_of(const std::string& label, const std::string& kind, const std::string& path, double unit) {
  Source source;
  source.label = label;
  source.kind = kind;
  source.path = path;
  source.unit = unit;
  return source;
}

/// `in7_label` -> 7; -1 if it is not of that form.
int number_between(const std::string& name, const std::string& start, const std::string& end) {
  if (!starts_with(name, start) || !ends_with(name, end) || name.size() <= start.size() + end.size()) return -1;
  const std::string middle = name.substr(start.size(), name.size() - start.size() - end.size());
  return middle.find_first_not_of("0123456789") == std::string::npos ? std::atoi(middle.c_str()) : -1;
}

void find_ina3221x(const Files& files, std::vector<Source>& rails) {
  const std::string driver = "/sys/bus/i2c/drivers/ina3221x";
  for (const std::string& chip : files.list(driver)) {
    for (const std::string& device : files.list(driver + "/" + chip)) {
      if (!starts_with(device, "iio:device")) continue;
      const std::string folder = driver + "/" + chip + "/" + device;
      for (const std::string& name : files.list(folder)) {
        const int n = number_between(name, "rail_name_", "");
        const std::string power = folder + "/in_power" + std::to_string(n) + "_input";
        const auto label = n < 0 ? std::nullopt : files.read(folder + "/" + name);
        if (label && !label->empty() && files.exists(power))
          rails.push_back(source_of(*label, "ina3221x", power, 1e-3));
      }
    }
  }
}

/// One hwmon folder. Channels of voltage and current belong together only on a chip that says so.
void read_hwmon(const Files& files, const std::string& folder, bool ina3221, std::vector<Source>& rails) {
  const std::string chip = files.read(folder + "/name").value_or("");
  for (const std::string& name : files.list(folder)) {
    const int voltage = number_between(name, "in", "_label");
    // The seventh of an INA3221 is the sum of its shunt voltages, no rail.
    if (voltage >= 0 && voltage != 7 && (ina3221 || chip == "ina3221")) {
      const std::string n = std::to_string(voltage), current = folder + "/curr" + n + "_input";
      const auto label = files.read(folder + "/" + name);
      if (!label || label->empty() || !files.exists(current) || !files.exists(folder + "/in" + n + "_input")) continue;
      rails.push_back(source_of(*label, "hwmon", folder + "/in" + n + "_input", 1e-6));
      rails.back().current = current;
    }
    const int power = number_between(name, "power", "_input");
    if (power >= 0) {
      const std::string fallback = (chip.empty() ? "hwmon" : chip) + "_power" + std::to_string(power);
      const auto label = files.read(folder + "/power" + std::to_string(power) + "_label");
      rails.push_back(source_of(label && !label->empty() ? *label : fallback, "hwmon", folder + "/" + name, 1e-6));
    }
  }
}

void find_hwmon(const Files& files, std::vector<Source>& rails) {
  std::set<std::string> seen;  // the driver's folders are the class's, by another way
  const auto take = [&](const std::string& folder, bool ina3221) {
    if (seen.insert(files.real(folder)).second) read_hwmon(files, folder, ina3221, rails);
  };
  const std::string driver = "/sys/bus/i2c/drivers/ina3221";
  for (const std::string& chip : files.list(driver)) {
    for (const std::string& name : files.list(driver + "/" + chip + "/hwmon")) {
      take(driver + "/" + chip + "/hwmon/" + name, true);
    }
  }
  for (const std::string& name : files.list("/sys/class/hwmon")) {
    const std::string folder = "/sys/class/hwmon/" + name;
    take(folder, false);
    // Older kernels have the attributes one folder further.
    if (!files.exists(folder + "/name") && files.exists(folder + "/device/name")) take(folder + "/device", false);
  }
}

void find_powercap(const Files& files, std::vector<Source>& rails) {
  const std::string parent = "/sys/class/powercap";
  std::set<std::string> seen, labels;
  for (const std::string& name : files.list(parent)) {
    const std::string path = parent + "/" + name + "/energy_uj";
    if (!files.exists(path) || !seen.insert(files.real(path)).second) continue;
    const std::string label = files.read(parent + "/" + name + "/name").value_or(name);
    rails.push_back(source_of(labels.insert(label).second ? label : name, "powercap", path, 1e-6));
    rails.back().counter = true;
    rails.back().wrap = files.read_whole(parent + "/" + name + "/max_energy_range_uj").value_or(0);
  }
}

enum class Outcome { read, missed, gone };

bool no_hope(int error) { return error == ENOENT || error == ENODEV || error == ENXIO || error == ENOTDIR; }

/// One of the kernel's files, kept open: opening costs more than reading.
class OpenFile {
 public:
  OpenFile(const Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  Outcome read(double& value) {
    if (file_.open() && replaced()) file_.close();
    if (!file_.open()) {
      file_ = files_.open(path_);
      if (!file_.open()) return no_hope(errno) ? Outcome::gone : Outcome::missed;
    }
    char text[64];
    const ssize_t n = ::pread(file_.get(), text, sizeof text - 1, 0);
    if (n < 0) {
      const int error = errno;
      if (error == EINTR || error == EAGAIN) return Outcome::missed;
      file_.close();
      return no_hope(error) && !files_.exists(path_) ? Outcome::gone : Outcome::missed;
    }
    text[n] = '\0';
    char* end = nullptr;
    value = std::strtod(text, &end);
    return end == text ? Outcome::missed : Outcome::read;
  }

 private:
  // An ordinary file that another has taken the place of would be read for ever.
  bool replaced() const {
    struct stat about {};
    return ::fstat(file_.get(), &about) != 0 || about.st_nlink == 0;
  }

  const Files& files_;
  std::string path_;
  FileHandle file_;
};

}  // namespace

std::vector<RailSource> find_rails(const Files& files) {
  std::vector<Source> rails;
  find_ina3221x(files, rails);
  find_hwmon(files, rails);
  find_powercap(files, rails);
  return rails;
}

std::optional<double> read_power_w(const Files& files, const RailSource& source) {
  if (source.counter) return std::nullopt;
  double value = 0, current = 1;
  if (OpenFile(files, source.path).read(value) != Outcome::read) return std::nullopt;
  if (!source.current.empty() && OpenFile(files, source.current).read(current) != Outcome::read) return std::nullopt;
  return value * current * source.unit;
}

std::vector<ThermalZone> find_zones(const Files& files) {
  std::vector<ThermalZone> zones;
  for (const char* parent : {"/sys/class/thermal", "/sys/devices/virtual/thermal"}) {
    for (const std::string& name : files.list(parent)) {
      if (!starts_with(name, "thermal_zone")) continue;
      const std::string folder = parent + ("/" + name);
      const auto type = files.read(folder + "/type");
      if (type) zones.push_back({name, *type, folder + "/temp"});
    }
    if (!zones.empty()) break;
  }
  return zones;
}

Json trips_json(const Files& files, const ThermalZone& zone) {
  Json trips = Json::array();
  const std::string folder = zone.path.substr(0, zone.path.rfind('/'));
  for (const std::string& name : files.list(folder)) {
    const int n = number_between(name, "trip_point_", "_temp");
    const auto temperature = n < 0 ? std::nullopt : files.read_whole(folder + "/" + name);
    if (!temperature) continue;
    const auto type = files.read(folder + "/trip_point_" + std::to_string(n) + "_type");
    trips.push_back(
        {{"type", type ? Json(*type) : Json()}, {"temperature_c", static_cast<double>(*temperature) / 1000}});
  }
  return trips;
}

std::optional<double> read_temperature_c(const Files& files, const ThermalZone& zone, bool* gone) {
  double milli = 0;
  const Outcome outcome = OpenFile(files, zone.path).read(milli);
  if (gone != nullptr) *gone = outcome == Outcome::gone;
  if (outcome != Outcome::read) return std::nullopt;
  return milli / 1000;
}

struct Sampler::Channel {
  Channel(const Files& files, Rail of)
      : rail(std::move(of)), first(files, rail.source.path), second(files, rail.source.current) {}

  const Reading& at(std::uint64_t i) const { return ring[i % ring.size()]; }
  std::uint64_t oldest() const { return count > ring.size() ? count - ring.size() : 0; }
  /// Index of the first reading not before t.
  std::uint64_t not_before(std::int64_t t_ns) const {
    std::uint64_t low = oldest(), high = count;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (at(middle).t_ns < t_ns) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  Rail rail;
  OpenFile first, second;
  std::vector<Reading> ring;
  std::uint64_t count = 0;    // ever put into the ring
  std::uint64_t samples = 0;  // of these, readings that succeeded
  bool gap = false;           // the energy since the start is not known any more
  bool lost = false;
  int misses = 0;
  double last_count = kUnknown;  // of a counter
  std::int64_t not_before_ns = 0;
};

Sampler::Sampler(const Files& files, std::vector<Rail> rails, std::vector<Domain> domains, CpuAccount& account, int cpu,
                 double sample_hz)
    : files_(files), account_(account), domains_(std::move(domains)) {
  // Nothing needs the rate without a rail.
  period_ns_ = rails.empty() ? kClockPeriodNs : static_cast<std::int64_t>(1e9 / sample_hz);
  const auto wanted = static_cast<std::size_t>(kRingSeconds * 1e9 / static_cast<double>(period_ns_));
  for (Rail& rail : rails) {
    channels_.push_back(std::make_unique<Channel>(files_, std::move(rail)));
    channels_.back()->ring.resize(std::max(kSmallestRing, std::min(kLargestRing, wanted)));
  }
  tick();
  if (cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    cpu_set_t before;
    // A thread starts where its maker may run: pinned from its first instruction on.
    const bool known = sched_getaffinity(0, sizeof before, &before) == 0;
    pinned_ = known && sched_setaffinity(0, sizeof set, &set) == 0;
    thread_ = std::thread([this] { run(); });
    if (pinned_) sched_setaffinity(0, sizeof before, &before);
  } else {
    thread_ = std::thread([this] { run(); });
  }
}

Sampler::~Sampler() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
}

void Sampler::run() {
  // Signals are the main thread's.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::int64_t next_ns = now_ns();
  for (;;) {
    next_ns = std::max(next_ns + period_ns_, now_ns() - period_ns_);  // what was slept over is not made up for
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(next_ns)};
      while (!stop_ && now_ns() < next_ns) stopping_.wait_until(lock, until);
      if (stop_) return;
    }
    tick();
  }
}

void Sampler::tick() {
  const std::int64_t start_ns = now_ns();
  for (const auto& channel : channels_) read_rail(*channel);
  if (start_ns >= next_clocks_ns_) {
    next_clocks_ns_ = start_ns + kClockPeriodNs;
    read_clocks();
  }
  if (start_ns >= next_account_ns_) {
    next_account_ns_ = start_ns + kAccountPeriodNs;
    account_.sample();
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tick_started_ns_ = start_ns;
  }
  ticked_.notify_all();
}

void Sampler::read_rail(Channel& channel) {
  const std::int64_t before_ns = now_ns();
  if (channel.lost && before_ns < channel.not_before_ns) return;
  const Source& source = channel.rail.source;
  double value = 0, current = 1;
  Outcome outcome = channel.first.read(value);
  if (outcome == Outcome::read && !source.current.empty()) outcome = channel.second.read(current);
  const std::int64_t t_ns = before_ns + (now_ns() - before_ns) / 2;

  const std::lock_guard<std::mutex> lock(mutex_);
  if (outcome != Outcome::read) {
    channel.not_before_ns = before_ns + kReopenPeriodNs;
    if (channel.lost || (outcome == Outcome::missed && ++channel.misses < kMostMisses)) return;
    channel.lost = channel.gap = true;
    channel.last_count = kUnknown;
    lost_.push_back(channel.rail.name);
    append(channel, {t_ns, kUnknown, 0});
    return;
  }
  channel.misses = 0;
  channel.lost = false;
  ++channel.samples;
  const bool any = channel.count > 0;
  const Reading last = any ? channel.at(channel.count - 1) : Reading{t_ns, kUnknown, 0};
  Reading reading{t_ns, value * current * source.unit, last.energy_mj};
  const double seconds = static_cast<double>(t_ns - last.t_ns) / kNsPerSecond;
  if (source.counter) {
    double counted = value - channel.last_count;
    if (counted < 0 && source.wrap > 0) counted += static_cast<double>(source.wrap);
    const bool known = counted >= 0 && seconds > 0;  // not after a gap, nor when it began anew
    if (known) reading.energy_mj += counted * source.unit * 1e3;
    reading.power_w = known ? counted * source.unit / seconds : channel.count == 0 ? 0 : kUnknown;
    if (!known && channel.count > 0) channel.gap = true;
    channel.last_count = value;
  } else if (!std::isnan(last.power_w)) {
    reading.energy_mj += (last.power_w + reading.power_w) / 2 * seconds * 1e3;
  }
  append(channel, reading);
}

void Sampler::append(Channel& channel, Reading reading) {
  if (std::isnan(reading.power_w) && channel.count > 0) reading.energy_mj = channel.at(channel.count - 1).energy_mj;
  channel.ring[channel.count % channel.ring.size()] = reading;
  ++channel.count;
}

void Sampler::read_clocks() {
  ClockReading reading{now_ns(), {}};
  for (const Domain& domain : domains_) reading.clocks.push_back(read_clock(files_, domain));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (clocks_.size() >= kMostClockReadings) clocks_.erase(clocks_.begin(), clocks_.begin() + kMostClockReadings / 2);
  clocks_.push_back(std::move(reading));
}

std::optional<double> Sampler::energy_at(const Channel& channel, std::int64_t t_ns) const {
  const std::uint64_t after = channel.not_before(t_ns);
  if (channel.count == 0 || (after == channel.oldest() && channel.at(after).t_ns > t_ns)) return std::nullopt;
  if (after == channel.count) {
    // The next reading has not come: the power is held, for no longer than it should have taken.
    const Reading& last = channel.at(after - 1);
    if (t_ns - last.t_ns > 2 * period_ns_ || std::isnan(last.power_w)) return std::nullopt;
    return last.energy_mj + last.power_w * static_cast<double>(t_ns - last.t_ns) / kNsPerMs;
  }
  const Reading& next = channel.at(after);
  if (std::isnan(next.power_w)) return std::nullopt;
  if (next.t_ns == t_ns) return next.energy_mj;
  const Reading& last = channel.at(after - 1);
  if (std::isnan(last.power_w)) return std::nullopt;
  const double whole = static_cast<double>(next.t_ns - last.t_ns), part = static_cast<double>(t_ns - last.t_ns);
  if (channel.rail.source.counter) return last.energy_mj + (next.energy_mj - last.energy_mj) * part / whole;
  // Power is a straight line between two readings.
  const double power_w = last.power_w + (next.power_w - last.power_w) * part / whole;
  return last.energy_mj + (last.power_w + power_w) / 2 * part / kNsPerMs;
}

Json Sampler::window(std::int64_t start_ns, std::int64_t end_ns) {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::int64_t most_ns = now_ns() + 2 * period_ns_;
    const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(most_ns)};
    while (!channels_.empty() && tick_started_ns_ < end_ns && now_ns() < most_ns) ticked_.wait_until(lock, until);
  }
  read_clocks();
  Json mhz = Json::object(), energy_mj = Json::object();
  bool steady = true;
  std::optional<std::uint64_t> samples;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& channel : channels_) {
    const std::uint64_t first = channel->not_before(start_ns), last = channel->not_before(end_ns + 1);
    bool whole = true;
    std::uint64_t inside = 0;
    for (std::uint64_t i = first; i < last; ++i) {
      if (std::isnan(channel->at(i).power_w)) {
        whole = false;
      } else {
        ++inside;
      }
    }
    const auto from = energy_at(*channel, start_ns), to = energy_at(*channel, end_ns);
    energy_mj[channel->rail.name] = whole && inside >= 2 && from && to ? Json(*to - *from) : Json();
    if (!channel->lost) samples = std::min(samples.value_or(inside), inside);
  }
  for (std::size_t d = 0; d < domains_.size(); ++d) {
    std::int64_t lowest = -1, highest = -1, last = -1;
    for (std::size_t i = clocks_.size(); i-- > 0;) {
      const std::int64_t clock = clocks_[i].clocks[d];
      if (clock >= 0) {
        if (last < 0) last = clock;
        lowest = lowest < 0 ? clock : std::min(lowest, clock);
        highest = std::max(highest, clock);
      }
      if (clocks_[i].t_ns <= start_ns) break;
    }
    mhz[domains_[d].name] = last < 0 ? Json() : Json(domains_[d].mhz(last));
    if (last >= 0 && static_cast<double>(highest - lowest) > kClockJitter * static_cast<double>(highest))
      steady = false;
  }
  return {{"mhz", mhz}, {"energy_mj", energy_mj}, {"samples", samples.value_or(0)}, {"steady", steady}};
}

std::vector<Sampler::Now> Sampler::now() {
  std::vector<Now> all;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& channel : channels_) {
    Now one;
    one.samples = channel->samples;
    if (channel->count > 0 && !channel->lost) {
      const Reading& last = channel->at(channel->count - 1);
      if (!std::isnan(last.power_w)) one.power_w = last.power_w;
      if (!channel->gap) one.energy_mj = last.energy_mj;
    }
    all.push_back(one);
  }
  return all;
}

std::vector<std::string> Sampler::take_lost() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(lost_, {});
}

}  // namespace dynasoc::agent
