#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/pair_merges.h"
#include "tarsier/text/token_model.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {

/// Byte pairs over bytes (Qwen2, GPT-2): a word is merged from the tokens of its single bytes.
class ByteLevelBpe final : public TokenModel {
 public:
  /// From the "model" of tokenizer.json, whose "vocab" is read already. CheckpointError names key
  /// and value of anything that is not byte-level BPE.
  ByteLevelBpe(const JsonView& model, std::shared_ptr<const Vocabulary> vocabulary);

  void encode(std::string_view word, std::vector<std::int64_t>& ids) const override;

 private:
  void read_bytes(const JsonView& model);
  std::vector<std::uint32_t> symbols_of(std::string_view word) const;

  std::shared_ptr<const Vocabulary> vocabulary_;
  PairMerges merges_;
  std::array<std::uint32_t, 256> byte_ids_{};
  std::array<bool, 256> byte_is_unknown_{};
  bool fuse_unknown_ = false;
  bool ignore_merges_ = false;
};

}  // namespace tarsier
