#pragma once

#include <memory>
#include <vector>

#include "tarsier/train/data/source.h"

namespace tarsier {

/// The least share of a source in a mix.
inline constexpr double kLeastShare = 1.0 / 128;

/// Several sources as one. Every block of 256 samples holds each source by its share of the
/// weights, to within one sample, in an order drawn from the seed; each source gives its samples in
/// its own order, without a gap. Weights are positive and no share is under kLeastShare. The
/// sources' word lists must be equal, or empty.
std::unique_ptr<SampleSource> make_mixed_source(std::vector<std::unique_ptr<SampleSource>> sources,
                                                std::vector<double> weights, std::uint64_t seed,
                                                std::uint64_t stage_index);

}  // namespace tarsier
