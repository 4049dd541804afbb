// Tells the address and the thread sanitizer when a run goes over to a stack of its own and back, which they cannot
// see: without it they report what is not there. Nothing in other builds.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DYNASOC_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define DYNASOC_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define DYNASOC_ADDRESS_SANITIZER 1
#endif
#if defined(__SANITIZE_THREAD__)
#define DYNASOC_THREAD_SANITIZER 1
#endif

#if defined(DYNASOC_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(DYNASOC_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
#endif

namespace dynasoc {

/// Of one stack: `enter` and `left` are called outside of it, before and after it runs; `entered` and `leave` on it.
class StackSwitches {
 public:
#if defined(DYNASOC_ADDRESS_SANITIZER) || defined(DYNASOC_THREAD_SANITIZER)
  static constexpr std::size_t kRoom = 8;  ///< frames are that much larger
#else
  static constexpr std::size_t kRoom = 1;
#endif

  StackSwitches() = default;
  StackSwitches(const StackSwitches&) = delete;
  StackSwitches& operator=(const StackSwitches&) = delete;

#if defined(DYNASOC_ADDRESS_SANITIZER)
  void is_at(const void* lowest, std::size_t size) { lowest_ = lowest, size_ = size; }
  void enter() { __sanitizer_start_switch_fiber(&outside_, lowest_, size_); }
  void entered() { __sanitizer_finish_switch_fiber(inside_, &outside_lowest_, &outside_size_); }
  void leave(bool for_good) {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &inside_, outside_lowest_, outside_size_);
    if (for_good) inside_ = nullptr;
  }
  void left() { __sanitizer_finish_switch_fiber(outside_, nullptr, nullptr); }

 private:
  const void* lowest_ = nullptr;
  std::size_t size_ = 0;
  const void* outside_lowest_ = nullptr;
  std::size_t outside_size_ = 0;
  void* outside_ = nullptr;  // what the sanitizer keeps for a stack that waits
  void* inside_ = nullptr;
#elif defined(DYNASOC_THREAD_SANITIZER)
  ~StackSwitches() {
    if (inside_ != nullptr) __tsan_destroy_fiber(inside_);
  }
  void is_at(const void*, std::size_t) {
    if (inside_ == nullptr) inside_ = __tsan_create_fiber(0);
  }
  void enter() {
    outside_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(inside_, 0);
  }
  void entered() {}
  void leave(bool) { __tsan_switch_to_fiber(outside_, 0); }
  void left() {}

 private:
  void* outside_ = nullptr;
  void* inside_ = nullptr;
#else
  void is_at(const void*, std::size_t) {}
  void enter() {}
  void entered() {}
  void leave(bool) {}
  void left() {}
#endif
};

}  // namespace dynasoc
