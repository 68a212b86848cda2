#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/engine/aten_backend.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/synth/world.h"
#include "tarsier/synth/world_score.h"

namespace tarsier {

struct WorldEvalSettings {
  std::string level = "base";
  Language language = Language::english;  // of prompts, questions and answers
  Split split = Split::test;
  std::uint64_t seed = 1;
  std::int64_t clips = 500;
  std::int64_t unseen_clips = 0;        // more clips, of held-out colour-shape pairs only
  std::int64_t questions_per_clip = 8;  // drawn among the clip's; a probe counts with its pair
  std::int64_t workers = 0;  // clips at a time, a thread each; 0: of a small model on a CPU, which
                             // one clip does not keep busy, one a core, else one
  AtenBackendOptions backend = {};  // of the workers together
  std::filesystem::path clips_in =
      {};  // keeps the clips' files here for the next evaluation of
           // the same; several processes may share it. Empty: none kept
};

/// One clip's answers, for whoever wants to look.
struct WorldEvalItem {
  std::uint64_t index = 0;
  bool unseen = false;
  std::string truth, description, with_intervals;
};

struct WorldEvalResult {
  WorldScores scores, unseen;
  std::vector<WorldEvalItem> items;
};

/// Asks a model about held-out clips and scores it exactly (world.md 3). Every clip is written as
/// an mp4 file (H.264, CRF 23), read back and described greedily, plainly and with intervals; its
/// questions share one encoding. A model with ears has the clip's sound too; one without is asked
/// the same. `progress` hears the number of finished clips, on one thread at a time. InputError and
/// others as the parts throw them. Stops early, with what was scored, when asked to. How many
/// workers there are changes no score.
WorldEvalResult evaluate_world(const VideoLanguageModel& model, const WorldEvalSettings& settings,
                               const std::function<void(std::int64_t)>& progress = {},
                               std::stop_token stop = {});

}  // namespace tarsier
