#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tarsier/data/stages/row_stage.h"
#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/video_language_model.h"

namespace tarsier {

/// The model that answers.
struct AnsweringModel {
  std::shared_ptr<const VideoLanguageModel> model;
  std::string weights;         // weights_sha256 of its directory
  AtenBackendOptions backend;  // of one row
  std::int64_t threads = 1;    // of arithmetic, for each row
};

/// How a model's own answers are drawn (training.md 5.2; 7.4 draws two at top-p 0.9 and no other).
struct SampleSettings {
  std::int64_t intact = 1;     // answers to each question about the video as it is
  std::int64_t corrupted = 1;  // and about each of the row's corruptions
  double temperature = 0.7, top_p = 0.7;
  std::int64_t max_new_tokens = 512;
  std::optional<std::int64_t> frames;  // of a video whose row does not say it itself
  std::uint64_t seed = 1;

  std::string json() const;
  std::string json_of(const AnsweringModel& model) const;  // with its weights, for settings.json
};

/// The stage: each row's last question answered, and the answers kept beside the row's own as the
/// key `samples` (data/pairs/candidates.h). With corruptions in the row the intact video is shown
/// by the frames that they are of. Seeds are functions of the settings' seed and of video and
/// question. Rows without a question, or with samples already, fail, as do those whose media cannot
/// be read.
RowStage make_sample_stage(const AnsweringModel& model, const SampleSettings& settings);

}  // namespace tarsier
