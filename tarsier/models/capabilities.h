#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tarsier/processors/conversation.h"

namespace tarsier {

/// What a family can do, whatever its checkpoint.
struct Capabilities {
  std::string_view family;  // ModelInfo::family
  std::string_view title;   // as its makers write it
  bool images = false, videos = false, sound = false;
  bool several = false;          // more than one image or video in a prompt
  bool grounds = false;          // was trained to answer with times
  std::string_view languages{};  // its makers name for answers, as ISO 639-1 codes: "en zh"
  std::int64_t most_frames = 0;  // of a video
};

/// A row for each family that load_model knows.
std::span<const Capabilities> capabilities();
const Capabilities& capabilities_of(std::string_view family);

/// InputError for what the family cannot take: "prompt: holds an image, which video-SALMONN 2 does
/// not take; ...".
void check_capable(const Capabilities& family, const Conversation& conversation);

}  // namespace tarsier
