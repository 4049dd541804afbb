// Which sub-networks may be chosen: exact counting, drawing, genes, and extremes of costs that are sums.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "explore/optimiser.hpp"
#include "explore/search/search_file.hpp"
#include "explore/search/supernetwork.hpp"
#include "kernel/random.hpp"

namespace dynasoc::search {

__extension__ using Count = unsigned __int128;  // the whole super-network has 3.7e20
/// In full, in groups of three digits.
std::string count_text(Count count);

class Space {
 public:
  struct Stage {
    std::vector<std::uint8_t> kernels, expansions;  ///< indices of the super-network's options, ascending
    std::vector<std::uint8_t> depths;               ///< slots
  };

  /// Throws InputError at the field that leaves nothing to choose or names what the super-network does not have.
  Space(const Supernetwork& supernetwork, const SpaceFile& file);

  const std::vector<std::uint8_t>& resolutions() const { return resolutions_; }
  const Stage& stage(std::size_t s) const { return stages_[s]; }

  /// Distinct sub-networks: unused slots do not count.
  Count count() const;
  /// Of one stage.
  std::uint64_t stage_count(std::size_t s) const;

  /// Genes, all whole-numbered: a resolution, five depths, twenty kernels, twenty expansions, as indices into the
  /// options above.
  explore::Box box() const;
  Configuration decode(const std::vector<double>& genes) const;
  std::vector<double> encode(const Configuration& c) const;
  /// The n-th drawn gene by gene (so that no depth is preferred because it has more sub-networks).
  Configuration draw(const Stream& stream, std::uint64_t n) const;

  /// The sub-network of least cost (of most, where `most`), exact because cost is a sum.
  Configuration extreme(const AdditiveCost& cost, bool most = false) const;

 private:
  std::vector<std::uint8_t> resolutions_;
  std::vector<Stage> stages_;
};

}  // namespace dynasoc::search
