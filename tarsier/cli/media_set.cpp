#include "tarsier/cli/media_set.h"

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/cli/answer_row.h"

namespace tarsier {

std::int64_t MediaSet::tokens() const {
  std::int64_t all = 0;
  for (const SeenMedia& each : seen) all += each.tokens;
  return all;
}

MediaSet read_media_set(const std::vector<std::string>& paths, const ModelSession& session,
                        const AnswerFlags& flags) {
  if (!flags.clip.show_frames.empty() && paths.size() > 1)
    throw ConfigError({"--show-frames", "writes one picture, several files are given",
                       "look at them one at a time"});
  const VideoLanguageModel& model = *session.model;
  MediaSet media;
  for (const std::string& path : paths)
    media.clips.push_back(read_clip(path, model.sampling(), flags.clip.request));
  media.seen = model.plan_media({question_about(media, "")});
  Notice notice;
  for (std::size_t i = 0; i < media.clips.size(); ++i)
    announce_clip(flags, media.clips[i], media.seen[i], model.info(), notice);
  return media;
}

Message question_about(const MediaSet& media, std::string_view words) {
  Message message{"user", {}};
  for (const MediaClip& clip : media.clips) message.parts.push_back({"", clip.pictures});
  message.parts.push_back({std::string(words), nullptr});
  return message;
}

nlohmann::ordered_json answer_row(const MediaSet& media, const ModelSession& session,
                                  const SamplingParams& sampling) {
  nlohmann::ordered_json row = answer_row(media.clips[0], media.seen[0], session, sampling);
  for (std::size_t i = 1; i < media.clips.size(); ++i)
    row["with"].push_back(seen_row(media.clips[i], media.seen[i]));
  return row;
}

}  // namespace tarsier
