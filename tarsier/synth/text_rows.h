#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/synth/loose_words.h"
#include "tarsier/synth/world.h"

namespace tarsier {

/// The texts of a clip that data of other kinds can be made of.
enum class TextKind {
  dense,       // describe()
  intervals,   // describe_with_intervals()
  brief,       // short_caption(), nothing in it wrong
  web,         // web_caption()
  commentary,  // drifting_commentary()
  questions,   // make_questions(), all in one row
  flawed       // flawed_description(), with describe()'s beside it as the part's `reference`
};

/// "dense", "intervals", ...
std::string_view name_of(TextKind kind);
/// ConfigError naming `flag`.
TextKind text_kind_named(std::string_view name, const std::string& flag);
std::string text_kind_names();  // "dense, intervals, brief, web, commentary, flawed or questions"

struct TextRowSettings {
  std::vector<TextKind> kinds;
  std::vector<Language> languages = {Language::english};
  WebRates web;
  DriftRates drift;
  FlawRates flaws;
};

/// A line of JSON for each kind and language, without the newline, in Tarsier's training format:
/// `id`, `dataset`, `task`, `messages`, and `extra_info` with the clip's identity, `text` (the
/// kind), `language`, and of loose texts what is wrong with them: `flaws` and `left_out`. Intervals
/// count `frames` uniformly sampled frames. Each line is a pure function of clip, kind, language
/// and rates: which others are asked for does not change it.
std::vector<std::string> text_rows(const Clip& clip, const std::string& video_file,
                                   std::int64_t frames, const TextRowSettings& settings);

}  // namespace tarsier
