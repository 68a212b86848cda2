#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tarsier/media/frame.h"
#include "tarsier/media/video_writer.h"

namespace tarsier::testing {

/// A folder of this test's own, gone at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tarsier-media-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr int kNumberBits = 8;

/// A picture that says which one it is: kNumberBits columns, white for 1, over the top half; a
/// moving gradient below, so that pictures differ everywhere and predicted ones need their
/// references.
inline std::vector<std::uint8_t> numbered_picture(std::int64_t number, Size size) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(static_cast<std::size_t>(size.height * size.width * 3));
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      const std::int64_t column = x * kNumberBits / size.width;
      const bool on = ((number >> column) & 1) != 0;
      if (y < size.height / 2) {
        rgb.insert(rgb.end(), 3, on ? 235 : 20);
      } else {
        rgb.push_back(static_cast<std::uint8_t>((x * 2 + number * 5) % 256));
        rgb.push_back(static_cast<std::uint8_t>((y * 3 + number * 3) % 256));
        rgb.push_back(static_cast<std::uint8_t>((x + y + number * 7) % 256));
      }
    }
  }
  return rgb;
}

/// The number in a picture of numbered_picture, after lossy coding.
inline std::int64_t number_in(const Frame& frame) {
  std::int64_t number = 0;
  const std::int64_t y = frame.height / 4;
  for (std::int64_t column = 0; column < kNumberBits; ++column) {
    const std::int64_t x = (2 * column + 1) * frame.width / (2 * kNumberBits);
    if (frame.rgb[static_cast<std::size_t>((y * frame.width + x) * 3 + 1)] > 127)
      number |= std::int64_t{1} << column;
  }
  return number;
}

inline void write_numbered_video(const std::filesystem::path& file, Size size, std::int64_t count,
                                 const VideoWriterOptions& options = {}) {
  VideoWriter writer(file, size, options);
  for (std::int64_t i = 0; i < count; ++i) writer.write(numbered_picture(i, size));
  writer.finish();
}

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace tarsier::testing
