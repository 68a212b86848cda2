#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "tarsier/synth/world.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/train/data/sample.h"

namespace tarsier {

/// What a clip of the synthetic world shows and lets hear, for the objectives that read it off
/// media tokens: words, and events by frame and by cell. Const after construction.
class WorldLabels {
 public:
  /// ConfigError when the tokenizer splits a word of the level. The list of words is the same for
  /// every level, so that a run may have several: words that few tokenizers know (figures, sounds)
  /// are in it where this one does.
  WorldLabels(const Tokenizer& tokenizer, const Level& level);

  /// Tokens of the visual-words list, in order.
  const std::vector<std::int64_t>& word_tokens() const { return word_tokens_; }

  /// Labels a sample of the clip, whose frames were taken at `seconds`. One video, a frame in each
  /// temporal slice.
  void add(const Clip& clip, std::span<const double> seconds, Sample& sample) const;

 private:
  // As many beeps begin while a token of sound listens.
  static constexpr std::size_t kMostBeepsHeard = 3;

  std::int64_t token_of(std::string_view english) const;
  bool is_one_token(std::string_view english) const;
  void add_word(std::int64_t token);
  void add_sound_words();
  std::array<VisibleWords, kCells> seen_words(const Clip& clip, double at) const;
  VisibleWords heard_words(const Clip& clip, std::int64_t token) const;
  void add_parts(const ClipSound& sound, double begin, double end, VisibleWords& words) const;

  const Tokenizer& tokenizer_;
  std::vector<std::int64_t> word_tokens_;
  std::array<VisibleWords, kCells> place_words_;
  std::array<VisibleWords, kSoundKinds> sound_words_;   // empty where the tokenizer splits any
  std::array<std::int64_t, kMostBeepsHeard> digits_{};  // of 1, 2, ...; as sound_words_
  std::map<std::int64_t, std::int64_t> word_index_;     // token -> place in word_tokens_
};

}  // namespace tarsier
