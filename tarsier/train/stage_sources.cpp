#include "tarsier/train/stage_sources.h"

namespace tarsier {

StageSources::StageSources(const VideoLanguageModel& model, const Recipe& recipe)
    : model_(model), recipe_(recipe) {
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    const Stage& stage = recipe.stages[i];
    sources_.push_back(
        stage.synth ? make_synth_source(model, *stage.synth, recipe.seed, i)
                    : make_jsonl_source(model, *stage.jsonl, recipe.seed, i, recipe.max_bad));
    if (!sources_.back()->word_tokens().empty()) word_tokens_ = sources_.back()->word_tokens();
  }
}

std::unique_ptr<SampleSource> StageSources::held_out(std::size_t stage) const {
  const Stage& settings = recipe_.stages[stage];
  if (!settings.synth)
    return make_jsonl_source(model_, *settings.jsonl, recipe_.seed, stage, recipe_.max_bad);
  SynthData data = *settings.synth;
  data.held_out = true;
  data.colour_noise = 0;
  return make_synth_source(model_, data, recipe_.seed, stage);
}

}  // namespace tarsier
