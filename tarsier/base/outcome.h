#pragma once

#include <variant>

#include "tarsier/base/error.h"

namespace tarsier {

/// A value, or the note that stands for it where one bad item must not stop ten thousand.
template <class T>
using Outcome = std::variant<T, ErrorNote>;

}  // namespace tarsier
