// A folder for scratch files.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "common/error.hpp"

namespace dynasoc {

/// A new folder where the system keeps temporary files, gone with the object. Throws OutsideError.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dynasoc-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw OutsideError("no temporary folder can be made: " + pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace dynasoc
