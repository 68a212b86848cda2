#include "tarsier/base/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>

namespace tarsier {
namespace {

std::atomic<LogLevel> g_level{LogLevel::info};
std::mutex g_mutex;
std::function<void(LogLevel, std::string_view)> g_sink;

void write_line(LogLevel level, std::string_view prefix, std::string_view line) {
  if (level > g_level.load()) return;
  const std::lock_guard lock(g_mutex);
  if (g_sink) {
    g_sink(level, line);
    return;
  }
  std::string text(prefix);
  text += line;
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

void set_log_level(LogLevel level) { g_level = level; }
LogLevel log_level() { return g_level; }
void log_warning(std::string_view line) { write_line(LogLevel::warning, "warning: ", line); }
void log_info(std::string_view line) { write_line(LogLevel::info, "", line); }
void log_debug(std::string_view line) { write_line(LogLevel::debug, "debug: ", line); }

void set_log_sink(std::function<void(LogLevel, std::string_view)> sink) {
  const std::lock_guard lock(g_mutex);
  g_sink = std::move(sink);
}

}  // namespace tarsier
