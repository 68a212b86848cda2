#include "tarsier/synth/clip_rows.h"

#include <nlohmann/json.hpp>
#include <span>

#include "tarsier/base/random.h"
#include "tarsier/synth/claims.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/loose_words.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/prompts.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/sound_words.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

std::string text(std::string_view view) { return std::string(view); }

Json look_json(const Look& look) {
  Json json = {{"shape", text(word(look.shape, Language::english))},
               {"colour", text(word(look.colour, Language::english))},
               {"size", text(word(look.size, Language::english))},
               {"place", text(place_words(look.cell, Language::english))}};
  if (is_group(look)) json["count"] = look.count;
  return json;
}

Json event_json(const Event& event, const std::vector<double>& seconds) {
  const FrameInterval frames = frame_interval(event, seconds);
  Json json = {{"kind", text(name_of(event.kind))},
               {"start", event.start},
               {"end", event.end},
               {"frames", {frames.first + 1, frames.last + 1}},
               {"text", event_clause(event, Language::english)}};
  if (event.object >= 0) json["actor"] = look_json(event.actor);
  if (has_partner(event.kind)) json["partner"] = look_json(event.partner);
  if (has_direction(event.kind)) json["direction"] = text(word(event.direction, Language::english));
  if (event.kind == EventKind::recolour)
    json["to_colour"] = text(word(event.to_colour, Language::english));
  if (event.kind == EventKind::recount) json["to_count"] = event.to_count;
  if (event.kind == EventKind::cut)
    json["to_background"] = text(word(event.to_background, Language::english));
  return json;
}

Json sound_json(const Clip& clip, const ClipSound& sound, const std::vector<double>& seconds) {
  const FrameInterval frames = frame_interval(sound.start, sound.end, seconds);
  Json json = {{"kind", text(name_of(sound.kind))},
               {"start", sound.start},
               {"end", sound.end},
               {"frames", {frames.first + 1, frames.last + 1}},
               {"text", sound_clause(sound.kind, event_of(clip, sound), Language::english)}};
  if (sound.event >= 0) json["event"] = sound.event;
  return json;
}

Json question_json(const Question& question) {
  return {{"kind", question.kind}, {"question", question.question}, {"answer", question.answer}};
}

Json loose_json(const LooseText& loose) {
  Json json = {{"text", loose.text}, {"left_out", loose.left_out}, {"flaws", Json::array()}};
  for (const Flaw& flaw : loose.flaws)
    json["flaws"].push_back({{"kind", flaw.kind}, {"said", flaw.said}, {"truth", flaw.truth}});
  return json;
}

// What the rows gained after their English and Chinese texts were first drawn has a stream of its
// own, so that those stay the same.
void add_later_texts(const Clip& clip, const std::vector<double>& seconds, Json& row) {
  Random random({static_cast<std::uint64_t>(clip.split), clip.seed, clip.index, 0xc11a});
  for (const Language language : std::span(kLanguages).subspan(2)) {
    const std::string code(table(language).code);
    row["descriptions"][code] = describe(clip, language, random);
    row["with_intervals"][code] = describe_with_intervals(clip, seconds, language, random);
    row["questions"][code] = Json::array();
    for (const Question& question : make_questions(clip, seconds, language, random))
      row["questions"][code].push_back(question_json(question));
  }
  for (const Language language : kLanguages) {
    const std::string code(table(language).code);
    row["web_captions"][code] = loose_json(web_caption(clip, language, random, {}));
    row["commentaries"][code] =
        loose_json(drifting_commentary(clip, seconds, language, random, {}));
  }
}

}  // namespace

std::string clip_row(const Clip& clip, const std::string& video_file, std::int64_t frames) {
  const std::vector<double> seconds = sampled_seconds(clip, frames);
  Random random({static_cast<std::uint64_t>(clip.split), clip.seed, clip.index, 0xc119});
  Json row = {{"id", video_file.substr(0, video_file.find('.'))},
              {"video", video_file},
              {"level", clip.level},
              {"split", text(name_of(clip.split))},
              {"seed", clip.seed},
              {"index", clip.index},
              {"seconds", clip.seconds},
              {"sampled_seconds", seconds}};
  row["background"] = background_word(clip.background);
  row["opening"] = Json::array();
  for (const Look& look : clip.opening) row["opening"].push_back(look_json(look));
  if (clip.camera != Camera{}) {
    row["camera"] = {{"zoom", clip.camera.zoom}, {"pan", {clip.camera.pan_x, clip.camera.pan_y}}};
  }
  if (clip.horizon > 0) row["horizon"] = clip.horizon;
  row["events"] = Json::array();
  for (const Event& event : clip.events) row["events"].push_back(event_json(event, seconds));
  for (const ClipSound& sound : clip.sounds)
    row["sounds"].push_back(sound_json(clip, sound, seconds));
  const std::string description = describe(clip, Language::english, random);
  row["descriptions"] = {{"en", description}, {"zh", describe(clip, Language::chinese, random)}};
  row["with_intervals"] = {
      {"en", describe_with_intervals(clip, seconds, Language::english, random)},
      {"zh", describe_with_intervals(clip, seconds, Language::chinese, random)}};
  Json messages = Json::array();
  const auto turn = [&](const char* role, Json content) {
    messages.push_back({{"role", role}, {"content", std::move(content)}});
  };
  const auto words = [](const std::string& value) {
    return Json{{"type", "text"}, {"text", value}};
  };
  turn("user", Json::array({Json{{"type", "video"}, {"video", {{"video_file", video_file}}}},
                            words(text(kDescribePrompt))}));
  turn("assistant", Json::array({words(description)}));
  row["questions"] = Json::object();
  for (const auto& [code, language] :
       {std::pair{"en", Language::english}, std::pair{"zh", Language::chinese}}) {
    row["questions"][code] = Json::array();
    for (const Question& question : make_questions(clip, seconds, language, random)) {
      row["questions"][code].push_back(question_json(question));
      if (language != Language::english) continue;
      turn("user", Json::array({words(question.question)}));
      turn("assistant", Json::array({words(question.answer)}));
    }
  }
  add_later_texts(clip, seconds, row);
  row["messages"] = std::move(messages);
  return row.dump();
}

}  // namespace tarsier
