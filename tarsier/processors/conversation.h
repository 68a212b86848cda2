#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tarsier/media/video_reader.h"

namespace tarsier {

enum class Modality { image, video, audio };

/// Decoded pictures of one image or video, ready for a processor. Immutable and shared between
/// requests.
struct Pictures {
  Modality modality = Modality::video;
  std::vector<Frame> frames;  // all of one size; one for an image
};

/// A piece of a message: text, or pictures (then `text` is empty).
struct Part {
  std::string text;
  std::shared_ptr<const Pictures> pictures;
};

struct Message {
  std::string role;  // "system", "user" or "assistant"
  std::vector<Part> parts;
};

/// Messages in order. When the last one is the assistant's it is left open: generation continues
/// it.
using Conversation = std::vector<Message>;

}  // namespace tarsier
