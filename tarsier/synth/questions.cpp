#include "tarsier/synth/questions.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "tarsier/synth/claims.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/question_words.h"
#include "tarsier/synth/slot_words.h"
#include "tarsier/synth/sound_questions.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

class Asker {
 public:
  Asker(const Clip& clip, std::span<const double> frame_seconds, Language language, Random& random)
      : clip_(clip),
        frames_(frame_seconds),
        language_(language),
        random_(random),
        words_(question_words(language)) {
    // At the end frame; events end before it, so the last frame's content is settled.
    last_ = looks_at(clip, clip.seconds);
    for (std::size_t i = 0; i < clip.events.size(); ++i) {
      if (times_true(clip, clip.events[i]) == 1) once_.push_back(i);
    }
  }

  std::vector<Question> ask() {
    ask_colour();
    ask_shape();
    ask_count();
    ask_place();
    ask_background();
    ask_first();
    ask_after();
    ask_times();
    ask_when();
    ask_is_there();
    ask_does_it();
    ask_before();
    ask_choice();
    return std::move(questions_);
  }

 private:
  static constexpr std::size_t kMostOfAKind = 2;

  void add(std::string kind, std::string question, std::string answer) {
    questions_.push_back({std::move(kind), std::move(question), std::move(answer)});
  }

  template <class Value>
  std::string say(Value value) const {
    return std::string(word(value, language_));
  }
  std::string place(Cell cell) const { return std::string(place_words(cell, language_)); }
  std::string name(const Look& look) const { return object_name(look, language_); }
  std::string the_name(const Look& look) const { return with_definite_article(look, language_); }
  std::string clause(const Event& event) const { return event_clause(event, language_); }

  // Up to kMostOfAKind of the items that pass, in random order.
  template <class Item, class Condition>
  std::vector<Item> some(const std::vector<Item>& items, Condition passes) {
    std::vector<Item> chosen;
    std::copy_if(items.begin(), items.end(), std::back_inserter(chosen), passes);
    random_.shuffle(chosen);
    if (chosen.size() > kMostOfAKind) chosen.resize(kMostOfAKind);
    return chosen;
  }

  std::vector<Look> opening_with_lonely(bool by_shape) {
    return some(clip_.opening, [&](const Look& look) {
      if (is_group(look)) return false;  // "the circle" is one
      return std::count_if(clip_.opening.begin(), clip_.opening.end(), [&](const Look& other) {
               return by_shape ? other.shape == look.shape : other.colour == look.colour;
             }) == 1;
    });
  }

  std::string colour_question(const Look& look) const {
    const std::size_t shape = static_cast<std::size_t>(look.shape);
    return put(words_.colour,
               {{"{shape}", say(look.shape)}, {"{the_shape}", table(language_).the_shape[shape]}});
  }

  void ask_colour() {
    for (const Look& look : opening_with_lonely(true)) {
      add("colour", colour_question(look), say(look.colour));
    }
  }

  void ask_shape() {
    for (const Look& look : opening_with_lonely(false)) {
      add("shape", put(words_.shape, {{"{colour}", say(look.colour)}}), say(look.shape));
    }
  }

  void ask_count() {
    add_counts(clip_.opening, words_.count_start, words_.count_group_start);
    add_counts(last_, words_.count_end, words_.count_group_end);
  }

  // Whether a group is one object or many is a matter of taste: with a group its members are
  // counted.
  void add_counts(const std::vector<Look>& looks, const std::string& of_all,
                  const std::string& of_group) {
    if (std::none_of(looks.begin(), looks.end(), is_group)) {
      add("count", of_all, std::to_string(looks.size()));
      return;
    }
    for (const Look& look : looks) {
      if (is_group(look))
        add("count", put(of_group, {{"{names}", members_name(look, language_)}}),
            std::to_string(look.count));
    }
  }

  std::string place_question(const std::string& words, const Look& look) const {
    return put(words, {{"{name}", name(look)}, {"{the_name}", the_name(look)}});
  }

  void ask_place() {
    const auto any = [](const Look&) { return true; };
    for (const Look& look : some(clip_.opening, any)) {
      add("place", place_question(words_.place_start, look), place(look.cell));
    }
    for (const Look& look : some(last_, any)) {
      add("place", place_question(words_.place_end, look), place(look.cell));
    }
  }

  void ask_background() {
    add("background", words_.background_start, say(clip_.background));
    add("background", words_.background_end, say(background_at(clip_, clip_.seconds)));
  }

  // Two different events that each happen once, in order; nothing when there are none.
  std::optional<std::pair<std::size_t, std::size_t>> two_events() {
    if (once_.size() < 2) return std::nullopt;
    std::vector<std::size_t> two = once_;
    random_.shuffle(two);
    return std::minmax(two[0], two[1]);
  }

