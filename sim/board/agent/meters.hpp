// The meters of a board: power rails, thermal zones, and the thread that reads rails and clocks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cpu_account.hpp"
#include "files.hpp"
#include "knobs.hpp"

namespace dynasoc::agent {

/// Where a rail's power is read. Rails are known by their labels: numbers change from boot to boot.
struct RailSource {
  std::string label;
  std::string kind;       ///< `ina3221x`, `hwmon`, `powercap`
  std::string path;       ///< of the power, of the voltage, or of a counter of energy
  std::string current;    ///< multiplied with the voltage; empty: `path` is the power
  double unit = 1;        ///< W (or J) of one of what is read (of the product, where there are two)
  bool counter = false;   ///< `path` counts energy
  std::int64_t wrap = 0;  ///< where the counter starts again; 0: never
};

/// JetPack 4's ina3221x, JetPack 5's ina3221, any hwmon that tells power, powercap; in this order.
std::vector<RailSource> find_rails(const Files& files);
/// Once, now; nothing for a counter or where it cannot be read.
std::optional<double> read_power_w(const Files& files, const RailSource& source);

struct ThermalZone {
  std::string zone;  ///< `thermal_zone0`
  std::string type;  ///< what it is known by
  std::string path;  ///< of its temperature
};
std::vector<ThermalZone> find_zones(const Files& files);
Json trips_json(const Files& files, const ThermalZone& zone);
/// Nothing if it cannot be read; `gone`: and there is no hope that the next attempt does better.
std::optional<double> read_temperature_c(const Files& files, const ThermalZone& zone, bool* gone = nullptr);

/// Reads rails at a rate, clocks and CPU times less often, on a thread of its own, into rings of the last two minutes.
class Sampler {
 public:
  struct Rail {
    std::string name;
    RailSource source;
  };
  struct Now {
    std::optional<double> power_w, energy_mj;
    std::uint64_t samples = 0;
  };

  /// Reads everything once before it returns. `cpu` -1: anywhere.
  Sampler(const Files& files, std::vector<Rail> rails, std::vector<Domain> domains, CpuAccount& account, int cpu,
          double sample_hz);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  bool pinned() const { return pinned_; }
  /// `mhz`, `energy_mj`, `samples`, `steady`.
  Json window(std::int64_t start_ns, std::int64_t end_ns);
  std::vector<Now> now();  ///< of each rail, in order
  /// Names of rails that have gone since the last call.
  std::vector<std::string> take_lost();

 private:
  struct Reading {
    std::int64_t t_ns;
    double power_w;    // NaN: it could not be read, and nothing is known of the time about it
    double energy_mj;  // since the first reading
  };
  struct Channel;
  struct ClockReading {
    std::int64_t t_ns;
    std::vector<std::int64_t> clocks;
  };

  void run();
  void tick();
  void read_rail(Channel& channel);
  void append(Channel& channel, Reading reading);
  void read_clocks();
  std::optional<double> energy_at(const Channel& channel, std::int64_t t_ns) const;

  const Files& files_;
  CpuAccount& account_;
  std::vector<Domain> domains_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::int64_t period_ns_;

  std::mutex mutex_;  // of all below
  std::condition_variable ticked_, stopping_;
  std::int64_t tick_started_ns_ = 0;
  std::vector<ClockReading> clocks_;  // oldest first; the first half is dropped now and then
  std::vector<std::string> lost_;
  bool stop_ = false;

  std::int64_t next_clocks_ns_ = 0, next_account_ns_ = 0;  // of the reading thread
  std::atomic<bool> pinned_{true};
  std::thread thread_;
};

}  // namespace dynasoc::agent
