#pragma once

#include "tarsier/cli/judge_flags.h"
#include "tarsier/rollout/score_rows.h"

namespace tarsier {

/// The judges that the flags name, for one metric or both. Errors as open_judge.
ScoreJudges open_score_judges(const JudgeFlags& flags, bool events, bool captions);

}  // namespace tarsier