  void ask_first() {
    const auto two = two_events();
    if (!two) return;
    const std::string early = clause(clip_.events[two->first]),
                      late = clause(clip_.events[two->second]);
    const bool in_order = random_.chance(0.5);
    add("first",
        put(words_.first,
            {{"{clause}", in_order ? early : late}, {"{other}", in_order ? late : early}}),
        early);
  }

  void ask_after() {
    const auto followed = [&](std::size_t i) {  // and the next begins when it is over
      return i + 1 < clip_.events.size() && clip_.events[i + 1].start >= clip_.events[i].end;
    };
    for (const std::size_t i : some(once_, followed)) {
      add("after", put(words_.after, {{"{clause}", clause(clip_.events[i])}}),
          clause(clip_.events[i + 1]));
    }
  }

  void ask_times() {
    add_times(random_.pick(clip_.events).kind);
    add_times(static_cast<EventKind>(random_.integer(0, clip_.event_kinds - 1)));
  }

  void add_times(EventKind kind) {
    const auto times = std::count_if(clip_.events.begin(), clip_.events.end(),
                                     [&](const Event& event) { return event.kind == kind; });
    add("times", words_.times[static_cast<std::size_t>(kind)], std::to_string(times));
  }

  void ask_when() {
    for (const std::size_t i : some(once_, [](std::size_t) { return true; })) {
      const Event& event = clip_.events[i];
      add("when", put(words_.when, {{"{clause}", clause(event)}}),
          frame_marker(frame_interval(event, frames_)));
    }
  }

  // A true and a false question, in random order.
  void add_pair(const std::string& kind, std::string truth, std::string untruth) {
    if (random_.chance(0.5)) {
      add(kind, std::move(truth), words_.yes);
      add(kind, std::move(untruth), words_.no);
    } else {
      add(kind, std::move(untruth), words_.no);
      add(kind, std::move(truth), words_.yes);
    }
  }

  std::string is_there(const Look& look) const {
    return put(words_.is_there, {{"{a_name}", with_article(look, language_)}});
  }

  void ask_is_there() {
    for (const Look& look : some(names_in(clip_), [](const Look&) { return true; })) {
      const Look absent = false_name(clip_, look, random_.chance(0.5), random_);
      add_pair("is_there", is_there(look), is_there(absent));
    }
  }

  std::string did(const Event& event) const {
    const LanguageTable& words = table(language_);
    const auto way = static_cast<std::size_t>(event.direction);
    SlotValues turned;  // the new colour agrees with the actor
    turned.actor = event.actor;
    const std::string_view to =
        slot_words({.literal = {}, .has_slot = true, .field = Field::to_colour},
                   static_cast<int>(event.to_colour), turned, language_);
    return put(words_.did[static_cast<std::size_t>(event.kind)],
               {{"{name}", name(event.actor)},
                {"{the_name}", the_name(event.actor)},
                {"{a_name}", with_article(event.actor, language_)},
                {"{partner}", name(event.partner)},
                {"{the_partner}", the_name(event.partner)},
                {"{direction}", words.directions[way]},
                {"{edge}", words.edges[way]},
                {"{to}", to},
                {"{to_count}", words.counts[static_cast<std::size_t>(event.to_count)]},
                {"{background}", say(event.to_background)},
                {"{clause}", clause(event)}});
  }

  void ask_does_it() {
    for (const Event& event : some(clip_.events, [](const Event&) { return true; })) {
      const Event untrue = false_claim(clip_, event, random_.chance(0.5), random_);
      add_pair("does_it", did(event) + words_.end_mark, did(untrue) + words_.end_mark);
    }
  }

  std::string before(const Event& early, const Event& late) const {
    return put(words_.before, {{"{did}", did(early)}, {"{other}", clause(late)}});
  }

  void ask_before() {
    const auto two = two_events();
    if (!two) return;
    const Event &early = clip_.events[two->first], &late = clip_.events[two->second];
    add_pair("before", before(early, late), before(late, early));
  }

  void add_choice(const std::string& stem, const std::string& truth,
                  std::vector<std::string> options) {
    options.push_back(truth);
    random_.shuffle(options);
    std::string question = stem, letter;
    for (std::size_t i = 0; i < options.size(); ++i) {
      const std::string label(1, static_cast<char>('A' + i));
      question += "\n" + label + ". " + options[i];
      if (options[i] == truth) letter = label;
    }
    add("choice", question, letter);
  }

