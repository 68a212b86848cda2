#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tarsier {

/// One rule: a tensor name that starts with `from` starts with `to` in our code. The first match
/// wins, once.
struct Rename {
  std::string_view from, to;
};

/// Our name of a checkpoint's tensor; nullopt when no rule matches.
std::optional<std::string> apply_renames(std::span<const Rename> rules, std::string_view name);

/// The checkpoint's name of our tensor, by the first rule whose `to` matches; nullopt when none
/// does. Undoes apply_renames only for rules that write one layout (below), not for those that read
/// many.
std::optional<std::string> invert_renames(std::span<const Rename> rules, std::string_view name);

/// Names that older exporters stored and nothing reads: rotary_emb.inv_freq,
/// embeddings.position_ids.
bool is_ignored_tensor(std::string_view name);

/// Every layout in which a Qwen2-VL or Tarsier2 checkpoint is found -> `visual.`, `model.`,
/// `lm_head.`
inline constexpr Rename kQwen2VlNames[] = {
    {"model.visual.", "visual."},         // saved by transformers 4.52 or newer
    {"model.language_model.", "model."},  // the same
    {"model.vision_tower.", "visual."},   // Tarsier2 re-saved in the LLaVA style
    {"language_model.model.", "model."},  // Tarsier2 as published
    {"language_model.lm_head.", "lm_head."},
    {"vision_tower.", "visual."},
    {"visual.", "visual."},  // Qwen2-VL as published
    {"model.", "model."},
    {"lm_head.", "lm_head."},
};

/// One layout each, to save with invert_renames.
inline constexpr Rename kPublishedQwen2VlNames[] = {
    {"visual.", "visual."}, {"model.", "model."}, {"lm_head.", "lm_head."}};
inline constexpr Rename kPublishedTarsier2Names[] = {{"vision_tower.", "visual."},
                                                     {"language_model.model.", "model."},
                                                     {"language_model.lm_head.", "lm_head."}};

/// The same for video-SALMONN 2+, which also has `audio.`.
inline constexpr Rename kSalmonn2PlusNames[] = {
    {"model.visual.", "visual."},  // as transformers 4.52 or newer would save it
    {"model.audio.", "audio."},   {"model.language_model.", "model."},
    {"visual.", "visual."},  // as published
    {"audio.", "audio."},         {"model.", "model."},
    {"lm_head.", "lm_head."},
};
inline constexpr Rename kPublishedSalmonn2PlusNames[] = {
    {"visual.", "visual."}, {"audio.", "audio."}, {"model.", "model."}, {"lm_head.", "lm_head."}};

/// Every layout of a Tarsier checkpoint of the first generation (and of LLaVA re-saves of it) ->
/// `vision_tower.`, `multi_modal_projector.`, `model.`, `lm_head.`
inline constexpr Rename kTarsierNames[] = {
    {"model.vision_tower.", "vision_tower."},  // saved by transformers 4.52 or newer
    {"model.multi_modal_projector.", "multi_modal_projector."},
    {"model.language_model.", "model."},
    {"language_model.model.", "model."},  // as published
    {"language_model.lm_head.", "lm_head."},
    {"vision_tower.", "vision_tower."},
    {"multi_modal_projector.", "multi_modal_projector."},
    {"lm_head.", "lm_head."},
};
inline constexpr Rename kPublishedTarsierNames[] = {
    {"vision_tower.", "vision_tower."},
    {"multi_modal_projector.", "multi_modal_projector."},
    {"language_model.model.", "model."},
    {"language_model.lm_head.", "lm_head."},
};

/// The one layout of LLaVA-OneVision-Qwen2 and video-SALMONN 2 (models-video-salmonn-2.md 2.12), to
/// read and to save.
inline constexpr Rename kLlavaQwenNames[] = {
    {"model.vision_tower.vision_tower.", "vision_tower."},
    {"model.mm_projector.", "mm_projector."},
    {"model.image_newline", "image_newline"},
    {"model.", "model."},
    {"lm_head.", "lm_head."},
    {"speech_", "speech_"},
    {"ln_speech.", "ln_speech."},
    {"final_linear.", "final_linear."},
};

}  // namespace tarsier
