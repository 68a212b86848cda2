#include "tarsier/media/ffmpeg_handles.h"

extern "C" {
#include <libavutil/log.h>
}

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"

namespace tarsier::ffmpeg {
namespace {

void log_line(void*, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING || log_level() != LogLevel::debug) return;
  char text[512];
  const int length = std::vsnprintf(text, sizeof text, format, arguments);
  if (length <= 0) return;
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  log_debug("ffmpeg: " + line);
}

}  // namespace

void throw_out_of_memory() {
  throw ResourceError({"media", "out of memory", "free memory or use a smaller picture"});
}

void route_log() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(log_line); });
}

}  // namespace tarsier::ffmpeg
