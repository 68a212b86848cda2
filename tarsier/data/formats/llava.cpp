#include "tarsier/data/formats/llava.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/data/formats/shape.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

void read_media(const JsonView& row, Record& record) {
  for (const MediaKind kind : {MediaKind::image, MediaKind::video}) {
    for (const std::string& file : strings_at(row, name_of(kind))) {
      Media media;
      media.kind = kind;
      media.files = {file};
      record.media.push_back(std::move(media));
    }
  }
}

// Adds `image` and `video`. InputError for what the shape has no room for.
void write_media(const Record& record, Json& object) {
  refuse_tarsier_details(record, "llava", false);
  for (const MediaKind kind : {MediaKind::image, MediaKind::video, MediaKind::audio}) {
    std::vector<std::string> files;
    for (std::size_t i = 0; i < record.media.size(); ++i) {
      const Media& media = record.media[i];
      if (media.kind != kind) continue;
      if (kind == MediaKind::audio || !media.audio_file.empty() || media.use_audio)
        refuse(record, fmt::format("media[{}]", i), "has sound, which has no place in llava rows",
               "use salmonn2 or salmonn2plus for these rows");
      files.push_back(media.files.front());
    }
    if (!files.empty()) object[name_of(kind)] = one_or_list(files);
  }
}

Record parse_preference(const JsonView& row, Record record) {
  MarkReader marks(record);
  Turn question, truth;
  question.parts = marks.parts(row.at("prompt"));
  // Loaders of this shape put the media in front of the prompt, whether it has the mark or not.
  std::vector<TurnPart> words;
  for (TurnPart& part : question.parts) {
    if (!part.media) words.push_back(std::move(part));
  }
  question.parts.clear();
  for (std::size_t i = 0; i < record.media.size(); ++i) {
    question.parts.push_back({});
    question.parts.back().media = i;
  }
  question.parts.insert(question.parts.end(), words.begin(), words.end());
  truth.role = Role::assistant;
  if (row.has("answer")) {
    truth.parts.push_back({});
    truth.parts.back().text = row.at("answer").as_string();
  }
  record.preference = Preference{.chosen = row.at("chosen").as_string(),
                                 .rejected = row.at("rejected").as_string()};
  record.turns = {std::move(question), std::move(truth)};
  record.extra = extra_keys(row, {"image", "video", "prompt", "answer", "chosen", "rejected"});
  return record;
}

std::string write_preference(const Record& record) {
  const auto& turns = record.turns;
  if (turns.size() != 2 || turns[0].role != Role::user)
    refuse(record, fmt::format("turns[{}]", turns.size() > 2 ? 1 : 0),
           "is one turn too many: preferences in llava rows have one question",
           "convert to trl, tarsier or salmonn2");
  for (std::size_t k = 0; k < turns[0].parts.size(); ++k) {
    if (turns[0].parts[k].media.has_value() != (k < record.media.size()))
      refuse(record, fmt::format("turns[0].parts[{}]", k),
             "media that does not lead the question has no place in llava preferences",
             "convert to trl or tarsier");
  }
  Json row;
  write_media(record, row);
  refuse_stray_marks(record, 0, text_of(turns[0]), 0);
  row["prompt"] = text_of(turns[0]);
  if (!text_of(turns[1]).empty()) row["answer"] = text_of(turns[1]);
  row["chosen"] = record.preference->chosen;
  row["rejected"] = record.preference->rejected;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (!turns[i].extra.empty())
      refuse(record, fmt::format("turns[{}].{}", i, turns[i].extra.begin()->first),
             "keys of one turn have no place in llava preferences", "convert to trl or tarsier");
  }
  append_extra(row, record.extra, record, "", "llava");
  return row.dump();
}

}  // namespace

Record parse_llava(const JsonView& row) {
  Record record;
  record.where = row.file();
  read_media(row, record);
  if (!row.has("conversations")) return parse_preference(row, std::move(record));
  MarkReader marks(record);
  const JsonView turns = row.at("conversations");
  if (!turns.is_array()) turns.fail("is not a list", "give a list of turns");
  for (std::int64_t i = 0; i < turns.size(); ++i) {
    const JsonView from = turns.at(i).at("from");
    Turn turn;
    if (from.as_string() == "gpt") {
      turn.role = Role::assistant;
    } else if (from.as_string() == "system") {
      turn.role = Role::system;
    } else if (from.as_string() != "human") {
      from.fail(fmt::format("is '{}'", from.as_string()), "use human, gpt or system");
    }
    turn.parts = marks.parts(turns.at(i).at("value"));
    turn.extra = extra_keys(turns.at(i), {"from", "value"});
    record.turns.push_back(std::move(turn));
  }
  record.extra = extra_keys(row, {"image", "video", "conversations"});
  return record;
}

std::string write_llava(const Record& record) {
  if (record.preference) return write_preference(record);
  Json row;
  write_media(record, row);
  const bool both = row.contains("image") && row.contains("video");
  row["conversations"] = Json::array();
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    const Turn& turn = record.turns[i];
    if (turn.masked)
      refuse(record, fmt::format("turns[{}]", i),
             "is an answer that is context only, which has no place in llava rows",
             "use salmonn2 or trl for these rows");
    const char* from = turn.role == Role::assistant ? "gpt"
                       : turn.role == Role::system  ? "system"
                                                    : "human";
    Json object{{"from", from},
                {"value", text_with_marks(record, i, both ? "<video>" : "<image>", "<audio>")}};
    append_extra(object, turn.extra, record, fmt::format("turns[{}]", i), "llava");
    row["conversations"].push_back(std::move(object));
  }
  append_extra(row, record.extra, record, "", "llava");
  return row.dump();
}

}  // namespace tarsier
