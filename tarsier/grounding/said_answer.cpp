#include "tarsier/grounding/said_answer.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

constexpr std::size_t kShown = 200;  // bytes of an answer in a message

std::string quoted(std::string_view answer) {
  if (answer.size() <= kShown) return fmt::format("'{}'", answer);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(answer[end]) & 0xC0) == 0x80)
    --end;  // not inside a character
  return fmt::format("'{}...'", answer.substr(0, end));
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

void SaidAnswer::refuse(std::string_view what) const {
  throw CheckpointError({std::string(model),
                         fmt::format("{}; it said {}", what, quoted(trimmed(text))),
                         "use a model trained to say when things happen"});
}

}  // namespace tarsier
