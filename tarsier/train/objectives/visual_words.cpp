#include "tarsier/train/objectives/visual_words.h"

#include <ATen/ATen.h>

namespace tarsier {

Tensor visual_words_loss(const Tensor& media_tokens, const Tensor& word_embeddings,
                         const Tensor& bias, const Tensor& visible) {
  const Tensor logits =
      at::addmm(bias, media_tokens.to(at::kFloat), word_embeddings.to(at::kFloat).t());
  return at::binary_cross_entropy_with_logits(logits, visible, {}, {}, at::Reduction::Sum) /
         visible.size(0);
}

}  // namespace tarsier
