// From a front to a network that `dynasoc run` takes at once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "explore/search/search.hpp"

namespace dynasoc::search {

/// Files of the network, whole: network.json, one table, README.md. What `select` chose is exported (`select.count` of
/// it), else the whole front, thinned by hypervolume to 32. Throws InputError where there is no network to take the
/// cost of switching from.
struct ExportedNetwork {
  std::string name, network_json, table_file, table_csv, readme;
  std::vector<std::size_t> points;  ///< of the front
};
/// What `export_network` would refuse, before the search.
void check_exportable(const Prepared& prepared);
ExportedNetwork export_network(const Prepared& prepared, const Result& result, const std::string& name);

}  // namespace dynasoc::search
