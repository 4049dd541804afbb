// Does the agent leave a board as it found it, write nothing but what is on the board's own lists, and read its meters
// right? Against trees of plain files of both JetPack generations.
#include "board/agent/hardware.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "board/agent/clock.hpp"
#include "board/agent/files.hpp"
#include "board_tree.hpp"
#include "support/in_child.hpp"

namespace {

using dynasoc::agent::Hardware;
using dynasoc::agent::HardwareOptions;
using dynasoc::agent::Json;
using dynasoc::agent::now_ns;
using dynasoc::agent::Refusal;
using dynasoc::test::BoardTree;
using dynasoc::test::in_child;
using namespace std::chrono_literals;

const std::string kCpu = "sys/devices/system/cpu/";
const std::string kGpu = "sys/devices/17000000.gv11b/devfreq/17000000.gv11b/";

std::string policy(int first, const std::string& cpus) {
  const std::string at = kCpu + "cpu" + std::to_string(first) + "/cpufreq/";
  return at + "related_cpus\t" + cpus + "\n" +                                        //
         at + "scaling_available_frequencies\t115200 1190400 1420800 1907200 \n" +    //
         at + "scaling_min_freq\t115200\n" + at + "scaling_max_freq\t1420800\n" +     //
         at + "scaling_cur_freq\t1190400\n" + at + "scaling_governor\tschedutil\n" +  //
         at + "scaling_available_governors\tuserspace powersave performance schedutil \n";
}

/// A Xavier NX in short: three CPU policies, GPU, memory cap, one thermal zone; rails come from the two below.
std::string board() {
  std::string text = policy(0, "0 1") + policy(2, "2 3") + policy(4, "4 5") + kCpu + "present\t0-5\n";
  for (int cpu = 1; cpu < 6; ++cpu) text += kCpu + "cpu" + std::to_string(cpu) + "/online\t1\n";
  text += kGpu + "available_frequencies\t114750000 510000000 1109250000\n" + kGpu + "min_freq\t114750000\n" + kGpu +
          "max_freq\t1109250000\n" + kGpu + "cur_freq\t114750000\n" + kGpu + "governor\tnvhost_podgov\n" + kGpu +
          "available_governors\tuserspace nvhost_podgov\n"
          "sys/class/devfreq/17000000.gv11b -> ../../devices/17000000.gv11b/devfreq/17000000.gv11b\n"
          "sys/kernel/nvpmodel_emc_cap/emc_iso_cap\t0\n"
          "etc/nvpmodel.conf\t# modes\\n< POWER_MODEL ID=0 NAME=MODE_15W_2CORE >\\nEMC MAX_FREQ 1600000000\\n"
          "< POWER_MODEL ID=2 NAME=MODE_15W_6CORE >\\nEMC MAX_FREQ 1866000000\n"
          "var/lib/nvpmodel/status\tpmode:0002\n"
          "proc/device-tree/model\tNVIDIA Jetson Xavier NX Developer Kit\\0\n"
          "proc/device-tree/compatible\tnvidia,p3449-0000+p3668-0000\\0nvidia,tegra194\\0\n"
          "proc/stat\tcpu 0 0 0 0\n"
          "sys/class/thermal/thermal_zone0/type\tCPU-therm\nsys/class/thermal/thermal_zone0/temp\t41500\n"
          "sys/class/thermal/thermal_zone0/trip_point_0_temp\t95500\n"
          "sys/class/thermal/thermal_zone0/trip_point_0_type\tcritical\n";
  return text;
}

const std::string kIna4 = "sys/bus/i2c/drivers/ina3221x/7-0040/iio:device0/";
const std::string kIna5 = "sys/bus/i2c/drivers/ina3221/7-0040/hwmon/hwmon4/";

std::string jetpack4() {
  return board() +
         "etc/nv_tegra_release\t# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t186ref, EABI: aarch64\n" +
         kIna4 + "rail_name_0\tVDD_IN\n" + kIna4 + "rail_name_1\tVDD_CPU_GPU_CV\n" + kIna4 + "rail_name_2\tVDD_SOC\n" +
         kIna4 + "in_power0_input\t4321\n" + kIna4 + "in_power1_input\t1200\n" + kIna4 + "in_power2_input\t800\n";
}

std::string jetpack5() {
  std::string text = board() + "etc/nv_tegra_release\t# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref\n";
  const char* names[] = {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"};
  for (int n = 1; n <= 3; ++n) {
    const std::string at = std::to_string(n);
    text += kIna5 + "in" + at + "_label\t" + names[n - 1] + "\n" + kIna5 + "in" + at + "_input\t5000\n" + kIna5 +
            "curr" + at + "_input\t" + std::to_string(n * 300) + "\n";
  }
  return text + kIna5 + "name\tina3221\n" + kIna5 + "in7_label\tsum of shunt voltages\n" + kIna5 + "in7_input\t99\n" +
         kIna5 + "curr7_input\t99\nsys/class/hwmon/hwmon4 -> ../../bus/i2c/drivers/ina3221/7-0040/hwmon/hwmon4\n";
}

HardwareOptions options(const BoardTree& tree, bool dry_run = false) {
  HardwareOptions made;
  made.root = tree.root();
  made.state = tree.state();
  made.dry_run = dry_run;
  return made;
}

Json request(const std::string& text) { return Json::parse(text); }

const char* const kConfigure = R"({
  "domains": {"cpu": {"policy": "cpu0"}, "big": {"policy": "cpu4"}, "gpu": {"devfreq": "17000000.gv11b"},
              "emc": {"emc": true}},
  "units": {"cpu": {"cpus": [0, 1]}, "big": {"cpus": [4, 5]}},
  "rails": {"in": {"label": "VDD_IN"}}, "thermal": {"cpu": {"type": "CPU-therm", "limit_c": 90}}, "sample_hz": 500})";

