#pragma once

#include <string_view>

#include "tarsier/synth/world.h"

namespace tarsier {

/// The instructions a model of the world is trained with and asked by; in English these three.
inline constexpr std::string_view kDescribePrompt = "Describe the video in detail.";
inline constexpr std::string_view kIntervalPrompt = "Describe the events with their frames.";
inline constexpr std::string_view kShortPrompt = "Describe the video briefly.";

struct Prompts {
  std::string_view describe, intervals, brief;
  std::string_view caption, commentary;  // the loose texts of loose_words.h
};

const Prompts& prompts(Language language);

}  // namespace tarsier
