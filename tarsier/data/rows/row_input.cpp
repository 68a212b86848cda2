#include "tarsier/data/rows/row_input.h"

#include <fmt/format.h>

#include <charconv>

#include "tarsier/base/atomic_file.h"

namespace tarsier {
namespace fs = std::filesystem;
namespace {

bool is_tar(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.ends_with(".tar") || name.ends_with(".tar.gz") || name.ends_with(".tgz");
}

std::string last_part(const std::string& key) { return key.substr(key.rfind('/') + 1); }

// "shard-{000000..000012}.tar" in three pieces; nothing when the name has no such range.
struct Range {
  std::string before, after;
  std::int64_t first = 0, last = 0;
  std::size_t width = 0;
};
std::optional<Range> range_in(const std::string& name) {
  const std::size_t open = name.find('{'), dots = name.find("..", open),
                    close = name.find('}', dots);
  if (open == std::string::npos || dots == std::string::npos || close == std::string::npos)
    return std::nullopt;
  Range range{name.substr(0, open), name.substr(close + 1), 0, 0, dots - open - 1};
  const auto number = [&](std::size_t begin, std::size_t end, std::int64_t& value) {
    const auto result = std::from_chars(name.data() + begin, name.data() + end, value);
    return result.ec == std::errc() && result.ptr == name.data() + end && value >= 0;
  };
  if (!number(open + 1, dots, range.first) || !number(dots + 2, close, range.last) ||
      range.last < range.first)
    return std::nullopt;
  return range;
}

}  // namespace

Outcome<Row> parse_row(const RowText& text, std::optional<RowFormat> format) {
  try {
    const JsonView json = parse_json(text.text, text.where, JsonOwner::input);
    Row row;
    row.format = format ? *format : detect_format(json);
    row.record = parse_record(json, row.format);
    row.folder = text.folder;
    return row;
  } catch (const InputError& error) {
    return error.note;
  }
}

fs::path media_path(const std::string& folder, const std::string& file) {
  return (fs::path(folder) / file).lexically_normal();
}

RowInput::RowInput(std::vector<fs::path> files, fs::path media_folder)
    : files_(std::move(files)), media_folder_(std::move(media_folder)) {}

std::optional<RowText> RowInput::next() {
  for (;;) {
    if (rows_) {
      if (auto row = rows_->next()) return row;
      rows_.reset();
    }
    if (tar_) {
      if (auto row = next_sample()) return row;
      problems_.insert(problems_.end(), tar_->problems().begin(), tar_->problems().end());
      tar_.reset();
    }
    if (next_file_ == files_.size()) return std::nullopt;
    const fs::path& file = files_[next_file_++];
    if (is_tar(file)) {
      tar_.emplace(file);
    } else {
      rows_.emplace(file);
    }
  }
}

std::optional<RowText> RowInput::next_sample() {
  const fs::path& file = files_[next_file_ - 1];
  while (const auto sample = tar_->next()) {
    const auto json = sample->members.find("json");
    const std::string key = last_part(sample->key);
    if (json == sample->members.end()) {
      problems_.push_back({fmt::format("{}: {}", file.filename().string(), sample->key),
                           "has no member .json, so it is no row",
                           "write the shard with `tarsier data shard`"});
      continue;
    }
    const fs::path folder = media_folder_ / file.filename().stem();
    for (const auto& [extension, bytes] : sample->members) {
      if (extension == "json") continue;
      fs::create_directories(folder);
      const fs::path target = folder / fmt::format("{}.{}", key, extension);
      std::error_code absent;
      if (fs::file_size(target, absent) != bytes.size() || absent)
        write_file_atomically(target, bytes);
    }
    return RowText{json->second, fmt::format("{} {}.json", file.filename().string(), sample->key),
                   folder.string()};
  }
  return std::nullopt;
}

std::vector<fs::path> expand_inputs(const std::vector<std::string>& names) {
  std::vector<fs::path> files;
  for (const std::string& name : names) {
    if (const auto range = range_in(name); range && !fs::exists(name)) {
      for (std::int64_t i = range->first; i <= range->last; ++i)
        files.emplace_back(fmt::format("{}{:0{}}{}", range->before, i, range->width, range->after));
    } else {
      files.emplace_back(name);
    }
  }
  for (const fs::path& file : files) {
    if (!fs::is_regular_file(file))
      throw InputError({"--in", fmt::format("no file {}", file.string()), "check the path"});
  }
  return files;
}

}  // namespace tarsier
