#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tarsier/models/causal_decoder.h"
#include "tarsier/models/stages.h"
#include "tarsier/nn/parameters.h"
#include "tarsier/processors/media_preparation.h"
#include "tarsier/processors/model_inputs.h"

namespace tarsier {

/// What encoding one image, video or sound takes.
struct EncodeCost {
  double flops = 0;                   // a multiply-add counted as 2
  std::int64_t input_bytes = 0;       // pixels and mel frames, f32
  std::int64_t activation_bytes = 0;  // alive at once: an estimate, for plans
};

/// A family's towers and projectors: media in, rows of the decoder's input out. Const after
/// loading.
class MediaEncoder {
 public:
  virtual ~MediaEncoder() = default;
  /// [media_tokens, hidden], in the prompt's order. `decoder` gives embeddings to families that put
  /// words of the vocabulary between media tokens.
  virtual Tensor encode(const MediaInputs& media, const CausalDecoder& decoder,
                        const StageSink& sink) const = 0;
  /// Arithmetic of `encode`.
  virtual double flops(const MediaInputs& media) const = 0;
  virtual EncodeCost cost(const SeenMedia& seen, std::int64_t element_bytes) const = 0;
  /// Every weight, by its path in our code: "visual.blocks.0...".
  virtual void visit(Scope scope) = 0;
  /// Beginnings of paths that published files hold and nothing reads.
  virtual std::vector<std::string> unused_names() const { return {}; }
  /// How many values those tensors have.
  virtual std::int64_t unused_parameters() const { return 0; }
  /// With gradients, keep the blocks' inputs alone (nn/recompute.h). Before the first call.
  virtual void set_recompute(bool recompute) = 0;
};

}  // namespace tarsier
