#include "tarsier/text/token_decoder.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "tarsier/text/byte_level.h"
#include "tarsier/text/known_keys.h"
#include "tarsier/text/sentencepiece_spelling.h"
#include "tarsier/text/utf8.h"

namespace tarsier {
namespace {

constexpr int kMaxStrip = 16;

}  // namespace

TokenDecoder TokenDecoder::parse(const JsonView& json, std::vector<std::string> spellings) {
  TokenDecoder decoder;
  decoder.spellings_ = std::move(spellings);
  GrowthBudget budget;
  decoder.add_stage(json, budget);
  if (decoder.byte_fallback_) decoder.invalid_bytes_ = InvalidBytes::whole_run;
  decoder.fill_tables();
  return decoder;
}

TokenDecoder TokenDecoder::sentencepiece(std::vector<std::string> spellings, bool strip_first,
                                         bool strip_all) {
  TokenDecoder decoder;
  decoder.spellings_ = std::move(spellings);
  decoder.rules_ = {{std::string(kVisibleSpace), " "}};
  decoder.byte_fallback_ = true;
  decoder.invalid_bytes_ = InvalidBytes::each_byte;
  if (strip_first || strip_all)
    decoder.leading_cut_ = {std::string(kVisibleSpace),
                            strip_all ? std::numeric_limits<int>::max() : 1, true};
  decoder.fill_tables();
  return decoder;
}

// Stages work on tokens before Fuse and on the whole text after it. Only Strip is known there, and
// bytes must have become text, so one order is left.
void TokenDecoder::add_stage(const JsonView& json, GrowthBudget& budget) {
  const std::string& type = json.at("type").as_string();
  const auto require_before = [&](bool too_late, const char* what) {
    if (byte_level_ || too_late)
      json.at("type").fail(fmt::format("is '{}' after {}", type, byte_level_ ? "ByteLevel" : what),
                           "the order Replace, ByteFallback, Fuse, Strip is supported");
  };
  if (type == "Sequence") {
    const JsonView list = json.at("decoders");
    if (!list.is_array()) list.fail("is not an array", "list the stages");
    for (std::int64_t i = 0; i < list.size(); ++i) add_stage(list.at(i), budget);
  } else if (type == "ByteLevel") {
    require_before(!rules_.empty() || byte_fallback_ || fused_, "another stage");
    byte_level_ = true;
  } else if (type == "Replace") {
    require_before(byte_fallback_ || fused_, "ByteFallback or Fuse");
    rules_.push_back(ReplaceRule::parse(json));
    budget.spend(rules_.back(), json);
  } else if (type == "Metaspace") {
    require_before(!rules_.empty() || byte_fallback_ || fused_, "another stage");
    const Metaspace metaspace = Metaspace::parse(json);
    if (metaspace.prefix != Metaspace::Prefix::never) dropped_in_first_ = metaspace.replacement;
    rules_.push_back({metaspace.replacement, " "});
  } else if (type == "ByteFallback") {
    require_before(byte_fallback_ || fused_, "ByteFallback or Fuse");
    byte_fallback_ = true;
  } else if (type == "Fuse") {
    require_before(!leading_cut_.text.empty(), "Strip");
    fused_ = true;
  } else if (type == "Strip") {
    if (!fused_) json.at("type").fail("is 'Strip' before Fuse", "only whole texts can be stripped");
    require_before(!leading_cut_.text.empty(), "Strip");
    const std::string& text = json.at("content").as_string();
    if (text.empty() || code_point_at(text, 0).bytes != text.size())
      json.at("content").fail("is not one character", "it names what is stripped");
    json.at("stop").as_int(0, 0);  // what ends a text is not known while it streams
    leading_cut_ = {text, static_cast<int>(json.at("start").as_int(0, kMaxStrip)), false};
  } else {
    refuse_type(json, "ByteLevel, Replace, Metaspace, ByteFallback, Fuse, Strip and Sequence are");
  }
}

void TokenDecoder::fill_tables() {
  bytes_.reserve(spellings_.size());
  is_bytes_.reserve(spellings_.size());
  for (const std::string& spelling : spellings_) {
    // ByteLevel takes any token whose characters all spell bytes for a spelling, added ones
    // included.
    std::string text =
        byte_level_ ? bytes_of_spelling(spelling).value_or(spelling) : text_of(spelling, false);
    const auto byte = byte_fallback_ ? byte_of_token(text) : std::nullopt;
    if (byte) text.assign(1, static_cast<char>(*byte));
    bytes_.push_back(std::move(text));
    is_bytes_.push_back(byte_level_ || byte.has_value());
  }
}

std::string TokenDecoder::text_of(std::string_view spelling, bool first) const {
  std::string text(spelling);
  if (first && dropped_in_first_) text = ReplaceRule{*dropped_in_first_, ""}.apply(text);
  for (const ReplaceRule& rule : rules_) text = rule.apply(text);
  return text;
}

std::string_view TokenDecoder::spelling_of(std::int64_t id) const {
  return has(id) ? std::string_view(spellings_[static_cast<std::size_t>(id)]) : std::string_view();
}

std::string_view TokenDecoder::bytes_of(std::int64_t id) const {
  return has(id) ? std::string_view(bytes_[static_cast<std::size_t>(id)]) : std::string_view();
}

std::string TokenDecoder::first_text_of(std::int64_t id) const {
  return text_of(spelling_of(id), true);
}

bool TokenDecoder::is_bytes(std::int64_t id) const {
  return has(id) && is_bytes_[static_cast<std::size_t>(id)];
}

}  // namespace tarsier
