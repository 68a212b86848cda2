#include "tarsier/train/forward.h"

#include <ATen/ATen.h>

#include <memory>

namespace tarsier {

Tensor decode_batch(const CausalDecoder& decoder, const Batch& batch, const Tensor& media,
                    const HiddenSink& sink) {
  Tensor hidden = decoder.embed(batch.tokens);
  if (media.defined()) hidden = hidden.index_copy(0, batch.media_rows, media);
  // Held by what backward may run again: it must outlive this call.
  const auto attention = std::make_shared<const SegmentAttention>(batch.layout, decoder.device());
  return decoder.forward(
      hidden, batch.positions,
      [attention](std::int64_t, const Tensor& q, const Tensor& k, const Tensor& v) {
        return (*attention)(q, k, v);
      },
      sink);
}

Tensor output_head(VideoLanguageModel& model) {
  Tensor head = model.decoder().embedding_weight();
  const TensorVisitor find = [&](const std::string& path, Tensor& tensor) {
    if (path == "lm_head.weight") head = tensor;
  };
  model.visit(Scope(find));
  return head;
}

}  // namespace tarsier
