#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "tarsier/cli/command_line.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/media/video_reader.h"
#include "tarsier/models/adapters.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// A loaded model with what runs it. The caller holds a c10::InferenceMode while it uses it.
struct ModelSession {
  std::string directory;
  std::string revision;  // the beginning of its manifest's SHA-256; "" without a manifest
  std::string adapter;   // the directory of the LoRA adapter in use; "" without one
  std::shared_ptr<VideoLanguageModel> model;
  std::unique_ptr<Adapters> adapters;      // of `model`; null without one
  AtenBackendOptions backend_options;      // keys and values within the memory available now
  std::unique_ptr<DecodeBackend> backend;  // with these options
};

/// Loads what the flags say. ConfigError for a flag, CheckpointError for the directory.
ModelSession open_session(const ModelFlags& flags,
                          std::optional<std::int64_t> max_pixels = std::nullopt);

/// The flags of the model for sound: where neither model nor adapter is named, the one that comes
/// with tarsier and hears, if it is there.
ModelFlags hearing_model(const ModelFlags& flags);

/// The flags of the model for these files: where none is named, the one that hears for files with
/// sound, unless `audio` (--audio) is off or an adapter is to be used. A file that cannot be read
/// has no sound here; whoever reads it says so.
ModelFlags model_for(const ModelFlags& flags, std::span<const std::string> media,
                     const std::string& audio);

/// Says once on stderr, for models that know the synthetic world only, that a clip is from
/// elsewhere.
class Notice {
 public:
  void say_for(const ModelInfo& model, const VideoInfo& clip);

 private:
  bool said_ = false;
};

}  // namespace tarsier
