// Does the thermal network agree with closed forms?
#include "device/thermal.hpp"

#include <cmath>

#include <catch2/catch.hpp>

namespace dynasoc {
namespace {

Name named(const char* text) { return Name{text, {}}; }

ThermalFile one_node(double capacity, double conductance, double ambient = 25, double initial = 25) {
  ThermalFile file;
  file.ambient_c = ambient;
  file.initial_c = initial;
  file.nodes = {{"board", {capacity, conductance}}};
  return file;
}

// Two nodes, `die` heated, joined to `case`; only the case reaches the surroundings.
ThermalFile two_nodes() {
  ThermalFile file;
  file.ambient_c = file.initial_c = 20;
  file.nodes = {{"die", {3.0, 0.0}}, {"case", {40.0, 0.5}}};
  file.links = {{named("die"), named("case"), 1.25}};
  return file;
}

ThermalFile four_nodes() {
  ThermalFile file;
  file.ambient_c = 25;
  file.initial_c = 40;
  file.nodes = {{"cpu", {3.0, 0.0}}, {"gpu", {4.0, 0.01}}, {"board", {30.0, 0.05}}, {"sink", {90.0, 0.4}}};
  file.links = {{named("cpu"), named("sink"), 1.5},
                {named("gpu"), named("sink"), 2.0},
                {named("cpu"), named("gpu"), 0.3},
                {named("board"), named("sink"), 0.7}};
  return file;
}

ThermalFile eight_nodes() {
  ThermalFile file;
  file.nodes = {{"a", {1.0, 0.1}}, {"b", {2.0, 0}}, {"c", {3.0, 0}},  {"d", {4.0, 0}},
                {"e", {5.0, 0}},   {"f", {6.0, 0}}, {"g", {70.0, 0}}, {"h", {800.0, 0.3}}};
  const char* names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  for (int i = 0; i < 7; ++i) file.links.push_back({named(names[i]), named(names[i + 1]), 0.5 + 0.1 * i});
  return file;
}

TEST_CASE("thermal: step response of one RC node") {
  // T(t) = T_amb + P/G (1 - e^{-t G/C})
  const double c = 12, g = 0.4, p = 6;
  for (const double t : {1e-9, 1e-6, 1e-3, 0.1, 0.9, 0.95, 1.0, 30.0, 60.0, 1e4}) {
    ThermalModel model(one_node(c, g));
    model.set_power(0, p);
    model.advance(t);
    const double rise = p / g * -std::expm1(-t * g / c);
    CHECK(model.temperature_c(0) - 25 == Approx(rise).epsilon(1e-12).margin(2e-14));
    CHECK(model.steady_state_c(0) == Approx(25 + p / g).epsilon(1e-14));
  }
  CHECK(ThermalModel(one_node(c, g)).time_constant_s(0) == Approx(c / g).epsilon(1e-14));
}

TEST_CASE("thermal: cooling from a warm start, and reset") {
  ThermalModel model(one_node(12, 0.4, 25, 65));
  CHECK(model.temperature_c(0) == Approx(65).epsilon(1e-14));
  model.advance(30);
  CHECK(model.temperature_c(0) == Approx(25 + 40 * std::exp(-1.0)).epsilon(1e-13));
  model.reset(25);
  CHECK(model.temperature_c(0) == Approx(25).epsilon(1e-14));
}

TEST_CASE("thermal: two nodes against the analytic solution") {
  // With x = T_die - T_amb and y = T_case - T_amb:  C1 x' = P - K (x - y),  C2 y' = K (x - y) - G y.
  const double c1 = 3, c2 = 40, k = 1.25, g = 0.5, p = 7;
  const double a = k / c1 + (k + g) / c2, b = k * g / (c1 * c2);
  const double fast = (a + std::sqrt(a * a - 4 * b)) / 2, slow = b / fast;
  const double y_end = p / g, x_end = y_end + p / k;
  // x = x_end + A e^{-slow t} + B e^{-fast t}, with x(0) = 0 and x'(0) = P/C1.
  const double coefficient_a = (p / c1 - fast * x_end) / (fast - slow), coefficient_b = -x_end - coefficient_a;
  ThermalModel model(two_nodes());
  model.set_power(0, p);
  double at = 0;
  for (const double dt : {0.001, 0.01, 0.1, 1.0, 2.0, 10.0, 100.0, 1000.0}) {
    model.advance(dt);
    at += dt;
    const double ea = coefficient_a * std::exp(-slow * at), eb = coefficient_b * std::exp(-fast * at);
    const double x = x_end + ea + eb;
    const double y = x + (c1 * (-slow * ea - fast * eb) - p) / k;
    CHECK(model.temperature_c(0) - 20 == Approx(x).epsilon(1e-11));
    CHECK(model.temperature_c(1) - 20 == Approx(y).epsilon(1e-9).margin(1e-12));
  }
  CHECK(model.time_constant_s(0) == Approx(1 / slow).epsilon(1e-12));
  CHECK(model.time_constant_s(1) == Approx(1 / fast).epsilon(1e-12));
}

TEST_CASE("thermal: the steady state balances every node") {
  ThermalModel model(four_nodes());
  const double powers[] = {3.5, 8.25, 0, 1.5};
  for (std::size_t i = 0; i < 4; ++i) model.set_power(i, powers[i]);
  model.advance(1e6);
  double t[4];
  for (std::size_t i = 0; i < 4; ++i) {
    t[i] = model.temperature_c(i);
    CHECK(t[i] == Approx(model.steady_state_c(i)).epsilon(1e-13));
  }
  CHECK(powers[0] == Approx(1.5 * (t[0] - t[3]) + 0.3 * (t[0] - t[1])).epsilon(1e-12));
  CHECK(powers[1] == Approx(2.0 * (t[1] - t[3]) + 0.3 * (t[1] - t[0]) + 0.01 * (t[1] - 25)).epsilon(1e-12));
  CHECK(0 == Approx(0.7 * (t[2] - t[3]) + 0.05 * (t[2] - 25)).margin(1e-11));
  CHECK(powers[0] + powers[1] + powers[3] == Approx(model.to_ambient_w()).epsilon(1e-12));
}

TEST_CASE("thermal: superposition") {
  ThermalFile file = four_nodes();
  file.initial_c = file.ambient_c;
  ThermalModel first(file), second(file), both(file);
  const auto drive = [](ThermalModel& model, double cpu, double gpu, double dt) {
    model.set_power(0, cpu);
    model.set_power(1, gpu);
    model.advance(dt);
  };
  for (int i = 0; i < 50; ++i) {
    const double a = 1.0 + (i * 7) % 5, b = 2.0 + (i * 3) % 4, dt = 0.01 * (1 + (i * 11) % 13);
    drive(first, a, 0, dt);
    drive(second, 0, b, dt);
    drive(both, a, b, dt);
    for (std::size_t n = 0; n < 4; ++n)
      CHECK(both.temperature_c(n) - 25 ==
            Approx(first.temperature_c(n) - 25 + (second.temperature_c(n) - 25)).epsilon(1e-12).margin(1e-12));
  }
}

TEST_CASE("thermal: cutting an interval changes nothing") {
  for (const ThermalFile& file : {four_nodes(), eight_nodes(), two_nodes()}) {
    for (const double total : {1e-3, 0.5, 20.0, 400.0}) {
      ThermalModel whole(file), halves(file), many(file);
      for (ThermalModel* model : {&whole, &halves, &many}) {
        model->set_power(0, 9);
        model->set_power(1, 0.5);
      }
      whole.advance(total);
      halves.advance(total * 0.25);
      halves.advance(total * 0.75);
      for (int i = 0; i < 1000; ++i) many.advance(total / 1000);
      for (std::size_t n = 0; n < whole.nodes(); ++n) {
        CHECK(halves.temperature_c(n) == Approx(whole.temperature_c(n)).epsilon(1e-12));
        CHECK(many.temperature_c(n) == Approx(whole.temperature_c(n)).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("thermal: heat in = heat stored + heat to the surroundings") {
  for (const ThermalFile& file : {four_nodes(), eight_nodes()}) {
    ThermalModel model(file);
    double in = 0, out = 0;
    const double at_start = model.stored_j();
    for (int step = 0; step < 40; ++step) {
      const double watts = 2.0 + (step * 5) % 7, dt = 0.05 * (1 + step % 4);
      model.set_power(static_cast<std::size_t>(step) % 2, watts);
      const double total = model.power_w(0) + model.power_w(1);
      in += total * dt;
      // The outflow is integrated by itself, with Simpson's rule, so that the balance is no tautology.
      constexpr int kParts = 200;
      for (int i = 0; i < kParts; ++i) {
        const double left = model.to_ambient_w();
        model.advance(dt / kParts / 2);
        const double middle = model.to_ambient_w();
        model.advance(dt / kParts / 2);
        out += (left + 4 * middle + model.to_ambient_w()) / 6 * dt / kParts;
      }
    }
    CHECK(in == Approx(model.stored_j() - at_start + out).epsilon(1e-10));
  }
}

TEST_CASE("thermal: the short series and expm1 agree where they meet") {
  for (const double x : {0.0, 1e-300, 1e-12, 1e-4, 0.02, 1.0 / 32, 1.0 / 32 + 1e-9, 0.5, 3.0, 50.0})
    CHECK(ThermalModel::reached(x) == Approx(-std::expm1(-x)).epsilon(4e-16).margin(0));
}

TEST_CASE("thermal: a network that heat cannot leave is a broken promise") {
  CHECK_THROWS_AS(ThermalModel(one_node(1, 0)), InternalError);
}

}  // namespace
}  // namespace dynasoc
