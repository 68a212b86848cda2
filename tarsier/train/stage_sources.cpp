#include "tarsier/train/stage_sources.h"

namespace tarsier {

StageSources::StageSources(const VideoLanguageModel& model, const Recipe& recipe) {
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    const Stage& stage = recipe.stages[i];
    sources_.push_back(stage.synth ? make_synth_source(model, *stage.synth, recipe.seed, i)
                                   : make_jsonl_source(model, *stage.jsonl, recipe.seed, i));
    if (!sources_.back()->word_tokens().empty()) word_tokens_ = sources_.back()->word_tokens();
  }
}

}  // namespace tarsier
