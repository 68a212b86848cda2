#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/checkpoint/tensor_name.h"

namespace tarsier {
namespace {

constexpr char kDownloadAgain[] = "download the file again";
constexpr char kNotSafetensors[] = "the file is damaged or not a safetensors file";
constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();

using Entry = SafetensorsHeader::Entry;

[[noreturn]] void refuse(const std::string& where, std::string what, std::string hint) {
  throw CheckpointError({where, std::move(what), std::move(hint)});
}

// The JSON text between the length and the data.
std::string_view header_text(std::span<const std::byte> file, const std::string& file_name) {
  if (file.size() < 8) {
    refuse(file_name, fmt::format("has {} bytes, a safetensors file has at least 8", file.size()),
           kDownloadAgain);
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i) length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
  if (length == 0) refuse(file_name, "has an empty header", kNotSafetensors);
  if (length > static_cast<std::uint64_t>(kMaxSafetensorsHeaderBytes)) {
    refuse(file_name,
           fmt::format("says its header has {} bytes, the limit is {}", length,
                       kMaxSafetensorsHeaderBytes),
           kNotSafetensors);
  }
  if (length > file.size() - 8) {
    refuse(file_name,
           fmt::format("is cut inside its header: {} bytes of {}", file.size() - 8, length),
           kDownloadAgain);
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8,
                              static_cast<std::size_t>(length));
  if (text.front() != '{')
    refuse(file_name, "has a header that does not start with '{'", kNotSafetensors);
  if (!is_utf8(text)) refuse(file_name, "has a header that is not UTF-8", kNotSafetensors);
  // A JSON parser may take a zero byte for the end and miss what hides behind it.
  if (text.find('\0') != std::string_view::npos)
    refuse(file_name, "has a zero byte in its header", kNotSafetensors);
  return text;
}

std::map<std::string, std::string> read_metadata(const JsonView& view) {
  std::map<std::string, std::string> metadata;
  for (const std::string& key : view.keys()) metadata.emplace(key, view.at(key).as_string());
  return metadata;
}

// Checks one tensor by itself; its place among the others is checked later.
Entry read_entry(const std::string& name, const JsonView& view, const std::string& file_name) {
  const std::string where = file_name + ": " + shown_name(name);
  if (static_cast<std::int64_t>(name.size()) > kMaxTensorNameBytes) {
    refuse(where,
           fmt::format("has a name of {} bytes, the limit is {}", name.size(), kMaxTensorNameBytes),
           kNotSafetensors);
  }
  const std::string& dtype_name = view.at("dtype").as_string();
  const std::optional<DType> dtype = dtype_from_name(dtype_name);
  if (!dtype)
    refuse(where, "has the unknown dtype '" + shown_name(dtype_name) + "'",
           "convert the file to BF16, F16 or F32");

  const JsonView dimensions = view.at("shape");
  if (dimensions.is_array() && dimensions.size() > kMaxTensorRank) {
    refuse(where,
           fmt::format("has {} dimensions, the limit is {}", dimensions.size(), kMaxTensorRank),
           kNotSafetensors);
  }
  std::vector<std::int64_t> shape = dimensions.as_ints();
  std::int64_t bytes = bytes_of(*dtype);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dimensions.at(static_cast<std::int64_t>(i)).as_int(0, kMaxInt);
    if (__builtin_mul_overflow(bytes, shape[i], &bytes)) {
      refuse(where,
             fmt::format("has the shape [{}], too large for any file", fmt::join(shape, ", ")),
             kNotSafetensors);
    }
  }

  const JsonView offsets = view.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2)
    offsets.fail("is not a pair of integers", kNotSafetensors);
  const std::int64_t begin = offsets.at(0).as_int(0, kMaxInt);
  const std::int64_t end = offsets.at(1).as_int(0, kMaxInt);
  if (end < begin)
    refuse(where, fmt::format("ends at byte {}, before it begins at {}", end, begin),
           kNotSafetensors);
  if (end - begin != bytes) {
    refuse(where,
           fmt::format("is {} [{}], {} bytes, but the file gives it {}", name_of(*dtype),
                       fmt::join(shape, ", "), bytes, end - begin),
           kNotSafetensors);
  }
  return {name, *dtype, std::move(shape), begin, end};
}

// Ranges must tile the data: the format forbids holes and overlaps, where other content could hide.
void check_tiling(const std::vector<Entry>& entries, std::int64_t data_bytes,
                  const std::string& file_name) {
  std::int64_t expected = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    const std::string where = file_name + ": " + entry.name;
    if (entry.begin > expected) {
      refuse(where,
             fmt::format("begins at byte {}, leaving {} bytes before it to no tensor", entry.begin,
                         entry.begin - expected),
             kNotSafetensors);
    }
    if (entry.begin < expected) refuse(where, "overlaps " + entries[i - 1].name, kNotSafetensors);
    expected = entry.end;
  }
  if (expected > data_bytes) {
    refuse(file_name,
           fmt::format("is cut: its tensors need {} bytes, it has {}", expected, data_bytes),
           kDownloadAgain);
  }
  if (expected < data_bytes) {
    refuse(file_name, fmt::format("has {} bytes after its last tensor", data_bytes - expected),
           kNotSafetensors);
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file,
                                           const std::string& file_name) {
  const std::string_view text = header_text(file, file_name);
  const JsonView json = parse_json(text, file_name + ": header", JsonOwner::checkpoint);
  const std::vector<std::string> names = json.keys();
  SafetensorsHeader header;
  header.data_begin = 8 + static_cast<std::int64_t>(text.size());
  if (static_cast<std::int64_t>(names.size()) >
      kMaxTensorsPerFile + (json.has("__metadata__") ? 1 : 0)) {
    refuse(file_name,
           fmt::format("has {} tensors, the limit is {}", names.size(), kMaxTensorsPerFile),
           kNotSafetensors);
  }
  for (const std::string& name : names) {
    if (name == "__metadata__") {
      header.metadata = read_metadata(json.at(name));
    } else {
      header.entries.push_back(read_entry(name, json.at(name), file_name));
    }
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_tiling(header.entries, static_cast<std::int64_t>(file.size()) - header.data_begin,
               file_name);
  return header;
}

}  // namespace tarsier
