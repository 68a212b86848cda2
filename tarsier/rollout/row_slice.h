#pragma once

#include <cstdint>
#include <filesystem>

namespace tarsier {

/// Rows `first` ... `first + count - 1` of a file, going on with the first behind the last, as a
/// file of their own whose media paths lead to the same media. Whole or not at all. InputError for
/// a row that cannot be read or a file without rows.
void write_slice(const std::filesystem::path& rows, std::int64_t first, std::int64_t count,
                 const std::filesystem::path& to);

/// InputError as RowFile's.
std::int64_t count_rows(const std::filesystem::path& rows);

}  // namespace tarsier
