#include "tarsier/data/formats/salmonn2.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tarsier/data/formats/shape.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

// Sound belongs to the videos unless the text marks it as media of its own.
void read_media(const JsonView& row, Record& record) {
  const auto add = [&](MediaKind kind, const std::string& file) {
    record.media.push_back({});
    record.media.back().kind = kind;
    record.media.back().files = {file};
  };
  const std::vector<std::string> videos = strings_at(row, "video"),
                                 sounds = strings_at(row, "audio");
  for (const std::string& file : strings_at(row, "image")) add(MediaKind::image, file);
  const std::size_t first_video = record.media.size();
  for (const std::string& file : videos) add(MediaKind::video, file);
  const bool marked = row.at("conversations").raw().dump().find("<audio>") != std::string::npos;
  if (marked || sounds.size() != videos.size()) {
    for (const std::string& file : sounds) add(MediaKind::audio, file);
  } else {
    for (std::size_t i = 0; i < sounds.size(); ++i) {
      record.media[first_video + i].audio_file = sounds[i];
      record.media[first_video + i].use_audio = true;
    }
  }
  for (std::size_t i = first_video; i < first_video + videos.size(); ++i) {
    if (row.has("use_audio")) record.media[i].use_audio = row.at("use_audio").as_bool();
  }
  if (videos.empty() && row.has("use_audio"))
    record.extra["use_audio"] = row.at("use_audio").raw().dump();
  if (!row.has("timestamps")) return;
  const JsonView times = row.at("timestamps");
  if (times.size() != 2) times.fail("is not two numbers", "give [start, end] in seconds");
  for (Media& media : record.media) {
    media.start = times.at(0).as_double();
    media.end = times.at(1).as_double();
  }
}

struct Tags {
  std::optional<JsonView> truth, chosen, rejected;  // each a value
};

std::vector<TurnPart> words(const std::string& text) {
  if (text.empty()) return {};
  std::vector<TurnPart> parts(1);
  parts[0].text = text;
  return parts;
}

// `from` and `value`, or `role` and `content`, which 2+ also takes.
std::pair<JsonView, JsonView> tag_and_value(const JsonView& turn) {
  if (turn.has("role") && !turn.has("from")) return {turn.at("role"), turn.at("content")};
  return {turn.at("from"), turn.at("value")};
}

void refuse_times(const Record& record, Salmonn2Version version) {
  for (std::size_t i = 0; i < record.media.size(); ++i) {
    const Media& media = record.media[i];
    const std::string field = fmt::format("media[{}]", i);
    if (!media.start && !media.end) continue;
    if (version == Salmonn2Version::plus)
      refuse(record, field + ".start_time", "start and end have no place in salmonn2plus rows",
             "convert to tarsier or salmonn2, or cut the clip first");
    if (!media.start || !media.end || media.start != record.media[0].start ||
        media.end != record.media[0].end)
      refuse(record, field + ".start_time",
             "salmonn2 rows have one start and end for all their media", "convert to tarsier");
  }
}

bool shows_media(const Turn& turn) {
  return std::any_of(turn.parts.begin(), turn.parts.end(),
                     [](const TurnPart& part) { return part.media.has_value(); });
}

bool shows(const Record& record, MediaKind kind) {
  for (const Turn& turn : record.turns) {
    for (const TurnPart& part : turn.parts) {
      if (part.media && record.media[*part.media].kind == kind) return true;
    }
  }
  return false;
}

// Adds `image`, `video`, `audio`, `use_audio` and `timestamps`.
void write_media(const Record& record, Salmonn2Version version, Json& row) {
  const bool first = version == Salmonn2Version::first;
  const std::string shape = first ? "salmonn2" : "salmonn2plus";
  refuse_tarsier_details(record, shape, true);
  refuse_times(record, version);
  std::vector<std::string> images, videos, sounds;
  std::optional<bool> use_audio;
  bool lone_sound = false;  // an audio item that is not a video's
  for (std::size_t i = 0; i < record.media.size(); ++i) {
    const Media& media = record.media[i];
    const std::string field = fmt::format("media[{}]", i);
    if (media.kind == MediaKind::image) images.push_back(media.files.front());
    if (media.kind == MediaKind::audio) {
      sounds.push_back(media.files.front());
      lone_sound = true;
    }
    if (media.kind != MediaKind::video) continue;
    if (!videos.empty() && media.use_audio != use_audio)
      refuse(record, field + ".use_audio", "differs between the videos of one row",
             "give one row to each");
    videos.push_back(media.files.front());
    use_audio = media.use_audio;
    if (!media.audio_file.empty()) sounds.push_back(media.audio_file);
    if (first && use_audio.value_or(false) == media.audio_file.empty() && use_audio)
      refuse(record, field + ".use_audio",
             *use_audio ? "asks for the video's own sound, which salmonn2 rows need as a file"
                        : "is false beside a sound file, which salmonn2 rows always use",
             "use salmonn2plus");
  }
  if (first && (!images.empty() || videos.size() > 1 || sounds.size() > 1))
    refuse(record, "media", "salmonn2 rows have one video and one sound at most",
           "use salmonn2plus for these rows");
  if (lone_sound && !videos.empty() && (first || !shows(record, MediaKind::audio)))
    refuse(record, "media", "has sound of its own beside a video, which would read as the video's",
           "give one row to each, or put the sound in the video's audio_file");
  if (!lone_sound && !sounds.empty() && sounds.size() != videos.size())
    refuse(record, "media", "has videos with and without a sound file", "give one row to each");
  if (!images.empty()) row["image"] = one_or_list(images);
  if (!videos.empty()) row["video"] = one_or_list(videos);
  if (!sounds.empty()) row["audio"] = one_or_list(sounds);
  if (use_audio && !first) row["use_audio"] = *use_audio;
  if (!record.media.empty() && record.media[0].start)
    row["timestamps"] = {number_json(*record.media[0].start), number_json(*record.media[0].end)};
}

