// ztt learns: the network's gradients are those of differences, Adam is its formula, and over many ticks the policy
// finds the clocks that its reward prefers; what it has learnt goes out and comes back as it was.
#include <cmath>
#include <vector>

#include <catch2/catch.hpp>

#include "manager/learning/mlp.hpp"
#include "support/policy_desk.hpp"

using namespace dynasoc;
using namespace dynasoc::manager;

namespace {

constexpr int kSizes[] = {7, 6, 6, 9};

// Half the squared distance of the outputs to the targets.
double loss(Mlp& network, const std::vector<double>& inputs, const std::vector<double>& targets) {
  const auto outputs = network.run(inputs);
  double sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) sum += 0.5 * (outputs[i] - targets[i]) * (outputs[i] - targets[i]);
  return sum;
}

std::vector<double> draw(const Stream& draws, std::uint64_t from, std::size_t count) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(draws.normal(from + i));
  return out;
}

}  // namespace

TEST_CASE("an mlp's gradient is that of differences") {
  for (std::uint64_t run = 0; run < 20; ++run) {
    const Stream draws(5, "ztt_test", run);
    Mlp network(kSizes, Stream(run, "weights"));
    // Biases too, so that no unit's sum is 0 but by chance.
    for (std::size_t i = 0; i < network.weights().size(); ++i) network.weights()[i] += 0.1 * draws.normal(1000 + i);
    const std::vector<double> inputs = draw(draws, 0, 7), targets = draw(draws, 100, 9);
    const auto outputs = network.run(inputs);
    std::vector<double> slope, gradient(network.weights().size(), 0.0);
    for (std::size_t i = 0; i < targets.size(); ++i) slope.push_back(outputs[i] - targets[i]);
    network.differentiate(slope, gradient);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      constexpr double kStep = 1e-6;
      const double before = network.weights()[i];
      network.weights()[i] = before + kStep;
      const double above = loss(network, inputs, targets);
      network.weights()[i] = before - kStep;
      const double below = loss(network, inputs, targets);
      network.weights()[i] = before;
      INFO("run " << run << ", weight " << i);
      CHECK(gradient[i] == Approx((above - below) / (2 * kStep)).epsilon(1e-5).margin(1e-7));
    }
    // It adds up.
    const std::vector<double> once = gradient;
    network.run(inputs);
    network.differentiate(slope, gradient);
    for (std::size_t i = 0; i < gradient.size(); ++i) REQUIRE(gradient[i] == Approx(2 * once[i]));
  }
}

TEST_CASE("an mlp computes what its layers say, and its layers can be read and given back") {
  std::vector<DenseLayer> layers(2);
  layers[0].weights = {{1, 2}, {-1, 1}, {0, -1}};
  layers[0].bias = {0.5, 0, 1};
  layers[1].weights = {{1, 1, 1}, {2, -1, 0}};
  layers[1].bias = {0, 1};
  Mlp network(layers, 2, 2);
  // (1, 3): hidden 7.5, 2, max(0, -2) = 0; outputs 9.5, 15 - 2 + 1 = 14.
  const auto outputs = network.run(std::vector<double>{1, 3});
  CHECK(outputs[0] == 9.5);
  CHECK(outputs[1] == 14);
  const std::vector<DenseLayer> back = network.layers();
  REQUIRE(back.size() == 2);
  for (std::size_t l = 0; l < 2; ++l) {
    CHECK(back[l].weights == layers[l].weights);
    CHECK(back[l].bias == layers[l].bias);
  }
}

TEST_CASE("an mlp's first weights are within He's bounds, and the same for the same seed") {
  Mlp one(kSizes, Stream(1, "weights")), same(kSizes, Stream(1, "weights")), other(kSizes, Stream(2, "weights"));
  CHECK(std::equal(one.weights().begin(), one.weights().end(), same.weights().begin()));
  CHECK(!std::equal(one.weights().begin(), one.weights().end(), other.weights().begin()));
  REQUIRE(one.weights().size() == 7 * 6 + 6 + 6 * 6 + 6 + 6 * 9 + 9);
  const Stream draws(1, "weights");
  CHECK(one.weights()[0] == Approx(std::sqrt(6.0 / 7) * (2 * draws.uniform(0) - 1)));
  CHECK(one.weights()[42] == 0);  // a bias
  CHECK(one.weights()[48] == Approx(2 * draws.uniform(42) - 1));
}

TEST_CASE("layers that do not fit are refused") {
  const auto refused = [](const Json& weights, const std::string& words) {
    try {
      test::make_by_name<Policy>("ztt", {{"weights", weights}});
    } catch (const InputError& error) {
      INFO(error.what());
      CHECK(std::string(error.what()).find(words) != std::string::npos);
      return;
    }
    FAIL("not refused: " << weights.dump());
  };
  const std::vector<double> row(7, 0.0), zeros(9, 0.0);
  const auto layer = [](const std::vector<std::vector<double>>& weights, const std::vector<double>& bias) {
    return Json{{"weights", weights}, {"bias", bias}};
  };
  Json layers = Json::array();
  layers.push_back(layer({row}, {0}));
  refused(layers, "gives 1 outputs; it must give 9");
  layers[0] = layer({{1, 2}}, {0});
  refused(layers, "a row has 2 weights, but there are 7 inputs");
  layers[0] = layer({row}, {0, 1});
  refused(layers, "1 rows of weights and 2 biases");
  layers[0] = layer({}, {});
  refused(layers, "at least one");
  layers[0] = layer(std::vector<std::vector<double>>(9, row), zeros);
  CHECK(test::make_by_name<Policy>("ztt", {{"weights", layers}}) != nullptr);
}

