#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarsier {

/// What the caption metric does to a caption before it is judged (evaluation.md 3): of one that
/// ended as it should, "<|im_end|>" goes. Else what repeats itself becomes one: for each length of
/// 1 to 49 characters in turn a piece that stands 5 to 201 times in a row, then for each of 50 to
/// 99 one that stands 4 to 201 times; from the left, each time as often as it goes, and never
/// across a line break. Characters are Unicode's; the text is UTF-8.
std::string clean_caption(const std::string& caption);

/// The share of the runs of `words` words, of all such runs in a text, that occurred before in it;
/// 0 where there is none. Words stand between blanks.
double repeated_share(std::string_view text, std::int64_t words = 10);

}  // namespace tarsier
