#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "tarsier/data/stages/row_stage.h"
#include "tarsier/judge/caption_error.h"
#include "tarsier/judge/caption_judge.h"
#include "tarsier/judge/event_judge.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// Who scores a row's answers, and by which of the two metrics; at least one.
struct ScoreJudges {
  std::shared_ptr<EventJudge> events;      // AutoDQ: recall and precision (training.md 5.3)
  std::shared_ptr<CaptionJudge> captions;  // errors per event (7.4)
  CaptionSchedule schedule{.trials = 1};   // of the second

  std::string json() const;  // for settings.json
};

/// The moving-shapes world's own judges of one metric or both.
ScoreJudges exact_judges(Language language, bool events = true, bool captions = true);

/// The stage: each answer in `samples` gets its `score` against the row's truth: the `reference` of
/// its last turn where there is one, else that turn's words; and the events in `extra_info`, where
/// the row lists them. A row whose judge gave no usable answer fails: it has no score, not a zero.
/// Rows without samples or truth fail too. Judges that cache make it resumable within a row.
RowStage make_score_stage(const ScoreJudges& judges, std::stop_token stop);

}  // namespace tarsier
