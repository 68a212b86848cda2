#include "tarsier/grounding/time_notation.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "tarsier/grounding/time_mentions.h"

namespace tarsier {
namespace {

constexpr std::size_t kMostEvents = 10'000, kMostInGroup = 100;

/// Times that share their words: "1-2 s and 4-5 s: a dog barks".
struct Group {
  std::span<const TimeMention> mentions;
  const TimeMention& first() const { return mentions.front(); }
  std::size_t begin() const { return mentions.front().begin; }
  std::size_t past() const { return mentions.back().span.past; }
};

// What stands between a time and its words.
std::string_view without_marks(std::string_view text) {
  constexpr std::string_view kMarks = " \t\r\n:,;-*|_`.";
  text = text.substr(std::min(text.find_first_not_of(kMarks), text.size()));
  if (text.starts_with("\u2013") || text.starts_with("\u2014"))
    return without_marks(text.substr(3));
  if (text.starts_with("\uFF1A") || text.starts_with("\uFF0C"))
    return without_marks(text.substr(3));
  while (!text.empty() &&
         std::string_view(" \t\r\n|*-").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return text;
}

bool has_words(std::string_view text) {
  return text.find_first_not_of(" \t\r\n:,;-*|_`.!?()[]") != std::string_view::npos;
}

class EventReader {
 public:
  EventReader(const SaidAnswer& said, std::span<const TimeMention> mentions)
      : said_(said), answer_(said.text) {
    for (std::size_t i = 0; i < mentions.size();) {
      std::size_t past = i + 1;
      while (past < mentions.size() && joined(mentions[past - 1], mentions[past])) ++past;
      if (past - i > kMostInGroup)
        said_.refuse(fmt::format("answered with {} times for one event", past - i));
      groups_.push_back({mentions.subspan(i, past - i)});
      i = past;
    }
  }

  SaidText read() {
    for (std::size_t i = 0; i < groups_.size();) {
      const std::size_t line_end = std::min(answer_.find('\n', groups_[i].past()), answer_.size());
      std::size_t past = i + 1;
      while (past < groups_.size() && groups_[past].begin() < line_end) ++past;
      if (leads(i, past, line_end)) {
        read_leading(i, past);
      } else {
        read_trailing(i, past, line_end);
      }
      i = past;
    }
    return std::move(result_);
  }

 private:
  bool joined(const TimeMention& before, const TimeMention& next) const {
    return !next.opens_line &&
           is_list_mark(answer_.substr(before.span.past, next.span.begin - before.span.past));
  }

  // Whether the times of a line come before their words.
  bool leads(std::size_t first, std::size_t past, std::size_t line_end) const {
    if (groups_[first].first().opens_line) return true;
    const std::size_t end = groups_[past - 1].past();
    return groups_[first].first().opens_sentence && has_words(answer_.substr(end, line_end - end));
  }

  void take_before(std::size_t begin) {
    const std::string_view text = answer_.substr(at_, begin - at_);
    if (!has_words(text)) return;
    std::string& before = result_.events.empty() ? result_.opening : result_.events.back().text;
    if (!before.empty()) before += ' ';
    before += trimmed(text);
  }

  void read_leading(std::size_t first, std::size_t past) {
    for (std::size_t i = first; i < past; ++i) {
      take_before(groups_[i].begin());
      const std::size_t end = i + 1 < groups_.size() ? groups_[i + 1].begin() : answer_.size();
      const bool whole =
          i + 1 == groups_.size() || i + 1 < past || groups_[i + 1].first().opens_line;
      at_ = whole ? end : std::min(answer_.find('\n', groups_[i].past()), end);
      add(groups_[i], without_marks(answer_.substr(groups_[i].past(), at_ - groups_[i].past())));
    }
  }

  void read_trailing(std::size_t first, std::size_t past, std::size_t line_end) {
    const std::size_t newline = answer_.rfind('\n', groups_[first].begin());
    if (newline != std::string_view::npos && newline > at_) {
      take_before(newline);
      at_ = newline;
    }
    for (std::size_t i = first; i < past; ++i) {
      std::string text(without_marks(answer_.substr(at_, groups_[i].begin() - at_)));
      while (!text.empty() &&
             std::string_view(" ([,;:").find(text.back()) != std::string_view::npos)
        text.pop_back();  // "It runs, from 2 to 4 s"
      at_ = groups_[i].past();
      const std::string_view rest = answer_.substr(at_, line_end - at_);
      if (i + 1 == past && has_words(rest)) {
        text.append(" ").append(without_marks(rest));
        at_ = line_end;
      }
      add(groups_[i], text);
    }
    at_ = line_end;
  }

  void add(const Group& group, std::string_view text) {
    if (!has_words(text)) said_.refuse("answered with a time that no event stands beside");
    for (const TimeMention& mention : group.mentions)
      result_.events.push_back({mention.span.start, mention.span.end, std::string(text)});
  }

  const SaidAnswer& said_;
  std::string_view answer_;
  std::vector<Group> groups_;
  SaidText result_;
  std::size_t at_ = 0;  // up to here the answer is read
};

}  // namespace

SaidText parse_time_notation(const SaidAnswer& answer, GroundingTask task) {
  std::vector<TimeMention> mentions = time_mentions(answer.text);
  if (mentions.empty() && task == GroundingTask::segments) mentions = bare_mentions(answer.text);
  if (task == GroundingTask::segments) {
    std::erase_if(mentions, [](const TimeMention& mention) {
      return mention.is_length || !(mention.span.is_pair || mention.is_heading() || mention.is_led);
    });
  } else {
    const bool has_headings = std::any_of(mentions.begin(), mentions.end(),
                                          [](const auto& each) { return each.is_heading(); });
    std::erase_if(mentions, [&](const TimeMention& mention) {
      return has_headings ? !mention.is_heading() : !mention.is_led || !mention.span.is_pair;
    });
  }
  if (mentions.size() > kMostEvents)
    answer.refuse(fmt::format("answered with {} times", mentions.size()));
  if (task == GroundingTask::events) return EventReader(answer, mentions).read();
  SaidText result;
  for (const TimeMention& mention : mentions)
    result.events.push_back({mention.span.start, mention.span.end, {}});
  return result;
}

}  // namespace tarsier
