#pragma once

#include "tarsier/tensor/tensor.h"

namespace tarsier {

/// Makes each media token name what it shows (world.md 4): binary cross-entropy of media_tokens
/// [tokens, hidden] against the embeddings of the words [words, hidden] plus bias [words], for
/// visible [tokens, words] of 0 and 1. Summed over words, mean over tokens. Without it a tower of
/// this size does not start to learn from captions alone.
Tensor visual_words_loss(const Tensor& media_tokens, const Tensor& word_embeddings,
                         const Tensor& bias, const Tensor& visible);

}  // namespace tarsier
