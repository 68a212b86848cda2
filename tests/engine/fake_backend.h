#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/engine/decode_backend.h"

namespace tarsier {

/// Plays a script: what follows a prompt is looked up by the prompt's last token. Counts what is
/// asked of it.
class FakeBackend : public DecodeBackend {
 public:
  explicit FakeBackend(std::int64_t vocab) : vocab_(vocab) {}

  std::map<std::int64_t, std::vector<std::int64_t>> scripts;  // last prompt token -> tokens to come
  std::int64_t room = std::numeric_limits<std::int64_t>::max();
  std::function<void()> before_step;

  std::int64_t admissions = 0, forks = 0;
  std::vector<std::size_t> batches;  // the size of each step
  std::size_t most_slots = 0;
  std::map<Slot, std::int64_t> taken;  // live slots -> tokens they keep room for

  bool has_room_for(std::int64_t tokens) const override {
    std::int64_t used = 0;
    for (const auto& [slot, size] : taken) used += size;
    return tokens <= room - used;
  }
  Admission admit(const Prompt& prompt, const Tensor&, std::int64_t new_tokens) override {
    ++admissions;
    const auto length = static_cast<std::int64_t>(prompt.tokens.size());
    const Slot slot = take(length, length + new_tokens);
    states_[slot].last = prompt.tokens.back();
    return {slot, logits_of(slot)};
  }
  Tensor step(std::span<const SlotToken> next) override {
    if (before_step) before_step();
    batches.push_back(next.size());
    std::vector<Tensor> rows;
    for (const SlotToken& each : next) {
      check(taken.contains(each.slot), "a stepped slot is held");
      rows.push_back(logits_of(each.slot));
    }
    return at::stack(rows);
  }
  Slot fork(Slot prefix, std::int64_t new_tokens) override {
    ++forks;
    const std::int64_t length = states_.at(prefix).length;
    return take(length, length + new_tokens);
  }
  Tensor extend(std::span<const SlotPrompt> rest) override {
    std::vector<Tensor> rows;
    for (const SlotPrompt& each : rest) {
      states_.at(each.slot).last = each.prompt->tokens.back();
      rows.push_back(logits_of(each.slot));
    }
    return at::stack(rows);
  }
  void release(Slot slot) override { check(taken.erase(slot) == 1, "a slot is released once"); }

 private:
  struct State {
    std::int64_t length = 0, last = 0;
    std::size_t next = 0;
  };
  Slot take(std::int64_t length, std::int64_t capacity) {
    if (!has_room_for(capacity)) throw ResourceError({"cache", "is full", "ask for less"});
    taken[slots_] = capacity;
    states_[slots_] = {length, 0, 0};
    most_slots = std::max(most_slots, taken.size());
    return slots_++;
  }
  Tensor logits_of(Slot slot) {
    State& state = states_.at(slot);
    const Tensor logits = at::zeros({vocab_});
    const auto script = scripts.find(state.last);
    if (script != scripts.end()) logits[script->second.at(state.next++)] = 5;
    return logits;
  }

  const std::int64_t vocab_;
  Slot slots_ = 0;
  std::map<Slot, State> states_;
};

}  // namespace tarsier
