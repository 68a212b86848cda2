#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/base/json.h"

namespace tarsier {

/// A described video beside its truth, as a line of a prediction file has it (evaluation.md 1.1).
struct CaptionSample {
  std::string source;                              // `dataset`: "DREAM/youtube"
  std::string idx;                                 // of the video in its source
  std::string reference;                           // the truth in words
  std::string prediction;                          // what was told
  std::optional<std::vector<std::string>> events;  // of the truth, where the file has them
  std::optional<std::int64_t> n_subjects, n_shots, n_events;

  std::string key() const { return source + "_" + idx; }
  /// False for upstream's mark of a generation that failed, "<error>".
  bool was_generated() const { return prediction != "<error>"; }
};

/// Reads one row in Tarsier's shape: the text and the reference of its last message, which is the
/// assistant's, `dataset`, `idx` and what `extra_info` has. The row's error names the field.
CaptionSample parse_caption_sample(const JsonView& row);

/// A list of texts. The error of `value`.
std::vector<std::string> texts_of(const JsonView& value);
/// A text, or an integer as text.
std::string name_text(const JsonView& value);

}  // namespace tarsier
