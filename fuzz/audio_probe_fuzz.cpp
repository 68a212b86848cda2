// Any bytes either have no sound, or sound of finite samples within the limit, or are refused with
// an InputError that names the file.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/media/audio_reader.h"

namespace {

void read_some(const std::string& file, tarsier::AudioOptions options) {
  tarsier::MediaLimits limits;
  limits.max_sound_seconds = 20;
  limits.wall_clock_seconds = 2;
  limits.wall_clock_seconds_per_media_minute = 0;
  const auto audio = tarsier::read_audio(file, options, limits);
  if (!audio.has_value()) return;
  if (static_cast<double>(audio->samples.size()) > 20.0 * tarsier::kAudioRate + 2) std::abort();
  for (const float sample : audio->samples) {
    if (!std::isfinite(sample)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int descriptor = ::memfd_create("audio_probe", MFD_CLOEXEC);
  if (descriptor < 0 || ::ftruncate(descriptor, 0) != 0) std::abort();
  if (::pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  const std::string file = "/proc/self/fd/" + std::to_string(descriptor);
  for (const auto& options :
       {tarsier::AudioOptions{}, tarsier::AudioOptions{.start_seconds = 0.02, .end_seconds = 0.05},
        tarsier::AudioOptions{.channels = tarsier::AudioChannels::first}}) {
    try {
      read_some(file, options);
    } catch (const tarsier::InputError& error) {
      if (error.note.where != file) std::abort();
    }
  }
  return 0;
}