Json frequency(const std::string& domain, double mhz) {
  return {{"knob", "frequency"}, {"domain", domain}, {"mhz", mhz}};
}

/// The code of the refusal, or nothing.
template <class Function>
std::string refused(Function&& function) {
  try {
    function();
  } catch (const Refusal& refusal) {
    return refusal.code();
  }
  return {};
}

/// `scaling_max_freq=1190400`, in order.
std::vector<std::string> in_order(const Json& knobs) {
  std::vector<std::string> all;
  for (const Json& one : knobs) {
    const auto path = one["path"].get<std::string>();
    all.push_back(path.substr(path.rfind('/') + 1) + "=" + one["value"].get<std::string>());
  }
  return all;
}

template <class Condition>
bool within(std::chrono::milliseconds most, Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

using List = std::vector<std::string>;

}  // namespace

TEST_CASE("hardware: a knob's original value is in the journal before the knob is written") {
  const BoardTree tree(jetpack4());
  Hardware hardware(options(tree));
  hardware.configure(request(kConfigure));

  const int events = inotify_init1(IN_NONBLOCK);
  REQUIRE(events >= 0);
  const int on_journal = inotify_add_watch(events, tree.state().c_str(), IN_MODIFY);
  const int on_knob = inotify_add_watch(events, tree.at(kCpu + "cpu0/cpufreq").c_str(), IN_MODIFY);
  REQUIRE(on_journal >= 0);
  REQUIRE(on_knob >= 0);
  hardware.set(frequency("cpu", 1190.4));
  alignas(inotify_event) char buffer[8192];
  const ssize_t n = read(events, buffer, sizeof buffer);
  close(events);
  std::vector<int> watches;
  for (ssize_t at = 0; at < n;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    watches.push_back(event->wd);
    at += static_cast<ssize_t>(sizeof(inotify_event)) + event->len;
  }
  REQUIRE(std::find(watches.begin(), watches.end(), on_knob) != watches.end());
  CHECK(watches.front() == on_journal);
}

TEST_CASE("hardware: the journal's values are written back, newest first, and it is gone then") {
  const BoardTree tree(jetpack4());
  {
    Hardware hardware(options(tree));
    hardware.configure(request(kConfigure));
    CHECK(in_order(hardware.set(frequency("cpu", 1190.4))["writes"]) ==
          List{"scaling_min_freq=1190400", "scaling_max_freq=1190400"});
    hardware.set({{"knob", "governor"}, {"domain", "gpu"}, {"value", "userspace"}});
    hardware.set({{"knob", "cores"}, {"unit", "big"}, {"online", 1}});
    CHECK(tree.read(kCpu + "cpu5/online") == "0");
    const Json restored = hardware.restore();
    CHECK(restored["failed"].empty());
    CHECK(in_order(restored["restored"]) ==
          List{"online=1", "governor=nvhost_podgov", "scaling_max_freq=1420800", "scaling_min_freq=115200"});
    CHECK_FALSE(std::filesystem::exists(tree.state() + "/journal"));
    hardware.set(frequency("gpu", 510));  // and it goes on
    CHECK(tree.read(kGpu + "max_freq") == "510000000");
  }
  CHECK(tree.read(kGpu + "max_freq") == "1109250000");
  CHECK(tree.read(kGpu + "min_freq") == "114750000");
  CHECK(tree.read(kCpu + "cpu0/cpufreq/scaling_max_freq") == "1420800");
}

TEST_CASE("hardware: limits that are in each other's way are restored all the same") {
  // Asked for above what was found: the highest limit cannot come back before the lowest.
  const BoardTree tree(jetpack4());
  Hardware hardware(options(tree));
  hardware.configure(request(kConfigure));
  CHECK(in_order(hardware.set(frequency("cpu", 1907.2))["writes"]) ==
        List{"scaling_max_freq=1907200", "scaling_min_freq=1907200"});
  CHECK(in_order(
            hardware.set({{"knob", "limits"}, {"domain", "cpu"}, {"min_mhz", 115.2}, {"max_mhz", 1190.4}})["writes"]) ==
        List{"scaling_min_freq=115200", "scaling_max_freq=1190400"});
  CHECK(in_order(hardware.set({{"knob", "release"}, {"domain", "cpu"}})["writes"]) ==
        List{"scaling_max_freq=1420800", "scaling_min_freq=115200"});
}

