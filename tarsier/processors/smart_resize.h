#pragma once

#include <cstdint>

#include "tarsier/media/frame.h"

namespace tarsier {

/// Whether a side may round to nothing before the area is looked at: transformers lets it (the
/// minimum area rescues it), qwen-vl-utils takes at least one `factor`.
enum class ResizeGuard { none, one_factor };

/// Scales (height, width) to multiples of `factor` with min_pixels <= area <= max_pixels, keeping
/// the aspect ratio as nearly as that allows. Same rounding as Qwen2VLImageProcessor.smart_resize,
/// ties to even included; where the area is too large neither side falls below `factor`, as in
/// transformers since late 2025. Throws InputError when one side is over 200 times the other, a
/// side is not positive, or nothing is left of one.
Size fit_to_pixel_budget(Size size, std::int64_t factor, std::int64_t min_pixels,
                         std::int64_t max_pixels, ResizeGuard guard = ResizeGuard::none);

/// The same for the fractional limits that qwen-vl-utils computes for videos.
Size fit_to_fractional_budget(Size size, std::int64_t factor, double min_pixels, double max_pixels,
                              ResizeGuard guard);

}  // namespace tarsier
