#include "tarsier/data/formats/format.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "tarsier/base/error.h"
#include "tarsier/data/formats/llava.h"
#include "tarsier/data/formats/salmonn2.h"
#include "tarsier/data/formats/tarsier.h"
#include "tarsier/data/formats/trl.h"

namespace tarsier {
namespace {

constexpr std::array<std::pair<RowFormat, std::string_view>, 5> kNames = {{
    {RowFormat::tarsier, "tarsier"},
    {RowFormat::llava, "llava"},
    {RowFormat::salmonn2, "salmonn2"},
    {RowFormat::salmonn2plus, "salmonn2plus"},
    {RowFormat::trl, "trl"},
}};

// Whether some part of the messages carries its media itself, as only Tarsier's do.
bool names_media_in_parts(const nlohmann::json& messages) {
  if (!messages.is_array()) return false;
  for (const auto& message : messages) {
    if (!message.is_object() || !message.contains("content") || !message["content"].is_array())
      continue;
    for (const auto& part : message["content"]) {
      if (!part.is_object()) continue;
      for (const char* kind : {"video", "image"}) {
        if (part.contains(kind) && part[kind].is_object()) return true;
      }
    }
  }
  return false;
}

RowFormat conversation_format(const JsonView& row) {
  std::set<std::string> tags;
  std::string text;
  const nlohmann::json& turns = row.raw()["conversations"];
  for (const auto& turn : turns.is_array() ? turns : nlohmann::json::array()) {
    if (!turn.is_object()) continue;
    for (const char* key : {"from", "role"}) {
      if (turn.contains(key) && turn[key].is_string()) tags.insert(turn[key]);
    }
    if (turn.contains("value") && turn["value"].is_string()) text += turn["value"];
  }
  if (tags.contains("chosen") || tags.contains("reject") || row.has("use_audio"))
    return RowFormat::salmonn2plus;
  if (tags.contains("reject_gpt") || tags.contains("gt") || tags.contains("history_gpt") ||
      row.has("timestamps"))
    return RowFormat::salmonn2;
  if (row.has("audio")) {
    return text.find("<image>") != std::string::npos ? RowFormat::salmonn2
                                                     : RowFormat::salmonn2plus;
  }
  return RowFormat::llava;
}

}  // namespace

std::string_view name_of(RowFormat format) {
  for (const auto& [value, name] : kNames) {
    if (value == format) return name;
  }
  throw_broken_promise("every row format has a name");
}

RowFormat format_named(std::string_view name, const std::string& flag) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  throw ConfigError({flag, fmt::format("'{}' is not a format of rows", name),
                     "use tarsier, llava, salmonn2, salmonn2plus or trl"});
}

RowFormat detect_format(const JsonView& row) {
  if (!row.is_object()) row.fail("is not an object", "give one JSON object a row");
  if (row.has("conversations")) return conversation_format(row);
  if (row.has("messages")) {
    if (names_media_in_parts(row.raw()["messages"])) return RowFormat::tarsier;
    return row.has("videos") || row.has("images") ? RowFormat::trl : RowFormat::tarsier;
  }
  if (row.has("prompt") && row.at("prompt").is_string() && row.has("chosen"))
    return RowFormat::llava;
  if (row.has("prompt")) return RowFormat::trl;
  row.fail("is of no known format",
           "expected one of the keys messages, conversations, prompt; or say --from");
}

Record parse_record(const JsonView& row, RowFormat format) {
  if (!row.is_object()) row.fail("is not an object", "give one JSON object a row");
  switch (format) {
    case RowFormat::tarsier:
      return parse_tarsier(row);
    case RowFormat::llava:
      return parse_llava(row);
    case RowFormat::salmonn2:
    case RowFormat::salmonn2plus:
      return parse_salmonn2(row);
    case RowFormat::trl:
      return parse_trl(row);
  }
  throw_broken_promise("RowFormat has five values");
}

std::string write_record(const Record& record, RowFormat format) {
  switch (format) {
    case RowFormat::tarsier:
      return write_tarsier(record);
    case RowFormat::llava:
      return write_llava(record);
    case RowFormat::salmonn2:
      return write_salmonn2(record, Salmonn2Version::first);
    case RowFormat::salmonn2plus:
      return write_salmonn2(record, Salmonn2Version::plus);
    case RowFormat::trl:
      return write_trl(record);
  }
  throw_broken_promise("RowFormat has five values");
}

}  // namespace tarsier
