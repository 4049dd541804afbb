// Platform files: what is accepted is the same after being written.
#include "device/platform.hpp"

#include "target.hpp"

namespace dynasoc::fuzz {
namespace platform_target {

std::vector<std::string> seeds() { return files("platforms", ".json"); }

bool read(const std::string& text) {
  Platform platform;
  const auto load = [](const std::string& from, const char* name) {
    return Platform::from(dynasoc::read<PlatformFile>(Value(Document::parse(from, name))));
  };
  if (!good_or_refused([&] { platform = load(text, "platform.json"); })) return false;
  const Json written = to_json(platform.file);
  Json again;
  if (!good_or_refused([&] { again = to_json(load(written.dump(), "written.json").file); }))
    throw Finding("is refused after being written: " + written.dump());
  if (again != written) throw Finding("is something else after being written: " + again.dump());
  return true;
}

const Register registered{{.name = "platform",
                           .doc = "platform files",
                           .form = Form::json,
                           .seeds = seeds,
                           .read = read,
                           .schemas = [] { return std::vector<Json>{object_schema<PlatformFile>()}; },
                           .mutants = 5000}};

}  // namespace platform_target
}  // namespace dynasoc::fuzz
