#include "tarsier/data/corrupt/corruption_keys.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tarsier/data/extra_value.h"

namespace tarsier {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::int64_t> parse_frames(const JsonView& value) {
  std::vector<std::int64_t> frames = value.as_ints();
  if (frames.empty()) value.fail("names no frame", "give at least one");
  for (const std::int64_t frame : frames) {
    if (frame < 0) value.fail(fmt::format("has frame {}", frame), "count frames from 0");
  }
  return frames;
}

}  // namespace

RowCorruptions parse_corruptions(const Record& record) {
  RowCorruptions row;
  if (const auto intact = extra_value(record, "corrupted_from")) row.intact = parse_frames(*intact);
  const auto list = extra_value(record, "corruptions");
  if (!list) return row;
  if (!list->is_array()) list->fail("is not a list", R"(give [{"kind", "frames"}, ...])");
  for (std::int64_t i = 0; i < list->size(); ++i) {
    const JsonView item = list->at(i), name = item.at("kind");
    refuse_other_keys(item, {"kind", "frames"});
    const auto kind = corruption_named(name.as_string());
    if (!kind)
      name.fail(fmt::format("is '{}'", name.as_string()), "use exchange, reverse, crop or discard");
    row.corrupted.push_back({*kind, parse_frames(item.at("frames"))});
  }
  return row;
}

void write_corruptions(Record& record, const RowCorruptions& corruptions) {
  Json list = Json::array();
  for (const CorruptedFrames& item : corruptions.corrupted)
    list.push_back(Json{{"kind", name_of(item.kind)}, {"frames", item.frames}});
  record.extra["corruptions"] = list.dump();
  record.extra["corrupted_from"] = Json(corruptions.intact).dump();
}

}  // namespace tarsier
