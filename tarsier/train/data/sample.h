#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/processors/model_inputs.h"
#include "tarsier/train/preference/preference_loss.h"

namespace tarsier {

/// A run of tokens with what each is trained to predict. Plain data.
struct TokenRun {
  std::vector<std::int64_t> tokens;  // [tokens], what the decoder reads
  std::vector<std::int64_t>
      labels;                  // [tokens], the token at this place where it is a target, else -1
  std::vector<float> weights;  // [tokens], of each target in the loss
  std::vector<std::int64_t> positions;  // [3 * tokens]: time, height, width rows
};

/// What one media token shows, for the visual-words objective: indices into the objective's word
/// list.
using VisibleWords = std::vector<std::int64_t>;

/// What happens at one frame or in one cell of it, for the event probes: 0 is "nothing" in each, -1
/// is not asked.
struct EventLabels {
  std::int64_t kind = 0, direction = 0, colour = 0, shape = 0;
};

/// Two answers of which one is preferred. They are the sample's first two branches, the chosen one
/// first; a third is the truth.
struct SamplePair {
  std::string key;  // SHA-256 of the media, the prompt and both answers, as the model reads them
  std::optional<AnswerLogProbs> reference;  // where the row brings them
};

/// Everything learned from one video: its encoding is shared by every branch (a question with its
/// answer, a caption).
struct Sample {
  std::string id;     // for messages: "synth base/train/7/123", "rows.jsonl line 12"
  MediaInputs media;  // on the CPU; empty for words alone
  TokenRun prefix;    // up to and including the last media token and its closing token; no tokens
                      // for words alone
  std::vector<std::int64_t> media_rows;  // places in the prefix that the towers fill, in order
  std::vector<TokenRun> branches;
  std::vector<VisibleWords> visible_words;  // [media tokens], empty when unknown
  std::vector<std::int64_t>
      marker_rows;  // places in the prefix of the frame markers, in order; may be empty
  std::vector<EventLabels> events;       // [markers], empty when unknown
  std::vector<EventLabels> cell_events;  // [media tokens], kind and direction; empty when unknown
  std::optional<SamplePair> pair;
};

}  // namespace tarsier
