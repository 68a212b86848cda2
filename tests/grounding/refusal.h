#pragma once

#include <string>

#include "tarsier/base/error.h"

namespace tarsier::testing {

/// The message of the CheckpointError that `read` throws; empty when it throws none.
template <class Read>
std::string refusal_of(Read&& read) {
  try {
    read();
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "";
}

}  // namespace tarsier::testing
