#pragma once

#include <span>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/data/sample.h"

namespace tarsier {

/// A question to answer, or an instruction with the text it asks for.
struct Exchange {
  std::string question, answer;
};

/// Prepares one video with several exchanges about it. Each is tokenised as a whole conversation by
/// the model's own template; what they share up to the end of the media block becomes the prefix.
/// InputError when an exchange does not fit, has an empty answer, or changes the prefix.
Sample build_sample(const VideoLanguageModel& model, std::shared_ptr<const Pictures> pictures,
                    std::span<const Exchange> exchanges, std::string id);

}  // namespace tarsier
