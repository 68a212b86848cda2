#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tarsier/media/video_reader.h"

namespace tarsier {

enum class Modality { image, video, audio };

/// Decoded sound: mono at 16 kHz, from the beginning of the video or of the file.
struct Sound {
  std::vector<float> samples;
};

/// Decoded pictures and sound of one image, video or sound file, ready for a processor. Immutable
/// and shared between requests.
struct Pictures {
  Modality modality = Modality::video;
  std::vector<Frame> frames;           // all of one size; one for an image, none for sound alone
  double seconds = 0;                  // how long the part looked at is; 0 where no family asks
  std::shared_ptr<const Sound> sound;  // null: silent, or not to be heard
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
