#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/data/record.h"

namespace tarsier {

/// What filter rules ask of one video or picture, over the part of it that the row means.
struct MediaFacts {
  double seconds = 0;                 // 0 for a picture
  std::int64_t cuts = 0;              // places where the colours change at once: shots - 1
  double motion = 0;                  // mean change of a channel between frames looked at, 0..255
  std::vector<std::uint64_t> hashes;  // of the frames at 1/4, 1/2, 3/4 of its time
};

struct LookSettings {
  double frames_per_second = 5;   // looked at for cuts and motion ...
  std::int64_t max_frames = 300;  // ... and no more than these, spread evenly
  double cut = 0.5;               // share of pixels that change their colour at a cut, 0..1
};

/// Decodes the frames it needs, at most 16 at a time. InputError: media that is missing or cannot
/// be decoded, a start past the end.
MediaFacts look_at(const Media& media, const std::filesystem::path& file,
                   const LookSettings& settings);

/// As JSON text, and back.
std::string facts_json(const MediaFacts& facts);
MediaFacts parse_facts(const std::string& json);

}  // namespace tarsier
