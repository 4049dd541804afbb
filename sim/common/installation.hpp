// Where the files are that came with this program: data, sibling programs, modules that are opened when needed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dynasoc::installation {

/// The file this code runs from: the program, or the module that a Python interpreter has loaded. Empty if unknown.
std::filesystem::path image();

/// For a program that embeds this code and is not where our files are: a folder to look in as well, before all others.
/// To be called before anything is looked for, from one thread.
void set_home(const std::filesystem::path& folder);

/// Folders that may hold `models`, `platforms`, …: `share/dynasoc` of the home and of the installation. They need not
/// exist.
std::vector<std::filesystem::path> data_roots();

/// An executable file of that name in the home or beside the image, if it is there.
std::optional<std::filesystem::path> program(const std::string& name);

/// Where a loadable module of that name may be, best place first: the home, beside the image (a build tree),
/// `lib/dynasoc` of the installation. They need not exist.
std::vector<std::filesystem::path> modules(const std::string& name);

}  // namespace dynasoc::installation
