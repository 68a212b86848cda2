#include "tarsier/text/template_meter.h"

#include <fmt/format.h>

#include "tarsier/base/error.h"

namespace tarsier::jinja {

void fail_at(const std::string& name, int line, std::string what, std::string hint) {
  throw CheckpointError({fmt::format("{}: line {}", name, line), std::move(what), std::move(hint)});
}

const Value& Meter::storable(const Value& value) {
  if (value.as_namespace() || value.as_loop()) {
    fail(fmt::format("stores a {} inside another value", value.type_name()),
         "keep it in a variable of its own");
  }
  if (value.depth() >= budget_.depth) fail_budget("nested values", budget_.depth);
  return value;
}

void Meter::fail(std::string what, std::string hint) const {
  fail_at(name_, line_, std::move(what), std::move(hint));
}

void Meter::fail_budget(const char* of_what, std::int64_t limit) const {
  fail(fmt::format("takes more than {} {}", limit, of_what),
       "templates must stay small; is this one meant to hang?");
}

}  // namespace tarsier::jinja
