// What a board is and what is wrong with it. Reads only.
#pragma once

#include <string>
#include <vector>

#include "files.hpp"
#include "knobs.hpp"

namespace dynasoc::agent {

/// `model`, `soc`, `jetpack`, `l4t`, `kernel`, `machine`; null what the board does not tell.
Json identity_json(const Files& files);

/// Answer to `probe`, but for `board`. `unrestored`: knobs that an earlier end has left and that could not be restored.
Json probe_json(const Files& files, std::size_t unrestored);

/// Whether all of some domains that have a choice are held at one clock, as `jetson_clocks` leaves them.
bool all_pinned(const Files& files, const std::vector<Domain>& domains);

/// How to get out of that.
std::string unpin_remedy();

}  // namespace dynasoc::agent
