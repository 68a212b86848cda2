#pragma once

#include <initializer_list>
#include <string_view>

#include "tarsier/base/json.h"

namespace tarsier {

/// Refuses an object of a tokenizer file that has a key outside `known`, by an error that names it:
/// an option that is not understood would give other ids in silence.
void require_known_keys(const JsonView& json, std::initializer_list<std::string_view> known);

/// Refuses an object by its "type": "tokenizer.json: decoder.type: is 'X'; <supported> supported".
[[noreturn]] void refuse_type(const JsonView& json, std::string_view supported);

}  // namespace tarsier
