#include "tarsier/data/filter/text_rules.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "tarsier/base/error.h"
#include "tarsier/text/nfc.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

template <class Visit>
void each_character(std::string_view utf8, Visit visit) {
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint point = code_point_at(utf8, at);
    visit(point.value, utf8.substr(at, point.bytes));
    at += point.bytes;
  }
}

struct Block {
  char32_t first, last;
};
constexpr Block kLatin[] = {{0x41, 0x5A},  {0x61, 0x7A},     {0xC0, 0xD6},     {0xD8, 0xF6},
                            {0xF8, 0x24F}, {0x1E00, 0x1EFF}, {0xFF21, 0xFF3A}, {0xFF41, 0xFF5A}};
constexpr Block kHan[] = {{0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xF900, 0xFAFF}, {0x20000, 0x3FFFF}};
constexpr Block kKana[] = {{0x3041, 0x30FF}, {0x31F0, 0x31FF}, {0xFF66, 0xFF9D}};
constexpr Block kHangul[] = {{0x1100, 0x11FF}, {0x3130, 0x318F}, {0xAC00, 0xD7A3}};
constexpr Block kCyrillic[] = {
    {0x400, 0x52F}, {0x1C80, 0x1C8F}, {0x2DE0, 0x2DFF}, {0xA640, 0xA69F}};
constexpr Block kArabic[] = {{0x620, 0x64A}, {0x66E, 0x6D3},   {0x750, 0x77F},
                             {0x8A0, 0x8FF}, {0xFB50, 0xFDFF}, {0xFE70, 0xFEFC}};
constexpr Block kDevanagari[] = {{0x900, 0x97F}};

struct Script {
  std::string_view name;
  std::span<const Block> blocks;
};
constexpr std::array<Script, 7> kScripts = {{{"latin", kLatin},
                                             {"han", kHan},
                                             {"kana", kKana},
                                             {"hangul", kHangul},
                                             {"cyrillic", kCyrillic},
                                             {"arabic", kArabic},
                                             {"devanagari", kDevanagari}}};

bool within(std::span<const Block> blocks, char32_t point) {
  for (const Block& block : blocks) {
    if (point >= block.first && point <= block.last) return true;
  }
  return false;
}

bool is_letter(char32_t point) {
  return is_word_character(point) && !(point >= '0' && point <= '9') && point != '_';
}

bool is_ascii_punctuation(char32_t point) {
  return (point >= 0x21 && point <= 0x2F) || (point >= 0x3A && point <= 0x40) ||
         (point >= 0x5B && point <= 0x60) || (point >= 0x7B && point <= 0x7E);
}

}  // namespace

std::int64_t count_characters(std::string_view utf8) {
  std::int64_t count = 0;
  each_character(utf8, [&](char32_t, std::string_view) { ++count; });
  return count;
}

std::int64_t count_words(std::string_view utf8) {
  std::int64_t count = 0;
  bool inside = false;
  each_character(utf8, [&](char32_t point, std::string_view) {
    const bool word = !is_white_space(point);
    if (word && !inside) ++count;
    inside = word;
  });
  return count;
}

double script_share(std::string_view utf8, std::string_view script, const std::string& flag) {
  const Script* wanted = nullptr;
  for (const Script& known : kScripts) {
    if (known.name == script) wanted = &known;
  }
  if (wanted == nullptr)
    throw ConfigError({flag, fmt::format("'{}' is not a script", script),
                       "use latin, han, kana, hangul, cyrillic, arabic or devanagari"});
  std::int64_t letters = 0, of_script = 0;
  each_character(utf8, [&](char32_t point, std::string_view) {
    if (!is_letter(point)) return;
    ++letters;
    if (within(wanted->blocks, point)) ++of_script;
  });
  return letters == 0 ? 0 : static_cast<double>(of_script) / static_cast<double>(letters);
}

std::string normalised_text(std::string_view utf8) {
  std::string normal;
  bool blank = false;
  each_character(to_nfc(utf8), [&](char32_t point, std::string_view bytes) {
    if (is_white_space(point) || is_ascii_punctuation(point)) {
      blank = true;
      return;
    }
    if (blank && !normal.empty()) normal += ' ';
    blank = false;
    if (point >= 'A' && point <= 'Z') {
      normal += static_cast<char>(point - 'A' + 'a');
    } else {
      normal += bytes;
    }
  });
  return normal;
}

}  // namespace tarsier
