#pragma once

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/batch.h"

namespace tarsier {

/// The residual stream [tokens, hidden] of a batch that is on the model's device. `media`
/// [media_tokens, hidden] takes the media's places; undefined when there is none.
Tensor decode_batch(const CausalDecoder& decoder, const Batch& batch, const Tensor& media,
                    const HiddenSink& sink = {});

/// [vocab, hidden]: what reads words off the residual stream, the embedding where they are tied.
Tensor output_head(VideoLanguageModel& model);

}  // namespace tarsier