TEST_CASE("hardware: after SIGKILL the next agent restores what was found at first") {
  const BoardTree tree(jetpack4());
  const auto killed = in_child([&]() -> std::string {
    Hardware hardware(options(tree));
    hardware.configure(request(kConfigure));
    hardware.set(frequency("cpu", 115.2));
    hardware.set(frequency("cpu", 1190.4));
    hardware.set({{"knob", "limits"}, {"domain", "emc"}, {"min_mhz", 1600}, {"max_mhz", 1600}});
    raise(SIGKILL);
    return "";
  });
  REQUIRE(killed.failure.find("signal 9") != std::string::npos);
  REQUIRE(tree.read(kCpu + "cpu0/cpufreq/scaling_min_freq") == "1190400");
  REQUIRE(tree.read("sys/kernel/nvpmodel_emc_cap/emc_iso_cap") == "1600000000");
  // What a kill in the middle of an append leaves: that knob was not written.
  std::ofstream(tree.state() + "/journal", std::ios::app) << R"({"path":"/sys/kernel/nvpm)";

  SECTION("when it starts") {
    const Hardware hardware(options(tree));
    CHECK(in_order(hardware.restored_at_start()) ==
          List{"emc_iso_cap=0", "scaling_max_freq=1420800", "scaling_min_freq=115200"});
  }
  SECTION("or is only asked to restore") { CHECK(restore_journal(options(tree))["restored"].size() == 3); }
  CHECK(tree.read(kCpu + "cpu0/cpufreq/scaling_min_freq") == "115200");
  CHECK(tree.read(kCpu + "cpu0/cpufreq/scaling_max_freq") == "1420800");
  CHECK(tree.read("sys/kernel/nvpmodel_emc_cap/emc_iso_cap") == "0");
  CHECK_FALSE(std::filesystem::exists(tree.state() + "/journal"));
}

TEST_CASE("hardware: what cannot be restored stays in the journal, with the command to type") {
  const BoardTree tree(jetpack4());
  const std::string knob = kCpu + "cpu0/cpufreq/scaling_min_freq", hidden = kCpu + "hidden";
  in_child([&]() -> std::string {
    Hardware hardware(options(tree));
    hardware.configure(request(kConfigure));
    hardware.set(frequency("cpu", 1190.4));
    raise(SIGKILL);
    return "";
  });
  std::filesystem::rename(tree.at(knob), tree.at(hidden));
  const Json first = restore_journal(options(tree));
  CHECK(in_order(first["restored"]) == List{"scaling_max_freq=1420800"});
  REQUIRE(first["failed"].size() == 1);
  CHECK(first["failed"][0]["knob"] == "scaling_min_freq of cpu0");
  CHECK(first["failed"][0]["message"].get<std::string>().find("echo 115200 | sudo tee " + tree.root() + "/" + knob) !=
        std::string::npos);
  std::filesystem::rename(tree.at(hidden), tree.at(knob));
  CHECK(in_order(restore_journal(options(tree))["restored"]) == List{"scaling_min_freq=115200"});
  CHECK(tree.read(knob) == "115200");
}

TEST_CASE("hardware: a journal does not lead out of the board, or to another board") {
  const BoardTree tree(jetpack4()), other(jetpack4());
  std::filesystem::create_directories(tree.state());
  const std::string victim = tree.state() + "/victim";
  std::ofstream(victim) << "kept\n";
  const auto journal = [&](const std::string& root, const std::string& path) {
    std::ofstream(tree.state() + "/journal") << Json{{"journal", 1}, {"root", root}, {"boot", ""}} << "\n"
                                             << Json{{"path", path}, {"value", "lost"}} << "\n";
  };
  journal(tree.root(), "/sys/../../state/victim");
  CHECK(restore_journal(options(tree))["failed"].size() == 1);
  journal(other.root(), "/" + kCpu + "cpu0/cpufreq/scaling_max_freq");
  CHECK(refused([&] { restore_journal(options(tree)); }) == "not_allowed");
  std::string kept;
  std::ifstream(victim) >> kept;
  CHECK(kept == "kept");
}

TEST_CASE("hardware: a journal of an earlier start of the system is dropped") {
  BoardTree tree(jetpack4());
  tree.add("proc/sys/kernel/random/boot_id\tfirst\n");
  in_child([&]() -> std::string {
    Hardware hardware(options(tree));
    hardware.configure(request(kConfigure));
    hardware.set(frequency("cpu", 1190.4));
    raise(SIGKILL);
    return "";
  });
  REQUIRE(std::filesystem::exists(tree.state() + "/journal"));
  tree.write("proc/sys/kernel/random/boot_id", "second");
  tree.write(kCpu + "cpu0/cpufreq/scaling_max_freq", "1907200");
  const Hardware hardware(options(tree));
  CHECK(hardware.restored_at_start().empty());
  CHECK(tree.read(kCpu + "cpu0/cpufreq/scaling_max_freq") == "1907200");
}

