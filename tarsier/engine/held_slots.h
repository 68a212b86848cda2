#pragma once

#include <vector>

#include "tarsier/engine/decode_backend.h"

namespace tarsier {

/// Slots that are given back whatever happens.
class HeldSlots {
 public:
  explicit HeldSlots(DecodeBackend& backend) : backend_(backend) {}
  ~HeldSlots() {
    for (const Slot slot : slots_) backend_.release(slot);
  }
  HeldSlots(const HeldSlots&) = delete;
  HeldSlots& operator=(const HeldSlots&) = delete;

  Slot add(Slot slot) { return slots_.emplace_back(slot); }
  void release(Slot slot) {
    std::erase(slots_, slot);
    backend_.release(slot);
  }

 private:
  DecodeBackend& backend_;
  std::vector<Slot> slots_;
};

}  // namespace tarsier
