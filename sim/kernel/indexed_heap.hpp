// A 4-ary min-heap over small integer slots, with decrease, increase and removal by slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dynasoc {

/// `Key` needs operator<. A slot is in the heap at most once. No allocation but for growth.
template <class Key>
class IndexedHeap {
 public:
  bool empty() const { return nodes_.size() == (hole_ ? 1u : 0u); }
  std::size_t size() const { return nodes_.size() - (hole_ ? 1u : 0u); }

  const Key& top_key() {
    close_hole();
    return nodes_[0].key;
  }
  std::uint32_t top() {
    close_hole();
    return nodes_[0].slot;
  }

  bool contains(std::uint32_t slot) const { return slot < position_.size() && position_[slot] != kAbsent; }

  void push(std::uint32_t slot, const Key& key) {
    if (slot >= position_.size()) position_.resize(slot + 1, kAbsent);
    if (hole_) {  // the usual case: a timer fires and sets its successor
      hole_ = false;
      sift_down(0, {key, slot});
    } else {
      nodes_.emplace_back();
      sift_up(nodes_.size() - 1, {key, slot});
    }
  }

  /// Removes the top, leaving a hole at the root that the next push fills without a second sift.
  void pop() {
    close_hole();
    position_[nodes_[0].slot] = kAbsent;
    hole_ = true;
  }

  void update(std::uint32_t slot, const Key& key) {
    close_hole();
    const std::size_t at = position_[slot];
    if (key < nodes_[at].key)
      sift_up(at, {key, slot});
    else
      sift_down(at, {key, slot});
  }

  void remove(std::uint32_t slot) {
    close_hole();
    const std::size_t at = position_[slot];
    position_[slot] = kAbsent;
    const Node last = nodes_.back();
    nodes_.pop_back();
    if (at == nodes_.size()) return;
    if (at > 0 && last.key < nodes_[(at - 1) / 4].key)
      sift_up(at, last);
    else
      sift_down(at, last);
  }

  void clear() {
    for (std::size_t i = hole_ ? 1 : 0; i < nodes_.size(); ++i) position_[nodes_[i].slot] = kAbsent;
    nodes_.clear();
    hole_ = false;
  }

  /// Visits every slot in no particular order.
  template <class F>
  void for_each(F f) const {
    for (std::size_t i = hole_ ? 1 : 0; i < nodes_.size(); ++i) f(nodes_[i].slot);
  }

 private:
  static constexpr std::uint32_t kAbsent = ~0u;
  struct Node {
    Key key;
    std::uint32_t slot;
  };

  void place(std::size_t at, const Node& node) {
    nodes_[at] = node;
    position_[node.slot] = static_cast<std::uint32_t>(at);
  }

  void sift_up(std::size_t at, const Node node) {
    while (at > 0) {
      const std::size_t parent = (at - 1) / 4;
      if (!(node.key < nodes_[parent].key)) break;
      place(at, nodes_[parent]);
      at = parent;
    }
    place(at, node);
  }

  void sift_down(std::size_t at, const Node node) {
    const std::size_t count = nodes_.size();
    for (;;) {
      const std::size_t first = 4 * at + 1;
      if (first >= count) break;
      std::size_t best = first;
      const std::size_t end = first + 4 < count ? first + 4 : count;
      for (std::size_t child = first + 1; child < end; ++child)
        if (nodes_[child].key < nodes_[best].key) best = child;
      if (!(nodes_[best].key < node.key)) break;
      place(at, nodes_[best]);
      at = best;
    }
    place(at, node);
  }

  void close_hole() {
    if (!hole_) return;
    hole_ = false;
    const Node last = nodes_.back();
    nodes_.pop_back();
    if (!nodes_.empty()) sift_down(0, last);
  }

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> position_;
  bool hole_ = false;
};

}  // namespace dynasoc
