// Where names in scenarios lead: models/, platforms/, traces/ and scenarios/ beside a scenario, in the source tree, or
// where the product was installed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/fields.hpp"

namespace dynasoc {

class DataPaths {
 public:
  /// `beside` is the folder of the file that names things; its ancestors are searched first, then $DYNASOC_DATA, then
  /// the source tree this was built from, then <prefix>/share/dynasoc of the running program.
  explicit DataPaths(const std::filesystem::path& beside = ".");

  /// Each throws InputError at the name's place, with the nearest known name. A name with a slash or an ending
  /// (`.json`, `.csv`) is a path from `beside`.
  std::filesystem::path network(const Name& name) const;       ///< its network.json
  std::filesystem::path supernetwork(const Name& name) const;  ///< its supernetwork.json
  std::filesystem::path platform(const Name& name) const;
  std::filesystem::path trace(const Name& name) const;
  std::filesystem::path scenario(const Name& name) const;

  std::vector<std::string> networks() const;
  std::vector<std::string> supernetworks() const;
  std::vector<std::string> platforms() const;
  std::vector<std::string> scenarios() const;  ///< without searches, sweeps and explorations
  std::vector<std::string> traces() const;

 private:
  std::filesystem::path find(const Name& name, const char* what, const std::string& folder, const std::string& ending,
                             std::vector<std::string> (DataPaths::*known)() const) const;  // listed only for a hint
  std::vector<std::string> list(const std::string& folder, const std::string& ending, bool deep) const;

  std::filesystem::path beside_;
  std::vector<std::filesystem::path> roots_;
};

}  // namespace dynasoc
