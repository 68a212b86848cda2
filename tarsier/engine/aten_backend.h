#pragma once

#include <limits>
#include <map>
#include <vector>

#include "tarsier/engine/decode_backend.h"
#include "tarsier/models/causal_decoder.h"
#include "tarsier/nn/kv_cache.h"

namespace tarsier {

struct AtenBackendOptions {
  std::int64_t prefill_chunk =
      512;  // prompt tokens run at a time: bounds the memory of activations
  std::int64_t max_cache_bytes =
      std::numeric_limits<std::int64_t>::max();  // keys and values of all slots together
};

/// Bytes of keys and values that one token takes in a cache of `dtype`.
std::int64_t cache_bytes_per_token(const DecoderConfig& config, at::ScalarType dtype);

/// The decoder on ATen, on whatever device its weights are. One cache a slot, sized when the slot
/// is made; linear layers run once over the tokens of all slots, attention slot by slot. The
/// decoder must outlive it.
class AtenBackend : public DecodeBackend {
 public:
  explicit AtenBackend(const CausalDecoder& decoder, const AtenBackendOptions& options = {});

  bool has_room_for(std::int64_t tokens) const override;
  Admission admit(const Prompt& prompt, const Tensor& media_tokens,
                  std::int64_t new_tokens) override;
  Tensor step(std::span<const SlotToken> next) override;
  Slot fork(Slot prefix, std::int64_t new_tokens) override;
  Tensor extend(std::span<const SlotPrompt> rest) override;
  void release(Slot slot) override;

 private:
  struct Sequence {
    KvCache cache;
    std::vector<std::int64_t> tokens;  // those the cache holds
    std::int64_t next_position = 0;  // rotary, on every axis; not the cache's length behind a video
    std::int64_t axes = 1;           // rows of the prompt's positions
  };
  struct Run {
    Sequence* sequence;
    std::int64_t tokens;
  };

  Sequence& find(Slot slot);
  void check_room(std::int64_t tokens) const;
  KvCache make_cache(std::int64_t capacity) const;
  Slot hold(Sequence sequence);
  /// Runs the next tokens of each sequence: hidden [tokens, hidden], positions i64 [axes, tokens],
  /// sequence by sequence. Returns the residual stream [tokens, hidden].
  Tensor run(std::span<const Run> runs, const Tensor& hidden, const Tensor& positions) const;
  Tensor ids_on_device(const std::vector<std::int64_t>& values) const;

  const CausalDecoder& decoder_;
  const AtenBackendOptions options_;
  const std::int64_t bytes_per_token_;
  std::int64_t held_tokens_ = 0;  // capacities of all slots together
  Slot next_slot_ = 0;
  std::map<Slot, Sequence> sequences_;
};

}  // namespace tarsier
