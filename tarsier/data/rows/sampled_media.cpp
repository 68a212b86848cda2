#include "tarsier/data/rows/sampled_media.h"

#include <algorithm>

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

const Media* first_of(const Row& row, MediaKind kind) {
  const std::vector<Media>& all = row.record.media;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Media& media) { return media.kind == kind; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::string sampled_video(const Row& row) {
  const Media* video = first_of(row, MediaKind::video);
  return video == nullptr || video->is_list ? "" : hash_of(row, video->files.front());
}

std::string sampled_sound(const Row& row) {
  const Media* video = first_of(row, MediaKind::video);
  if (video != nullptr && !video->audio_file.empty() && video->use_audio != false)
    return hash_of(row, video->audio_file);
  const Media* sound = first_of(row, MediaKind::audio);
  return sound == nullptr ? "" : hash_of(row, sound->files.front());
}

}  // namespace tarsier
