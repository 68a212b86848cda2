#include <algorithm>
#include <array>
#include <span>

#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/loose_words.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

void longest_first(std::vector<std::string_view>& words) {
  std::stable_sort(words.begin(), words.end(),
                   [](std::string_view a, std::string_view b) { return a.size() > b.size(); });
}

// The words a sentence is cut into, longest first where one begins another.
std::vector<std::string_view> known_words(const LanguageTable& words) {
  std::vector<std::string_view> known = words.particles;
  const auto add = [&](const auto& list) {
    for (const std::string_view text : list) {
      if (!text.empty()) known.push_back(text);
    }
  };
  add(words.shapes);
  for (const auto& form : words.colours) add(form);
  add(words.places);
  add(words.backgrounds);
  for (const auto& form : words.sizes) add(form);
  add(words.directions);
  add(words.edges);
  add(words.counts);
  longest_first(known);
  return known;
}

// Cuts a sentence into its words; what lies between known words stays in one piece.
void cut_into_words(std::string_view text, std::span<const std::string_view> words,
                    std::vector<std::string>& pieces) {
  std::string rest;
  const auto flush = [&] {
    if (!rest.empty()) pieces.push_back(std::move(rest));
    rest.clear();
  };
  while (!text.empty()) {
    const auto found = std::find_if(words.begin(), words.end(), [&](std::string_view known) {
      return text.starts_with(known);
    });
    if (found == words.end()) {
      rest += text.front();
      text.remove_prefix(1);
      continue;
    }
    flush();
    pieces.emplace_back(*found);
    text.remove_prefix(found->size());
  }
  flush();
}

}  // namespace

std::vector<std::string> corpus(Language language, bool with_sounds) {
  constexpr std::uint64_t kClips = 400;
  const LanguageTable& words = table(language);
  std::vector<std::string_view> known = known_words(words);
  std::vector<std::string> texts;
  const auto add = [&](std::string_view text) {
    if (words.particles.empty()) {
      texts.emplace_back(text);
    } else {
      cut_into_words(text, known, texts);
    }
  };
  const auto add_level = [&](const Level& level) {
    for (std::uint64_t index = 0; index < kClips; ++index) {
      const Clip clip = make_clip(level, Split::train, 0, index);
      const std::vector<double> seconds = sampled_seconds(clip, index % 2 == 0 ? 8 : 16);
      Random random({index});
      add(describe(clip, language, random));
      add(describe_with_intervals(clip, seconds, language, random));
      add(short_caption(clip, language, random));
      add(web_caption(clip, language, random, {}).text);
      for (const Question& question : make_questions(clip, seconds, language, random)) {
        add(question.question);
        add(question.answer);
      }
    }
  };
  const auto has_sound = [](const std::string& name) { return level_named(name).max_sounds > 0; };
  for (const std::string& name : level_names()) {
    if (!has_sound(name)) add_level(level_named(name));
  }
  const Prompts& asked = prompts(language);
  for (const std::string_view prompt :
       {asked.describe, asked.intervals, asked.brief, asked.caption, asked.commentary})
    add(prompt);
  if (!with_sounds) return texts;
  known.insert(known.end(), words.sounds.particles.begin(), words.sounds.particles.end());
  longest_first(known);
  for (const std::string& name : level_names()) {
    if (has_sound(name)) add_level(level_named(name));
  }
  return texts;
}

}  // namespace tarsier
