#include "board.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

namespace dynasoc::fakeboard {
namespace {

using nlohmann::json;

// An invented board's, not a measurement of any: busy - idle = 1.6 W/(GHz V^2) f V^2 with V from 0.60 V at 600 MHz to
// 1.02 V at 1800 MHz, idle = 0.25 W/V^2 V^2.
struct CurvePoint {
  double mhz, idle_w, busy_w;
};
constexpr CurvePoint kCurve[] = {
    {600, 0.09, 0.44}, {900, 0.12, 0.78}, {1200, 0.15, 1.32}, {1500, 0.20, 2.15}, {1800, 0.26, 3.26}};
constexpr double kSocW = 0.8, kOtherW = 1.2;  // whatever the core does

constexpr long kSupplyMv = 5000;
constexpr const char* kRails[] = {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"};
constexpr const char* kGovernors[] = {"performance", "powersave", "userspace", "schedutil", "ondemand"};
constexpr int kMostLogged = 20'000;  // changes; the log must not fill a disk

std::string line(long x) { return std::to_string(x) + "\n"; }

std::string read_text(int file) {
  char buffer[256];
  const ssize_t n = pread(file, buffer, sizeof buffer, 0);
  std::string text(buffer, n > 0 ? n : 0);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

void write_all(int file, std::string text, std::size_t length) {
  text.resize(std::max(length, text.size()), '\n');
  if (pwrite(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) throw_system("cannot write");
}

bool whole_number(const std::string& text, long& x) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  return error == std::errc() && end == text.data() + text.size() && x > 0;
}

double interpolate(const std::vector<Opp>& curve, double mhz, double Opp::*what) {
  if (mhz <= curve.front().mhz()) return curve.front().*what;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    const Opp &a = curve[i - 1], &b = curve[i];
    if (mhz <= b.mhz()) return a.*what + (b.*what - a.*what) * (mhz - a.mhz()) / (b.mhz() - a.mhz());
  }
  return curve.back().*what;
}

}  // namespace

int Physics::ceiling(long khz) const {
  const auto at = std::find_if(opps.begin(), opps.end(), [&](const Opp& opp) { return opp.khz >= khz; });
  return static_cast<int>(std::min<std::ptrdiff_t>(at - opps.begin(), opps.size() - 1));
}

int Physics::floor(long khz) const {
  const auto past = std::find_if(opps.begin(), opps.end(), [&](const Opp& opp) { return opp.khz > khz; });
  return static_cast<int>(std::max<std::ptrdiff_t>(past - opps.begin(), 1) - 1);
}

int Physics::nearest(double mhz) const {
  const auto closer = [&](const Opp& a, const Opp& b) { return std::abs(a.mhz() - mhz) < std::abs(b.mhz() - mhz); };
  return static_cast<int>(std::min_element(opps.begin(), opps.end(), closer) - opps.begin());
}

Physics read_physics(const std::string& curve, const std::vector<double>& opps_mhz) {
  Physics physics{.opps = {}, .soc_w = kSocW, .other_w = kOtherW};
  const auto add = [&](double mhz, double idle_w, double busy_w) {
    if (!(mhz >= 1 && mhz < 1e5 && idle_w >= 0 && busy_w >= idle_w && busy_w <= 1000))
      throw Failure(kBadUsage, curve + ": an OPP needs 1 <= mhz < 100,000 and 0 <= idle_w <= busy_w <= 1000");
    physics.opps.push_back({std::lround(mhz * 1e3), idle_w, busy_w});
  };
  if (curve == "defaults") {
    for (const CurvePoint& point : kCurve) add(point.mhz, point.idle_w, point.busy_w);
  } else {
    try {
      std::ifstream file(curve);
      if (!file) throw Failure(kBadUsage, "cannot read " + curve);
      const json read = json::parse(file);
      physics.soc_w = read.value("soc_w", kSocW);
      physics.other_w = read.value("other_w", kOtherW);
      for (const json& opp : read.at("opps")) add(opp.at("mhz"), opp.at("idle_w"), opp.at("busy_w"));
    } catch (const json::exception& error) {
      throw Failure(kBadUsage, curve + ": " + error.what());
    }
  }
  const auto sort = [](std::vector<Opp>& opps) {
    std::sort(opps.begin(), opps.end(), [](const Opp& a, const Opp& b) { return a.khz < b.khz; });
    const auto same = [](const Opp& a, const Opp& b) { return a.khz == b.khz; };
    opps.erase(std::unique(opps.begin(), opps.end(), same), opps.end());
  };
  sort(physics.opps);
  if (physics.opps.empty()) throw Failure(kBadUsage, curve + ": \"opps\" is empty");
  if (opps_mhz.empty()) return physics;
  const std::vector<Opp> known = std::exchange(physics.opps, {});
  for (const double mhz : opps_mhz)
    add(mhz, interpolate(known, mhz, &Opp::idle_w), interpolate(known, mhz, &Opp::busy_w));
  sort(physics.opps);
  return physics;
}

void Temperature::add(double power_w, double ns) {
  const double settled = kAmbient + kKelvinPerWatt * power_w;
  celsius_ = settled + (celsius_ - settled) * std::exp(-ns * 1e-9 / (kKelvinPerWatt * kJoulePerKelvin));
}

BoardFiles::BoardFiles(const std::string& root, int cpu, int jetpack, const Physics& physics)
    : root_(root), cpu_(cpu), physics_(physics) {
  utsname system{};
  uname(&system);
  make("proc/device-tree/model", std::string("dynasoc fake board") + '\0');
  make("proc/device-tree/compatible", std::string("dynasoc,fake-board") + '\0');
  make("proc/sys/kernel/osrelease", std::string(system.release) + "\n");

  const long cpus = std::max(sysconf(_SC_NPROCESSORS_CONF), static_cast<long>(cpu) + 1);
  const std::string list = "0-" + line(cpus - 1), cpu_folder = "sys/devices/system/cpu/";
  for (const char* file : {"online", "possible", "present"}) make(cpu_folder + file, list);
  for (long i = 0; i < cpus; ++i) {
    const std::string own = cpu_folder + "cpu" + std::to_string(i);
    make(own + "/topology/core_id", line(i));
    if (i > 0) make(own + "/online", "1\n");
  }
  make_cpufreq(physics);
  make_meter(jetpack);

  const std::string zone = "sys/devices/virtual/thermal/thermal_zone0";
  make(zone + "/type", "CPU-therm\n");
  make(zone + "/trip_point_0_type", "passive\n");
  make(zone + "/trip_point_0_temp", "90000\n");
  temperature_ = make_live(zone + "/temp");
  link("sys/class/thermal/thermal_zone0", "../../devices/virtual/thermal/thermal_zone0");

  real_times_ = Descriptor(open("/proc/stat", O_RDONLY | O_CLOEXEC));
  times_ = make_live("proc/stat");
  log_ = make_live("fakeboard.log");

  show_clock(physics.opps.back().khz);
  show_power(physics.opps.back().idle_w);
  show_temperature(Temperature().celsius());
  show_times({});
}

void BoardFiles::make(const std::string& path, const std::string& content) const {
  const std::filesystem::path whole = root_ / path;
  std::filesystem::create_directories(whole.parent_path());
  std::ofstream file(whole, std::ios::binary);
  if (!(file << content << std::flush)) throw Failure(kFailed, "cannot write " + whole.string());
}

Descriptor BoardFiles::make_live(const std::string& path) const {
  make(path, "");
  Descriptor file(open((root_ / path).c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) throw_system("cannot open " + path);
  return file;
}

void BoardFiles::link(const std::string& path, const std::string& target) const {
  const std::filesystem::path whole = root_ / path;
  std::filesystem::create_directories(whole.parent_path());
  std::filesystem::remove(whole);
  std::filesystem::create_symlink(target, whole);
}

void BoardFiles::make_cpufreq(const Physics& physics) {
  const std::string policy = "policy" + std::to_string(cpu_), folder = "sys/devices/system/cpu/cpufreq/" + policy + "/";
  const long lowest = physics.opps.front().khz, highest = physics.opps.back().khz;
  std::string clocks, governors;
  for (const Opp& opp : physics.opps) clocks += std::to_string(opp.khz) + " ";
  for (const char* governor : kGovernors) governors += std::string(governor) + " ";
  make(folder + "scaling_available_frequencies", clocks + "\n");
  make(folder + "scaling_available_governors", governors + "\n");
  make(folder + "scaling_driver", "dynasoc-fakeboard\n");
  make(folder + "affected_cpus", line(cpu_));
  make(folder + "related_cpus", line(cpu_));
  make(folder + "cpuinfo_min_freq", line(lowest));
  make(folder + "cpuinfo_max_freq", line(highest));
  make(folder + "cpuinfo_transition_latency", "300000\n");
  current_clock_ = make_live(folder + "scaling_cur_freq");
  cpuinfo_clock_ = make_live(folder + "cpuinfo_cur_freq");
  const auto knob = [&](Knob& which, const char* name, const std::string& value) {
    which.path = folder + name;
    which.file = make_live(which.path);
    put(which, value);
  };
  knob(governor_, "scaling_governor", kGovernors[0]);
  knob(min_, "scaling_min_freq", std::to_string(lowest));
  knob(max_, "scaling_max_freq", std::to_string(highest));
  knob(speed_, "scaling_setspeed", "<unsupported>");
  link("sys/devices/system/cpu/cpu" + std::to_string(cpu_) + "/cpufreq", "../cpufreq/" + policy);
}

void BoardFiles::make_meter(int jetpack) {
  const bool old = jetpack == 4;
  const std::string folder =
      old ? "sys/bus/i2c/drivers/ina3221x/7-0040/iio:device0/" : "sys/bus/i2c/drivers/ina3221/7-0040/hwmon/hwmon3/";
  make(folder + "name", old ? "ina3221x\n" : "ina3221\n");
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(old ? i : i + 1);
    make(folder + (old ? "rail_name_" + n : "in" + n + "_label"), std::string(kRails[i]) + "\n");
    make(folder + (old ? "in_voltage" + n + "_input" : "in" + n + "_input"), line(kSupplyMv));
    rails_[i].current = make_live(folder + (old ? "in_current" + n + "_input" : "curr" + n + "_input"));
    if (old) rails_[i].power = make_live(folder + "in_power" + n + "_input");
  }
  if (old) return;
  make(folder + "in7_label", "sum of shunt voltages\n");
  make(folder + "in7_input", "12\n");
  link("sys/class/hwmon/hwmon3", "../../bus/i2c/drivers/ina3221/7-0040/hwmon/hwmon3");
}

void BoardFiles::watch(int inotify) const {
  if (inotify < 0) return;
  for (const Knob* knob : {&governor_, &min_, &max_, &speed_})
    inotify_add_watch(inotify, (root_ / knob->path).c_str(), IN_MODIFY);
}

// An empty file is one that is being written. What follows the first line is the rest of a longer, former value.
bool BoardFiles::changed(Knob& knob, std::string& text) const {
  text = read_text(knob.file.get());
  text.resize(std::min(text.size(), text.find('\n')));
  return !text.empty() && text != knob.last;
}

void BoardFiles::put(Knob& knob, const std::string& text) const {
  write_all(knob.file.get(), text + "\n", 16);
  knob.last = text;
}

void BoardFiles::read_knobs(Knobs& knobs) {
  const long lowest = physics_.opps.front().khz, highest = physics_.opps.back().khz;
  std::string text;
  long khz = 0;
  if (changed(governor_, text)) {
    if (std::find(std::begin(kGovernors), std::end(kGovernors), text) == std::end(kGovernors)) {
      put(governor_, governor_.last);
    } else {
      governor_.last = text;
    }
  }
  // A limit beyond the clocks is brought within; the lower limit never passes the upper.
  if (changed(max_, text)) {
    if (whole_number(text, khz)) {
      max_.last = text;
      khz = std::clamp(khz, lowest, highest);
      if (std::to_string(khz) != text) put(max_, std::to_string(khz));
    } else {
      put(max_, max_.last);
    }
  }
  if (changed(min_, text)) {
    if (whole_number(text, khz)) {
      min_.last = text;
      khz = std::clamp(khz, lowest, highest);
      if (std::to_string(khz) != text) put(min_, std::to_string(khz));
    } else {
      put(min_, min_.last);
    }
  }
  const bool was_userspace = knobs.governor == "userspace";
  knobs.governor = governor_.last;
  whole_number(max_.last, knobs.max_khz);
  whole_number(min_.last, knobs.min_khz);
  knobs.min_khz = std::min(knobs.min_khz, knobs.max_khz);
  if (knobs.governor != "userspace") {
    if (speed_.last != "<unsupported>" || changed(speed_, text)) put(speed_, "<unsupported>");
    return;
  }
  if (!was_userspace) {  // it starts from the clock that it finds
    whole_number(read_text(current_clock_.get()), knobs.speed_khz);
    put(speed_, std::to_string(knobs.speed_khz));
  } else if (changed(speed_, text)) {
    if (whole_number(text, khz)) {
      speed_.last = text;
      knobs.speed_khz = khz;
    } else {
      put(speed_, speed_.last);
    }
  }
}

void BoardFiles::show_clock(long khz) {
  write_all(current_clock_.get(), line(khz), 9);
  write_all(cpuinfo_clock_.get(), line(khz), 9);
}

void BoardFiles::show_rail(Rail& rail, double power_w) {
  const double exact_ma = power_w * 1e6 / kSupplyMv + rail.owed_ma;
  const long ma = std::lround(exact_ma);
  rail.owed_ma = exact_ma - static_cast<double>(ma);
  write_all(rail.current.get(), line(ma), 8);
  if (rail.power.get() >= 0) write_all(rail.power.get(), line(ma * kSupplyMv / 1000), 8);
}

void BoardFiles::show_power(double cpu_w) {
  show_rail(rails_[0], cpu_w + physics_.soc_w + physics_.other_w);
  show_rail(rails_[1], cpu_w);
  show_rail(rails_[2], physics_.soc_w);
}

void BoardFiles::show_temperature(double celsius) {
  write_all(temperature_.get(), line(std::lround(celsius * 1e3)), 8);
}

void BoardFiles::show_times(const Times& times) {
  constexpr double kTickNs = 1e7;
  constexpr int kColumns = 10;  // user nice system idle iowait irq softirq steal guest guest_nice
  std::array<char, 4096> buffer;
  const ssize_t n = pread(real_times_.get(), buffer.data(), buffer.size(), 0);
  std::istringstream real(std::string(buffer.data(), n > 0 ? n : 0));
  std::array<long, kColumns> sum{};
  std::string rows, row;
  std::getline(real, row);  // the sum, made anew
  const std::string own = "cpu" + std::to_string(cpu_);
  while (std::getline(real, row) && row.starts_with("cpu")) {
    std::istringstream cells(row);
    std::array<long, kColumns> values{};
    std::string name;
    cells >> name;
    for (long& value : values) cells >> value;
    if (name == own)
      values = {std::lround(times.busy / kTickNs),  0, 0, std::lround(times.idle / kTickNs), 0, 0, 0,
                std::lround(times.taken / kTickNs), 0, 0};
    rows += name;
    for (int i = 0; i < kColumns; ++i) {
      rows += " " + std::to_string(values[i]);
      sum[i] += values[i];
    }
    rows += "\n";
  }
  std::string text = "cpu ";
  for (const long value : sum) text += " " + std::to_string(value);
  text += "\n" + rows;
  write_all(times_.get(), text, (text.size() + 127) / 128 * 128 + 128);
}

void BoardFiles::write_truth(const json& settings) const {
  json truth = settings;
  truth["comment"] = "the truth, for judging what a program found out by measuring; log: fakeboard.log (ns, kHz)";
  truth["soc_w"] = physics_.soc_w;
  truth["other_w"] = physics_.other_w;
  for (const Opp& opp : physics_.opps)
    truth["opps"].push_back({{"mhz", opp.mhz()},
                             {"share", opp.mhz() / physics_.opps.back().mhz()},
                             {"idle_w", opp.idle_w},
                             {"busy_w", opp.busy_w}});
  make("fakeboard.json", truth.dump(1) + "\n");
}

void BoardFiles::log_change(Ns time, long khz) {
  if (++logged_ > kMostLogged) return;
  const std::string text = std::to_string(time) + " " + line(khz);
  if (write(log_.get(), text.data(), text.size()) < 0) throw_system("cannot write fakeboard.log");
}

}  // namespace dynasoc::fakeboard
