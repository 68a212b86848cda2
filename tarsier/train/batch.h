#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tarsier/nn/attention.h"
#include "tarsier/train/data/sample.h"

namespace tarsier {

/// Places in a batch's targets, one after another.
struct TargetRange {
  std::int64_t begin = 0, end = 0;
  std::int64_t size() const { return end - begin; }
};

/// Of [targets] the sum over a range.
double sum_over(std::span<const double> values, const TargetRange& range);

/// How much of a batch's media is a sample's: rows of each tensor, and entries of the layout.
struct MediaCounts {
  std::int64_t pixels = 0, grid = 0, mel = 0, layout = 0;
  bool empty() const { return pixels == 0 && mel == 0; }
};

/// Where the targets of a sample's branches are, and what it is where it is a pair.
struct BatchSample {
  std::vector<TargetRange> branches;
  MediaCounts media;
  std::optional<SamplePair> pair;
};

/// Samples packed into one row of tokens: each sample's prefix is a root segment, its branches are
/// siblings behind it.
struct Batch {
  std::vector<std::string> ids;      // of its samples
  std::vector<BatchSample> samples;  // in the same order
  MediaInputs media;                 // of all samples, in order; empty when none has any
  Tensor tokens;                     // i64 [tokens]
  Tensor positions;                  // i64 [3, tokens]
  AttentionLayout layout;
  Tensor media_rows;     // i64 [media_tokens]: places the towers fill
  Tensor target_rows;    // i64 [targets]: rows whose next token is learned
  Tensor labels;         // i64 [targets]
  Tensor weights;        // f32 [targets]
  Tensor visible_words;  // f32 [media_tokens, words], 1 where the token shows the word; undefined
                         // when unknown
  Tensor marker_rows;    // i64 [markers]; undefined when unknown
  Tensor event_labels;   // i64 [markers, 4]: kind, direction, colour, shape
  Tensor cell_labels;    // i64 [media_tokens, 2]: kind, direction; undefined when unknown
  double weight_sum = 0;
  std::int64_t clips() const { return static_cast<std::int64_t>(ids.size()); }
};

/// The batch with its tensors there, but for the grid, which is read on the host.
Batch on_device(Batch batch, at::Device device);

/// `words` is the length of the visual-words list. At least one sample.
Batch make_batch(std::span<const Sample> samples, std::int64_t words);

}  // namespace tarsier
