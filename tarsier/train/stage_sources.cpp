#include "tarsier/train/stage_sources.h"

#include "tarsier/train/data/mixed_source.h"

namespace tarsier {
namespace {

std::unique_ptr<SampleSource> open_source(const VideoLanguageModel& model, const DataSource& source,
                                          const Recipe& recipe, std::size_t stage,
                                          const std::string& reference) {
  if (source.synth) return make_synth_source(model, *source.synth, recipe.seed, stage);
  std::optional<PairRules> pairs;
  if (const auto& preference = recipe.stages[stage].preference)
    pairs = PairRules{preference->truth_nll > 0, reference};
  return make_jsonl_source(model, *source.jsonl, recipe.seed, stage, recipe.max_bad, pairs);
}

std::unique_ptr<SampleSource> open_sources(const VideoLanguageModel& model,
                                           const std::vector<DataSource>& data,
                                           const Recipe& recipe, std::size_t stage,
                                           const std::string& reference) {
  if (data.size() == 1) return open_source(model, data[0], recipe, stage, reference);
  std::vector<std::unique_ptr<SampleSource>> sources;
  std::vector<double> weights;
  for (const DataSource& source : data) {
    sources.push_back(open_source(model, source, recipe, stage, reference));
    weights.push_back(source.weight);
  }
  return make_mixed_source(std::move(sources), std::move(weights), recipe.seed, stage);
}

}  // namespace

StageSources::StageSources(const VideoLanguageModel& model, const Recipe& recipe,
                           std::string reference)
    : model_(model), recipe_(recipe), reference_(std::move(reference)) {
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    sources_.push_back(open_sources(model, recipe.stages[i].sources, recipe, i, reference_));
    if (!sources_.back()->word_tokens().empty()) word_tokens_ = sources_.back()->word_tokens();
  }
}

std::unique_ptr<SampleSource> StageSources::held_out(std::size_t stage) const {
  std::vector<DataSource> data = recipe_.stages[stage].sources;
  for (DataSource& source : data) {
    if (!source.synth) continue;
    source.synth->held_out = true;
    source.synth->colour_noise = source.synth->hint_weight = source.synth->option_weight = 0;
  }
  return open_sources(model_, data, recipe_, stage, reference_);
}

}  // namespace tarsier
