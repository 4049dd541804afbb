#include "board/session.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "common/text.hpp"

namespace dynasoc::board {
namespace {

double number_or_nan(const Json& object, const std::string& key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : std::nan("");
}

const Json& member_or_empty(const Json& object, const std::string& key) {
  static const Json kEmpty = Json::object();
  const auto it = object.find(key);
  return it != object.end() && it->is_object() ? *it : kEmpty;
}

}  // namespace

Recorder::Recorder(const std::filesystem::path& file) : path_(file), file_(file, std::ios::app) {
  if (!file_) throw OutsideError(path_.string() + " cannot be written");
}

void Recorder::write(const Json& line) {
  if (path_.empty()) return;
  file_ << line.dump() << "\n" << std::flush;
  if (!file_) throw OutsideError(path_.string() + " cannot be written: the disk may be full");
}

Json configuration_of(const PlatformFile& platform) {
  const BoardFile& board = *platform.board;
  Json out = {{"op", "configure"},
              {"sample_hz", board.sample_hz},
              {"foreign_share", board.foreign_share},
              {"neighbour_share", board.neighbour_share}};
  if (board.sampler_cpu >= 0) out["sampler_cpu"] = board.sampler_cpu;
  out["domains"] = out["units"] = out["rails"] = out["thermal"] = Json::object();
  for (const auto& [name, domain] : board.domains) {
    if (!domain.policy.empty())
      out["domains"][name] = {{"policy", domain.policy}};
    else if (!domain.devfreq.empty())
      out["domains"][name] = {{"devfreq", domain.devfreq}};
    else
      out["domains"][name] = {{"emc", true}};
  }
  for (const auto& [name, unit] : board.units) out["units"][name] = {{"cpus", unit.cpus}};
  for (const auto& [name, label] : board.rails) out["rails"][name] = {{"label", label}};
  for (const auto& [name, zone] : board.thermal)
    out["thermal"][name] = {{"type", zone.type}, {"limit_c", zone.limit_c}};
  return out;
}

Json load_request(const std::string& app, const Network& network, const std::vector<bool>& kept,
                  const std::string& unit, const BoardUnitFile& where, const LoadOptions& options) {
  const std::string executor = options.executor.empty() ? where.executor : options.executor;
  Json out = {{"op", "load"}, {"app", app}, {"unit", unit}, {"threads", where.threads}, {"seed", options.seed}};
  const bool built_in =
      executor == "onednn" || executor == "onnxruntime" || executor == "tensorrt" || executor == "replay";
  out["executor"] = built_in ? executor : "command";
  if (!built_in) out["command"] = executor;
  if (!options.weights.empty()) out["weights"] = options.weights;
  out["subnets"] = Json::object();
  for (std::size_t s = 0; s < network.size(); ++s) {
    if (!kept[s]) continue;
    const std::string name = level_name(s);
    const Json& config = network.file.subnets[s].config.value;
    if (executor != "replay" && (!config.is_object() || !config.contains("supernetwork")))
      throw(network.file.where / "subnets" / s)
          .error("no architecture (\"config\" with a \"supernetwork\"): the board cannot build " + name);
    out["subnets"][name] = config.is_object() ? config : Json::object();
  }
  if (executor == "replay") out["latencies"] = options.latencies;
  return out;
}

Session::Session(Agent& agent, std::shared_ptr<const Setup> setup, const LoadOptions& options, Recorder* recorder)
    : agent_(agent), setup_(std::move(setup)), recorder_(recorder) {
  const PlatformFile& platform = setup_->platform.file;
  if (!platform.board)
    throw platform.where.error("has no \"board\" section: it does not say where its clocks, units and rails are on a " +
                               std::string("real board (`dynasoc board probe` writes one)"));
  try {
    configure();
    set_governors();  // a scenario that cannot run is told before anything is loaded
    load(options);
  } catch (const Json::exception& error) {
    throw OutsideError(std::string("the agent does not keep to the protocol: ") + error.what());
  }
}

void Session::configure() {
  const PlatformFile& platform = setup_->platform.file;
  const BoardFile& board = *platform.board;
  const Json found = agent_.call(configuration_of(platform));
  for (const auto& warning : found.value("warnings", Json::array())) warnings_.push_back(warning.get<std::string>());
  for (const auto& [name, domain] : platform.domains) {
    const auto named = [&n = name](const auto& entry) { return entry.first == n; };
    domain_on_board_.push_back(std::any_of(board.domains.begin(), board.domains.end(), named));
    if (!domain_on_board_.back()) continue;
    const auto opps = found.at("domains").at(name).at("opps_mhz").get<std::vector<double>>();
    for (std::size_t i = 0; i < domain.opps_mhz.size(); ++i)
      if (std::none_of(opps.begin(), opps.end(), [&](double f) { return std::abs(f - domain.opps_mhz[i]) < 1e-3 * f; }))
        throw(domain.where / "opps_mhz" / i)
            .error("the board's " + name + " has no operating point of " + plain_number(domain.opps_mhz[i]) + " MHz");
  }
  for (std::size_t u = 0; u < platform.units.size(); ++u) {
    std::string own;
    for (const auto& [name, rail] : platform.rails) {
      const bool measured =
          std::any_of(board.rails.begin(), board.rails.end(), [&n = name](const auto& r) { return r.first == n; });
      if (measured && !rail.static_power && rail.units.size() == 1 && rail.units[0].text == platform.units[u].first)
        own = name;
    }
    unit_rail_.push_back(own);
    if (own.empty())
      warnings_.push_back("unit " + platform.units[u].first +
                          " has no measured rail of its own: energies of its jobs are the model's, not measured");
  }
}

// The scenario's governors are the board's own of these names.
void Session::set_governors() {
  const PlatformFile& platform = setup_->platform.file;
  const Json state = agent_.call({{"op", "state"}});
  for (std::size_t d = 0; d < platform.domains.size(); ++d) {
    if (!domain_on_board_[d]) continue;
    const std::string& name = platform.domains[d].first;
    const std::string& wanted = setup_->governors[d].name;
    if (state.at("domains").at(name).value("governor", "") == wanted) continue;
    if (platform.domains[d].second.kind == DomainKind::memory) continue;  // its own, whatever it is called
    try {
      agent_.call({{"op", "set"}, {"knob", "governor"}, {"domain", name}, {"value", wanted}});
    } catch (const AgentError& error) {
      if (error.code() != "not_allowed" && error.code() != "not_found" && error.code() != "bad_request") throw;
      throw setup_->governors[d].where.error(error.what());
    }
  }
}

void Session::load(const LoadOptions& options) {
  const PlatformFile& platform = setup_->platform.file;
  for (const AppSetup& app : setup_->apps) {
    const std::string& unit = platform.units[static_cast<std::size_t>(app.unit)].first;
    const auto where = std::find_if(platform.board->units.begin(), platform.board->units.end(),
                                    [&](const auto& entry) { return entry.first == unit; });
    if (where == platform.board->units.end())
      throw(platform.board->where / "units").error("does not say where unit " + in_quotes(unit) + " is on the board");
    const auto& models = app.models[static_cast<std::size_t>(app.unit)];
    std::vector<bool> kept(app.network->size());
    for (std::size_t s = 0; s < kept.size(); ++s) kept[s] = s < models.size() && models[s].has_value();
    LoadOptions loading = options;
    if (loading.latencies.is_null()) loading.latencies = table_latencies(app);
    Json answer = agent_.call(load_request(app.name, *app.network, kept, unit, where->second, loading), kLoadTimeoutMs);
    if (recorder_ != nullptr) recorder_->write({{"loaded", app.name}, {"answer", answer}});
    loaded_[app.name] = std::move(answer);
  }
}

// What the executor `replay` rehearses with where nothing was recorded: the tables, at the highest clocks.
Json Session::table_latencies(const AppSetup& app) const {
  const auto unit = static_cast<std::size_t>(app.unit);
  const int d = setup_->platform.links[unit].domains[0];
  const double mhz = setup_->platform.file.domains[static_cast<std::size_t>(d)].second.opps_mhz.back();
  Json out = Json::object();
  for (std::size_t s = 0; s < app.models[unit].size(); ++s)
    if (app.models[unit][s]) out[level_name(s)] = {app.models[unit][s]->predict(mhz, {}).latency_ms};
  return out;
}

void Session::begin_run() {
  release_clocks();
  set_governors();
}

void Session::release_clocks() {
  for (std::size_t d = 0; d < domain_on_board_.size(); ++d)
    if (domain_on_board_[d])
      agent_.call({{"op", "set"}, {"knob", "release"}, {"domain", setup_->platform.file.domains[d].first}});
}

BoardReadings Session::readings_of(const Json& state) const {
  BoardReadings out;
  const PlatformFile& platform = setup_->platform.file;
  const Json& domains = member_or_empty(state, "domains");
  for (const auto& [name, unused] : platform.domains)
    out.domain_mhz.push_back(number_or_nan(member_or_empty(domains, name), "mhz"));
  const Json& rails = member_or_empty(state, "rails");
  for (const auto& [name, unused] : platform.rails) {
    out.rail_power_w.push_back(number_or_nan(member_or_empty(rails, name), "power_w"));
    out.rail_energy_j.push_back(number_or_nan(member_or_empty(rails, name), "energy_mj") * 1e-3);
  }
  const Json& temperatures = member_or_empty(state, "temperatures_c");
  if (platform.thermal)
    for (const auto& [name, unused] : platform.thermal->nodes) out.node_c.push_back(number_or_nan(temperatures, name));
  return out;
}

}  // namespace dynasoc::board
