#include "tarsier/data/formats/trl.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/data/formats/shape.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

// Hands out the row's media in the order its parts ask for them.
class MediaParts {
 public:
  explicit MediaParts(Record& record) : record_(record), taken_(record.media.size(), false) {}

  TurnPart next(MediaKind kind, const JsonView& type) {
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (taken_[i] || record_.media[i].kind != kind) continue;
      taken_[i] = true;
      TurnPart part;
      part.media = i;
      return part;
    }
    type.fail(fmt::format("has no file in {}s", name_of(kind)),
              fmt::format("list one file for each part of type {}", name_of(kind)));
  }

 private:
  Record& record_;
  std::vector<bool> taken_;
};

Turn parse_turn(const JsonView& message, MediaParts& media) {
  Turn turn;
  const JsonView role = message.at("role");
  if (role.as_string() == "assistant") {
    turn.role = Role::assistant;
  } else if (role.as_string() == "system") {
    turn.role = Role::system;
  } else if (role.as_string() != "user") {
    role.fail(fmt::format("is '{}'", role.as_string()), "use system, user or assistant");
  }
  const JsonView content = message.at("content");
  if (content.is_string()) {
    if (!content.as_string().empty()) {
      turn.parts.push_back({});
      turn.parts.back().text = content.as_string();
    }
  } else {
    if (!content.is_array()) content.fail("is not a list", "give text or a list of parts");
    for (std::int64_t k = 0; k < content.size(); ++k) {
      const JsonView item = content.at(k);
      const JsonView type = item.at("type");
      TurnPart part;
      if (type.as_string() == "text") {
        part.text = item.at("text").as_string();
      } else if (type.as_string() == "video" || type.as_string() == "image") {
        part = media.next(type.as_string() == "video" ? MediaKind::video : MediaKind::image, type);
      } else {
        type.fail(fmt::format("is '{}'", type.as_string()), "use text, video or image");
      }
      part.extra = extra_keys(item, {"type", "text"});
      turn.parts.push_back(std::move(part));
    }
  }
  turn.extra = extra_keys(message, {"role", "content"});
  return turn;
}

void parse_turns(const JsonView& messages, MediaParts& media, bool context, Record& record) {
  if (!messages.is_array()) messages.fail("is not a list", "give a list of turns");
  for (std::int64_t i = 0; i < messages.size(); ++i) {
    Turn turn = parse_turn(messages.at(i), media);
    turn.masked = context && turn.role == Role::assistant;
    record.turns.push_back(std::move(turn));
  }
}

// TRL itself puts media that no part names in front of the first question.
void show_media(Record& record) {
  for (const Turn& turn : record.turns) {
    for (const TurnPart& part : turn.parts) {
      if (part.media) return;
    }
  }
  for (Turn& turn : record.turns) {
    if (turn.role != Role::user) continue;
    for (std::size_t i = record.media.size(); i-- > 0;) {
      TurnPart part;
      part.media = i;
      turn.parts.insert(turn.parts.begin(), part);
    }
    return;
  }
}

// One answer of a pair: the words of its single assistant message.
std::string parse_answer(const JsonView& messages) {
  if (messages.is_string()) return messages.as_string();
  Record unused;
  MediaParts none(unused);
  if (!messages.is_array() || messages.size() != 1)
    messages.fail("is not one turn", "give one assistant turn");
  const Turn turn = parse_turn(messages.at(0), none);
  if (turn.role != Role::assistant)
    messages.at(0).at("role").fail("is not assistant", "give one assistant turn");
  if (!turn.extra.empty())
    messages.at(0).fail(fmt::format("has the unknown key '{}'", turn.extra.begin()->first),
                        "remove it");
  return text_of(turn);
}

