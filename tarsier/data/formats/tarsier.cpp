#include "tarsier/data/formats/tarsier.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/data/formats/shape.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

Role parse_role(const JsonView& value) {
  for (const Role role : {Role::system, Role::user, Role::assistant}) {
    if (value.as_string() == name_of(role)) return role;
  }
  value.fail(fmt::format("is '{}'", value.as_string()), "use system, user or assistant");
}

Media parse_media(const JsonView& object, MediaKind kind) {
  Media media;
  media.kind = kind;
  const std::string key = fmt::format("{}_file", name_of(kind));
  const JsonView file = object.at(key);
  media.is_list = file.is_array();
  media.files = file.is_array() ? strings_at(object, key) : std::vector{file.as_string()};
  if (object.has("start_time")) media.start = object.at("start_time").as_double();
  if (object.has("end_time")) media.end = object.at("end_time").as_double();
  if (object.has("frame_indices")) media.frame_indices = object.at("frame_indices").as_ints();
  if (object.has("mask_boxes")) media.mask_boxes = object.at("mask_boxes").raw().dump();
  media.audio_file = object.string_or("audio_file", "");
  if (object.has("use_audio")) media.use_audio = object.at("use_audio").as_bool();
  media.extra = extra_keys(object, {key, "start_time", "end_time", "frame_indices", "mask_boxes",
                                    "audio_file", "use_audio"});
  return media;
}

TurnPart parse_part(const JsonView& item, Record& record, bool may_prefer) {
  TurnPart part;
  const std::string type = item.at("type").as_string();
  if (type == "video" || type == "image") {
    const MediaKind kind = type == "video" ? MediaKind::video : MediaKind::image;
    record.media.push_back(parse_media(item.at(type), kind));
    part.media = record.media.size() - 1;
  } else if (type == "text") {
    if (item.has("chosen") || item.has("rejected")) {
      if (!may_prefer || record.preference)
        item.at("chosen").fail("is not in the one last answer",
                               "give a preference to one part of the assistant's last turn");
      record.preference = Preference{.chosen = item.at("chosen").as_string(),
                                     .rejected = item.at("rejected").as_string()};
      part.text = item.string_or("text", "");
    } else if (item.has("reference") && !item.has("text")) {
      part.text.clear();
    } else {
      part.text = item.at("text").as_string();
    }
    if (item.has("reference")) part.reference = item.at("reference").as_string();
  } else {
    item.at("type").fail(fmt::format("is '{}'", type), "use text, video or image");
  }
  part.extra =
      extra_keys(item, {"type", "text", "video", "image", "reference", "chosen", "rejected"});
  return part;
}

Json media_json(const Media& media, const Record& record, std::size_t index) {
  Json object;
  if (media.kind == MediaKind::audio)
    refuse(record, fmt::format("media[{}]", index), "sound without a video has no place here",
           "use salmonn2 or salmonn2plus for these rows");
  Json file = media.is_list ? Json(media.files) : one_or_list(media.files);
  object[fmt::format("{}_file", name_of(media.kind))] = std::move(file);
  if (media.start) object["start_time"] = number_json(*media.start);
  if (media.end) object["end_time"] = number_json(*media.end);
  if (!media.frame_indices.empty()) object["frame_indices"] = media.frame_indices;
  if (!media.mask_boxes.empty()) object["mask_boxes"] = Json::parse(media.mask_boxes);
  if (!media.audio_file.empty()) object["audio_file"] = media.audio_file;
  if (media.use_audio) object["use_audio"] = *media.use_audio;
  append_extra(object, media.extra, record, fmt::format("media[{}]", index), "tarsier");
  return object;
}

Json text_json(const TurnPart& part) {
  Json object{{"type", "text"}, {"text", part.text}};
  if (part.reference) object["reference"] = *part.reference;
  return object;
}

// The part that carries the preference: the truth, where there is one, stands in `text`.
void add_preference(Json& content, const Record& record) {
  Json* target = nullptr;
  for (Json& part : content) {
    if (part["type"] == "text") target = &part;
  }
  if (target == nullptr) {
    content.push_back(Json{{"type", "text"}});
    target = &content.back();
  }
  if (target->contains("text") && (*target)["text"] == "") target->erase("text");
  (*target)["chosen"] = record.preference->chosen;
  (*target)["rejected"] = record.preference->rejected;
}

}  // namespace

Record parse_tarsier(const JsonView& row) {
  Record record;
  record.where = row.file();
  const JsonView messages = row.at("messages");
  if (!messages.is_array()) messages.fail("is not a list", "give a list of turns");
  for (std::int64_t i = 0; i < messages.size(); ++i) {
    const JsonView message = messages.at(i);
    Turn turn;
    turn.role = parse_role(message.at("role"));
    const JsonView content = message.at("content");
    if (content.is_string()) {
      turn.parts.push_back({});
      turn.parts.back().text = content.as_string();
    } else {
      if (!content.is_array()) content.fail("is not a list", "give text or a list of parts");
      const bool may_prefer = turn.role == Role::assistant && i + 1 == messages.size();
      for (std::int64_t k = 0; k < content.size(); ++k)
        turn.parts.push_back(parse_part(content.at(k), record, may_prefer));
    }
    turn.extra = extra_keys(message, {"role", "content"});
    record.turns.push_back(std::move(turn));
  }
  record.extra = extra_keys(row, {"messages"});
  return record;
}

std::string write_tarsier(const Record& record) {
  Json messages = Json::array();
  refuse_unshown(record);
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    const Turn& turn = record.turns[i];
    const std::string field = fmt::format("turns[{}]", i);
    if (turn.masked)
      refuse(record, field, "is an answer that is context only, which has no place in tarsier rows",
             "use salmonn2 or trl for these rows");
    Json content = Json::array();
    for (std::size_t k = 0; k < turn.parts.size(); ++k) {
      const TurnPart& part = turn.parts[k];
      Json object;
      if (part.media) {
        const char* kind = name_of(record.media[*part.media].kind);
        object = Json{{"type", kind},
                      {kind, media_json(record.media[*part.media], record, *part.media)}};
      } else {
        object = text_json(part);
      }
      append_extra(object, part.extra, record, fmt::format("{}.parts[{}]", field, k), "tarsier");
      content.push_back(std::move(object));
    }
    if (record.preference && i + 1 == record.turns.size()) add_preference(content, record);
    Json message{{"role", name_of(turn.role)}, {"content", std::move(content)}};
    append_extra(message, turn.extra, record, field, "tarsier");
    messages.push_back(std::move(message));
  }
  Json row{{"messages", std::move(messages)}};
  append_extra(row, record.extra, record, "", "tarsier");
  return row.dump();
}

}  // namespace tarsier
