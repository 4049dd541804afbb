#include "knobs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "settle.hpp"

namespace dynasoc::agent {
namespace {

constexpr char kCpus[] = "/sys/devices/system/cpu";
constexpr char kBpmp[] = "/sys/kernel/debug/bpmp/debug";
constexpr std::size_t kRemembered = 1024;  // instants of clock writes

std::string cpu_folder(int cpu) { return kCpus + std::string("/cpu") + std::to_string(cpu); }

void sort_unique(std::vector<std::int64_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// Drivers round to a kHz, or to what a divider gives: half a per mille is below the distance of any two OPPs.
bool same_clock(std::int64_t a, std::int64_t b) {
  return a >= 0 && b >= 0 && std::abs(static_cast<double>(a - b)) <= 5e-4 * static_cast<double>(b);
}

std::string existing(const Files& files, const std::string& path) { return files.exists(path) ? path : std::string(); }

Domain cpu_domain(const Files& files, const std::string& folder, const std::vector<int>& cpus) {
  Domain domain;
  domain.kind = "cpu";
  domain.name = "cpu" + std::to_string(cpus.front());
  domain.path = folder;
  domain.cpus = cpus;
  domain.low_path = existing(files, folder + "/scaling_min_freq");
  domain.high_path = existing(files, folder + "/scaling_max_freq");
  domain.clock_path = existing(files, folder + "/scaling_cur_freq");
  domain.governor_path = existing(files, folder + "/scaling_governor");
  domain.governors = words(files.read(folder + "/scaling_available_governors").value_or(""));
  domain.opps = numbers(files.read(folder + "/scaling_available_frequencies").value_or(""));
  domain.has_list = !domain.opps.empty();
  if (!domain.has_list) {
    for (const char* end : {"/cpuinfo_min_freq", "/cpuinfo_max_freq"}) {
      if (const auto clock = files.read_whole(folder + end)) domain.opps.push_back(*clock);
    }
  }
  sort_unique(domain.opps);
  return domain;
}

Domain devfreq_at(const Files& files, const std::string& folder) {
  Domain domain;
  domain.kind = "gpu";
  domain.name = folder.substr(folder.rfind('/') + 1);
  domain.path = folder;
  domain.per_mhz = 1000000;
  domain.low_path = existing(files, folder + "/min_freq");
  domain.high_path = existing(files, folder + "/max_freq");
  domain.clock_path = existing(files, folder + "/cur_freq");
  domain.governor_path = existing(files, folder + "/governor");
  domain.governors = words(files.read(folder + "/available_governors").value_or(""));
  domain.opps = numbers(files.read(folder + "/available_frequencies").value_or(""));
  domain.has_list = !domain.opps.empty();
  sort_unique(domain.opps);
  return domain;
}

/// Folders of devfreq entries; the class's own first, as its names are the same on all kernels.
std::vector<std::string> devfreq_folders(const Files& files) {
  std::vector<std::string> folders;
  std::set<std::string> names;
  const auto take = [&](const std::string& parent) {
    for (const std::string& name : files.list(parent)) {
      if (files.exists(parent + "/" + name + "/cur_freq") && names.insert(name).second) {
        folders.push_back(parent + "/" + name);
      }
    }
  };
  take("/sys/class/devfreq");
  for (const std::string& parent : {std::string("/sys/devices"), std::string("/sys/devices/platform")}) {
    for (const std::string& device : files.list(parent)) take(parent + "/" + device + "/devfreq");
  }
  return folders;
}

bool is_gpu(const std::string& folder) {
  const std::string name = folder.substr(folder.rfind('/') + 1);
  for (const char* end : {".gv11b", ".ga10b", ".gp10b", ".gm20b", ".gpu", ".mali", "-gpu", "gpu"}) {
    if (ends_with(name, end)) return true;
  }
  return false;
}

/// Clocks that the vendor's power modes limit the memory to.
std::vector<std::int64_t> mode_clocks(const Files& files) {
  std::vector<std::int64_t> clocks;
  const std::vector<std::string> all = words(files.read("/etc/nvpmodel.conf").value_or(""));
  for (std::size_t i = 0; i + 2 < all.size(); ++i) {
    if (all[i] != "EMC" || all[i + 1] != "MAX_FREQ") continue;
    for (const std::int64_t clock : numbers(all[i + 2])) {
      if (clock > 0) clocks.push_back(clock);
    }
  }
  return clocks;
}

bool memory_domain(const Files& files, Domain& domain) {
  const std::string clock = kBpmp + std::string("/clk/emc");
  domain.kind = "memory";
  domain.name = "emc";
  domain.per_mhz = 1000000;
  for (const char* cap : {"/sys/kernel/nvpmodel_emc_cap/emc_iso_cap", "/sys/kernel/nvpmodel_clk_cap/emc"}) {
    if (domain.high_path.empty()) domain.high_path = existing(files, cap);
  }
  domain.clock_path = existing(files, clock + "/rate");
  if (files.exists(clock + "/mrq_rate_locked") && !domain.clock_path.empty()) {
    domain.rate_path = domain.clock_path;
    domain.lock_path = clock + "/mrq_rate_locked";
  }
  if (domain.high_path.empty() && domain.clock_path.empty()) return false;
  domain.path = domain.high_path.empty() ? clock : domain.high_path;

  for (const std::string& path : {kBpmp + std::string("/emc/possible_rates"), clock + "/possible_rates"}) {
    for (const std::int64_t rate : numbers(files.read(path).value_or(""))) {
      // Kernels differ in kHz or Hz: no memory of these boards is below 10 MHz or above 10 GHz.
      if (rate > 0) domain.opps.push_back(rate < 10000000 ? rate * 1000 : rate);
    }
  }
  domain.has_list = !domain.opps.empty();
  if (!domain.has_list) {
    for (const char* end : {"/min_rate", "/max_rate"}) {
      const std::int64_t rate = files.read_whole(clock + end).value_or(0);
      if (rate > 0) domain.opps.push_back(rate);
    }
    const std::vector<std::int64_t> modes = mode_clocks(files);
    domain.opps.insert(domain.opps.end(), modes.begin(), modes.end());
    const std::int64_t cap = domain.high_path.empty() ? 0 : files.read_whole(domain.high_path).value_or(0);
    if (cap > 0) domain.opps.push_back(cap);
  }
  sort_unique(domain.opps);
  return true;
}

Json mhz_or_null(const Domain& domain, std::int64_t clock) { return clock < 0 ? Json() : Json(domain.mhz(clock)); }

Json limits_json(const Domain& domain, const Limits& limits) {
  return {{"min_mhz", mhz_or_null(domain, limits.low)}, {"max_mhz", mhz_or_null(domain, limits.high)}};
}

Json mhz_list(const Domain& domain) {
  Json list = Json::array();
  for (const std::int64_t clock : domain.opps) list.push_back(domain.mhz(clock));
  return list;
}

}  // namespace

std::vector<int> present_cpus(const Files& files) {
  std::vector<int> cpus = cpu_list(files.read(kCpus + std::string("/present")).value_or(""));
  if (!cpus.empty()) return cpus;
  for (const std::string& name : files.list(kCpus)) {
    if (starts_with(name, "cpu") && name.size() > 3 && name.find_first_not_of("0123456789", 3) == std::string::npos) {
      cpus.push_back(std::atoi(name.c_str() + 3));
    }
  }
  return cpus;
}

bool cpu_online(const Files& files, int cpu) {
  if (const auto online = files.read(cpu_folder(cpu) + "/online")) return *online != "0";
  const auto listed = files.read(kCpus + std::string("/online"));
  if (!listed) return true;
  const std::vector<int> cpus = cpu_list(*listed);
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

std::vector<Cpu> find_cpus(const Files& files, const std::vector<Domain>& domains) {
  std::vector<Cpu> found;
  for (const int id : present_cpus(files)) {
    Cpu cpu;
    cpu.id = id;
    cpu.online = cpu_online(files, id);
    cpu.hotplug = id != 0 && files.exists(cpu_folder(id) + "/online");
    for (const Domain& domain : domains) {
      if (std::find(domain.cpus.begin(), domain.cpus.end(), id) != domain.cpus.end()) cpu.policy = domain.name;
    }
    found.push_back(cpu);
  }
  return found;
}

std::vector<Domain> find_domains(const Files& files) {
  std::vector<Domain> domains;
  std::set<int> covered;
  for (const int cpu : present_cpus(files)) {
    if (covered.count(cpu) != 0) continue;
    const std::string folder = cpu_folder(cpu) + "/cpufreq";
    if (!files.exists(folder + "/scaling_max_freq")) continue;
    std::vector<int> related;
    for (const std::int64_t other : numbers(files.read(folder + "/related_cpus").value_or(""))) {
      related.push_back(static_cast<int>(other));
    }
    if (std::find(related.begin(), related.end(), cpu) == related.end()) related.push_back(cpu);
    std::sort(related.begin(), related.end());
    covered.insert(related.begin(), related.end());
    domains.push_back(cpu_domain(files, folder, related));
  }
  for (const std::string& folder : devfreq_folders(files)) {
    if (!is_gpu(folder)) continue;
    domains.push_back(devfreq_at(files, folder));
    domains.back().name = "gpu";
    break;
  }
  Domain memory;
  if (memory_domain(files, memory)) domains.push_back(memory);
  return domains;
}

Domain devfreq_domain(const Files& files, const std::string& name) {
  std::string there;
  for (const std::string& folder : devfreq_folders(files)) {
    const std::string one = folder.substr(folder.rfind('/') + 1);
    if (one == name || (name == "gpu" && is_gpu(folder))) return devfreq_at(files, folder);
    there += (there.empty() ? "" : ", ") + one;
  }
  throw Refusal("not_found",
                "no devfreq \"" + name + "\" on this board; there is " + (there.empty() ? std::string("none") : there));
}

Limits read_limits(const Files& files, const Domain& domain) {
  Limits limits;
  if (!domain.low_path.empty()) limits.low = files.read_whole(domain.low_path).value_or(-1);
  if (!domain.high_path.empty()) limits.high = files.read_whole(domain.high_path).value_or(-1);
  if (domain.kind != "memory") return limits;
  if (!domain.opps.empty()) {
    limits.low = domain.opps.front();
    if (limits.high <= 0) limits.high = domain.opps.back();  // 0: no cap
  }
  if (!domain.lock_path.empty() && files.read(domain.lock_path).value_or("0") == "1") {
    limits.low = limits.high = files.read_whole(domain.rate_path).value_or(-1);
  }
  return limits;
}

std::int64_t read_clock(const Files& files, const Domain& domain) {
  return domain.clock_path.empty() ? -1 : files.read_whole(domain.clock_path).value_or(-1);
}

bool writable(const Files& files, const Domain& domain) {
  if (domain.kind == "memory") {
    return (!domain.high_path.empty() && files.writable(domain.high_path)) ||
           (!domain.lock_path.empty() && files.writable(domain.lock_path) && files.writable(domain.rate_path));
  }
  return !domain.low_path.empty() && !domain.high_path.empty() && files.writable(domain.low_path) &&
         files.writable(domain.high_path);
}

Json clock_json(const Files& files, const Domain& domain) {
  Json json = limits_json(domain, read_limits(files, domain));
  json["mhz"] = mhz_or_null(domain, read_clock(files, domain));
  const auto governor = domain.governor_path.empty() ? std::nullopt : files.read(domain.governor_path);
  json["governor"] = governor ? Json(*governor) : Json();
  return json;
}

Json domain_json(const Files& files, const Domain& domain) {
  Json json = clock_json(files, domain);
  json["name"] = domain.name;
  json["kind"] = domain.kind;
  json["path"] = files.full(domain.path);
  json["cpus"] = domain.cpus;
  json["opps_mhz"] = mhz_list(domain);
  json["governors"] = domain.governors;
  json["writable"] = writable(files, domain);
  return json;
}

void Knobs::begin() {
  writes_ = Json::array();
  settle_ms_ = 0;
}

Json Knobs::answer(const Json& requested, const Json& actual) {
  return {{"requested", requested}, {"actual", actual}, {"settle_ms", settle_ms_}, {"writes", writes_}};
}

void Knobs::write(const std::string& path, const std::string& value, bool reads_back) {
  writes_.push_back({{"path", files_.full(path)}, {"value", value}});
  if (dry_run_) return;
  if (journal_.original(path) == nullptr) {
    const auto original = files_.read(path);
    if (!original) throw Refusal("io", files_.full(path) + ": cannot be read", {{"path", files_.full(path)}});
    journal_.keep(path, *original, reads_back);
  }
  files_.write(path, value);
}

void Knobs::note_clock_write() {
  if (dry_run_) return;
  if (clock_writes_ns_.size() >= kRemembered) {
    clock_writes_ns_.erase(clock_writes_ns_.begin(), clock_writes_ns_.begin() + kRemembered / 2);
  }
  clock_writes_ns_.push_back(now_ns());
}

bool Knobs::clock_written(std::int64_t start_ns, std::int64_t end_ns) const {
  for (const std::int64_t at_ns : clock_writes_ns_) {
    if (at_ns >= start_ns && at_ns <= end_ns) return true;
  }
  return false;
}

// A CPU that is offline has no clock to set: one of the domain is brought online for as long as the writing takes.
void Knobs::while_online(const Domain& domain, const Step& step) {
  const bool any = domain.cpus.empty() || std::any_of(domain.cpus.begin(), domain.cpus.end(),
                                                      [this](int cpu) { return cpu_online(files_, cpu); });
  if (any) {
    step();
    return;
  }
  const std::string online = cpu_folder(domain.cpus.front()) + "/online";
  write(online, "1");
  try {
    if (!dry_run_) await_text(online, "1");
    step();
  } catch (const Refusal&) {
    write(online, "0");
    throw;
  }
  write(online, "0");
}

std::int64_t Knobs::on_list(const Domain& domain, double mhz) const {
  double nearest = 0;
  for (const std::int64_t clock : domain.opps) {
    if (std::abs(domain.mhz(clock) - mhz) <= 5e-4 * mhz) return clock;
    if (std::abs(domain.mhz(clock) - mhz) < std::abs(nearest - mhz)) nearest = domain.mhz(clock);
  }
  throw Refusal(
      "not_allowed",
      Json(mhz).dump() + " MHz is no operating point of " + domain.name +
          (domain.opps.empty() ? std::string("; the board lists none") : "; the nearest is " + Json(nearest).dump()),
      {{"requested", mhz}, {"opps_mhz", mhz_list(domain)}});
}

void Knobs::write_limits(const Domain& domain, const Limits& limits) {
  const Limits now = read_limits(files_, domain);
  const std::string low = std::to_string(limits.low), high = std::to_string(limits.high);
  // The limit that moves away from the other goes first, so that low never passes high.
  const bool high_first = limits.high >= now.high;
  if (high_first && !domain.high_path.empty()) write(domain.high_path, high);
  if (!domain.low_path.empty()) write(domain.low_path, low);
  if (!high_first && !domain.high_path.empty()) write(domain.high_path, high);
  note_clock_write();
}

void Knobs::await_limits(const Domain& domain, const Limits& limits, const Json& requested) {
  Limits now;
  const auto shows = [&] {
    if (!domain.high_path.empty()) now.high = files_.read_whole(domain.high_path).value_or(-1);
    if (!domain.low_path.empty()) now.low = files_.read_whole(domain.low_path).value_or(-1);
    return (domain.high_path.empty() || same_clock(now.high, limits.high)) &&
           (domain.low_path.empty() || same_clock(now.low, limits.low));
  };
  settle_ms_ = settle(shows);
  if (settle_ms_ >= 0) return;
  throw Refusal("not_applied", domain.name + ": limits were written and read back as something else",
                {{"requested", requested}, {"actual", limits_json(domain, now)}});
}

void Knobs::await_text(const std::string& path, const std::string& value) {
  std::string actual;
  const double took_ms = settle([&] {
    actual = files_.read(path).value_or("");
    return actual == value;
  });
  if (took_ms < 0) {
    throw Refusal("not_applied", files_.full(path) + ": " + value + " was written and \"" + actual + "\" is read back",
                  {{"requested", value}, {"actual", actual}, {"path", files_.full(path)}});
  }
  settle_ms_ = std::max(settle_ms_, took_ms);
}

Json Knobs::frequency(const Domain& domain, double mhz) {
  begin();
  const std::int64_t clock = on_list(domain, mhz);
  const Json requested = domain.mhz(clock);
  Json actual = requested;
  const bool by_lock = !domain.lock_path.empty() && files_.writable(domain.lock_path);
  while_online(domain, [&] {
    const std::int64_t start_ns = now_ns();
    if (by_lock) {
      // A cap below the rate would win over it.
      if (!domain.high_path.empty() && read_limits(files_, domain).high < clock) {
        write(domain.high_path, std::to_string(clock));
      }
      write(domain.rate_path, std::to_string(clock), false);
      write(domain.lock_path, "1");
      note_clock_write();
      if (dry_run_) return;
      await_text(domain.lock_path, "1");
    } else {
      write_limits(domain, {clock, clock});
      if (dry_run_) return;
      await_limits(domain, {clock, clock}, requested);
    }
    // The knob shows it; the clock itself follows within milliseconds, or only when there is work for it.
    std::int64_t now = -1;
    const double left_ms = kSettleMs - static_cast<double>(now_ns() - start_ns) / kNsPerMs;
    const bool followed = !domain.clock_path.empty() &&
                          settle([&] { return same_clock(now = read_clock(files_, domain), clock); }, left_ms) >= 0;
    if (followed) settle_ms_ = static_cast<double>(now_ns() - start_ns) / kNsPerMs;
    if (followed) note_clock_write();
    if (by_lock && !followed) {
      throw Refusal("not_applied", domain.name + ": the rate was written and reads back as something else",
                    {{"requested", requested}, {"actual", mhz_or_null(domain, now)}});
    }
  });
  if (!by_lock) wanted_[domain.name].limits = {clock, clock};
  if (dry_run_) actual = mhz_or_null(domain, read_clock(files_, domain));
  return answer(requested, actual);
}

Json Knobs::limits(const Domain& domain, double low_mhz, double high_mhz) {
  begin();
  const Limits limits{on_list(domain, low_mhz), on_list(domain, high_mhz)};
  const Json requested = limits_json(domain, limits);
  if (limits.low > limits.high) {
    throw Refusal("not_allowed", domain.name + ": the lowest clock is above the highest", {{"requested", requested}});
  }
  if (domain.high_path.empty()) {
    throw Refusal("not_allowed", domain.name + ": has no limits, it can only be pinned", {{"requested", requested}});
  }
  if (domain.low_path.empty() && limits.low != domain.opps.front()) {
    throw Refusal("not_allowed",
                  domain.name + ": only its highest clock can be limited: ask for min_mhz " +
                      Json(domain.mhz(domain.opps.front())).dump(),
                  {{"requested", requested}});
  }
  while_online(domain, [&] {
    if (!domain.lock_path.empty() && journal_.original(domain.lock_path) != nullptr) write(domain.lock_path, "0");
    write_limits(domain, limits);
    if (!dry_run_) await_limits(domain, limits, requested);
  });
  wanted_[domain.name].limits = limits;
  return answer(requested, limits_json(domain, dry_run_ ? read_limits(files_, domain) : limits));
}

Json Knobs::governor(const Domain& domain, const std::string& value) {
  begin();
  if (std::find(domain.governors.begin(), domain.governors.end(), value) == domain.governors.end()) {
    throw Refusal("not_allowed", "\"" + value + "\" is no governor of " + domain.name,
                  {{"requested", value}, {"governors", domain.governors}});
  }
  if (domain.governor_path.empty()) throw Refusal("not_allowed", domain.name + ": its governor cannot be set");
  Json actual = value;
  while_online(domain, [&] {
    write(domain.governor_path, value);
    note_clock_write();
    if (!dry_run_) await_text(domain.governor_path, value);
  });
  wanted_[domain.name].governor = value;
  if (dry_run_) actual = files_.read(domain.governor_path).value_or("");
  return answer(value, actual);
}

std::string Knobs::found(const std::string& path) const {
  if (path.empty()) return {};
  const std::string* original = journal_.original(path);
  return original == nullptr ? std::string() : *original;
}

Json Knobs::release(const Domain& domain) {
  begin();
  const std::string governor = found(domain.governor_path), low = found(domain.low_path),
                    high = found(domain.high_path);
  const std::string lock = found(domain.lock_path);
  while_online(domain, [&] {
    if (!lock.empty()) {
      write(domain.lock_path, lock);
      write(domain.rate_path, found(domain.rate_path), false);
      if (!dry_run_) await_text(domain.lock_path, lock);
    }
    if (!governor.empty()) {
      write(domain.governor_path, governor);
      if (!dry_run_) await_text(domain.governor_path, governor);
    }
    if (!low.empty() || !high.empty()) {
      Limits limits{std::atoll(low.c_str()), std::atoll(high.c_str())};
      if (domain.low_path.empty() || low.empty()) {
        write(domain.high_path, high);
        if (!dry_run_) await_text(domain.high_path, high);
      } else {
        if (high.empty()) limits.high = read_limits(files_, domain).high;
        write_limits(domain, limits);
        if (!dry_run_) await_limits(domain, limits, limits_json(domain, limits));
      }
    }
    note_clock_write();
  });
  wanted_.erase(domain.name);
  Json actual = clock_json(files_, domain);
  actual.erase("mhz");
  return answer(actual, actual);
}

Json Knobs::cores(const std::vector<int>& cpus, int count, const std::vector<Domain>& domains) {
  begin();
  std::vector<const Domain*> waking;
  for (const Domain& domain : domains) {
    if (domain.cpus.empty() || wanted_.find(domain.name) == wanted_.end()) continue;
    if (std::none_of(domain.cpus.begin(), domain.cpus.end(), [this](int cpu) { return cpu_online(files_, cpu); })) {
      waking.push_back(&domain);
    }
  }
  std::vector<int> wake, sleep;
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    const bool on = static_cast<int>(i) < count;
    if (cpu_online(files_, cpus[i]) == on) continue;
    if (!files_.exists(cpu_folder(cpus[i]) + "/online")) {
      throw Refusal("not_allowed", "CPU " + std::to_string(cpus[i]) + " cannot be taken on- or offline on this board");
    }
    if (on) {
      wake.push_back(cpus[i]);
    } else if (cpus[i] == 0) {
      throw Refusal("not_allowed", "CPU 0 stays online: name it first among the unit's CPUs", {{"requested", count}});
    } else {
      sleep.insert(sleep.begin(), cpus[i]);
    }
  }
  const auto turn = [&](const std::vector<int>& which, const std::string& value) {
    for (const int cpu : which) {
      write(cpu_folder(cpu) + "/online", value);
      if (!dry_run_) await_text(cpu_folder(cpu) + "/online", value);
    }
  };
  turn(wake, "1");
  // Some kernels forget the limits of a policy whose last CPU has gone.
  for (const Domain* domain : waking) {
    if (std::none_of(domain->cpus.begin(), domain->cpus.end(), [this](int cpu) { return cpu_online(files_, cpu); })) {
      continue;
    }
    const Wanted& wanted = wanted_.at(domain->name);
    if (!wanted.governor.empty()) write(domain->governor_path, wanted.governor);
    if (wanted.limits.high > 0) write_limits(*domain, wanted.limits);
  }
  turn(sleep, "0");
  if (!wake.empty() || !sleep.empty()) note_clock_write();
  const auto online = std::count_if(cpus.begin(), cpus.end(), [this](int cpu) { return cpu_online(files_, cpu); });
  return answer(count, online);
}

}  // namespace dynasoc::agent