void write_pair(const Record& record, Salmonn2Version version, Json& turns) {
  const auto add = [&](const char* from, const std::string& value) {
    turns.push_back(Json{{"from", from}, {"value", value}});
  };
  const std::string truth = text_of(record.turns.back());
  if (version == Salmonn2Version::first) {
    add("gpt", record.preference->chosen);
    add("reject_gpt", record.preference->rejected);
    if (!truth.empty()) add("gt", truth);
    return;
  }
  if (truth.empty())
    refuse(record, "", "has no ground truth, which salmonn2plus rows carry in their gpt turn",
           "add it, or convert to salmonn2 or trl");
  add("gpt", truth);
  add("chosen", record.preference->chosen);
  add("reject", record.preference->rejected);
}

const char* tag_of(const Record& record, std::size_t index, Salmonn2Version version) {
  const Turn& turn = record.turns[index];
  const std::string field = fmt::format("turns[{}]", index);
  if (turn.role == Role::user) return "human";
  if (turn.role == Role::system)
    refuse(record, field, "is a system turn, which has no place in video-SALMONN 2 rows",
           "remove it, or convert to tarsier, llava or trl");
  if (turn.masked && version == Salmonn2Version::plus)
    refuse(record, field,
           "is an answer that is context only, which has no place in salmonn2plus rows",
           "convert to salmonn2 or trl");
  return turn.masked ? "history_gpt" : "gpt";
}

}  // namespace

Record parse_salmonn2(const JsonView& row) {
  Record record;
  record.where = row.file();
  const JsonView turns = row.at("conversations");
  if (!turns.is_array()) turns.fail("is not a list", "give a list of turns");
  read_media(row, record);
  MarkReader marks(record);
  Tags tags;
  for (std::int64_t i = 0; i < turns.size(); ++i) {
    const auto [tag, value] = tag_and_value(turns.at(i));
    const std::string& name = tag.as_string();
    Turn turn;
    if (name == "chosen") {
      tags.chosen = value;
    } else if (name == "reject" || name == "reject_gpt") {
      tags.rejected = value;
    } else if (name == "gt") {
      tags.truth = value;
    } else if (name == "human" || name == "user" || name == "gpt" || name == "assistant" ||
               name == "history_gpt") {
      turn.role = name == "human" || name == "user" ? Role::user : Role::assistant;
      turn.masked = name == "history_gpt";
      turn.parts = turn.role == Role::user ? marks.parts(value) : words(value.as_string());
      turn.extra = extra_keys(turns.at(i), {"from", "value", "role", "content"});
      record.turns.push_back(std::move(turn));
    } else {
      tag.fail(fmt::format("is '{}'", name),
               "use human, gpt, chosen, reject, reject_gpt, gt or history_gpt");
    }
  }
  if (tags.rejected || tags.chosen) {
    if (!tags.rejected) turns.fail("has a chosen answer and no rejected one", "give both");
    if (record.turns.empty() || record.turns.back().role != Role::assistant) {
      if (!tags.chosen) turns.fail("has a rejected answer and no chosen one", "give both");
      record.turns.push_back({});
      record.turns.back().role = Role::assistant;
    }
    Turn& last = record.turns.back();
    const std::string gpt = text_of(last);
    record.preference = Preference{.chosen = tags.chosen ? tags.chosen->as_string() : gpt,
                                   .rejected = tags.rejected->as_string()};
    if (!tags.chosen) last.parts = words(tags.truth ? tags.truth->as_string() : "");
  } else if (tags.truth) {
    tags.truth->fail("is a ground truth without a pair",
                     "give gpt and reject_gpt, or rename it gpt");
  }
  ExtraKeys extra =
      extra_keys(row, {"image", "video", "audio", "use_audio", "timestamps", "conversations"});
  record.extra.merge(extra);
  return record;
}

std::string write_salmonn2(const Record& record, Salmonn2Version version) {
  const bool first = version == Salmonn2Version::first;
  const std::string shape = first ? "salmonn2" : "salmonn2plus";
  Json row;
  write_media(record, version, row);
  Json turns = Json::array();
  const std::size_t plain = record.turns.size() - (record.preference ? 1 : 0);
  for (std::size_t i = 0; i < plain; ++i) {
    const char* tag = tag_of(record, i, version);
    if (record.turns[i].role == Role::assistant && shows_media(record.turns[i]))
      refuse(record, fmt::format("turns[{}]", i), "shows media in an answer",
             "show it in a question");
    const std::string value =
        record.turns[i].role == Role::assistant  // marks are read in questions alone
            ? text_of(record.turns[i])
            : text_with_marks(record, i, first ? "<image>" : "<video>",
                              first ? "<image>" : "<audio>");
    Json turn{{"from", tag}, {"value", value}};
    append_extra(turn, record.turns[i].extra, record, fmt::format("turns[{}]", i), shape);
    turns.push_back(std::move(turn));
  }
  if (record.preference) write_pair(record, version, turns);
  row["conversations"] = std::move(turns);
  append_extra(row, record.extra, record, "", shape);
  return row.dump();
}

}  // namespace tarsier
