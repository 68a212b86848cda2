#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tarsier/base/json.h"

namespace tarsier {

/// Rows of video-SALMONN 2's test set and of predictions for it (evaluation.md 3). The row's error
/// names the field.

struct VideoEvents {
  std::string video;  // "0.mp4"
  std::vector<std::string> events;
};
/// {"video": "0.mp4", "events": [texts]}, with other keys beside them.
VideoEvents parse_video_events(const JsonView& row);

struct VideoPrediction {
  std::string video;
  std::string caption;
};
/// {"id": ["0.mp4"] or "0.mp4", "pred": text or a list whose first text is meant}.
VideoPrediction parse_video_prediction(const JsonView& row);

}  // namespace tarsier
