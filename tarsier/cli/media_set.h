#pragma once

#include <string>
#include <vector>

#include "tarsier/cli/answer_command.h"
#include "tarsier/cli/clip.h"
#include "tarsier/cli/model_session.h"

namespace tarsier {

/// The videos and images of one prompt, in order.
struct MediaSet {
  std::vector<MediaClip> clips;
  std::vector<SeenMedia> seen;  // of each

  std::int64_t tokens() const;  // media tokens of them all
};

/// Reads every file as the flags say, and says on stderr what the model sees. Throws as read_clip;
/// ConfigError for --show-frames with several files.
MediaSet read_media_set(const std::vector<std::string>& paths, const ModelSession& session,
                        const AnswerFlags& flags);

/// All of the media, then these words, from the user.
Message question_about(const MediaSet& media, std::string_view words);

/// The --json row of answers about a set: answer_row of the first, the others under "with".
nlohmann::ordered_json answer_row(const MediaSet& media, const ModelSession& session,
                                  const SamplingParams& sampling);

}  // namespace tarsier
