// How a number came about. Nothing derived is ever called measured.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "common/fields.hpp"

namespace dynasoc {

enum class Provenance : std::uint8_t {
  measured,   ///< an instrument reading on the named device
  digitised,  ///< read off a published figure
  derived,    ///< computed by a declared model from named rows
};
template <>
struct EnumNames<Provenance> {
  static constexpr std::array<std::pair<std::string_view, Provenance>, 3> names{
      {{"measured", Provenance::measured}, {"digitised", Provenance::digitised}, {"derived", Provenance::derived}}};
};
std::string_view name_of(Provenance provenance);

}  // namespace dynasoc