TEST_CASE("hardware: a board has one agent") {
  const BoardTree tree(jetpack4());
  HardwareOptions elsewhere = options(tree);
  elsewhere.state += "-2";
  {
    const Hardware hardware(options(tree));
    for (const HardwareOptions& second : {options(tree), elsewhere}) {
      try {
        const Hardware another(second);
        FAIL("two agents on one board");
      } catch (const Refusal& refusal) {
        CHECK(refusal.code() == "busy");
        CHECK(refusal.details()["pid"] == getpid());
      }
      CHECK(refused([&] { restore_journal(second); }) == "busy");
    }
  }
  CHECK(refused([&] { Hardware again(options(tree)); }).empty());
  std::filesystem::remove_all(elsewhere.state);
}

TEST_CASE("hardware: what is not on the board's lists is refused, and nothing is written") {
  const BoardTree tree(jetpack4());
  Hardware hardware(options(tree));
  hardware.configure(request(kConfigure));
  CHECK(refused([&] { hardware.set(frequency("cpu", 1300)); }) == "not_allowed");
  CHECK(refused([&] { hardware.set(frequency("gpu", 510.5)); }) == "not_allowed");
  CHECK(refused([&] { hardware.set(frequency("emc", 204)); }) == "not_allowed");
  CHECK(refused([&] { hardware.set(frequency("cpu", -1)); }) == "bad_request");
  CHECK(refused([&] { hardware.set(frequency("cpu2", 1190.4)); }) == "not_found");
  CHECK(refused([&] {
          hardware.set({{"knob", "limits"}, {"domain", "cpu"}, {"min_mhz", 1420.8}, {"max_mhz", 115.2}});
        }) == "not_allowed");
  CHECK(refused([&] { hardware.set({{"knob", "governor"}, {"domain", "cpu"}, {"value", "x\n1"}}); }) == "not_allowed");
  CHECK(refused([&] { hardware.set({{"knob", "cores"}, {"unit", "big"}, {"online", 0}}); }) == "not_allowed");
  CHECK(refused([&] { hardware.set({{"knob", "cores"}, {"unit", "big"}, {"online", 3}}); }) == "not_allowed");
  CHECK(refused([&] { hardware.set({{"knob", "volume"}, {"domain", "cpu"}}); }) == "bad_request");
  CHECK(refused([&] {
          hardware.set({{"knob", "frequency"}, {"domain", "cpu"}, {"mhz", 1190.4}, {"path", "/etc/passwd"}});
        }) == "bad_request");
  CHECK(tree.read(kCpu + "cpu0/cpufreq/scaling_max_freq") == "1420800");
  CHECK_FALSE(std::filesystem::exists(tree.state() + "/journal"));

  CHECK(refused([&] { hardware.configure(request(R"({"units": {"cpu": {"cpus": [6]}}})")); }) == "not_allowed");
  CHECK(refused([&] { hardware.configure(request(R"({"domains": {"cpu": {"policy": "../cpu0"}}})")); }) == "not_found");
  CHECK(refused([&] { hardware.configure(request(R"({"domains": {"g": {"devfreq": ".."}}})")); }) == "not_found");
  CHECK(refused([&] { hardware.configure(request(R"({"rails": {"in": {"label": "VDD"}}})")); }) == "not_found");
  CHECK(refused([&] { hardware.configure(request(R"({"rail": {}})")); }) == "bad_request");
  CHECK(hardware.unit_cpus("cpu") == std::vector<int>{0, 1});  // as before
}

TEST_CASE("hardware: without a list of frequencies the lowest and the highest are all that may be set") {
  BoardTree tree(jetpack4());
  std::filesystem::remove(tree.at(kCpu + "cpu0/cpufreq/scaling_available_frequencies"));
  tree.add(kCpu + "cpu0/cpufreq/cpuinfo_min_freq\t115200\n" + kCpu + "cpu0/cpufreq/cpuinfo_max_freq\t1907200\n");
  Hardware hardware(options(tree));
  const Json answer = hardware.configure(request(kConfigure));
  CHECK(answer["domains"]["cpu"]["opps_mhz"] == Json{115.2, 1907.2});
  CHECK(refused([&] { hardware.set(frequency("cpu", 1190.4)); }) == "not_allowed");
  CHECK(hardware.set(frequency("cpu", 1907.2))["actual"] == 1907.2);
}

TEST_CASE("hardware: links that lead out of the root are not followed") {
  const BoardTree outside(jetpack4());
  BoardTree tree("sys/devices/system/cpu/present\t0\n");
  tree.link(kCpu + "cpu0/cpufreq", outside.at(kCpu + "cpu0/cpufreq").string());
  const Hardware hardware(options(tree));
  CHECK(hardware.probe()["domains"].empty());
  const dynasoc::agent::Files files(tree.root());
  CHECK(refused([&] { files.write("/" + kCpu + "cpu0/cpufreq/scaling_max_freq", "1"); }) == "not_allowed");
  CHECK(refused([&] { files.write("/sys/../etc/x", "1"); }) == "not_allowed");
  CHECK_FALSE(files.read("/sys/../../root/" + kCpu + "present"));
}

