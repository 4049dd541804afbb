#include "common/provenance.hpp"

namespace dynasoc {

std::string_view name_of(Provenance provenance) {
  for (const auto& [name, value] : EnumNames<Provenance>::names)
    if (value == provenance) return name;
  throw InternalError("a provenance without a name");
}

}  // namespace dynasoc
