#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tarsier/models/family.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// Loads a model directory in Hugging Face layout; the family is chosen by config.json's model_type
/// and the language model's, LlavaQwen by its own keys. CheckpointError names the file and what is
/// wrong with it, and an unknown model_type by its value.
std::shared_ptr<VideoLanguageModel> load_model(const std::filesystem::path& directory,
                                               const LoadOptions& options = {});

/// The same without weights and tokenizer: sizes, sampling, what becomes of media.
Family read_family(const std::filesystem::path& directory, const LoadOptions& options = {});

/// What config.json alone decides: every weight's path and shape, on the meta device.
Network read_network(const std::filesystem::path& directory);

/// The decoder's settings of a model directory, without loading it. CheckpointError as above.
DecoderConfig read_decoder_config(const std::filesystem::path& directory);

/// Writes the weights as DIRECTORY/model.safetensors under the family's published names, in
/// `dtype`; changes of an adapter that is kept apart are added to them in f32 first. In place of
/// those that are kept in 8 bits `whole`, the model they were rounded from, gives its own. One
/// weight at a time is in memory a second time. Whole or not at all. ResourceError when the disk
/// refuses.
void save_weights(VideoLanguageModel& model, const std::filesystem::path& directory,
                  at::ScalarType dtype, VideoLanguageModel* whole = nullptr);

}  // namespace tarsier