TEST_CASE("hardware: a knob that reads back as something else is not said to be set") {
  // A driver with one register for both limits.
  const BoardTree tree(jetpack4());
  const auto low = tree.at(kCpu + "cpu0/cpufreq/scaling_min_freq");
  std::filesystem::remove(low);
  std::filesystem::create_hard_link(tree.at(kCpu + "cpu0/cpufreq/scaling_max_freq"), low);
  Hardware hardware(options(tree));
  Json all = request(kConfigure);
  all["pinned_ok"] = true;
  hardware.configure(all);
  try {
    hardware.set({{"knob", "limits"}, {"domain", "cpu"}, {"min_mhz", 115.2}, {"max_mhz", 1190.4}});
    FAIL("was said to be set");
  } catch (const Refusal& refusal) {
    CHECK(refusal.code() == "not_applied");
    CHECK(refusal.details()["requested"] == Json{{"min_mhz", 115.2}, {"max_mhz", 1190.4}});
    CHECK(refusal.details()["actual"]["min_mhz"] == refusal.details()["actual"]["max_mhz"]);
  }
}

TEST_CASE("hardware: a clock that follows later is waited for, and how long that took is told") {
  const BoardTree tree(jetpack4());
  Hardware hardware(options(tree));
  hardware.configure(request(kConfigure));
  std::atomic<bool> stop{false};
  std::thread chip([&] {
    while (!stop && tree.read(kGpu + "max_freq") != "510000000") std::this_thread::sleep_for(100us);
    std::this_thread::sleep_for(10ms);
    tree.write(kGpu + "cur_freq", "510000000");
  });
  const double settle_ms = hardware.set(frequency("gpu", 510))["settle_ms"];
  stop = true;
  chip.join();
  CHECK(settle_ms >= 9.5);
  CHECK(settle_ms <= 50);
  CHECK(hardware.state()["domains"]["gpu"]["mhz"] == 510);
}

TEST_CASE("hardware: CPUs are brought online before others go, and core 0 stays") {
  const BoardTree tree(jetpack4());
  tree.write(kCpu + "cpu1/online", "0");
  Hardware hardware(options(tree));
  hardware.configure(request(R"({"domains": {"big": {"policy": "cpu4"}},
                                 "units": {"all": {"cpus": [1, 4, 5]}, "zero": {"cpus": [3, 0]}}})"));
  const Json answer = hardware.set({{"knob", "cores"}, {"unit", "all"}, {"online", 1}});
  CHECK(answer["actual"] == 1);
  REQUIRE(answer["writes"].size() == 3);
  CHECK(answer["writes"][0]["path"] == tree.root() + "/" + kCpu + "cpu1/online");
  CHECK(answer["writes"][0]["value"] == "1");
  CHECK(answer["writes"][1]["path"] == tree.root() + "/" + kCpu + "cpu5/online");
  CHECK(refused([&] { hardware.set({{"knob", "cores"}, {"unit", "zero"}, {"online", 1}}); }) == "not_allowed");
  CHECK(hardware.set({{"knob", "cores"}, {"unit", "zero"}, {"online", 2}})["actual"] == 2);

  // A policy with no CPU online has no clock to set, but for the time of the writing; and keeps to it when it wakes.
  CHECK(in_order(hardware.set(frequency("big", 1190.4))["writes"]) ==
        List{"online=1", "scaling_min_freq=1190400", "scaling_max_freq=1190400", "online=0"});
  CHECK(tree.read(kCpu + "cpu4/online") == "0");
  tree.write(kCpu + "cpu4/cpufreq/scaling_max_freq", "1420800");  // as a kernel that forgets
  hardware.set({{"knob", "cores"}, {"unit", "all"}, {"online", 2}});
  CHECK(tree.read(kCpu + "cpu4/cpufreq/scaling_max_freq") == "1190400");
}

TEST_CASE("hardware: with a full disk the knob is not written") {
  const BoardTree tree(jetpack4());
  const auto outcome = in_child([&]() -> std::string {
    signal(SIGXFSZ, SIG_IGN);
    Hardware hardware(options(tree));
    hardware.configure(request(kConfigure));
    const rlimit tight{40, RLIM_INFINITY}, wide{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &tight);  // enough for a knob, too little for the journal
    std::string told = refused([&] { hardware.set(frequency("cpu", 1190.4)); });
    told += " " + tree.read(kCpu + "cpu0/cpufreq/scaling_min_freq");
    told += std::filesystem::exists(tree.state() + "/journal") ? " journal" : " none";
    setrlimit(RLIMIT_FSIZE, &wide);
    hardware.set(frequency("cpu", 1190.4));
    told += " " + tree.read(kCpu + "cpu0/cpufreq/scaling_min_freq");
    const rlimit no_more{static_cast<rlim_t>(std::filesystem::file_size(tree.state() + "/journal") + 10),
                         RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &no_more);
    told += " " + refused([&] { hardware.set(frequency("gpu", 510)); });
    told += " " + tree.read(kGpu + "min_freq");
    setrlimit(RLIMIT_FSIZE, &wide);
    return told + " " + std::to_string(hardware.restore()["restored"].size());
  });
  CHECK(outcome.failure.empty());
  CHECK(outcome.bytes == "io 115200 none 1190400 io 114750000 2");
}

