#include "tarsier/train/data/world_labels.h"

#include <algorithm>
#include <sstream>

#include "tarsier/base/error.h"
#include "tarsier/synth/claims.h"
#include "tarsier/synth/grid.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/sounds.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"
#include "tarsier/train/data/world_tokens.h"

namespace tarsier {
namespace {

// A token of sound stands for this long (video-SALMONN 2's windows).
constexpr double kSecondsHeard = 0.5;
// Between the world's low and high tones.
constexpr double kHighHertz = 600;
// Sound and silence have no cell.
constexpr EventLabels kNotAsked{-1, -1, -1, -1};

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// "a low tone" without what every name may have.
std::vector<std::string> telling_words(SoundKind kind) {
  std::vector<std::string> words = split_words(sound_name(kind, Language::english));
  std::erase(words, "a");
  return words;
}

/// The grid of a video's media tokens.
struct FrameGrid {
  std::int64_t rows = 0, columns = 0;

  explicit FrameGrid(const Sample& sample) : rows(side(sample, 1)), columns(side(sample, 2)) {}

  static std::int64_t side(const Sample& sample, std::int64_t axis) {
    return sample.media.grid[0][axis].item<std::int64_t>() / 2;
  }
  // The cell of the world that lies under the middle of a media token.
  std::size_t cell_at(std::int64_t row, std::int64_t column) const {
    return static_cast<std::size_t>((2 * row + 1) * 3 / (2 * rows) * 3 +
                                    (2 * column + 1) * 3 / (2 * columns));
  }
};

/// Calls one of the two for each run of media tokens, with a frame's number or with the number of
/// a token of sound and how many follow each other. Families that do not listen have frames alone.
template <class Seen, class Heard>
void walk(const Sample& sample, std::size_t frames, const Seen& seen, const Heard& heard) {
  if (sample.media.layout.empty() || sample.media.layout[0].runs.empty()) {
    for (std::size_t frame = 0; frame < frames; ++frame) seen(frame);
    return;
  }
  std::size_t frame = 0;
  for (const MediaRun& run : sample.media.layout[0].runs) {
    if (run.modality == Modality::audio) {
      heard(run.step, run.tokens);
    } else {
      seen(frame++);
    }
  }
  check(frame == frames, "a temporal slice is one frame");
}

// A frame is labelled with the event under way when it was taken, or that ended since the frame
// before; of several at once with the one that began last.
std::vector<EventLabels> frame_events(const Clip& clip, std::span<const double> seconds) {
  std::vector<EventLabels> frames(seconds.size());
  for (const Event& event : clip.events) {
    const FrameInterval interval = frame_interval(event, seconds);
    EventLabels labels{static_cast<std::int64_t>(event.kind) + 1,
                       static_cast<std::int64_t>(event.direction), 0, 0};
    if (event.kind != EventKind::cut) {
      labels.colour = static_cast<std::int64_t>(event.actor.colour) + 1;
      labels.shape = static_cast<std::int64_t>(event.actor.shape) + 1;
    }
    for (std::int64_t frame = interval.first + 1; frame <= interval.last; ++frame)
      frames[static_cast<std::size_t>(frame)] = labels;
  }
  return frames;
}

// The cells an event plays in: where its objects stand before and after it, and a bounce's way;
// all of them for a cut.
std::array<bool, kCells> cells_of(const Event& event) {
  std::array<bool, kCells> cells{};
  if (event.kind == EventKind::cut) {
    cells.fill(true);
    return cells;
  }
  const auto mark = [&](int object, const Look& before) {
    cells[static_cast<std::size_t>(before.cell)] = true;
    cells[static_cast<std::size_t>(look_after(event, object, before).cell)] = true;
  };
  mark(event.object, event.actor);
  if (has_partner(event.kind)) mark(event.other, event.partner);
  if (event.kind == EventKind::bounce) {
    for (auto cell = neighbour(event.actor.cell, event.direction); cell;
         cell = neighbour(*cell, event.direction))
      cells[static_cast<std::size_t>(*cell)] = true;
  }
  return cells;
}

using CellEvents = std::array<EventLabels, kCells>;

std::vector<CellEvents> cell_events(const Clip& clip, std::span<const double> seconds) {
  std::vector<CellEvents> frames(seconds.size());
  for (const Event& event : clip.events) {
    const std::array<bool, kCells> cells = cells_of(event);
    const FrameInterval interval = frame_interval(event, seconds);
    for (std::int64_t frame = interval.first + 1; frame <= interval.last; ++frame) {
      for (std::size_t cell = 0; cell < kCells; ++cell) {
        if (!cells[cell]) continue;
        frames[static_cast<std::size_t>(frame)][cell] = {static_cast<std::int64_t>(event.kind) + 1,
                                                         static_cast<std::int64_t>(event.direction),
                                                         0, 0};
      }
    }
  }
  return frames;
}

}  // namespace

WorldLabels::WorldLabels(const Tokenizer& tokenizer, const Level& level) : tokenizer_(tokenizer) {
  for (int colour = 0; colour < kColours; ++colour)
    add_word(token_of(word(static_cast<Colour>(colour), Language::english)));
  for (int shape = 0; shape < kAllShapes; ++shape) {
    const std::string_view name = word(static_cast<Shape>(shape), Language::english);
    if (shape < kShapes || level.figure_rate > 0 || is_one_token(name)) add_word(token_of(name));
  }
  for (int size = 0; size < kSizes; ++size)
    add_word(token_of(word(static_cast<ShapeSize>(size), Language::english)));
  for (int background = 0; background < kBackgrounds; ++background)
    add_word(token_of(word(static_cast<Background>(background), Language::english)));
  for (int cell = 0; cell < kCells; ++cell) {
    for (const std::string& place : split_words(place_words(cell, Language::english))) {
      const std::int64_t token = token_of(place);
      if (!word_index_.contains(token)) add_word(token);
      place_words_[static_cast<std::size_t>(cell)].push_back(word_index_.at(token));
    }
  }
  add_sound_words();
}

std::int64_t WorldLabels::token_of(std::string_view english) const {
  return world_token(tokenizer_, in_sentence(english, Language::english));
}

bool WorldLabels::is_one_token(std::string_view english) const {
  return tokenizer_.encode(in_sentence(english, Language::english)).size() == 1;
}

void WorldLabels::add_word(std::int64_t token) {
  word_index_[token] = static_cast<std::int64_t>(word_tokens_.size());
  word_tokens_.push_back(token);
}

void WorldLabels::add_sound_words() {
  for (int kind = 0; kind < kSoundKinds; ++kind) {
    const auto words = telling_words(static_cast<SoundKind>(kind));
    if (!std::all_of(words.begin(), words.end(),
                     [&](const std::string& word) { return is_one_token(word); }))
      return;
  }
  for (int kind = 0; kind < kSoundKinds; ++kind) {
    for (const std::string& word : telling_words(static_cast<SoundKind>(kind))) {
      const std::int64_t token = token_of(word);
      if (!word_index_.contains(token)) add_word(token);
      sound_words_[static_cast<std::size_t>(kind)].push_back(word_index_.at(token));
    }
  }
  for (std::size_t i = 0; i < kMostBeepsHeard; ++i) {
    const std::int64_t token = world_token(tokenizer_, std::to_string(i + 1));
    digits_[i] = static_cast<std::int64_t>(word_tokens_.size());
    add_word(token);
  }
}

// By cell. The world's nine are mapped onto the grid of media tokens; a token is to name what its
// cell shows, the background and its own place, which the decoder's rotary positions hardly tell
// apart at this head size.
std::array<VisibleWords, kCells> WorldLabels::seen_words(const Clip& clip, double at) const {
  std::array<VisibleWords, kCells> cells;
  for (const Look& look : looks_at(clip, at)) {
    VisibleWords& words = cells[static_cast<std::size_t>(look.cell)];
    for (const std::string_view text :
         {word(look.colour, Language::english), word(look.shape, Language::english),
          word(look.size, Language::english)})
      words.push_back(word_index_.at(token_of(text)));
  }
  const std::int64_t background =
      word_index_.at(token_of(word(background_at(clip, at), Language::english)));
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    cells[cell].push_back(background);
    cells[cell].insert(cells[cell].end(), place_words_[cell].begin(), place_words_[cell].end());
  }
  return cells;
}

