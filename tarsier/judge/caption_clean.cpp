#include "tarsier/judge/caption_clean.h"

#include <algorithm>
#include <set>
#include <vector>

#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

constexpr std::string_view kEnd = "<|im_end|>";
constexpr std::size_t kMostCopies = 201;

std::u32string characters(std::string_view utf8) {
  std::u32string text;
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint c = code_point_at(utf8, at);
    text += c.value;
    at += c.bytes;
  }
  return text;
}

std::u32string collapsed(const std::u32string& text, std::size_t length, std::size_t least) {
  const std::size_t size = text.size();
  // From each place: how far the text equals itself `length` later, and how far to a line break.
  std::vector<std::size_t> same(size + 1), to_break(size + 1);
  for (std::size_t i = size; i-- > 0;) {
    const bool equal = i + length < size && text[i] == text[i + length];
    same[i] = equal ? same[i + 1] + 1 : 0;
    to_break[i] = text[i] == U'\n' ? 0 : to_break[i + 1] + 1;
  }
  std::u32string out;
  for (std::size_t i = 0; i < size;) {
    const std::size_t copies = std::min(kMostCopies, same[i] / length + 1);
    if (copies >= least && to_break[i] >= length) {
      out.append(text, i, length);
      i += copies * length;
    } else {
      out += text[i++];
    }
  }
  return out;
}

}  // namespace

std::string clean_caption(const std::string& caption) {
  std::string text = caption;
  if (text.find(kEnd) != std::string::npos) {
    for (std::size_t at = text.find(kEnd); at != std::string::npos; at = text.find(kEnd, at))
      text.erase(at, kEnd.size());
    return text;
  }
  require_utf8(caption, "caption");
  std::u32string points = characters(caption);
  for (std::size_t length = 1; length < 50; ++length) points = collapsed(points, length, 5);
  for (std::size_t length = 50; length < 100; ++length) points = collapsed(points, length, 4);
  text.clear();
  for (const char32_t point : points) append_utf8(text, point);
  return text;
}

double repeated_share(std::string_view text, std::int64_t words) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  std::vector<std::string_view> all;
  for (std::size_t begin = text.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
    all.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kBlanks, end);
  }
  std::set<std::vector<std::string_view>> seen;
  std::int64_t runs = 0;
  for (auto first = all.begin(); all.end() - first >= words; ++first, ++runs)
    seen.emplace(first, first + words);
  return runs == 0 ? 0 : 1 - static_cast<double>(seen.size()) / static_cast<double>(runs);
}

}  // namespace tarsier
