#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/text/vocabulary.h"

namespace tarsier {

/// The "model" stage of a tokenizer: one word -> ids. Chosen when a tokenizer is loaded.
/// Implementations are immutable and thread-safe.
class TokenModel {
 public:
  virtual ~TokenModel() = default;

  /// Appends the ids of one word, which is UTF-8 and not empty, in time n log n.
  virtual void encode(std::string_view word, std::vector<std::int64_t>& ids) const = 0;
};

/// Refuses, by a CheckpointError that names the key, a "model" of tokenizer.json that is not BPE or
/// has an option no implementation knows.
void require_plain_bpe(const JsonView& model);

/// The id of the model's "unk_token", nullopt for null. CheckpointError when it has none.
std::optional<std::int64_t> unknown_token(const JsonView& model, const Vocabulary& vocabulary);

}  // namespace tarsier