TEST_CASE("hardware: a dry run tells its writes and does none") {
  const BoardTree tree(jetpack4());
  in_child([&]() -> std::string {
    Hardware hardware(options(tree));
    hardware.configure(request(kConfigure));
    hardware.set(frequency("gpu", 510));
    raise(SIGKILL);
    return "";
  });
  {
    Hardware hardware(options(tree, true));
    hardware.configure(request(kConfigure));
    CHECK(hardware.restored_at_start().empty());
    CHECK(in_order(hardware.set(frequency("cpu", 1190.4))["writes"]).size() == 2);
    CHECK(in_order(hardware.set({{"knob", "cores"}, {"unit", "big"}, {"online", 1}})["writes"]) == List{"online=0"});
  }
  CHECK(tree.read(kCpu + "cpu0/cpufreq/scaling_max_freq") == "1420800");
  CHECK(tree.read(kCpu + "cpu5/online") == "1");
  CHECK(tree.read(kGpu + "max_freq") == "510000000");  // left by the one that was killed
}

TEST_CASE("hardware: clocks that others have pinned are let be, unless it is said to be all right") {
  const BoardTree tree(jetpack4());
  tree.write(kCpu + "cpu0/cpufreq/scaling_min_freq", "1420800");
  Hardware hardware(options(tree));
  Json all = request(R"({"domains": {"cpu": {"policy": "cpu0"}}, "units": {"cpu": {"cpus": [0, 1]}}})");
  CHECK(hardware.configure(all)["warnings"].size() == 1);
  try {
    hardware.set(frequency("cpu", 1190.4));
    FAIL("was not refused");
  } catch (const Refusal& refusal) {
    CHECK(refusal.code() == "not_allowed");
    CHECK(std::string(refusal.what()).find("jetson_clocks --restore") != std::string::npos);
  }
  all["pinned_ok"] = true;
  hardware.configure(all);
  CHECK(hardware.set(frequency("cpu", 1190.4))["actual"] == 1190.4);
  all.erase("pinned_ok");
  hardware.configure(all);  // now it is this session that has pinned it
  CHECK(hardware.set(frequency("cpu", 115.2))["actual"] == 115.2);
}

TEST_CASE("hardware: memory whose rate can be held is pinned and let go again") {
  BoardTree tree(jetpack4());
  const std::string emc = "sys/kernel/debug/bpmp/debug/clk/emc/";
  tree.add(emc + "rate\t1866000000\n" + emc + "mrq_rate_locked\t0\n" +
           "sys/kernel/debug/bpmp/debug/emc/possible_rates\t204000 665600 1600000 1866000\n");
  {
    Hardware hardware(options(tree));
    CHECK(hardware.configure(request(kConfigure))["domains"]["emc"]["opps_mhz"] == Json{204, 665.6, 1600, 1866});
    CHECK(in_order(hardware.set(frequency("emc", 665.6))["writes"]) == List{"rate=665600000", "mrq_rate_locked=1"});
    CHECK(hardware.state()["domains"]["emc"]["min_mhz"] == 665.6);
    hardware.set({{"knob", "release"}, {"domain", "emc"}});
    CHECK(tree.read(emc + "mrq_rate_locked") == "0");
    hardware.set(frequency("emc", 204));
  }
  CHECK(tree.read(emc + "mrq_rate_locked") == "0");
}

TEST_CASE("hardware: both JetPacks' boards are found whole, meters by their names") {
  struct Case {
    const char *tree, *kind, *jetpack, *l4t, *mode;
    double memory_mhz;
  };
  for (const Case& one : {Case{"jetpack4.tree", "ina3221x", "4.6.1", "32.7.1", "MODE_15W_6CORE", 1600},
                          Case{"jetpack5.tree", "hwmon", "5.1.2", "35.4.1", "MODE_20W_6CORE", 1866}}) {
    const BoardTree tree;
    tree.add_fixture(one.tree);
    Hardware hardware(options(tree));
    const Json probe = hardware.probe();
    CHECK(probe["board"]["jetpack"] == one.jetpack);
    CHECK(probe["board"]["l4t"] == one.l4t);
    CHECK(probe["board"]["soc"] == "tegra194");
    CHECK(probe["board"]["model"] == "NVIDIA Jetson Xavier NX Developer Kit");
    CHECK(probe["modes"]["current"] == one.mode);
    CHECK(probe["cpus"].size() == 6);
    CHECK(probe["cpus"][0]["hotplug"] == false);
    CHECK(probe["cpus"][5] == Json{{"cpu", 5}, {"online", true}, {"hotplug", true}, {"policy", "cpu4"}});

    REQUIRE(probe["rails"].size() == 3);  // not the sum of shunt voltages, and none twice
    const char* const labels[] = {"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"};
    const double powers_w[] = {3.76, 0.2, 1.08};
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(probe["rails"][i]["kind"] == one.kind);
      CHECK(probe["rails"][i]["label"] == labels[i]);
      CHECK(probe["rails"][i]["power_w"].get<double>() == Approx(powers_w[i]));
    }
    REQUIRE(probe["domains"].size() == 5);
    const char* const domains[] = {"cpu0", "cpu2", "cpu4", "gpu", "emc"};
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(probe["domains"][i]["name"] == domains[i]);
      CHECK(probe["domains"][i]["writable"] == true);
      CHECK(probe["domains"][i]["opps_mhz"].size() >= 2);
    }
    CHECK(probe["domains"][1]["cpus"] == Json{2, 3});
    CHECK(probe["domains"][0]["max_mhz"] == 1420.8);
    CHECK(probe["domains"][3]["max_mhz"] == 1109.25);
    CHECK(probe["domains"][4]["max_mhz"] == one.memory_mhz);
    REQUIRE(probe["thermal"].size() == 6);
    CHECK(probe["thermal"][0]["type"] == "CPU-therm");
    CHECK(probe["thermal"][0]["trips"][1] == Json{{"type", "critical"}, {"temperature_c", 96.0}});
    for (const Json& problem : probe["problems"]) CHECK(problem["what"].get<std::string>().find("emc") == 0);

    Json all = request(kConfigure);
    all["thermal"] = {{"gpu", {{"type", "GPU-therm"}}}};
    hardware.configure(all);
    CHECK(hardware.state()["rails"]["in"]["power_w"].get<double>() == Approx(3.76));
    CHECK(hardware.state()["temperatures_c"]["gpu"] == 35.5);
    for (const char* domain : {"cpu", "gpu", "emc"}) {
      const double lowest = domain == std::string("emc") ? 204 : domain == std::string("gpu") ? 114.75 : 115.2;
      CHECK(hardware.set(frequency(domain, lowest))["actual"] == lowest);
    }
    CHECK(hardware.restore()["failed"].empty());
  }
}

