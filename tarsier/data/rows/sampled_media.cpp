#include "tarsier/data/rows/sampled_media.h"

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"

namespace tarsier {
namespace {

std::string hash_of(const Row& row, const std::string& file) {
  try {
    return sha256_of_file(media_path(row.folder, file));
  } catch (const ResourceError& error) {  // the row names it
    throw InputError(error.note);
  }
}

}  // namespace

SampledMedia sampled_media(const Row& row) {
  SampledMedia hashes;
  bool has_video = false;
  for (const Media& media : row.record.media) {
    if (media.kind == MediaKind::video && !has_video) {
      has_video = true;
      if (!media.is_list) hashes.video = hash_of(row, media.files.front());
      if (!media.audio_file.empty() && media.use_audio != false)
        hashes.sound = hash_of(row, media.audio_file);
    }
  }
  if (!hashes.sound.empty()) return hashes;
  for (const Media& media : row.record.media) {
    if (media.kind != MediaKind::audio) continue;
    hashes.sound = hash_of(row, media.files.front());
    break;
  }
  return hashes;
}

}  // namespace tarsier
