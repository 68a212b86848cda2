// The levels easy and base are what models were trained on: same seeds, same clips and texts.
#include <gtest/gtest.h>

#include <string>

#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

std::uint64_t hash(std::uint64_t value, std::string_view text) {  // FNV-1a, goes on from `value`
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return (value ^ 0xff) * 0x100000001b3ULL;
}

std::string facts(const Event& event) {
  std::string text;
  for (const double number :
       {event.start * 25, event.end * 25, static_cast<double>(event.kind) + 0.0, event.object + 0.0,
        event.other + 0.0, static_cast<double>(event.direction),
        static_cast<double>(event.to_colour), static_cast<double>(event.to_background)})
    text += std::to_string(number) + " ";
  for (const Look& look : {event.actor, event.partner})
    text += object_name(look, Language::english) + std::to_string(look.cell) +
            std::to_string(static_cast<int>(look.size));
  return text;
}

std::uint64_t world_hash(const char* level, Split split, bool unseen, Language language) {
  std::uint64_t value = 0xcbf29ce484222325ULL;
  for (std::uint64_t index = 0; index < 300; ++index) {
    const Clip clip = make_clip(level_named(level), split, 11, index, {.unseen = unseen});
    const std::vector<double> seconds = sampled_seconds(clip, index % 2 == 0 ? 8 : 16);
    for (const Event& event : clip.events) value = hash(value, facts(event));
    Random random({index, 77});
    value = hash(value, describe(clip, language, random));
    value = hash(value, describe_with_intervals(clip, seconds, language, random));
    value = hash(value, short_caption(clip, language, random));
    value = hash(value, short_caption(clip, language, random, 0.5));
    for (const Question& question : make_questions(clip, seconds, language, random))
      value = hash(value, question.kind + question.question + question.answer);
    for (const Question& question : draw_questions(clip, seconds, language, 5, random))
      value = hash(value, question.question + question.answer);
    value = hash(value, std::to_string(random.counter()));
  }
  return value;
}

TEST(Unchanged, TextsOfEasyAndBase) {
  EXPECT_EQ(world_hash("base", Split::train, false, Language::english), 7643175458951980004u);
  EXPECT_EQ(world_hash("base", Split::train, false, Language::chinese), 4673777656832705153u);
  EXPECT_EQ(world_hash("base", Split::test, true, Language::english), 11182535768273484430u);
  EXPECT_EQ(world_hash("base", Split::test, true, Language::chinese), 5204671614759165112u);
  EXPECT_EQ(world_hash("easy", Split::validation, false, Language::english), 11267138922004796103u);
  EXPECT_EQ(world_hash("easy", Split::validation, false, Language::chinese), 16524218796770255518u);
}

TEST(Unchanged, TextsAndSoundsOfAv) {
  EXPECT_EQ(world_hash("av", Split::train, false, Language::english), 604499146394702805u);
  EXPECT_EQ(world_hash("av", Split::train, false, Language::chinese), 6984779146569044183u);
  EXPECT_EQ(world_hash("av", Split::test, true, Language::spanish), 6011538783296895198u);
  std::uint64_t value = 0;
  for (std::uint64_t index = 0; index < 300; ++index) {
    const bool unseen = index % 4 == 3;
    const Clip clip = make_clip(level_named("av"), unseen ? Split::test : Split::train, 5, index,
                                {.unseen = unseen});
    for (const ClipSound& sound : clip.sounds) {
      for (const double number :
           {static_cast<double>(sound.kind), sound.start * 25, sound.end * 25, sound.event + 0.0})
        value = hash(value, std::to_string(number));
    }
  }
  EXPECT_EQ(value, 4847723869434172481u);
}

TEST(Unchanged, FramesOfEasyAndBase) {
  std::uint64_t value = 0;
  for (std::uint64_t index = 0; index < 40; ++index) {
    const bool unseen = index % 4 == 3;
    const Clip clip = make_clip(level_named(index % 4 == 0 ? "easy" : "base"),
                                unseen ? Split::test : Split::train, 5, index, {.unseen = unseen});
    Renderer renderer(clip, index % 2 == 0 ? 336 : 97);
    for (const double seconds : sampled_seconds(clip, 6)) {
      const std::vector<std::uint8_t> rgb = renderer.render(seconds);
      value = hash(value, {reinterpret_cast<const char*>(rgb.data()), rgb.size()});
    }
  }
  EXPECT_EQ(value, 9533051789219199120u);
}

}  // namespace
}  // namespace tarsier