// What a token hears by itself of a sound that goes on beyond its window: whether a sweep is low or
// high just then, and how many beeps begin. A direction and a number follow from a few of them.
void WorldLabels::add_parts(const ClipSound& sound, double begin, double end,
                            VisibleWords& words) const {
  if (sound.hertz != sound.to_hertz) {
    const double middle = (std::max(begin, sound.start) + std::min(end, sound.end)) / 2;
    const bool high = hertz_at(sound, middle) > kHighHertz;
    const SoundKind tone = high ? SoundKind::high_tone : SoundKind::low_tone;
    words.push_back(sound_words_[static_cast<std::size_t>(tone)].front());
  }
  const std::vector<double> starts = beep_starts(sound);
  const auto heard = std::count_if(starts.begin(), starts.end(),
                                   [&](double at) { return at >= begin && at < end; });
  if (heard > 0) words.push_back(digits_[static_cast<std::size_t>(heard) - 1]);
}

// What sounds while the token listens.
VisibleWords WorldLabels::heard_words(const Clip& clip, std::int64_t token) const {
  const double begin = kSecondsHeard * static_cast<double>(token);
  VisibleWords words;
  for (const ClipSound& sound : clip.sounds) {
    const double end = begin + kSecondsHeard;
    if (sound.end <= begin || sound.start >= end) continue;
    const VisibleWords& own = sound_words_[static_cast<std::size_t>(sound.kind)];
    if (own.empty()) continue;  // a tokenizer without them
    words.insert(words.end(), own.begin(), own.end());
    add_parts(sound, begin, end, words);
  }
  return words;
}

void WorldLabels::add(const Clip& clip, std::span<const double> seconds, Sample& sample) const {
  const FrameGrid grid(sample);
  const std::vector<CellEvents> events = cell_events(clip, seconds);
  const auto seen = [&](std::size_t frame) {
    const std::array<VisibleWords, kCells> words = seen_words(clip, seconds[frame]);
    for (std::int64_t row = 0; row < grid.rows; ++row) {
      for (std::int64_t column = 0; column < grid.columns; ++column) {
        const std::size_t cell = grid.cell_at(row, column);
        sample.visible_words.push_back(words[cell]);
        sample.cell_events.push_back(events[frame][cell]);
      }
    }
  };
  const auto heard = [&](std::int64_t first, std::int64_t count) {
    for (std::int64_t token = first; token < first + count; ++token)
      sample.visible_words.push_back(heard_words(clip, token));
    sample.cell_events.insert(sample.cell_events.end(), static_cast<std::size_t>(count), kNotAsked);
  };
  walk(sample, seconds.size(), seen, heard);
  if (sample.marker_rows.size() == seconds.size()) sample.events = frame_events(clip, seconds);
}

}  // namespace tarsier
