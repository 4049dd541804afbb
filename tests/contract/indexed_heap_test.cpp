// Does the heap under the native engine keep its order, whatever is pushed, moved and removed?
#include "kernel/indexed_heap.hpp"

#include <map>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "kernel/random.hpp"
#include "scale.hpp"

namespace dynasoc::test {
namespace {

TEST_CASE("the indexed heap agrees with an ordered map under random operations", "[engine]") {
  using Key = std::pair<int, std::uint32_t>;  // the slot makes keys unique
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(scaled(20)); ++seed) {
    const Stream stream(seed, "indexed-heap");
    std::uint64_t draws = 0;
    const auto pick = [&](int n) { return static_cast<int>(stream.uniform(draws++) * n); };
    IndexedHeap<Key> heap;
    std::map<Key, std::uint32_t> expected;
    std::vector<Key> key_of(40);
    int wrong = 0;
    for (int i = 0; i < 5000; ++i) {
      const auto slot = static_cast<std::uint32_t>(pick(40));
      const Key key{pick(30), slot};
      switch (pick(5)) {
        case 0:
        case 1:
          if (heap.contains(slot)) {
            heap.update(slot, key);
            expected.erase(key_of[slot]);
          } else {
            heap.push(slot, key);
          }
          expected[key] = slot;
          key_of[slot] = key;
          break;
        case 2:
          if (!heap.contains(slot)) break;
          heap.remove(slot);
          expected.erase(key_of[slot]);
          break;
        case 3:
          if (heap.empty()) break;
          heap.pop();
          expected.erase(expected.begin());
          break;
        default:
          if (pick(200) > 0) break;
          heap.clear();
          expected.clear();
      }
      std::size_t visited = 0;
      heap.for_each([&](std::uint32_t one) { visited += expected.count(key_of[one]); });
      wrong += heap.size() != expected.size() || heap.empty() != expected.empty() || visited != expected.size();
      // Not after every step: a look at the top closes the hole that pop() leaves.
      if (!expected.empty() && pick(2) == 0)
        wrong += heap.top() != expected.begin()->second || heap.top_key() != expected.begin()->first;
    }
    INFO("seed " << seed);
    CHECK(wrong == 0);
  }
}

}  // namespace
}  // namespace dynasoc::test
