#include "tarsier/data/row_cost.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tarsier {
namespace {

constexpr double kTokensPerPicture = 300, kBytesPerToken = 4;
// 128 x 384 x 384 pixels (training.md 2.5); frames come in pairs, a token is 28 x 28 pixels.
constexpr double kMostPictureTokens = 128.0 * 384 * 384 / 2 / (28 * 28);
constexpr std::int64_t kFrames = 16;

std::int64_t pictures_of(const Media& media) {
  if (media.kind == MediaKind::audio) return 1;
  std::int64_t pictures = media.kind == MediaKind::video ? kFrames : 1;
  if (media.is_list) pictures = static_cast<std::int64_t>(media.files.size());
  if (!media.frame_indices.empty())
    pictures = static_cast<std::int64_t>(media.frame_indices.size());
  if (const auto asked = media.extra.find("n_frames"); asked != media.extra.end()) {
    const auto number = nlohmann::json::parse(asked->second);
    if (number.is_number_integer()) pictures = number.get<std::int64_t>();
  }
  return pictures;
}

}  // namespace

double row_cost(const Record& record) {
  double text = 0, pictures = 0;
  for (const Turn& turn : record.turns) text += static_cast<double>(text_of(turn).size());
  if (record.preference)
    text +=
        static_cast<double>(record.preference->chosen.size() + record.preference->rejected.size());
  for (const Media& media : record.media) pictures += static_cast<double>(pictures_of(media));
  return text / kBytesPerToken + std::min(pictures * kTokensPerPicture, kMostPictureTokens);
}

}  // namespace tarsier
