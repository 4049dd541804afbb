// A folder for what a test writes.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "common/temporary_folder.hpp"

namespace dynasoc::test {

/// A folder of its own, gone with the object.
class TemporaryFolder : public dynasoc::TemporaryFolder {
 public:
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path() / name).parent_path());
    std::ofstream(path() / name, std::ios::binary) << text;
  }
};

}  // namespace dynasoc::test
