#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tarsier/synth/world.h"

namespace tarsier {

/// An event or a sound, as a text tells it.
struct ParsedEvent {
  EventKind kind = EventKind::appear;
  Look actor{};    // colour and shape; for appear also size and cell
  Look partner{};  // colour and shape of the other object; a group's count is 0
  Direction direction = Direction::none;
  Colour to_colour = Colour::red;
  Background to_background = Background::black;
  int to_count = 0;
  std::int64_t first_frame = -1, last_frame = -1;  // 0-based, both included; -1 without a marker
  std::optional<SoundKind> sound{};  // a sound: what stands above is then the event that it goes
  bool tied = false;                 // with, if it is told to go with one
  bool operator==(const ParsedEvent&) const = default;
};

struct ParsedScene {
  std::vector<Look> opening;             // in the order of the text
  std::optional<Background> background;  // of the opening
  std::vector<ParsedEvent> events;       // and sounds, in the order of the text
  int sentences = 0;                     // all of them
  int unparsed = 0;                      // those outside the grammar: counted, never guessed at
};

/// Inverts describe() and describe_with_intervals(): any paraphrase of any template. A frame marker
/// holds for the sentences up to the next one. Never throws; any text is answered.
ParsedScene parse_description(std::string_view text, Language language);

}  // namespace tarsier
