#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier {

/// A new adapter's shape.
struct AdapterShape {
  std::int64_t rank = 16;
  double alpha = 32;       // the change is alpha / rank times B A
  double dropout = 0;      // in training, of what the adapter is given
  bool int8_base = false;  // the decoder's layers that do not learn are kept in 8 bits
  std::vector<std::string> target_modules{"q_proj", "k_proj", "v_proj"};  // ends of modules' names
};

}  // namespace tarsier
