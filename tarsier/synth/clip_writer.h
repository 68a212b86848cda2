#pragma once

#include <cstdint>
#include <filesystem>

#include "tarsier/synth/world.h"

namespace tarsier {

/// What the files of this world carry as their comment, so that a model that knows this world alone
/// can tell.
inline constexpr char kWorldMark[] = "tarsier moving-shapes world";

/// Renders a clip to an H.264 mp4 of 25 frames a second, CRF 23; where the clip has sounds with its
/// soundtrack, AAC at 16 kHz. Frames and soundtrack are the same on every machine, the encoded file
/// need not be. Throws as VideoWriter does.
void write_clip(const Clip& clip, const std::filesystem::path& file, std::int64_t side = 336);

/// The same where there is no such file yet, which is whole from the first moment another process
/// can see it: several may write the same clips.
void write_clip_once(const Clip& clip, const std::filesystem::path& file);

}  // namespace tarsier
