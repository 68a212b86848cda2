#include "tarsier/synth/text_rows.h"

#include <array>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/prompts.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<TextKind, std::string_view>, 7> kNames = {{
    {TextKind::dense, "dense"},
    {TextKind::intervals, "intervals"},
    {TextKind::brief, "brief"},
    {TextKind::web, "web"},
    {TextKind::commentary, "commentary"},
    {TextKind::flawed, "flawed"},
    {TextKind::questions, "questions"},
}};
constexpr std::uint64_t kStream = 0xc11b;

Json words(std::string_view text) { return {{"type", "text"}, {"text", std::string(text)}}; }

Json flaws_json(const LooseText& loose) {
  Json flaws = Json::array();
  for (const Flaw& flaw : loose.flaws)
    flaws.push_back({{"kind", flaw.kind}, {"said", flaw.said}, {"truth", flaw.truth}});
  return flaws;
}

/// The turns of one row, with what its extra_info says of them.
class TextRow {
 public:
  explicit TextRow(const std::string& video_file) : video_file_(video_file) {}

  void exchange(std::string_view question, std::string_view answer) {
    Json asked = Json::array();
    if (messages.empty())
      asked.push_back({{"type", "video"}, {"video", {{"video_file", video_file_}}}});
    asked.push_back(words(question));
    messages.push_back({{"role", "user"}, {"content", std::move(asked)}});
    messages.push_back({{"role", "assistant"}, {"content", Json::array({words(answer)})}});
  }

  void loose(std::string_view prompt, const LooseText& text) {
    exchange(prompt, text.text);
    info["left_out"] = text.left_out;
    info["flaws"] = flaws_json(text);
  }

  // What the last answer should have said.
  void refer_to(const std::string& truth) { messages.back()["content"][0]["reference"] = truth; }

  Json messages = Json::array(), info = Json::object();

 private:
  const std::string& video_file_;
};

void say(TextKind kind, const Clip& clip, std::span<const double> seconds, Language language,
         const TextRowSettings& settings, Random& random, TextRow& row) {
  const Prompts& asked = prompts(language);
  switch (kind) {
    case TextKind::dense:
      return row.exchange(asked.describe, describe(clip, language, random));
    case TextKind::intervals:
      return row.exchange(asked.intervals,
                          describe_with_intervals(clip, seconds, language, random));
    case TextKind::brief:
      return row.exchange(asked.brief, short_caption(clip, language, random));
    case TextKind::web:
      return row.loose(asked.caption, web_caption(clip, language, random, settings.web));
    case TextKind::commentary:
      return row.loose(asked.commentary,
                       drifting_commentary(clip, seconds, language, random, settings.drift));
    case TextKind::flawed:
      row.loose(asked.describe, flawed_description(clip, language, random, settings.flaws));
      return row.refer_to(describe(clip, language, random));
    case TextKind::questions:
      row.info["kinds"] = Json::array();
      for (const Question& question : make_questions(clip, seconds, language, random)) {
        row.exchange(question.question, question.answer);
        row.info["kinds"].push_back(question.kind);
      }
      return;
  }
}

}  // namespace

std::string_view name_of(TextKind kind) {
  for (const auto& [value, name] : kNames) {
    if (value == kind) return name;
  }
  throw_broken_promise("every kind of text has a name");
}

TextKind text_kind_named(std::string_view name, const std::string& flag) {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  throw ConfigError(
      {flag, "'" + std::string(name) + "' is not a kind of text", "use " + text_kind_names()});
}

std::string text_kind_names() {
  std::string names;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (i > 0) names += i + 1 == kNames.size() ? " or " : ", ";
    names += kNames[i].second;
  }
  return names;
}

std::vector<std::string> text_rows(const Clip& clip, const std::string& video_file,
                                   std::int64_t frames, const TextRowSettings& settings) {
  const std::vector<double> seconds = sampled_seconds(clip, frames);
  const std::string clip_name = video_file.substr(0, video_file.find('.'));
  std::vector<std::string> rows;
  for (const TextKind kind : settings.kinds) {
    for (const Language language : settings.languages) {
      Random random({static_cast<std::uint64_t>(clip.split), clip.seed, clip.index, kStream,
                     static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(language)});
      TextRow row(video_file);
      say(kind, clip, seconds, language, settings, random, row);
      const std::string name(name_of(kind)), code(table(language).code);
      Json info{{"level", clip.level}, {"split", std::string(name_of(clip.split))},
                {"seed", clip.seed},   {"index", clip.index},
                {"text", name},        {"language", code}};
      info.update(row.info);
      rows.push_back(Json{{"id", clip_name + "-" + name + "-" + code},
                          {"dataset", "moving-shapes"},
                          {"task", kind == TextKind::questions ? "video/QA" : "video/caption"},
                          {"messages", std::move(row.messages)},
                          {"extra_info", std::move(info)}}
                         .dump());
    }
  }
  return rows;
}

}  // namespace tarsier