TEST_CASE("hardware: energy is the integral of power over the window") {
  const BoardTree tree(jetpack4());
  Hardware hardware(options(tree));
  Json all = request(kConfigure);
  all["sample_hz"] = 1000;
  hardware.configure(all);

  SECTION("constant: exactly") {
    std::this_thread::sleep_for(30ms);
    const std::int64_t end_ns = now_ns(), start_ns = end_ns - 20000000;
    const Json window = hardware.window(start_ns, end_ns);
    CHECK(window["energy_mj"]["in"].get<double>() == Approx(4.321 * 20).epsilon(1e-9));
    CHECK(window["samples"].get<int>() >= 2);
    CHECK(window["steady"] == true);
  }
  SECTION("a ramp: within what a reading that is a millisecond old is wrong") {
    const int file = open(tree.at(kIna4 + "in_power0_input").c_str(), O_WRONLY);
    REQUIRE(file >= 0);
    std::atomic<bool> stop{false};
    const std::int64_t begin_ns = now_ns();
    const auto power_mw = [&](std::int64_t t_ns) { return 1000 + 10 * static_cast<double>(t_ns - begin_ns) / 1e6; };
    std::thread ramp([&] {
      while (!stop) {
        char text[16];
        std::snprintf(text, sizeof text, "%08.0f\n", power_mw(now_ns()));
        if (pwrite(file, text, 9, 0) != 9) break;
        std::this_thread::sleep_for(200us);
      }
    });
    std::this_thread::sleep_for(300ms);
    const std::int64_t end_ns = now_ns(), start_ns = end_ns - 200000000;
    const Json window = hardware.window(start_ns, end_ns);
    stop = true;
    ramp.join();
    close(file);
    const double mean_w = (power_mw(start_ns) + power_mw(end_ns)) / 2 / 1000;
    CHECK(window["energy_mj"]["in"].get<double>() == Approx(mean_w * 200).epsilon(0.02));
  }
  SECTION("not known with fewer than two samples") {
    const std::int64_t end_ns = now_ns();
    CHECK(hardware.window(end_ns - 1000, end_ns)["energy_mj"]["in"].is_null());
    CHECK(hardware.window(end_ns - 3600000000000, end_ns)["energy_mj"]["in"].is_null());  // before there was any
  }
  SECTION("a clock that was set, or moved by itself, is told") {
    const std::int64_t start_ns = now_ns();
    hardware.set(frequency("gpu", 510));
    CHECK(hardware.window(start_ns, now_ns())["steady"] == false);
    std::this_thread::sleep_for(30ms);
    const std::int64_t second_ns = now_ns();
    CHECK(hardware.window(second_ns, now_ns())["steady"] == true);
    tree.write(kCpu + "cpu4/cpufreq/scaling_cur_freq", "1907200");
    CHECK(hardware.window(second_ns, now_ns())["steady"] == false);
    CHECK(hardware.window(second_ns, now_ns())["mhz"]["big"] == 1907.2);
  }
}

TEST_CASE("hardware: a counter of energy is read as one, also when it starts again") {
  BoardTree tree(board());
  const std::string zone = "sys/class/powercap/intel-rapl:0/";
  tree.add(zone + "name\tpackage-0\n" + zone + "energy_uj\t900000\n" + zone + "max_energy_range_uj\t1000000\n");
  Hardware hardware(options(tree));
  hardware.configure(request(R"({"rails": {"package": {"label": "package-0"}}})"));
  tree.write(zone + "energy_uj", "950000");
  const auto energy = [&] { return hardware.state()["rails"]["package"]["energy_mj"].get<double>(); };
  CHECK(within(2s, [&] { return energy() == Approx(50); }));
  tree.write(zone + "energy_uj", "050000");
  CHECK(within(2s, [&] { return energy() == Approx(150); }));
}

