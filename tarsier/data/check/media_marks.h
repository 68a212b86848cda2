#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarsier {

/// The first thing in the words of a turn that a model or a loader would take for media or for a
/// turn's edge: a mark of a row shape (`<image>`, `<video>`, `<audio>`, `<speech>`), or a control
/// token in the notation of Qwen (`<|video_pad|>`). Media has its own parts, so in words either
/// stands for media that is not there.
std::optional<std::string> find_media_mark(std::string_view words);

}  // namespace tarsier
