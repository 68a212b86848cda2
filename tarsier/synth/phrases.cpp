#include "tarsier/synth/phrases.h"

#include <utility>

#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/slot_words.h"

namespace tarsier {
namespace {

constexpr int kActor = -1, kPartner = -2;

Pattern compile(std::string_view text) {
  Pattern pattern;
  while (true) {
    const std::size_t open = text.find('{');
    PatternPiece piece{.literal = std::string(text.substr(0, open))};
    if (open == std::string_view::npos) {
      pattern.push_back(piece);
      return pattern;
    }
    const std::size_t close = text.find('}', open);
    const std::string_view slot = text.substr(open + 1, close - open - 1);
    const std::size_t dot = slot.find('.');
    piece.has_slot = true;
    piece.field = field_named(dot == std::string_view::npos ? slot : slot.substr(dot + 1));
    if (dot != std::string_view::npos) {
      const std::string_view whose = slot.substr(0, dot);
      piece.whose = whose == "actor" ? kActor : whose == "partner" ? kPartner : whose[0] - '0';
    }
    pattern.push_back(piece);
    text.remove_prefix(close + 1);
  }
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string named(std::string_view noun_phrase, std::string_view who) {
  return replaced(std::string(noun_phrase), "#", who);
}

Phrase event_phrase(std::string_view text, const LanguageTable& words) {
  Phrase phrase;
  std::vector<std::string_view> nouns;
  for (const auto& [who, whose] : {std::pair{"actor", kActor}, std::pair{"partner", kPartner}}) {
    if (text.find(std::string("{") + who + "}") == std::string_view::npos) continue;
    phrase.nouns.push_back(whose);
    nouns.push_back(who);
  }
  for (std::size_t groups = 0; groups < std::size_t{1} << nouns.size(); ++groups) {
    std::string form(text);
    for (std::size_t i = 0; i < nouns.size(); ++i) {
      form = replaced(form, "{" + std::string(nouns[i]) + "}",
                      named((groups >> i & 1) != 0 ? words.the_group : words.the, nouns[i]));
    }
    phrase.forms.push_back(compile(form));
  }
  return phrase;
}

Phrase opening_phrase(std::string_view text, std::size_t count, const LanguageTable& words) {
  Phrase phrase;
  for (std::size_t i = 0; i < count; ++i) phrase.nouns.push_back(static_cast<int>(i));
  for (std::size_t groups = 0; groups < std::size_t{1} << count; ++groups) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) list += i + 1 == count ? words.last_comma : words.comma;
      list += named((groups >> i & 1) != 0 ? words.item_group : words.item, std::to_string(i));
    }
    phrase.forms.push_back(compile(replaced(std::string(text), "{objects}", list)));
  }
  return phrase;
}

Phrase noun_phrase(std::string_view single, std::string_view group) {
  return {{kActor}, {compile(named(single, "actor")), compile(named(group, "actor"))}};
}

Phrases make_phrases(const LanguageTable& words) {
  Phrases phrases{.events = {},
                  .openings = {},
                  .one = noun_phrase(words.one, words.one_group),
                  .the = noun_phrase(words.the, words.the_group),
                  .bare = noun_phrase(words.bare, words.bare_group),
                  .many = noun_phrase(words.many, words.many)};
  for (std::size_t kind = 0; kind < phrases.events.size(); ++kind) {
    for (const std::string_view text : words.events[kind])
      phrases.events[kind].push_back(event_phrase(text, words));
  }
  for (std::size_t count = 1; count <= kMostObjects; ++count) {
    for (const std::string_view text : words.openings)
      phrases.openings[count].push_back(opening_phrase(text, count, words));
  }
  return phrases;
}

// Words may begin alike ("top", "top left"), so every value is tried until the rest matches too.
bool match_from(const Pattern& pattern, std::size_t index, std::string_view text,
                SlotValues& values, Language language) {
  const PatternPiece& piece = pattern[index];
  if (!text.starts_with(piece.literal)) return false;
  text.remove_prefix(piece.literal.size());
  if (!piece.has_slot) return text.empty();
  for (int value = 0; value < value_count(piece.field); ++value) {
    const std::string_view said = slot_words(piece, value, values, language);
    if (!text.starts_with(said)) continue;
    set_value(values, piece, value);
    if (match_from(pattern, index + 1, text.substr(said.size()), values, language)) return true;
  }
  return false;
}

}  // namespace

const Phrases& phrases(Language language) {
  static const std::array<Phrases, kLanguages.size()> all = [] {
    std::array<Phrases, kLanguages.size()> made;
    for (const Language each : kLanguages)
      made[static_cast<std::size_t>(each)] = make_phrases(table(each));
    return made;
  }();
  return all[static_cast<std::size_t>(language)];
}

std::string fill(const Phrase& phrase, const SlotValues& values, Language language) {
  std::size_t groups = 0;
  for (std::size_t i = 0; i < phrase.nouns.size(); ++i) {
    if (is_group(look_of(values, phrase.nouns[i]))) groups |= std::size_t{1} << i;
  }
  std::string text;
  for (const PatternPiece& piece : phrase.forms[groups]) {
    text += piece.literal;
    if (piece.has_slot) text += slot_words(piece, value_of(values, piece), values, language);
  }
  return text;
}

bool match(const Phrase& phrase, std::string_view text, SlotValues& values, Language language) {
  for (std::size_t groups = 0; groups < phrase.forms.size(); ++groups) {
    values = {};
    for (std::size_t i = 0; i < phrase.nouns.size(); ++i) {
      const int whose = phrase.nouns[i];
      if (whose >= 0) values.objects.resize(phrase.nouns.size());
      if ((groups >> i & 1) != 0) look_of(values, whose).count = 0;
    }
    if (match_from(phrase.forms[groups], 0, text, values, language)) return true;
  }
  return false;
}

}  // namespace tarsier
