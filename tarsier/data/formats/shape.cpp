#include "tarsier/data/formats/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<MediaKind, std::string_view>, 3> kMarks = {{
    {MediaKind::video, "<video>"},
    {MediaKind::image, "<image>"},
    {MediaKind::audio, "<audio>"},
}};

}  // namespace

ExtraKeys extra_keys(const JsonView& object, std::initializer_list<std::string_view> known) {
  ExtraKeys extra;
  for (const auto& [key, value] : object.raw().items()) {
    if (value.is_null() || std::find(known.begin(), known.end(), key) != known.end()) continue;
    extra[key] = value.dump();
  }
  return extra;
}

void append_extra(Json& object, const ExtraKeys& extra, const Record& record,
                  const std::string& field, std::string_view shape) {
  for (const auto& [key, text] : extra) {
    Json value = Json::parse(text);
    if (!object.contains(key)) {
      object[key] = std::move(value);
    } else if (object[key] != value) {
      refuse(record, field.empty() ? key : field + "." + key,
             fmt::format("is a key of the row's own that {} rows use otherwise", shape),
             "rename the key");
    }
  }
}

void refuse(const Record& record, const std::string& field, std::string what, std::string hint) {
  throw InputError(
      {field.empty() ? record.where : record.where + ": " + field, std::move(what), hint});
}

std::vector<std::string> strings_at(const JsonView& row, std::string_view key) {
  std::vector<std::string> strings;
  const auto value = row.find(key);
  if (!value) return strings;
  if (!value->is_array()) return {value->as_string()};
  for (std::int64_t i = 0; i < value->size(); ++i) strings.push_back(value->at(i).as_string());
  return strings;
}

Json one_or_list(const std::vector<std::string>& files) {
  if (files.size() == 1) return files.front();
  return files;
}

Json number_json(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

void refuse_tarsier_details(const Record& record, std::string_view shape, bool holds_times) {
  const auto no_room = [&](const std::string& field, std::string_view what) {
    refuse(record, field, fmt::format("{} have no place in {} rows", what, shape),
           "convert to tarsier, or cut the clip to what is meant first");
  };
  for (std::size_t i = 0; i < record.media.size(); ++i) {
    const Media& media = record.media[i];
    const std::string field = fmt::format("media[{}]", i);
    if (media.is_list) no_room(field, "lists of pictures");
    if (!media.frame_indices.empty()) no_room(field + ".frame_indices", "lists of frames");
    if (!media.mask_boxes.empty()) no_room(field + ".mask_boxes", "masks");
    if (!holds_times && (media.start || media.end))
      no_room(field + (media.start ? ".start_time" : ".end_time"), "start and end");
    if (!media.extra.empty())
      no_room(field + "." + media.extra.begin()->first, "settings of one video");
  }
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    for (std::size_t k = 0; k < record.turns[i].parts.size(); ++k) {
      const TurnPart& part = record.turns[i].parts[k];
      const std::string field = fmt::format("turns[{}].parts[{}]", i, k);
      if (part.reference) no_room(field + ".reference", "references");
      if (!part.extra.empty()) no_room(field + "." + part.extra.begin()->first, "keys of one part");
    }
  }
}

bool MarkReader::take(MediaKind kind, std::size_t& index) {
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (taken_[i] || record_.media[i].kind != kind) continue;
    taken_[i] = true;
    index = i;
    return true;
  }
  return kind == MediaKind::image &&
         (take(MediaKind::video, index) || take(MediaKind::audio, index));
}

std::vector<TurnPart> MarkReader::parts(const JsonView& value) {
  std::vector<TurnPart> parts;
  const std::string& text = value.as_string();
  const auto add_text = [&](std::string words) {
    if (words.empty()) return;
    parts.push_back({});
    parts.back().text = std::move(words);
  };
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t at = std::string::npos;
    std::pair<MediaKind, std::string_view> found;
    for (const auto& mark : kMarks) {
      const std::size_t place = text.find(mark.second, begin);
      if (place < at) {
        at = place;
        found = mark;
      }
    }
    if (at == std::string::npos) break;
    TurnPart part;
    std::size_t index = 0;
    if (!take(found.first, index))
      value.fail(fmt::format("has the mark {} for {} item{} of media", found.second, taken_.size(),
                             taken_.size() == 1 ? "" : "s"),
                 "give one mark for each video, image or audio of the row");
    add_text(text.substr(begin, at - begin));
    begin = at + found.second.size();
    part.media = index;
    part.tight = begin >= text.size() || text[begin] != '\n';
    if (!part.tight) ++begin;
    parts.push_back(std::move(part));
  }
  add_text(text.substr(begin));
  return parts;
}

std::string text_with_marks(const Record& record, std::size_t turn, std::string_view video_mark,
                            std::string_view audio_mark) {
  std::string text;
  std::int64_t shown = 0;
  for (const TurnPart& part : record.turns[turn].parts) {
    if (!part.media) {
      text += part.text;
      continue;
    }
    const MediaKind kind = record.media[*part.media].kind;
    text += kind == MediaKind::video   ? video_mark
            : kind == MediaKind::audio ? audio_mark
                                       : std::string_view("<image>");
    if (!part.tight) text += '\n';
    ++shown;
  }
  refuse_stray_marks(record, turn, text, shown);
  return text;
}

void refuse_stray_marks(const Record& record, std::size_t turn, std::string_view text,
                        std::int64_t shown) {
  for (const auto& [kind, mark] : kMarks) {
    for (std::size_t at = text.find(mark); at != std::string_view::npos;
         at = text.find(mark, at + 1))
      --shown;
  }
  if (shown != 0)
    refuse(record, fmt::format("turns[{}]", turn),
           "has words that read as a mark of media in this shape: <video>, <image> or <audio>",
           "reword the text");
}

void refuse_unshown(const Record& record) {
  std::vector<bool> shown(record.media.size(), false);
  for (const Turn& turn : record.turns) {
    for (const TurnPart& part : turn.parts) {
      if (part.media) shown[*part.media] = true;
    }
  }
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (!shown[i])
      refuse(record, fmt::format("media[{}]", i), "stands in no turn",
             "give the turn that shows it a mark");
  }
}

}  // namespace tarsier