Json turn_json(const Record& record, std::size_t index) {
  const Turn& turn = record.turns[index];
  Json content = Json::array();
  bool only_text = true;
  for (const TurnPart& part : turn.parts) {
    if (part.media) {
      content.push_back(Json{{"type", name_of(record.media[*part.media].kind)}});
      only_text = false;
    } else {
      content.push_back(Json{{"type", "text"}, {"text", part.text}});
    }
  }
  Json message{{"role", name_of(turn.role)},
               {"content", only_text ? Json(text_of(turn)) : std::move(content)}};
  append_extra(message, turn.extra, record, fmt::format("turns[{}]", index), "trl");
  return message;
}

Json turns_json(const Record& record, std::size_t begin, std::size_t end) {
  Json messages = Json::array();
  for (std::size_t i = begin; i < end; ++i) messages.push_back(turn_json(record, i));
  return messages;
}

void write_media(const Record& record, Json& row) {
  refuse_unshown(record);
  refuse_tarsier_details(record, "trl", false);
  for (std::size_t i = 0; i < record.media.size(); ++i) {
    const Media& media = record.media[i];
    if (media.kind == MediaKind::audio || !media.audio_file.empty() || media.use_audio)
      refuse(record, fmt::format("media[{}]", i), "has sound, which has no place in trl rows",
             "use salmonn2 or salmonn2plus for these rows");
    row[media.kind == MediaKind::video ? "videos" : "images"].push_back(media.files.front());
  }
}

}  // namespace

Record parse_trl(const JsonView& row) {
  Record record;
  record.where = row.file();
  for (const MediaKind kind : {MediaKind::image, MediaKind::video}) {
    for (const std::string& file : strings_at(row, fmt::format("{}s", name_of(kind)))) {
      record.media.push_back({});
      record.media.back().kind = kind;
      record.media.back().files = {file};
    }
  }
  MediaParts media(record);
  record.extra = extra_keys(
      row, {"images", "videos", "messages", "prompt", "completion", "chosen", "rejected", "gt"});
  if (row.has("messages")) {
    parse_turns(row.at("messages"), media, false, record);
  } else {
    const bool pair = row.has("chosen") || row.has("rejected");
    parse_turns(row.at("prompt"), media, true, record);
    if (pair) {
      record.preference = Preference{.chosen = parse_answer(row.at("chosen")),
                                     .rejected = parse_answer(row.at("rejected"))};
      record.turns.push_back({});
      record.turns.back().role = Role::assistant;
      if (row.has("gt")) {
        record.turns.back().parts.push_back({});
        record.turns.back().parts.back().text = row.at("gt").as_string();
      }
    } else {
      parse_turns(row.at("completion"), media, false, record);
    }
  }
  show_media(record);
  return record;
}

std::string write_trl(const Record& record) {
  Json row;
  const std::size_t turns = record.turns.size();
  std::size_t answers = 0, masked = 0;
  for (const Turn& turn : record.turns) {
    answers += turn.role == Role::assistant ? 1 : 0;
    masked += turn.masked ? 1 : 0;
  }
  // A prompt's answers are never learned: a list with both kinds has no shape here.
  const bool one_target = answers == masked + 1 && turns > 0 && !record.turns.back().masked &&
                          record.turns.back().role == Role::assistant;
  if (record.preference || one_target) {
    if (!one_target)
      refuse(record, "turns", "has earlier answers that are learned beside a preference",
             "split the row, or convert to tarsier");
    row["prompt"] = turns_json(record, 0, turns - 1);
    const auto answer = [](const std::string& text) {
      return Json::array({Json{{"role", "assistant"}, {"content", text}}});
    };
    if (record.preference) {
      row["chosen"] = answer(record.preference->chosen);
      row["rejected"] = answer(record.preference->rejected);
      if (!text_of(record.turns.back()).empty()) row["gt"] = text_of(record.turns.back());
    } else {
      row["completion"] = turns_json(record, turns - 1, turns);
    }
  } else {
    if (masked > 0)
      refuse(record, "turns", "mixes answers that are learned with answers that are context only",
             "split the row, or convert to salmonn2");
    row["messages"] = turns_json(record, 0, turns);
  }
  write_media(record, row);
  append_extra(row, record.extra, record, "", "trl");
  return row.dump();
}

}  // namespace tarsier
