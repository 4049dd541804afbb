// dynasoc lint: is a file what it should be? One line a bad file, status 2 if there is one.
#include <cstdio>
#include <iostream>

#include "application/network.hpp"
#include "cli/options.hpp"
#include "device/platform.hpp"
#include "results/output.hpp"

namespace dynasoc::cli {
namespace {

// What a file is, told by what is in it; its name says nothing.
std::string kind_of_file(const std::filesystem::path& path) {
  if (path.extension() == ".csv") {
    const Csv csv = Csv::load(path);
    if (csv.has("subnet") && csv.has("latency_ms_mean")) {
      Table::from_csv(csv);
      return "table";
    }
    if (csv.has("subnet") && csv.has("unit")) {
      Table::from_csv(csv);  // says which columns are missing
      return "table";
    }
    for (std::size_t row = 0; row < csv.size(); ++row)
      for (const char* column : {"arrival_s", "ratio"})
        if (csv.has(column)) csv.number(row, column, column[0] == 'r' ? positive() : non_negative());
    if (!csv.has("arrival_s") && !csv.has("ratio"))
      throw InputError({path.string(), 1, 0, ""}, "is no table (subnet, unit, latency_ms_mean, …) and no trace (arrival_s or ratio)");
    if (csv.size() == 0) throw InputError({path.string(), 1, 0, ""}, "has a header but no rows");
    return "trace";
  }
  const auto document = Document::load(path);
  const Value root(document);
  if (!document->root().is_object()) detail::wrong_kind(root, "an object");
  if (is_manifest(document->root())) {
    RunRequest request;
    load_manifest(document, path, {}, request);
    return "manifest";
  }
  if (root.has("subnets") || root.has("tables")) {
    const Network network = Network::load(path);
    for (const auto& [name, table] : network.file.tables) network.table(name);
    return "network";
  }
  if (root.has("domains") || root.has("units")) {
    Platform::load(path);
    return "platform";
  }
  load_scenario(path);
  return "scenario";
}

}  // namespace

int lint_command(const Arguments& arguments) {
  Options options("dynasoc lint FILE…", "Validates scenarios, platforms, networks, tables, traces and manifests, and what they name.");
  options.positional("files", -1);
  options.add()("json", "print a JSON array of {file, kind, ok, message}")("quiet", "print nothing about good files");
  options.parse(arguments);
  if (options.asked_for_help()) return kSuccess;
  if (!options.has("files")) throw InputError("a file is missing; usage: dynasoc lint FILE…");
  Json all = Json::array();
  bool good = true;
  for (const std::string& file : options.get<std::vector<std::string>>("files")) {
    try {
      const std::string kind = kind_of_file(file);
      if (options.has("json"))
        all.push_back({{"file", file}, {"kind", kind}, {"ok", true}});
      else if (!options.has("quiet"))
        std::cout << file << ": a good " << kind << "\n";
    } catch (const InputError& error) {
      good = false;
      if (options.has("json"))
        all.push_back({{"file", file}, {"ok", false}, {"message", error.what()}});
      else
        std::fprintf(stderr, "%s\n", error.what());
    }
  }
  if (options.has("json")) std::cout << all.dump(2) << "\n";
  return good ? kSuccess : kBadInput;
}

}  // namespace dynasoc::cli
