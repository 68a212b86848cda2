// Any bytes as a training row either are refused with an error that names the row, or are read;
// each shape then holds the row, and what it wrote reads and writes the same again, or refuses it.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tarsier/base/error.h"
#include "tarsier/data/formats/format.h"

namespace {

using tarsier::InputError;
using tarsier::RowFormat;

void expect_row_named(const InputError& error) {
  if (!error.note.where.starts_with("row 1")) std::abort();
}

void write_and_read(const tarsier::Record& record, RowFormat format) {
  std::string written;
  try {
    written = tarsier::write_record(record, format);
  } catch (const InputError& error) {
    expect_row_named(error);
    return;
  }
  try {
    const auto again = tarsier::parse_json(written, "row 1", tarsier::JsonOwner::input);
    if (tarsier::write_record(tarsier::parse_record(again, format), format) != written)
      std::abort();
  } catch (const InputError&) {
    std::abort();  // a row of ours must be readable
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto row = tarsier::parse_json(text, "row 1", tarsier::JsonOwner::input);
    const tarsier::Record record = tarsier::parse_record(row, tarsier::detect_format(row));
    for (const RowFormat format : {RowFormat::tarsier, RowFormat::llava, RowFormat::salmonn2,
                                   RowFormat::salmonn2plus, RowFormat::trl})
      write_and_read(record, format);
  } catch (const InputError& error) {
    expect_row_named(error);
  }
  return 0;
}
