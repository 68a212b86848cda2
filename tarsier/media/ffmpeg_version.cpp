#include "tarsier/media/ffmpeg_version.h"

extern "C" {
#include <libavutil/avutil.h>
}

namespace tarsier {

std::string ffmpeg_version() { return av_version_info(); }

}  // namespace tarsier