TEST_CASE("Adam is its formula") {
  Adam adam(2, 0.1);
  std::vector<double> weights{1, -1};
  double m = 0, v = 0, by_hand = 1;
  for (int t = 1; t <= 50; ++t) {
    const double g = 2 * weights[0];  // of w^2
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    by_hand -= 0.1 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    adam.step(weights, std::vector<double>{g, 0});
    REQUIRE(weights[0] == Approx(by_hand).margin(1e-9));
    REQUIRE(weights[1] == -1);
  }
  CHECK(std::abs(weights[0]) < 0.3);
}

TEST_CASE("an mlp learns a function with Adam") {
  constexpr int kShape[] = {2, 12, 1};
  Mlp network(kShape, Stream(3, "weights"));
  Adam adam(network.weights().size(), 0.01);
  std::vector<double> gradient(network.weights().size());
  const Stream draws(4, "samples");
  const auto error = [&] {
    double sum = 0;
    for (int i = 0; i < 200; ++i) {
      const double x = draws.uniform(2 * i), y = draws.uniform(2 * i + 1);
      sum += std::abs(network.run(std::vector<double>{x, y})[0] - std::abs(x - y));
    }
    return sum / 200;
  };
  const double before = error();
  for (int step = 0; step < 3000; ++step) {
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (int k = 0; k < 16; ++k) {
      const int i = (step * 16 + k) % 200;
      const double x = draws.uniform(2 * i), y = draws.uniform(2 * i + 1);
      const double slope = (network.run(std::vector<double>{x, y})[0] - std::abs(x - y)) / 8;
      network.differentiate(std::vector<double>{slope}, gradient);
    }
    adam.step(network.weights(), gradient);
  }
  INFO("from " << before << " to " << error());
  CHECK(error() < 0.05);
  CHECK(error() < 0.25 * before);
}

namespace {

// A board at a desk whose frames and power follow its clocks: 10 frames a second for each third of the GPU's ladder,
// 1 to 9 W for the CPU's and 0.5 W for the GPU's, and no temperature.
class Plant {
 public:
  explicit Plant(const Json& parameters) : desk_("ztt", Json{{"parameters", parameters}}, Json::parse(kPlant)) {
    desk_.step(Json{{"at_ms", 0}, {"trigger", "start"}});
  }

  // One second; what is written.
  std::string tick() {
    now_ms_ += 1000;
    Json step = {{"at_ms", now_ms_}, {"complete", Json::array()}};
    step["set"]["CPU.power_w"] = 1.0 + 4 * cpu_;
    step["complete"].push_back(Json{{"app", "app"}, {"repeat", 10 * (gpu_ + 1)}});
    const Json& writes = desk_.step(step);
    if (writes.contains("cpu.frequency")) cpu_ = level(writes["cpu.frequency"]);
    if (writes.contains("gpu.frequency")) gpu_ = level(writes["gpu.frequency"]);
    return writes.dump();
  }
  int cpu() const { return cpu_; }
  int gpu() const { return gpu_; }

 private:
  static constexpr const char* kPlant = R"({
    "board": {"domains": {"cpu": {"opps_mhz": [100, 200, 300], "governed": false},
                          "gpu": {"opps_mhz": [100, 200, 300], "governed": false}},
              "units": {"cpu": {"domains": ["cpu"]}, "gpu": {"domains": ["gpu"]}}, "rails": {"CPU": 1, "GPU": 0.5}},
    "applications": {"app": {"accuracy": [70], "unit": "gpu", "latency_ms": {"gpu": [[30, 20, 10]]}}}})";
  static int level(const Json& mhz) { return static_cast<int>(mhz.get<double>() / 100) - 1; }

  test::PolicyDesk desk_;
  double now_ms_ = 0;
  int cpu_ = 2, gpu_ = 2;
};

}  // namespace

TEST_CASE("over many ticks ztt finds the clocks that its reward prefers") {
  // 30 frames a second need the GPU's highest clock, and the CPU's is good for nothing but its power: with beta 5 the
  // reward is 1 + 5/15 at (0, 2), 2/3 + 5/15 at (0, 1), 1 + 5/55 at (1, 2).
  for (const char* variant : {"artefact", "corrected"}) {
    int right = 0;
    for (int seed = 1; seed <= 5; ++seed) {
      Plant plant({{"variant", variant},
                   {"seed", seed},
                   {"target_fps", 30},
                   {"beta", 5},
                   {"gamma", 0.5},
                   {"learning_rate", 0.005},
                   {"epsilon_decay", 0.998}});
      for (int t = 0; t < 4000; ++t) plant.tick();
      int here = 0;
      for (int t = 0; t < 100; ++t) {
        plant.tick();
        here += plant.cpu() == 0 && plant.gpu() == 2;
      }
      right += here >= 90;
    }
    INFO(variant << ": " << right << " of 5 seeds");
    CHECK(right >= 3);  // some drawn networks have too few live units to tell nine actions apart
  }
}

TEST_CASE("ztt's learning is a function of its seed") {
  const auto story = [](int seed) {
    Plant plant({{"seed", seed}, {"target_fps", 30}, {"train_after", 20}, {"batch", 8}});
    std::string out;
    for (int t = 0; t < 300; ++t) out += plant.tick();
    return out;
  };
  CHECK(story(1) == story(1));
  CHECK(story(1) != story(2));
}
