#include "tarsier/text/pretokenizer.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "tarsier/text/known_keys.h"

namespace tarsier {
namespace {

// GPT-2's pattern, which ByteLevel runs itself when use_regex is true.
constexpr std::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr std::size_t kMaxStages = 16;

std::string literal(std::string_view text) {  // a pattern that matches `text` itself
  std::string pattern;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c))) {
      pattern += fmt::format("\\x{{{:x}}}", static_cast<unsigned>(c));
    } else {
      pattern += c;
    }
  }
  return pattern;
}

}  // namespace

Pretokenizer Pretokenizer::parse(const std::optional<JsonView>& json) {
  Pretokenizer pretokenizer;
  if (json) pretokenizer.add_stages(*json);
  return pretokenizer;
}

void Pretokenizer::add_stages(const JsonView& json) {
  const std::string& type = json.at("type").as_string();
  if (ends_in_bytes_)
    json.fail(type + " comes after ByteLevel", "ByteLevel must be the last stage");
  if (stages_.size() == kMaxStages) json.fail("is one of over 16 stages", "the file is damaged");
  if (type == "Sequence") {
    const JsonView list = json.at("pretokenizers");
    if (!list.is_array()) list.fail("is not an array", "list the stages");
    for (std::int64_t i = 0; i < list.size(); ++i) add_stages(list.at(i));
  } else if (type == "Split") {
    const JsonView behavior = json.at("behavior");
    if (behavior.as_string() != "Isolated") {
      behavior.fail(fmt::format("is '{}'", behavior.as_string()), "only 'Isolated' is supported");
    }
    if (json.bool_or("invert", false)) json.at("invert").fail("is true", "only false is supported");
    const JsonView pattern = json.at("pattern");
    const bool is_regex = pattern.has("Regex");
    const JsonView text = pattern.at(is_regex ? "Regex" : "String");
    if (text.as_string().empty()) text.fail("is empty", "give the splitting pattern");
    stages_.emplace_back(Regex(is_regex ? text.as_string() : literal(text.as_string()),
                               text.file() + ": " + text.path()));
  } else if (type == "ByteLevel") {
    ByteLevel stage{json.bool_or("add_prefix_space", true), std::nullopt};
    if (json.bool_or("use_regex", true))
      stage.pattern.emplace(kByteLevelPattern, json.file() + ": " + json.path());
    stages_.emplace_back(std::move(stage));
    ends_in_bytes_ = true;
  } else if (type == "Metaspace") {
    stages_.emplace_back(Metaspace::parse(json));
  } else {
    refuse_type(json, "Sequence, Split, ByteLevel and Metaspace are");
  }
}

void Pretokenizer::split(std::string_view utf8, bool at_start, const Word& word) const {
  if (!utf8.empty()) run(0, utf8, at_start, word);
}

void Pretokenizer::run(std::size_t index, std::string_view utf8, bool at_start,
                       const Word& word) const {
  if (index == stages_.size()) return word(utf8);
  if (const auto* metaspace = std::get_if<Metaspace>(&stages_[index])) {
    return metaspace->run(utf8, at_start, [&](std::string_view piece, bool piece_at_start) {
      run(index + 1, piece, piece_at_start, word);
    });
  }
  const auto* pattern = std::get_if<Regex>(&stages_[index]);
  std::string prefixed;
  if (const auto* bytes = std::get_if<ByteLevel>(&stages_[index])) {
    if (bytes->add_prefix_space && utf8.front() != ' ') {
      prefixed.append(1, ' ').append(utf8);
      utf8 = prefixed;
    }
    if (!bytes->pattern) return run(index + 1, utf8, at_start, word);
    pattern = &*bytes->pattern;
  }
  pattern->split(utf8, [&](std::string_view piece) {
    run(index + 1, piece, at_start && piece.data() == utf8.data(), word);
  });
}

}  // namespace tarsier
