#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/base/outcome.h"
#include "tarsier/models/video_language_model.h"
#include "tarsier/train/data/sample.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// Where samples come from. `sample` is a pure function of its number, so the order of data needs
/// no saved state.
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  /// A bad sample is a note, never another sample in its place. Any thread.
  virtual Outcome<Sample> sample(std::uint64_t number) const = 0;
  /// Tokens of the visual-words list, in order; empty when the source has no such truth.
  virtual const std::vector<std::int64_t>& word_tokens() const = 0;
};

/// Clips of the synthetic world, drawn and rendered when asked for. `stage_index` and `recipe_seed`
/// key the choice of captions and questions. `model` must outlive the source. ConfigError when the
/// tokenizer splits a world word.
std::unique_ptr<SampleSource> make_synth_source(const VideoLanguageModel& model,
                                                const SynthData& data, std::uint64_t recipe_seed,
                                                std::uint64_t stage_index);

/// What preference training asks of rows (docs/data-formats.md).
struct PairRules {
  bool truth = false;     // each pair's row has its true answer, which is learned too
  std::string reference;  // hash of the reference's weights; empty: of fresh ones, never a row's
};

/// Rows of a JSONL file, or of a JSON list, in any shape of data/formats, each epoch in an order of
/// its own. A row is one conversation: of several answers each is learned behind the turns before
/// it; pictures are row_media.h's. Malformed rows are warned of with file and line; more of them
/// than the share `max_bad` is a ConfigError naming the first, before training starts. Fewer keep
/// their places in the order and are notes there, as is media that cannot be decoded. Rows that are
/// preferences are pairs where `pairs` says what is asked of them, else malformed.
std::unique_ptr<SampleSource> make_jsonl_source(const VideoLanguageModel& model,
                                                const JsonlData& data, std::uint64_t recipe_seed,
                                                std::uint64_t stage_index, double max_bad,
                                                const std::optional<PairRules>& pairs = {});

}  // namespace tarsier
