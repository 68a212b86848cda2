// Any bytes as a judge's answer either are refused with a note that says what is wrong, or are
// exactly what was asked for; any bytes as a caption are cleaned or refused.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tarsier/base/error.h"
#include "tarsier/judge/caption_answers.h"
#include "tarsier/judge/caption_clean.h"
#include "tarsier/judge/event_answers.h"
#include "tarsier/judge/json_repair.h"
#include "tarsier/text/utf8.h"

namespace {

void expect_reason(const tarsier::ErrorNote& note) {
  if (!note.where.starts_with("judge's answer") || note.what.empty()) std::abort();
}

void check_events(std::string_view text) {
  const auto events = tarsier::read_events(text);
  if (const auto* note = std::get_if<tarsier::ErrorNote>(&events)) return expect_reason(*note);
  for (const std::string& event : std::get<std::vector<std::string>>(events)) {
    if (event.empty() || tarsier::first_invalid_utf8(event)) std::abort();
  }
}

void check_labels(std::string_view text, std::size_t count) {
  const auto labels = tarsier::read_labels(text, count);
  if (const auto* note = std::get_if<tarsier::ErrorNote>(&labels)) return expect_reason(*note);
  if (std::get<std::vector<tarsier::EventLabel>>(labels).size() != count) std::abort();
}

void check_caption(const tarsier::Outcome<tarsier::CaptionErrors>& outcome, bool adds_up) {
  if (const auto* note = std::get_if<tarsier::ErrorNote>(&outcome)) return expect_reason(*note);
  const auto& errors = std::get<tarsier::CaptionErrors>(outcome);
  if (errors.events != 3 || errors.missed < 0 || errors.incorrect < 0 || errors.hallucinated < 0)
    std::abort();
  if (adds_up && errors.missed + errors.incorrect > errors.events) std::abort();
}

void check_cleaning(const std::string& text) {
  try {
    if (tarsier::clean_caption(text).size() > text.size()) std::abort();
  } catch (const tarsier::InputError&) {
    if (!tarsier::first_invalid_utf8(text)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string repaired = tarsier::repair_json(text);
  if (!repaired.starts_with('{') || !repaired.ends_with('}')) std::abort();
  check_events(text);
  for (const std::size_t count : {0u, 1u, 2u}) check_labels(text, count);
  check_caption(tarsier::read_caption_lists(text, 3), false);
  check_caption(tarsier::read_caption_counts(text, 3), true);
  check_cleaning(std::string(text));
  return 0;
}
