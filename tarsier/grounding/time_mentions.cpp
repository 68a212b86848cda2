#include "tarsier/grounding/time_mentions.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "tarsier/grounding/said_answer.h"

namespace tarsier {
namespace {

constexpr std::size_t kLookBack = 64;  // bytes that are searched for what leads to a time
constexpr std::string_view kFromInChinese = "\u4ECE";
constexpr std::array<std::string_view, 5> kPlacing = {"from", "between", "at", "during",
                                                      kFromInChinese};
constexpr std::array<std::string_view, 5> kVague = {"in", "around", "about", "time", "the"};
constexpr std::array<std::string_view, 7> kLabels = {"event", "scene", "segment",  "step",
                                                     "shot",  "part",  "timestamp"};
constexpr std::array<std::string_view, 8> kLengths = {"for",    "lasts", "lasting", "takes",
                                                      "taking", "every", "within",  "last"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return result;
}

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// List marks, and numbers that count a list: "- ", "**", "| ", "12. ", "3) ".
std::string_view without_list_marks(std::string_view text) {
  for (;;) {
    const std::size_t before = text.size();
    while (!text.empty() &&
           std::string_view(" \t\r-*#|>\"'`").find(text.front()) != std::string_view::npos)
      text.remove_prefix(1);
    if (text.starts_with("\u2022")) text.remove_prefix(3);
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits > 0 && digits + 1 < text.size() && (text[digits] == '.' || text[digits] == ')') &&
        text[digits + 1] == ' ')
      text.remove_prefix(digits + 2);
    if (text.size() == before) return text;
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find_first_of(" \t\r\n*"), text.size());
    if (length > 0) words.push_back(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return words;
}

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// Nothing in it but list marks, labels and words that lead to a time: "1. From", "- **Event 2:**".
bool only_leads(std::string_view text) {
  const std::string plain = lower(without_list_marks(text));
  const std::vector<std::string_view> words = words_of(plain);
  bool after_label = false;
  for (std::string_view word : words) {
    if (word.ends_with(':') || word.ends_with('.')) word.remove_suffix(1);
    if (!(contains(kPlacing, word) || contains(kVague, word) || contains(kLabels, word) ||
          (after_label && is_number(word))))
      return false;
    after_label = contains(kLabels, word);
  }
  return words.size() <= 4;
}

// Where the last sentence of `text` begins.
std::size_t sentence_begin(std::string_view text) {
  for (std::size_t at = text.size(); at > 1; --at) {
    const bool space = text[at - 1] == ' ';
    if (text[at - 1] == '\n') return at;
    if (space && std::string_view(".!?;:").find(text[at - 2]) != std::string_view::npos) {
      const bool counts =
          at > 2 && text[at - 2] == '.' && text[at - 3] >= '0' && text[at - 3] <= '9';
      if (!counts) return at;  // "1. " opens a line of a list, it ends no sentence
    }
    if (text.substr(0, at).ends_with("\u3002")) return at;
  }
  return !text.empty() && text.front() == '\n' ? 1 : 0;
}

// The words right before a time, and what they make of it.
void read_leads(std::string_view before, std::size_t low, TimeMention& mention) {
  const std::string plain = lower(before);
  const std::vector<std::string_view> words = words_of(plain);
  if (words.empty()) return;
  const std::string_view last = words.back();
  const bool vague = words.size() > 1 && (last == "about" || last == "around");
  mention.is_length =
      contains(kLengths, last) || (vague && contains(kLengths, words[words.size() - 2]));
  const bool chinese = last.ends_with(kFromInChinese);
  mention.is_led = chinese || contains(kPlacing, last);
  if (mention.is_led) {
    const std::size_t bytes = chinese ? kFromInChinese.size() : last.size();
    mention.begin =
        low + static_cast<std::size_t>(last.data() - plain.data()) + last.size() - bytes;
  }
}

bool stands_apart(std::string_view answer, std::size_t at) {
  at = std::min(answer.find_first_not_of(" \t*\r", at), answer.size());
  return at == answer.size() ||
         std::string_view(":,|-\n").find(answer[at]) != std::string_view::npos ||
         joint_at(answer, at) > 0 || answer.substr(at).starts_with("\uFF1A");
}

// `from` is where the mention before ends.
void place(std::string_view answer, std::size_t from, TimeMention& mention) {
  const std::size_t at = mention.span.begin;
  mention.begin = at;
  const std::size_t low = at - from > kLookBack ? at - kLookBack : from;
  const std::string_view before = answer.substr(low, at - low);
  read_leads(before, low, mention);
  mention.stands_apart = stands_apart(answer, mention.span.past);
  const std::size_t newline = before.rfind('\n');
  const bool sees_line = newline != std::string_view::npos || low == 0;
  const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
  if (sees_line && only_leads(before.substr(line))) {
    mention.opens_line = mention.opens_sentence = true;
    mention.begin = low + line;
    return;
  }
  const std::size_t sentence = sentence_begin(before);
  if ((sentence > 0 || low == from) && only_leads(before.substr(sentence))) {
    mention.opens_sentence = true;
    mention.begin = low + sentence;
  }
}

std::vector<TimeMention> all_mentions(std::string_view answer) {
  std::vector<TimeMention> mentions;
  std::size_t from = 0;  // past the mention before
  for (std::size_t at = answer.find_first_of("0123456789"); at != std::string_view::npos;
       at = answer.find_first_of("0123456789", at)) {
    const auto span = written_span(answer, at);
    if (!span) {
      at = std::min(answer.find_first_not_of("0123456789", at), answer.size());
      continue;
    }
    at = span->past;
    if (!span->marked && !span->is_pair) continue;
    TimeMention mention{.span = *span};
    place(answer, from, mention);
    if (!mentions.empty() && mentions.back().opens_sentence &&
        is_list_mark(answer.substr(from, mention.span.begin - from)))
      mention.opens_sentence = true;  // "1-2 s and 4-5 s: ..."
    mentions.push_back(mention);
    from = at;
  }
  return mentions;
}

// "[0:05] - [0:12]" is one span in two pairs of brackets.
void join_moments(std::string_view answer, std::vector<TimeMention>& mentions) {
  std::vector<TimeMention> joined;
  for (const TimeMention& mention : mentions) {
    if (!joined.empty()) {
      TimeMention& last = joined.back();
      const std::size_t gap = mention.span.begin - last.span.past;
      if (!last.span.is_pair && !mention.span.is_pair && last.span.enclosed &&
          mention.span.enclosed && gap > 0 && joint_at(answer, last.span.past) == gap) {
        last.span.end = mention.span.end;
        last.span.past = mention.span.past;
        last.span.is_pair = true;
        continue;
      }
    }
    joined.push_back(mention);
  }
  mentions = std::move(joined);
}

}  // namespace

bool is_list_mark(std::string_view between) {
  if (between.size() > 16) return false;
  const std::string plain = lower(trimmed(between));
  return plain == "," || plain == ";" || plain == "and" || plain == ", and" || plain == "&" ||
         plain == "; and" || plain == "\u3001" || plain == "\uFF0C" || plain == "\u548C";
}

std::vector<TimeMention> time_mentions(std::string_view answer) {
  std::vector<TimeMention> mentions = all_mentions(answer);
  for (std::size_t i = mentions.size(); i-- > 1;) {
    const std::size_t past = mentions[i - 1].span.past;
    if (mentions[i].span.marked && mentions[i].span.is_pair &&
        is_list_mark(answer.substr(past, mentions[i].span.begin - past)))
      mentions[i - 1].span.marked = true;
  }
  std::erase_if(mentions, [](const TimeMention& mention) { return !mention.span.marked; });
  join_moments(answer, mentions);
  return mentions;
}

std::vector<TimeMention> bare_mentions(std::string_view answer) {
  std::vector<TimeMention> mentions = all_mentions(answer);
  std::size_t past = 0;
  for (const TimeMention& mention : mentions) {
    const std::string_view between = answer.substr(past, mention.begin - past);
    if (!trimmed(between).empty() && !is_list_mark(between)) return {};
    past = mention.span.past;
  }
  const std::string_view rest = trimmed(answer.substr(past));
  return rest.empty() || rest == "." ? mentions : std::vector<TimeMention>();
}

}  // namespace tarsier