  // Three values of 0 to count - 1 that are not `truth`, in words.
  template <class Say>
  std::vector<std::string> three_others(int truth, int count, Say in_words) {
    std::vector<int> values;
    for (int value = 0; value < count; ++value) {
      if (value != truth) values.push_back(value);
    }
    random_.shuffle(values);
    std::vector<std::string> options;
    for (std::size_t i = 0; i < 3; ++i) options.push_back(in_words(values[i]));
    return options;
  }

  void ask_choice() {
    const Look look = random_.pick(clip_.opening);
    switch (random_.integer(0, 2)) {
      case 0:
        add_choice(place_question(words_.place_start, look), place(look.cell),
                   three_others(look.cell, kCells, [&](int value) { return place(value); }));
        break;
      case 1:
        add_choice(words_.background_start, say(clip_.background),
                   three_others(static_cast<int>(clip_.background), kBackgrounds,
                                [&](int value) { return say(static_cast<Background>(value)); }));
        break;
      default:
        ask_choice_of_looks();
        break;
    }
    const Event event = random_.pick(clip_.events);
    std::vector<std::string> untrue;
    while (untrue.size() < 3) {
      const std::string claim = clause(false_claim(clip_, event, random_.chance(0.5), random_));
      if (std::find(untrue.begin(), untrue.end(), claim) == untrue.end()) untrue.push_back(claim);
    }
    add_choice(words_.which, clause(event), std::move(untrue));
  }

  void ask_choice_of_looks() {
    if (const std::vector<Look> lonely = opening_with_lonely(true); !lonely.empty()) {
      add_choice(colour_question(lonely[0]), say(lonely[0].colour),
                 three_others(static_cast<int>(lonely[0].colour), kColours,
                              [&](int value) { return say(static_cast<Colour>(value)); }));
    }
    if (const std::vector<Look> lonely = opening_with_lonely(false); !lonely.empty()) {
      add_choice(put(words_.shape, {{"{colour}", say(lonely[0].colour)}}), say(lonely[0].shape),
                 three_others(static_cast<int>(lonely[0].shape), clip_.shapes,
                              [&](int value) { return say(static_cast<Shape>(value)); }));
    }
  }

  const Clip& clip_;
  std::span<const double> frames_;
  Language language_;
  Random& random_;
  const QuestionWords& words_;
  std::vector<Look> last_;         // in view at the end
  std::vector<std::size_t> once_;  // the events whose claim holds exactly once
  std::vector<Question> questions_;
};

}  // namespace

std::vector<Question> make_questions(const Clip& clip, std::span<const double> frame_seconds,
                                     Language language, Random& random) {
  std::vector<Question> questions = Asker(clip, frame_seconds, language, random).ask();
  std::vector<Question> heard = sound_questions(clip, language, random);
  std::move(heard.begin(), heard.end(), std::back_inserter(questions));
  return questions;
}

bool is_probe(std::string_view kind) {
  return kind == "is_there" || kind == "does_it" || kind == "before" || kind == "is_heard";
}

namespace {

// An order in which each next one is drawn by its weight among those left: the exponential races
// of Efraimidis and Spirakis (2006), whose rates are the weights.
void order_by_weight(std::vector<std::vector<Question>>& units,
                     const std::map<std::string, double>& weights, Random& random) {
  std::vector<std::pair<double, std::vector<Question>>> timed;
  for (std::vector<Question>& unit : units) {
    const auto weight = weights.find(unit[0].kind);
    const double rate = weight == weights.end() ? 1 : weight->second;
    timed.emplace_back(-std::log1p(-random.uniform()) / rate, std::move(unit));
  }
  std::stable_sort(timed.begin(), timed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < units.size(); ++i) units[i] = std::move(timed[i].second);
}

}  // namespace

std::vector<Question> draw_questions(const Clip& clip, std::span<const double> frame_seconds,
                                     Language language, std::int64_t count, Random& random,
                                     const std::map<std::string, double>& weights) {
  const std::vector<Question> all = make_questions(clip, frame_seconds, language, random);
  std::vector<std::vector<Question>> units;
  for (std::size_t i = 0; i < all.size(); ++i) {
    units.push_back({all[i]});
    const bool paired =
        is_probe(all[i].kind) && i + 1 < all.size() && all[i + 1].kind == all[i].kind;
    if (paired) units.back().push_back(all[++i]);
  }
  random.shuffle(units);
  if (!weights.empty()) order_by_weight(units, weights, random);
  std::vector<Question> drawn;
  for (const std::vector<Question>& unit : units) {
    if (static_cast<std::int64_t>(drawn.size()) >= count) break;
    drawn.insert(drawn.end(), unit.begin(), unit.end());
  }
  return drawn;
}

}  // namespace tarsier
