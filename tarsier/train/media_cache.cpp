#include "tarsier/train/media_cache.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <vector>

#include "tarsier/checkpoint/sha256.h"

namespace tarsier {
namespace {

std::string key_of(const MediaInputs& media) {
  Sha256 hash;
  for (const Tensor& tensor : {media.grid, media.pixels, media.mel}) {
    if (!tensor.defined()) continue;
    const Tensor values = tensor.contiguous();
    hash.update({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
  }
  return hash.finish_hex();
}

// The media that begin at `first`.
MediaInputs part_of(const MediaInputs& media, const MediaCounts& first, const MediaCounts& count) {
  MediaInputs part;
  if (count.pixels > 0)
    part.pixels = media.pixels.slice(0, first.pixels, first.pixels + count.pixels);
  part.grid = media.grid.slice(0, first.grid, first.grid + count.grid);
  if (count.mel > 0) part.mel = media.mel.slice(0, first.mel, first.mel + count.mel);
  const auto entry = media.layout.begin() + first.layout;
  part.layout.assign(entry, entry + count.layout);
  return part;
}

}  // namespace

Tensor MediaCache::tokens_of(const VideoLanguageModel& model, const Batch& on_host,
                             const Batch& batch) {
  if (batch.media.empty()) return {};
  const at::NoGradGuard no_grad;
  std::vector<Tensor> all;
  MediaCounts first;
  for (const BatchSample& sample : on_host.samples) {
    const MediaCounts& count = sample.media;
    if (count.empty()) continue;
    const std::string key = key_of(part_of(on_host.media, first, count));
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
      tokens = model.encode(part_of(batch.media, first, count));
      const std::lock_guard lock(mutex_);
      const auto bytes = static_cast<std::int64_t>(tokens.nbytes());
      if (bytes_ + bytes <= max_bytes_ && tokens_.emplace(key, tokens).second) bytes_ += bytes;
    }
    all.push_back(tokens);
    first.pixels += count.pixels;
    first.grid += count.grid;
    first.mel += count.mel;
    first.layout += count.layout;
  }
  return at::cat(all, 0);
}

std::int64_t MediaCache::hits() const {
  const std::lock_guard lock(mutex_);
  return hits_;
}

}  // namespace tarsier
