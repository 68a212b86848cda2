#include "tarsier/data/check/media_marks.h"

#include <algorithm>
#include <array>

namespace tarsier {
namespace {

constexpr std::array<std::string_view, 4> kMarks = {"<image>", "<video>", "<audio>", "<speech>"};

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

// "<|name|>" at the start of `text`; empty when there is none.
std::string_view control_token(std::string_view text) {
  if (!text.starts_with("<|")) return {};
  const std::size_t close = text.find("|>", 2);
  if (close == std::string_view::npos || close == 2) return {};
  const std::string_view name = text.substr(2, close - 2);
  return std::all_of(name.begin(), name.end(), is_name_character) ? text.substr(0, close + 2)
                                                                  : std::string_view{};
}

}  // namespace

std::optional<std::string> find_media_mark(std::string_view words) {
  for (std::size_t at = words.find('<'); at != std::string_view::npos;
       at = words.find('<', at + 1)) {
    const std::string_view rest = words.substr(at);
    if (const std::string_view token = control_token(rest); !token.empty())
      return std::string(token);
    for (const std::string_view mark : kMarks) {
      if (rest.starts_with(mark)) return std::string(mark);
    }
  }
  return std::nullopt;
}

}  // namespace tarsier
