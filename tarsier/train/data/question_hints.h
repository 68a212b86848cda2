#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "tarsier/synth/world.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/train/data/sample.h"

namespace tarsier {

/// Answers that are learned once more inside the question, at tokens whose next one is given. The
/// answer's own place alone teaches slowly: there the thing asked about is two looks away, one to
/// its name and one from the name to the video. Immutable; any thread.
class QuestionHints {
 public:
  /// SynthData's weights of a hint and of a verdict, 0 for none. ConfigError when the tokenizer
  /// splits a word that a hint needs.
  QuestionHints(const Tokenizer& tokenizer, std::span<const Language> languages, double hint_weight,
                double option_weight);

  /// Adds them to `run`, a question of this kind (questions.h) in a language of the constructor's
  /// with its answer as the one target.
  void teach(std::string_view kind, Language language, TokenRun& run) const;

 private:
  struct Verdict {
    std::int64_t yes = -1, no = -1;
  };
  std::size_t end_of_question(const TokenRun& run) const;
  std::size_t last_noun(const TokenRun& run) const;
  void judge_options(const Verdict& verdict, TokenRun& run) const;

  float hint_weight_, option_weight_;
  std::int64_t end_of_turn_;
  std::vector<std::int64_t> option_letters_;
  std::set<std::int64_t> noun_tokens_;  // colours and shapes
  std::map<Language, Verdict> verdicts_;
};

}  // namespace tarsier
