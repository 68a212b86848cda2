#include "tarsier/rollout/row_slice.h"

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/data/rows/row_file.h"
#include "tarsier/data/rows/row_input.h"

namespace tarsier {

void write_slice(const std::filesystem::path& rows, std::int64_t first, std::int64_t count,
                 const std::filesystem::path& to) {
  const std::int64_t all = count_rows(rows);
  if (all == 0) throw InputError({rows.string(), "has no rows", "give at least one"});
  std::string text;
  std::int64_t taken = 0, number = 0;
  const std::int64_t begin = first % all;
  while (taken < count) {
    RowFile file(rows);
    number = 0;
    while (std::optional<RowText> row = file.next()) {
      const bool wanted = taken > 0 || number >= begin;
      ++number;
      if (!wanted) continue;
      Outcome<Row> parsed = parse_row(*row, std::nullopt);
      if (auto* note = std::get_if<ErrorNote>(&parsed)) throw InputError(*note);
      Row& kept = std::get<Row>(parsed);
      move_media_paths(kept.record, kept.folder, to.parent_path().string());
      text += write_record(kept.record, kept.format) + "\n";
      if (++taken == count) break;
    }
  }
  std::filesystem::create_directories(to.parent_path());
  write_file_atomically(to, text);
}

std::int64_t count_rows(const std::filesystem::path& rows) {
  RowFile file(rows);
  std::int64_t count = 0;
  while (file.next()) ++count;
  return count;
}

}  // namespace tarsier
