#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace tarsier {

enum class LogLevel { quiet, warning, info, debug };

/// Lines up to this level go to stderr, one per event. Default: info. Set once, at the start of a
/// command.
void set_log_level(LogLevel level);
LogLevel log_level();

/// One line to stderr: "tarsier: warning: ..." / "..." / "debug: ...". Thread-safe.
void log_warning(std::string_view line);
void log_info(std::string_view line);
void log_debug(std::string_view line);

/// Sends lines elsewhere (tests); an empty function restores stderr.
void set_log_sink(std::function<void(LogLevel, std::string_view)> sink);

}  // namespace tarsier
