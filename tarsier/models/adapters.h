#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "tarsier/models/adapter_file.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// How an adapter's changes act: beside the weights, in f32, or added to them once.
enum class AdapterMode { apart, merged };

/// The LoRA adapters of one model: any number loaded, at most one in use. Switching restores the
/// model's own weights exactly: they are kept, not subtracted from. Nothing may run on the model
/// during a call. The model must outlive this.
class Adapters {
 public:
  explicit Adapters(VideoLanguageModel& model);
  ~Adapters();
  Adapters(const Adapters&) = delete;
  Adapters& operator=(const Adapters&) = delete;

  /// Reads an adapter (models/adapter_file.h) under a name of the caller's; not in use yet.
  /// CheckpointError naming the first layer or tensor that the model does not have or that has
  /// another shape there. An adapter that names another base model is noted in the log.
  void load(const std::string& name, const std::filesystem::path& directory);

  void use(const std::string& name, AdapterMode mode);  // in place of the one in use
  void off();                                           // the model as it was loaded
  void save(const std::string& name, const std::filesystem::path& directory) const;
  /// The name of the one in use, "" when off.
  const std::string& in_use() const { return in_use_; }

 private:
  /// An adapter with its names turned into our paths, on the model's device.
  struct Fitted {
    Adapter file;
    std::map<std::string, std::shared_ptr<const LoraDelta>> deltas;  // by path of the weight
    std::map<std::string, Tensor> replaced;                          // by path
  };
  Fitted fit(Adapter adapter) const;
  const Fitted& find(const std::string& name) const;

  VideoLanguageModel& model_;
  std::map<std::string, Fitted> loaded_;
  std::map<std::string, Tensor> own_;  // the model's tensors that are replaced now, by path
  std::string in_use_;
};

}  // namespace tarsier
