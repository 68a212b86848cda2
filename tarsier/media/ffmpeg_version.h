#pragma once

#include <string>

namespace tarsier {

/// The release of the FFmpeg libraries this process has loaded: "5.1.9-0+deb12u1". Safe from any
/// thread.
std::string ffmpeg_version();

}  // namespace tarsier
