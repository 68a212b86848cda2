#include "tarsier/train/media_cache.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <vector>

#include "tarsier/checkpoint/sha256.h"

namespace tarsier {
namespace {

std::string key_of(const MediaInputs& media) {
  Sha256 hash;
  for (const Tensor& tensor : {media.grid, media.pixels}) {
    const Tensor values = tensor.contiguous();
    hash.update({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
  }
  return hash.finish_hex();
}

// Rows [media, media + count) of the grid with their patches, which begin at `patch`.
MediaInputs part_of(const MediaInputs& media, std::int64_t first, std::int64_t count,
                    std::int64_t patch, std::int64_t patches) {
  return {media.pixels.slice(0, patch, patch + patches),
          media.grid.slice(0, first, first + count),
          {},
          {}};
}

}  // namespace

Tensor MediaCache::tokens_of(const VideoLanguageModel& model, const Batch& on_host,
                             const Batch& batch) {
  if (!batch.media.pixels.defined()) return {};
  const at::NoGradGuard no_grad;
  std::vector<Tensor> all;
  std::int64_t media = 0, patch = 0;
  for (const BatchSample& sample : on_host.samples) {
    if (sample.media == 0) continue;
    const std::int64_t patches =
        on_host.media.grid.slice(0, media, media + sample.media).prod(1).sum().item<std::int64_t>();
    const std::string key = key_of(part_of(on_host.media, media, sample.media, patch, patches));
    Tensor tokens;
    {
      const std::lock_guard lock(mutex_);
      const auto found = tokens_.find(key);
      if (found != tokens_.end()) {
        tokens = found->second;
        ++hits_;
      }
    }
    if (!tokens.defined()) {
      tokens = model.encode(part_of(batch.media, media, sample.media, patch, patches));
      const std::lock_guard lock(mutex_);
      const auto bytes = static_cast<std::int64_t>(tokens.nbytes());
      if (bytes_ + bytes <= max_bytes_ && tokens_.emplace(key, tokens).second) bytes_ += bytes;
    }
    all.push_back(tokens);
    media += sample.media;
    patch += patches;
  }
  return at::cat(all, 0);
}

std::int64_t MediaCache::hits() const {
  const std::lock_guard lock(mutex_);
  return hits_;
}

}  // namespace tarsier
