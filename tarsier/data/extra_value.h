#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "tarsier/base/json.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// One of a row's extra keys; nothing when the row has not got it. Its errors are InputErrors that
/// name row and key: "rows.jsonl line 3: samples[0].seed: ...".
std::optional<JsonView> extra_value(const Record& record, const std::string& key);

/// The row's error naming the first key of an object that is not among `known`.
void refuse_other_keys(const JsonView& object, std::initializer_list<std::string_view> known);

}  // namespace tarsier
