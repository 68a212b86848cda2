#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/base/outcome.h"
#include "tarsier/data/formats/format.h"
#include "tarsier/data/rows/row_file.h"
#include "tarsier/data/rows/tar_reader.h"

namespace tarsier {

/// A parsed row with what its media paths are relative to.
struct Row {
  Record record;
  std::string folder;
  RowFormat format = RowFormat::tarsier;
};

/// Parses one row; without `format` its keys say which it is. The note names row and field.
Outcome<Row> parse_row(const RowText& text, std::optional<RowFormat> format);

/// Where a media path of a row leads.
std::filesystem::path media_path(const std::string& folder, const std::string& file);

/// The rows of several files, one after the other: JSONL, JSON lists, and webdataset tars, whose
/// rows are the `.json` members. A tar's media are unpacked to `media_folder`/<tar>/ as its rows
/// are read. One thread. InputError as RowFile and TarReader.
class RowInput {
 public:
  RowInput(std::vector<std::filesystem::path> files, std::filesystem::path media_folder);

  std::optional<RowText> next();
  /// Samples of tars that were left out, and why.
  const std::vector<ErrorNote>& problems() const { return problems_; }

 private:
  std::optional<RowText> next_sample();

  std::vector<std::filesystem::path> files_;
  std::filesystem::path media_folder_;
  std::size_t next_file_ = 0;
  std::optional<RowFile> rows_;
  std::optional<TarReader> tar_;
  std::vector<ErrorNote> problems_;
};

/// "--in" of a command: `name-{000000..000012}.tar` stands for each number in turn. InputError when
/// a file is not there.
std::vector<std::filesystem::path> expand_inputs(const std::vector<std::string>& names);

}  // namespace tarsier
