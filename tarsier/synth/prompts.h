#pragma once

#include <string_view>

namespace tarsier {

/// The instructions a model of the world is trained with and asked by.
inline constexpr std::string_view kDescribePrompt = "Describe the video in detail.";
inline constexpr std::string_view kIntervalPrompt = "Describe the events with their frames.";
inline constexpr std::string_view kShortPrompt = "Describe the video briefly.";

}  // namespace tarsier
