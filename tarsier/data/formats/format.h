#pragma once

#include <string>
#include <string_view>

#include "tarsier/base/json.h"
#include "tarsier/data/record.h"

namespace tarsier {

/// The shapes of training rows that are read and written: docs/data-formats.md shows each.
enum class RowFormat { tarsier, llava, salmonn2, salmonn2plus, trl };

/// "tarsier", "llava", "salmonn2", "salmonn2plus", "trl".
std::string_view name_of(RowFormat format);
/// ConfigError naming `flag` when there is no such format.
RowFormat format_named(std::string_view name, const std::string& flag);

/// Which shape a row has, by the keys only that shape uses. The row's error (JsonView::fail) when
/// it has none of them.
RowFormat detect_format(const JsonView& row);

/// Reads one row. The row's error names the field that is wrong. Roles, media and answers are
/// checked by `data check`, not here.
Record parse_record(const JsonView& row, RowFormat format);

/// One row as JSON text without a line break. InputError naming row and field when the shape cannot
/// hold something: nothing is dropped.
std::string write_record(const Record& record, RowFormat format);

}  // namespace tarsier
