#include "tarsier/synth/grammar.h"

#include <string>

#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrases.h"
#include "tarsier/synth/sound_words.h"

namespace tarsier {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Takes a number of 1 to 4 digits off the front of `text`; 0 when there is none.
std::int64_t take_number(std::string_view& text) {
  std::int64_t number = 0;
  for (int digits = 0; digits < 4 && !text.empty() && text[0] >= '0' && text[0] <= '9'; ++digits) {
    number = number * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  return number;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

// Takes "<frame: i-j>" or "<frame: i>" off the front of `text`; nothing when it is not well formed.
std::optional<FrameInterval> take_marker(std::string_view& text) {
  std::string_view rest = text;
  if (!take(rest, "<frame:")) return std::nullopt;
  take(rest, " ");
  const std::int64_t first = take_number(rest);
  const std::int64_t last = take(rest, "-") ? take_number(rest) : first;
  if (!take(rest, ">") || first < 1 || last < first) return std::nullopt;
  text = trimmed(rest);
  return FrameInterval{first - 1, last - 1};
}

class Parser {
 public:
  explicit Parser(Language language)
      : language_(language), words_(table(language)), phrases_(phrases(language)) {}

  ParsedScene parse(std::string_view text) {
    while (!text.empty()) {
      const std::size_t stop = text.find(words_.stop);
      add_sentence(trimmed(text.substr(0, stop)));
      if (stop == std::string_view::npos) break;
      text.remove_prefix(stop + words_.stop.size());
    }
    return scene_;
  }

 private:
  void add_sentence(std::string_view text) {
    if (text.empty()) return;
    ++scene_.sentences;
    if (const std::optional<FrameInterval> marker = take_marker(text)) interval_ = *marker;
    std::string sentence(text);
    if (!sentence.empty() && sentence[0] >= 'A' && sentence[0] <= 'Z') {
      sentence[0] = static_cast<char>(sentence[0] - 'A' + 'a');
    }
    if (add_opening(sentence)) return;
    std::optional<ParsedEvent> event = read_event(sentence);
    if (!event) event = read_sound(sentence);
    if (!event) {
      ++scene_.unparsed;
      return;
    }
    event->first_frame = interval_.first;
    event->last_frame = interval_.last;
    scene_.events.push_back(*event);
  }

  bool add_opening(std::string_view sentence) {
    for (const std::vector<Phrase>& phrases : phrases_.openings) {
      for (const Phrase& phrase : phrases) {
        SlotValues values;
        if (!match(phrase, sentence, values, language_)) continue;
        scene_.opening.insert(scene_.opening.end(), values.objects.begin(), values.objects.end());
        if (!scene_.background) scene_.background = values.background;
        return true;
      }
    }
    return false;
  }

  std::optional<ParsedEvent> read_event(std::string_view sentence) const {
    if (!take(sentence, words_.then)) take(sentence, words_.meanwhile);
    return read_clause(sentence);
  }

  std::optional<ParsedEvent> read_clause(std::string_view clause) const {
    for (std::size_t kind = 0; kind < phrases_.events.size(); ++kind) {
      for (const Phrase& phrase : phrases_.events[kind]) {
        SlotValues values;
        if (!match(phrase, clause, values, language_)) continue;
        return ParsedEvent{.kind = static_cast<EventKind>(kind),
                           .actor = values.actor,
                           .partner = values.partner,
                           .direction = values.direction,
                           .to_colour = values.to_colour,
                           .to_background = values.background,
                           .to_count = values.to_count};
      }
    }
    return std::nullopt;
  }

  std::optional<ParsedEvent> read_sound(std::string_view sentence) const {
    for (const SoundForm& form : sound_forms(language_)) {
      if (!sentence.starts_with(form.before)) continue;
      std::string_view rest = sentence.substr(form.before.size());
      if (!form.tied && rest.empty()) return ParsedEvent{.sound = form.kind};
      if (!form.tied || !rest.ends_with(form.after)) continue;
      rest.remove_suffix(form.after.size());
      if (std::optional<ParsedEvent> event = read_clause(rest)) {
        event->sound = form.kind;
        event->tied = true;
        return event;
      }
    }
    return std::nullopt;
  }

  Language language_;
  const LanguageTable& words_;
  const Phrases& phrases_;
  ParsedScene scene_;
  FrameInterval interval_;  // of the latest marker
};

}  // namespace

ParsedScene parse_description(std::string_view text, Language language) {
  return Parser(language).parse(text);
}

}  // namespace tarsier
