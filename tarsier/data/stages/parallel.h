#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace tarsier {

/// Calls `work` with 0 ... count - 1 on `workers` threads, the caller's among them; each takes the
/// next number nobody has. After a stop no more are begun. The first exception is thrown on, when
/// all have ended.
void in_parallel(std::size_t count, int workers, const std::stop_token& stop,
                 const std::function<void(std::size_t)>& work);

}  // namespace tarsier
