#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// What the readers and writers of row shapes share.

/// Every key of an object but `known`, and but those that are null: data-set tools fill unused
/// members of parts so.
ExtraKeys extra_keys(const JsonView& object, std::initializer_list<std::string_view> known);

/// Adds the extra keys behind those of the shape. InputError naming `field` when one of them is
/// already there with another value.
void append_extra(nlohmann::ordered_json& object, const ExtraKeys& extra, const Record& record,
                  const std::string& field, std::string_view shape);

/// InputError "<row>: <field>: <what>; <hint>".
[[noreturn]] void refuse(const Record& record, const std::string& field, std::string what,
                         std::string hint);

/// A string, or a list of strings, of `row`; empty when the key is absent.
std::vector<std::string> strings_at(const JsonView& row, std::string_view key);
/// A string where there is one, a list where there are several.
nlohmann::ordered_json one_or_list(const std::vector<std::string>& files);

/// 5 for 5.0, so that whole seconds stay as they were written.
nlohmann::ordered_json number_json(double value);

/// Refuses what only Tarsier's shape holds: frame lists, masks, sampling settings, references, and
/// unless `holds_times`, start and end.
void refuse_tarsier_details(const Record& record, std::string_view shape, bool holds_times);

/// Refuses a turn's text with more or fewer marks than the `shown` items of media it stands for:
/// some words would read as media.
void refuse_stray_marks(const Record& record, std::size_t turn, std::string_view text,
                        std::int64_t shown);

/// Refuses media that no turn shows: a shape without room for it would lose it.
void refuse_unshown(const Record& record);

/// How marks in text become media. A mark takes the next item of its kind not yet taken; `<image>`
/// also takes a video or sound where no picture is left, as first versions write it for all.
class MarkReader {
 public:
  explicit MarkReader(Record& record) : record_(record), taken_(record.media.size(), false) {}
  /// The parts of `value`. The row's error when it has a mark too many.
  std::vector<TurnPart> parts(const JsonView& value);

 private:
  bool take(MediaKind kind, std::size_t& index);

  Record& record_;
  std::vector<bool> taken_;
};

/// A turn as text with marks. `video_mark` stands for videos, `audio_mark` for sounds. InputError
/// when the words themselves hold a mark.
std::string text_with_marks(const Record& record, std::size_t turn, std::string_view video_mark,
                            std::string_view audio_mark);

}  // namespace tarsier
