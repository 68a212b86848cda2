#include "tarsier/cli/model_session.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/cli/default_model.h"
#include "tarsier/cli/machine.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/media/media_kinds.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/device.h"

namespace tarsier {
namespace {

std::int64_t cache_budget(const at::Device& device) {
  if (!device.is_cpu())
    return AtenBackendOptions().max_cache_bytes;  // the device's own allocator says no
  const Machine machine = read_machine();
  return std::min(machine.available_bytes,
                  machine.memory_limit_bytes.value_or(machine.available_bytes));
}

}  // namespace

ModelSession open_session(const ModelFlags& flags, std::optional<std::int64_t> max_pixels) {
  LoadOptions options;
  options.device = parse_device(flags.device);
  if (!flags.dtype.empty()) options.dtype = parse_dtype(flags.dtype);
  options.max_pixels = max_pixels;
  if (flags.threads > 0) at::set_num_threads(flags.threads);

  const std::filesystem::path directory = model_directory(flags.model);
  ModelSession session;
  session.directory = directory.string();
  if (std::filesystem::exists(directory / kManifestName))
    session.revision = sha256_of_file(directory / kManifestName).substr(0, 12);
  session.model = load_model(directory, options);
  if (!flags.adapter.empty()) {
    session.adapter = flags.adapter;
    session.adapters = std::make_unique<Adapters>(*session.model);
    session.adapters->load(flags.adapter, flags.adapter);
    session.adapters->use(flags.adapter, AdapterMode::apart);
  }
  session.backend_options.max_cache_bytes = cache_budget(options.device);
  session.backend =
      std::make_unique<AtenBackend>(session.model->decoder(), session.backend_options);
  return session;
}

ModelFlags hearing_model(const ModelFlags& flags) {
  ModelFlags chosen = flags;
  if (flags.model.empty() && flags.adapter.empty())
    chosen.model = default_hearing_model_directory().string();
  return chosen;
}

ModelFlags model_for(const ModelFlags& flags, std::span<const std::string> media,
                     const std::string& audio) {
  // No file is opened where the choice is made already.
  if (!flags.model.empty() || !flags.adapter.empty() || audio == "off") return flags;
  const auto has_sound = [](const std::string& path) {
    try {
      return media_kinds(path).sound;
    } catch (const InputError&) {
      return false;
    }
  };
  return std::any_of(media.begin(), media.end(), has_sound) ? hearing_model(flags) : flags;
}

void Notice::say_for(const ModelInfo& model, const VideoInfo& clip) {
  if (said_ || model.notice.empty()) return;
  if (!model.world_mark.empty() && clip.comment == model.world_mark) return;
  said_ = true;
  log_warning(model.notice);
}

}  // namespace tarsier
