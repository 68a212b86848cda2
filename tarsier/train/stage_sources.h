#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tarsier/train/data/source.h"
#include "tarsier/train/recipe.h"

namespace tarsier {

/// The data of every stage. All of it is opened before the first step: a wrong path or row is found
/// then, not hours later. Model and recipe must outlive it. Errors as the sources throw them.
class StageSources {
 public:
  /// `reference` is PairRules'.
  StageSources(const VideoLanguageModel& model, const Recipe& recipe, std::string reference = "");
  const SampleSource& of(std::size_t stage) const { return *sources_[stage]; }
  /// What sample answers are about: the same kind of data from clips that are not learned; of a
  /// text file, which has no other rows, the first the stage learns.
  std::unique_ptr<SampleSource> held_out(std::size_t stage) const;
  /// The run's visual-words list: that of its synthetic stages; empty without one.
  const std::vector<std::int64_t>& word_tokens() const { return word_tokens_; }

 private:
  const VideoLanguageModel& model_;
  const Recipe& recipe_;
  std::string reference_;
  std::vector<std::unique_ptr<SampleSource>> sources_;
  std::vector<std::int64_t> word_tokens_;
};

}  // namespace tarsier
