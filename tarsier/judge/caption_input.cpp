#include "tarsier/judge/caption_input.h"

#include "tarsier/judge/caption_sample.h"

namespace tarsier {

VideoEvents parse_video_events(const JsonView& row) {
  return {row.at("video").as_string(), texts_of(row.at("events"))};
}

VideoPrediction parse_video_prediction(const JsonView& row) {
  const JsonView id = row.at("id"), said = row.at("pred");
  if (id.is_array() && id.size() != 1) id.fail("names more or less than one video", "give one");
  if (said.is_array() && said.size() == 0) said.fail("is an empty list", "give a text");
  return {name_text(id.is_array() ? id.at(0) : id),
          (said.is_array() ? said.at(0) : said).as_string()};
}

}  // namespace tarsier
