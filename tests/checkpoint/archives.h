#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarsier::testing {

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
  return out;
}

// A zip archive of members stored as they are, without checksums.
inline std::string zip_bytes(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out, directory;
  for (const auto& [name, bytes] : members) {
    const std::string sizes = little_endian(bytes.size(), 4) + little_endian(bytes.size(), 4) +
                              little_endian(name.size(), 2) + little_endian(0, 2);
    directory += "PK\x01\x02" + std::string(16 - 4, '\0') + little_endian(0, 4) + sizes +
                 std::string(10, '\0') + little_endian(out.size(), 4) + name;
    out += "PK\x03\x04" + std::string(10, '\0') + little_endian(0, 4) + sizes + name + bytes;
  }
  const std::size_t begin = out.size();
  return out + directory + "PK\x05\x06" + std::string(4, '\0') + little_endian(members.size(), 2) +
         little_endian(members.size(), 2) + little_endian(directory.size(), 4) +
         little_endian(begin, 4) + little_endian(0, 2);
}

// Parts of pickles, for archives no torch would write.
inline std::string pickled_text(std::string_view text) {
  return "X" + little_endian(text.size(), 4) + std::string(text);
}
inline std::string pickled_int(std::int64_t value) {
  return std::string("\x8a\x08", 2) + little_endian(static_cast<std::uint64_t>(value), 8);
}
inline std::string pickled_tuple(const std::vector<std::int64_t>& values) {
  std::string out = "(";
  for (const std::int64_t value : values) out += pickled_int(value);
  return out + "t";
}
inline std::string pickled_global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string pickled_storage(std::string_view type, std::string_view key,
                                   std::int64_t elements) {
  return "(" + pickled_text("storage") + pickled_global("torch", type) + pickled_text(key) +
         pickled_text("cpu") + pickled_int(elements) + "tQ";
}
inline std::string pickled_tensor(std::string_view storage, std::int64_t offset,
                                  const std::vector<std::int64_t>& shape,
                                  const std::vector<std::int64_t>& strides) {
  return pickled_global("torch._utils", "_rebuild_tensor_v2") + "(" + std::string(storage) +
         pickled_int(offset) + pickled_tuple(shape) + pickled_tuple(strides) + "\x89" +
         pickled_global("collections", "OrderedDict") + ")R" + "tR";
}
inline std::string pickled_dict(
    const std::vector<std::pair<std::string, std::string>>& texts_and_values) {
  std::string out = "}(";
  for (const auto& [key, value] : texts_and_values) out += pickled_text(key) + value;
  return out + "u";
}
inline std::string pickle_of(std::string_view value) {
  return "\x80\x02" + std::string(value) + ".";
}

// A torch.save archive of that pickle and one storage "0" of these bytes.
inline std::string archive_of(std::string_view value, const std::string& storage) {
  return zip_bytes({{"archive/data.pkl", pickle_of(value)},
                    {"archive/byteorder", "little"},
                    {"archive/data/0", storage}});
}

}  // namespace tarsier::testing
