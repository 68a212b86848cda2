#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tarsier/checkpoint/rename.h"
#include "tarsier/models/causal_decoder.h"
#include "tarsier/models/generation_defaults.h"
#include "tarsier/models/media_encoder.h"
#include "tarsier/nn/parameters.h"
#include "tarsier/processors/conversation.h"
#include "tarsier/processors/frame_selection.h"
#include "tarsier/processors/media_preparation.h"
#include "tarsier/processors/model_inputs.h"

namespace tarsier {

class Tokenizer;

/// What a prompt is for: an answer to come, or an answer that is there to be learned (sets
/// Prompt::is_target). The last two leave MediaInputs::pixels undefined: for further questions and
/// answers about pictures already prepared.
enum class PromptPurpose { generate, train, generate_without_pixels, train_without_pixels };

/// Facts about a loaded model for reports ("what the model saw").
struct ModelInfo {
  std::string name;             // the directory's last part
  std::string family;           // "tarsier2", "qwen2_vl", ...
  std::string template_origin;  // which file the chat template came from
  std::string dtype;            // "f32", "bf16" or "f16"
  std::string notice;      // said once on stderr for a video from outside its world; usually empty
  std::string world_mark;  // the comment of files from its world; empty: it has none
  bool hears = false;      // takes sound, alone or with a video
  std::int64_t parameters = 0;
  std::int64_t max_tokens = 0;  // longest prompt plus answer
};

/// One loaded model. `prepare` may run on any thread; the rest on one thread at a time, which uses
/// all cores.
class VideoLanguageModel {
 public:
  virtual ~VideoLanguageModel() = default;
  virtual const Tokenizer& tokenizer() const = 0;
  virtual const SamplingRule& sampling() const = 0;  // which frames of a video it wants
  virtual const GenerationDefaults& generation() const = 0;
  virtual const ModelInfo& info() const = 0;
  /// Pixels, tokens and positions; no weights touched. InputError when it does not fit.
  virtual ModelInputs prepare(const Conversation& conversation,
                              PromptPurpose purpose = PromptPurpose::generate) const = 0;
  /// Sizes and token counts of a conversation's pictures, without touching a pixel.
  virtual std::vector<SeenMedia> plan_media(const Conversation& conversation) const = 0;
  /// [media_tokens, hidden]. `sink` sees every stage; with it the work is done in one piece.
  virtual Tensor encode(const MediaInputs& media, const StageSink& sink = {}) const = 0;
  /// Arithmetic of `encode`, a multiply-add counted as 2.
  virtual double encode_flops(const MediaInputs& media) const = 0;
  /// The same and more of one picture of plan_media, with values of `element_bytes`: for plans.
  virtual EncodeCost encode_cost(const SeenMedia& seen, std::int64_t element_bytes) const = 0;
  virtual const CausalDecoder& decoder() const = 0;
  /// Every weight, by its path in our code: "visual...", "model...", "lm_head.weight".
  virtual void visit(Scope scope) = 0;
  /// Rules that turn the names of the family's published files into our paths, one layout: to save
  /// what others can load.
  virtual std::span<const Rename> published_names() const = 0;
};

struct LoadOptions {
  at::Device device = at::Device(at::kCPU);
  std::optional<at::ScalarType>
      dtype;  // unset: f32 when that takes at most half the memory, else as stored
  std::optional<std::uint64_t> random_weights;  // a seed: fresh weights instead of the directory's
  bool trainable = false;  // weights in memory of their own that require gradients
  bool recompute = false;  // gradients keep the inputs of layers and blocks alone:
                           // nn/recompute.h
  std::function<bool(const std::string& path)>
      in_int8;                   // dense layers' weights to be kept in 8 bits: nn/int8_weight.h
  bool without_sound = false;    // leave the towers of sound out: such a model does not hear
  bool without_weights = false;  // sizes alone, on the meta device: for plans
  std::optional<std::int64_t>
      max_pixels;  // --max-pixels: of a picture after resizing, in place of the directory's limit
};

}  // namespace tarsier
