// Any bytes either open as a video, and then its frames come out or are refused, or are refused
// with an InputError that names the file.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/media/video_reader.h"

namespace {

void read_some(const std::string& file) {
  tarsier::MediaLimits limits;
  limits.max_pixels = 256 * 256;
  limits.max_packets = 200;
  limits.wall_clock_seconds = 2;
  tarsier::VideoReader reader(file, limits);
  const tarsier::VideoInfo& info = reader.info();
  if (info.frames < 1 || info.frames != static_cast<std::int64_t>(reader.frame_seconds().size()))
    std::abort();
  if (info.height * info.width > limits.max_pixels) std::abort();
  for (const std::int64_t index : {info.frames - 1, info.frames / 2, std::int64_t{0}}) {
    try {
      const auto frames = reader.read(std::vector{index});
      if (frames.size() != 1 ||
          static_cast<std::int64_t>(frames[0].rgb.size()) != info.height * info.width * 3) {
        std::abort();
      }
    } catch (const tarsier::InputError&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int descriptor = ::memfd_create("media_probe", MFD_CLOEXEC);
  if (descriptor < 0 || ::ftruncate(descriptor, 0) != 0) std::abort();
  if (::pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  const std::string file = "/proc/self/fd/" + std::to_string(descriptor);
  try {
    read_some(file);
  } catch (const tarsier::InputError& error) {
    if (error.note.where != file) std::abort();
  }
  return 0;
}
