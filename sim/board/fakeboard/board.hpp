// What the fake board is (its physics, declared) and the files that it shows.
#pragma once

#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core.hpp"

namespace dynasoc::fakeboard {

/// A file descriptor that is closed with it.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Opp {
  long khz = 0;
  double idle_w = 0, busy_w = 0;  // of the core: P = idle + utilisation * (busy - idle)

  double mhz() const { return static_cast<double>(khz) / 1e3; }
};

/// The truth about the board.
struct Physics {
  std::vector<Opp> opps;  // by clock
  double soc_w = 0, other_w = 0;

  double share(int opp) const { return opps[opp].mhz() / opps.back().mhz(); }
  int ceiling(long khz) const;  ///< the lowest OPP that is at least so fast, else the fastest
  int floor(long khz) const;    ///< the highest OPP that is at most so fast, else the slowest
  int nearest(double mhz) const;
};

/// `curve`: "defaults" or a file {"soc_w", "other_w", "opps": [{"mhz", "idle_w", "busy_w"}]}. `opps_mhz`, if not empty:
/// the clocks, with powers interpolated on the curve. Throws a Failure.
Physics read_physics(const std::string& curve, const std::vector<double>& opps_mhz);

/// One node of heat: C dT/dt = P - (T - ambient)/R.
class Temperature {
 public:
  void add(double power_w, double ns);
  double celsius() const { return celsius_; }

 private:
  static constexpr double kAmbient = 25, kKelvinPerWatt = 12, kJoulePerKelvin = 1.5;
  double celsius_ = kAmbient;
};

struct Knobs {
  std::string governor = "performance";
  long min_khz = 0, max_khz = 0, speed_khz = 0;
};

/// Of the emulated core, since the start [ns].
struct Times {
  double busy = 0, idle = 0, taken = 0;
};

/// The board's folder. Files that change are written in place with one pwrite of a fixed length (filled up with line
/// ends, which no reader minds): a reader never finds one empty or half of it.
class BoardFiles {
 public:
  /// Makes the tree below `root`. Throws a Failure.
  BoardFiles(const std::string& root, int cpu, int jetpack, const Physics& physics);

  void watch(int inotify) const;
  /// As a kernel would: what cannot be is refused, so the file shows its last value again.
  void read_knobs(Knobs& knobs);

  void show_clock(long khz);
  void show_power(double cpu_w);
  void show_temperature(double celsius);
  void show_times(const Times& times);
  void write_truth(const nlohmann::json& settings) const;
  void log_change(Ns time, long khz);

 private:
  struct Knob {
    std::string path;
    Descriptor file;
    std::string last;  // as read or written
  };
  struct Rail {
    Descriptor current, power;  // power: JetPack 4 alone
    double owed_ma = 0;         // rounding, carried on so that the mean is right
  };

  void make(const std::string& path, const std::string& content) const;
  Descriptor make_live(const std::string& path) const;
  void link(const std::string& path, const std::string& target) const;
  void make_cpufreq(const Physics& physics);
  void make_meter(int jetpack);
  void show_rail(Rail& rail, double power_w);
  bool changed(Knob& knob, std::string& text) const;
  void put(Knob& knob, const std::string& text) const;

  std::filesystem::path root_;
  int cpu_;
  const Physics& physics_;
  Knob governor_, min_, max_, speed_;
  Descriptor current_clock_, cpuinfo_clock_, temperature_, times_, real_times_;
  std::array<Rail, 3> rails_;
  Descriptor log_;
  int logged_ = 0;
};

}  // namespace dynasoc::fakeboard
