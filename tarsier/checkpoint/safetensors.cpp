#include "tarsier/checkpoint/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"

namespace tarsier {
namespace {

MappedFile map_weights(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    throw CheckpointError({path.filename().string(),
                           "is missing from " + path.parent_path().string(),
                           "download the model again, all of its files"});
  }
  const std::string extension = path.extension().string();
  if (extension == ".bin" || extension == ".pt" || extension == ".pth") {
    throw CheckpointError({path.filename().string(), "is a pickle, a format that can run code",
                           "convert it to safetensors with `tarsier convert`"});
  }
  return MappedFile(path);
}

std::int64_t bytes_needed(const TensorView& tensor) {
  std::int64_t bytes = bytes_of(tensor.dtype);
  for (const std::int64_t dimension : tensor.shape) {
    check(dimension >= 0 && !__builtin_mul_overflow(bytes, dimension, &bytes),
          "a tensor to save has a sane shape");
  }
  return bytes;
}

// Length and JSON, padded so that the data after it starts at a multiple of 8.
std::string encode_header(const std::vector<const TensorView*>& ordered,
                          const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!metadata.empty()) json["__metadata__"] = metadata;
  std::int64_t begin = 0;
  for (const TensorView* tensor : ordered) {
    const std::int64_t end = begin + bytes_needed(*tensor);
    nlohmann::ordered_json entry;
    entry["dtype"] = name_of(tensor->dtype);
    entry["shape"] = tensor->shape;
    entry["data_offsets"] = {begin, end};
    json.push_back({tensor->name, std::move(entry)});
    begin = end;
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const nlohmann::json::exception&) {
    throw_broken_promise("names and metadata to save are UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  check(static_cast<std::int64_t>(text.size()) <= kMaxSafetensorsHeaderBytes,
        "a header to save is within the limit");
  std::string out(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<char>((text.size() >> (8 * i)) & 0xFF);
  return out + text;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(map_weights(path)) {
  const std::span<const std::byte> bytes = file_.bytes();
  SafetensorsHeader header = parse_safetensors_header(bytes, path.filename().string());
  metadata_ = std::move(header.metadata);
  for (SafetensorsHeader::Entry& entry : header.entries) {
    const auto data = bytes.subspan(static_cast<std::size_t>(header.data_begin + entry.begin),
                                    static_cast<std::size_t>(entry.end - entry.begin));
    std::string name = entry.name;
    tensors_.emplace(std::move(name),
                     TensorView{std::move(entry.name), entry.dtype, std::move(entry.shape), data});
  }
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_safetensors(path, tensors, metadata, [](const TensorView& tensor) { return tensor.bytes; });
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata,
                       const std::function<std::span<const std::byte>(const TensorView&)>& fetch) {
  std::vector<const TensorView*> ordered;
  for (const TensorView& tensor : tensors) {
    check(tensor.name != "__metadata__", "a tensor to save has a name of its own");
    ordered.push_back(&tensor);
  }
  std::sort(ordered.begin(), ordered.end(), [](const TensorView* a, const TensorView* b) {
    return std::tie(b->dtype, a->name) < std::tie(a->dtype, b->name);
  });
  const auto same_name = [](const TensorView* a, const TensorView* b) {
    return a->name == b->name;
  };
  std::vector<const TensorView*> by_name = ordered;
  std::sort(by_name.begin(), by_name.end(),
            [](const TensorView* a, const TensorView* b) { return a->name < b->name; });
  check(std::adjacent_find(by_name.begin(), by_name.end(), same_name) == by_name.end(),
        "tensors to save have distinct names");

  AtomicFile file(path);
  file.write(encode_header(ordered, metadata));
  for (const TensorView* tensor : ordered) {
    const std::span<const std::byte> bytes = fetch(*tensor);
    check(bytes_needed(*tensor) == static_cast<std::int64_t>(bytes.size()),
          "a tensor to save has the bytes of its shape");
    file.write(bytes);
  }
  file.commit();
}

}  // namespace tarsier