TEST_CASE("hardware: a sensor that goes reads null, is told once, and its energy is not known any more") {
  const BoardTree tree(jetpack5());
  Hardware hardware(options(tree));
  hardware.configure(request(kConfigure));
  CHECK(hardware.probe()["rails"].size() == 3);  // the sum of shunt voltages is none, though it has a current
  const std::string current = kIna5 + "curr1_input";
  // 0: null
  const auto power = [&] {
    const Json read = hardware.state()["rails"]["in"]["power_w"];
    return read.is_null() ? 0 : read.get<double>();
  };
  REQUIRE(power() == Approx(1.5));

  // Another file in its place is the same sensor.
  tree.write(kIna5 + "new", "600");
  std::filesystem::rename(tree.at(kIna5 + "new"), tree.at(current));
  CHECK(within(2s, [&] { return power() == Approx(3.0); }));
  CHECK(hardware.take_lost().empty());

  const std::int64_t start_ns = now_ns();
  std::filesystem::remove(tree.at(current));
  std::filesystem::remove(tree.at("sys/class/thermal/thermal_zone0/temp"));
  CHECK(within(2s, [&] { return power() == 0; }));
  CHECK(hardware.state()["temperatures_c"]["cpu"].is_null());
  std::this_thread::sleep_for(20ms);
  CHECK(hardware.window(start_ns, now_ns())["energy_mj"]["in"].is_null());
  std::set<std::string> lost;
  const std::vector<Json> told = hardware.take_lost();
  for (const Json& event : told) lost.insert(event["what"].get<std::string>() + " " + event["name"].get<std::string>());
  CHECK(told.size() == 2);
  CHECK(lost == std::set<std::string>{"rail in", "temperature cpu"});
  std::this_thread::sleep_for(250ms);
  hardware.state();
  CHECK(hardware.take_lost().empty());

  tree.write(current, "300");
  CHECK(within(2s, [&] { return power() == Approx(1.5); }));
  CHECK(hardware.state()["rails"]["in"]["energy_mj"].is_null());
}

TEST_CASE("hardware: a thermal limit that is passed is told") {
  const BoardTree tree(jetpack4());
  Hardware hardware(options(tree));
  hardware.configure(request(kConfigure));
  CHECK(hardware.thermal_alarm().is_null());
  tree.write("sys/class/thermal/thermal_zone0/temp", "90500");
  CHECK(hardware.thermal_alarm() ==
        Json{{"event", "thermal"}, {"name", "cpu"}, {"temperature_c", 90.5}, {"limit_c", 90.0}});
  tree.write("sys/class/thermal/thermal_zone0/temp", "89000");
  CHECK(hardware.thermal_alarm().is_null());
}

TEST_CASE("hardware: foreign is what was busy, and neither the session's own nor stolen") {
  const BoardTree tree(jetpack4());
  const long tick_ms = 1000 / sysconf(_SC_CLK_TCK);
  const auto stat = [&](int user, int system, int idle, int steal, int other) {
    // user nice system idle iowait irq softirq steal guest guest_nice
    const auto line = [](int u, int s, int i, int st) {
      return std::to_string(1000 + u) + " 0 " + std::to_string(500 + s) + " " + std::to_string(9000 + i) + " 7 0 0 " +
             std::to_string(40 + st) + " 0 0\n";
    };
    tree.write("proc/stat", "cpu  " + line(user, system, idle, steal) + "cpu0 " + line(other, 0, 0, 0) + "cpu4 " +
                                line(user, system, idle, steal) + "cpu5 " + line(0, 0, 0, 0) + "intr 1 2 3");
  };
  stat(0, 0, 0, 0, 0);
  Hardware hardware(options(tree));
  hardware.configure(request(kConfigure));
  std::this_thread::sleep_for(300ms);
  const std::int64_t end_ns = now_ns(), start_ns = end_ns - 10000000;
  stat(8, 4, 8, 20, 40);
  // Of CPU 4's 40 ticks 12 were busy and 20 stolen; CPU 5 is offline and has none; CPU 0 is not the unit's.
  SECTION("all of it another's") { CHECK(hardware.foreign_share("big", start_ns, end_ns, 0) == Approx(12.0 / 40)); }
  SECTION("some of it our own, told with this call or with one before") {
    const std::int64_t earlier_ns = start_ns - 50000000;
    hardware.note_own("big", earlier_ns, earlier_ns + 20000000, 4 * tick_ms * 1000000);
    CHECK(hardware.foreign_share("big", start_ns, end_ns, 5 * tick_ms * 1000000) == Approx(3.0 / 40));
  }
  SECTION("never less than none") {
    CHECK(hardware.foreign_share("big", start_ns, end_ns, 90 * tick_ms * 1000000) == 0);
  }
  SECTION("and a governor's utilisation leaves out what was stolen") {
    CHECK(hardware.state()["units"]["big"]["utilisation"].get<double>() == Approx(12.0 / 20));
  }
}
