#include "tarsier/judge/caption_sample.h"

#include <fmt/format.h>

namespace tarsier {
namespace {

constexpr std::int64_t kMostCounted = 1'000'000;

std::optional<std::int64_t> count_at(const JsonView& object, const char* key) {
  const std::optional<JsonView> value = object.find(key);
  if (!value) return std::nullopt;
  return value->as_int(0, kMostCounted);
}

// The one part of text of the answer.
JsonView answer_part(const JsonView& row) {
  const JsonView messages = row.at("messages");
  if (messages.size() == 0) messages.fail("is empty", "give a list of turns");
  const JsonView last = messages.at(messages.size() - 1);
  if (last.at("role").as_string() != "assistant")
    last.at("role").fail(fmt::format("is '{}'", last.at("role").as_string()),
                         "the last turn of a prediction is the assistant's");
  const JsonView content = last.at("content");
  if (!content.is_array())
    content.fail("is not a list of parts", "give one part with text and reference");
  std::optional<JsonView> found;
  for (std::int64_t i = 0; i < content.size(); ++i) {
    const JsonView part = content.at(i);
    if (part.at("type").as_string() != "text") continue;
    if (found) part.fail("is a second text of the answer", "give one");
    found = part;
  }
  if (!found) content.fail("has no text", "give one part with text and reference");
  return *found;
}

}  // namespace

std::vector<std::string> texts_of(const JsonView& value) {
  if (!value.is_array()) value.fail("is not a list of texts", "give a list");
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < value.size(); ++i) texts.push_back(value.at(i).as_string());
  return texts;
}

std::string name_text(const JsonView& value) {
  return value.is_integer() ? fmt::format("{}", value.as_int()) : value.as_string();
}

CaptionSample parse_caption_sample(const JsonView& row) {
  const JsonView answer = answer_part(row);
  CaptionSample sample;
  sample.source = row.at("dataset").as_string();
  sample.idx = name_text(row.at("idx"));
  sample.prediction = answer.at("text").as_string();
  sample.reference = answer.at("reference").as_string();
  if (const std::optional<JsonView> extra = row.find("extra_info")) {
    if (const auto events = extra->find("events")) sample.events = texts_of(*events);
    sample.n_subjects = count_at(*extra, "n_subjects");
    sample.n_shots = count_at(*extra, "n_shots");
    sample.n_events = count_at(*extra, "n_events");
  }
  return sample;
}

}  // namespace tarsier
