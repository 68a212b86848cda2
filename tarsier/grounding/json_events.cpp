#include "tarsier/grounding/json_events.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/grounding/time_span.h"

namespace tarsier {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::int64_t kMostEvents = 10'000;
constexpr std::array<const char*, 5> kStarts = {"start", "start_time", "start_s", "start_sec",
                                                "begin"};
constexpr std::array<const char*, 4> kEnds = {"end", "end_time", "end_s", "end_sec"};
constexpr std::array<const char*, 4> kSpans = {"timestamp", "timestamps", "time", "interval"};
constexpr std::array<const char*, 7> kTexts = {"label",   "description", "text",    "event",
                                               "caption", "activity",    "sentence"};
constexpr std::array<const char*, 3> kLists = {"events", "segments", "timestamps"};

struct Json {
  std::string_view text, before;
};

std::string_view without_language(std::string_view text) {  // "json" behind a fence
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  while (!text.empty() && is_letter(text.front())) text.remove_prefix(1);
  return text;
}

bool begins_json(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '{') return true;
  if (text.front() != '[') return false;
  const std::string_view inner = trimmed(text.substr(1));
  return !inner.empty() && std::string_view("{[]\"").find(inner.front()) != std::string_view::npos;
}

std::optional<Json> json_in(std::string_view answer) {
  Json json{trimmed(answer), {}};
  const std::size_t fence = answer.find(kFence);
  if (fence != std::string_view::npos) {
    const std::size_t begin = fence + kFence.size();
    const std::size_t close = answer.find(kFence, begin);
    json = {trimmed(without_language(
                answer.substr(begin, close == std::string_view::npos ? close : close - begin))),
            trimmed(answer.substr(0, fence))};
  }
  if (!begins_json(json.text)) return std::nullopt;
  return json;
}

class Reader {
 public:
  Reader(const SaidAnswer& said, GroundingTask task) : said_(said), task_(task) {}

  std::vector<SaidEvent> read(const JsonView& json) {
    if (json.is_array()) {
      if (json.size() > kMostEvents)
        said_.refuse("answered with " + std::to_string(json.size()) + " times");
      const bool is_pair = json.size() == 2 && !json.at(0).is_object() && !json.at(0).is_array();
      if (is_pair) {
        add_pair(json);
      } else {
        for (std::int64_t i = 0; i < json.size(); ++i) add(json.at(i));
      }
    } else {
      const auto list = find(json, kLists);
      if (list && list->is_array() && !find(json, kStarts) && !find(json, kTexts))
        return read(*list);
      add(json);
    }
    return std::move(events_);
  }

 private:
  std::optional<JsonView> find(const JsonView& json, std::span<const char* const> keys) const {
    for (const char* key : keys)
      if (json.has(key)) return json.at(key);
    return std::nullopt;
  }

  [[noreturn]] void refuse() const { said_.refuse("answered with JSON that does not say times"); }

  double seconds(const JsonView& json) const {
    if (json.is_number()) return json.as_double();
    if (!json.is_string()) refuse();
    const std::string& text = json.as_string();
    const auto time = written_time(text, 0);
    if (!time || time->bytes != text.size()) refuse();
    return time->seconds;
  }

  void add(const JsonView& json) {
    if (json.is_array()) {
      add_pair(json);
      return;
    }
    if (!json.is_object()) refuse();
    SaidEvent event;
    const auto start = find(json, kStarts), end = find(json, kEnds), span = find(json, kSpans);
    if (start && end) {
      event.start = seconds(*start);
      event.end = seconds(*end);
    } else if (span && !start && !end) {
      read_span(*span, event);
    } else {
      refuse();
    }
    if (const auto text = find(json, kTexts); text && text->is_string())
      event.text = trimmed(text->as_string());
    if (event.text.empty() && task_ == GroundingTask::events)
      said_.refuse("answered with a time that no event stands beside");
    if (task_ == GroundingTask::segments) event.text.clear();
    events_.push_back(std::move(event));
  }

  void read_span(const JsonView& json, SaidEvent& event) const {
    if (json.is_array() && json.size() == 2) {
      event.start = seconds(json.at(0));
      event.end = seconds(json.at(1));
      return;
    }
    if (!json.is_string()) {
      event.start = event.end = seconds(json);
      return;
    }
    const std::string& text = json.as_string();
    const auto span = written_span(text, std::min(text.find_first_of("0123456789"), text.size()));
    if (!span || span->begin != 0 || span->past != text.size()) refuse();
    event.start = span->start;
    event.end = span->end;
  }

  void add_pair(const JsonView& json) {
    if (json.size() != 2 || task_ == GroundingTask::events) refuse();
    events_.push_back({seconds(json.at(0)), seconds(json.at(1)), {}});
  }

  const SaidAnswer& said_;
  GroundingTask task_;
  std::vector<SaidEvent> events_;
};

}  // namespace

std::optional<SaidText> parse_json_events(const SaidAnswer& answer, GroundingTask task) {
  const auto json = json_in(answer.text);
  if (!json) return std::nullopt;
  std::optional<JsonView> view;
  try {
    view = parse_json(json->text, "answer", JsonOwner::checkpoint);
  } catch (const CheckpointError&) {
    answer.refuse("answered with JSON that cannot be read");
  }
  return SaidText{std::string(json->before), Reader(answer, task).read(*view)};
}

}  // namespace tarsier
