#pragma once

#include "tarsier/base/json.h"
#include "tarsier/models/causal_decoder.h"

namespace tarsier {

/// Reads a Llama language configuration (Vicuna and Yi too); absent keys take transformers'
/// LlamaConfig defaults (models-tarsier.md 1.3). CheckpointError names the key.
DecoderConfig llama_decoder_config(const JsonView& text_config);

}  // namespace tarsier
