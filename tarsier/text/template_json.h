#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tarsier/text/template_meter.h"
#include "tarsier/text/template_value.h"

namespace tarsier::jinja {

/// JSON as a template value. InputError, naming the path, on a string that is not UTF-8 and on
/// nesting beyond 64.
Value from_json(const nlohmann::json& json, const std::string& path, int depth = 0);

/// How Python's json.dumps writes; indent < 0 is one line.
struct JsonFormat {
  std::int64_t indent = -1;
  bool ensure_ascii = false;
  bool sort_keys = false;
};
std::string json_text(const Value& value, const JsonFormat& format, Meter& meter);

}  // namespace tarsier::jinja
