#include "tarsier/media/log_mel.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tarsier/media/real_fft.h"

namespace tarsier {
namespace {

constexpr std::int64_t kWindow = PowerSpectrum400::kSize;
constexpr std::int64_t kHop = 160;
constexpr std::int64_t kLanes = PowerSpectrum400::kLanes;
constexpr std::int64_t kBins = PowerSpectrum400::kBins;
constexpr double kBinHertz = 40;  // 16000 / 400
static_assert(kMelFrames % kLanes == 0 && kMelFrames * kHop == kMelChunkSamples);

/// Slaney's scale: linear to 1 kHz, logarithmic above.
double hertz_of(double mel) {
  const double linear = mel * 200 / 3;
  if (mel < 15) return linear;
  return 1000 * std::exp((mel - 15) * std::log(6.4) / 27);
}

/// A triangle's weights that are not zero.
struct Filter {
  std::size_t first = 0;
  std::vector<double> weights;
};

std::vector<Filter> sparse_filters() {
  const std::vector<double> dense = mel_filters();
  std::vector<Filter> filters;
  for (std::int64_t m = 0; m < kMelBins; ++m) {
    const auto begin = dense.begin() + m * kBins;
    const auto end = begin + kBins;
    const auto is_weight = [](double weight) { return weight > 0; };
    const auto first = std::find_if(begin, end, is_weight);
    const auto last = std::find_if_not(first, end, is_weight);
    filters.push_back({static_cast<std::size_t>(first - begin), {first, last}});
  }
  return filters;
}

std::vector<double> hann_window() {
  std::vector<double> window;
  for (std::int64_t n = 0; n < kWindow; ++n) {
    window.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(n) /
                                          static_cast<double>(kWindow)));
  }
  return window;
}

/// Everything that does not depend on the sound.
struct Tables {
  std::vector<double> window = hann_window();      // [kWindow]
  std::vector<Filter> filters = sparse_filters();  // [kMelBins]
  PowerSpectrum400 spectrum;
};

/// Sample `index` of a chunk whose ends are mirrored; silence after what is there.
double sample_at(std::span<const float> chunk, std::int64_t index) {
  if (index < 0) index = -index;
  if (index >= kMelChunkSamples) index = 2 * (kMelChunkSamples - 1) - index;
  const auto at = static_cast<std::size_t>(index);
  return at < chunk.size() ? static_cast<double>(chunk[at]) : 0.0;
}

/// log10 of the mel powers of one chunk into `out` [kMelBins, kMelFrames], before the floor.
void log_powers(std::span<const float> chunk, const Tables& tables, PowerSpectrum400::Work& work,
                std::span<double> out) {
  for (std::int64_t frame = 0; frame < kMelFrames; frame += kLanes) {
    const std::int64_t begin = frame * kHop - kWindow / 2;
    if (begin >= static_cast<std::int64_t>(chunk.size()) &&
        begin + (kLanes - 1) * kHop + kWindow < kMelChunkSamples) {
      for (std::int64_t m = 0; m < kMelBins; ++m) {
        std::fill_n(out.begin() + m * kMelFrames + frame, kLanes, -10.0);
      }
      continue;
    }
    for (std::int64_t n = 0; n < kWindow; ++n) {
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        work.samples[static_cast<std::size_t>(n)][static_cast<std::size_t>(lane)] =
            sample_at(chunk, begin + lane * kHop + n) * tables.window[static_cast<std::size_t>(n)];
      }
    }
    tables.spectrum.compute(work);
    for (std::int64_t m = 0; m < kMelBins; ++m) {
      const Filter& filter = tables.filters[static_cast<std::size_t>(m)];
      PowerSpectrum400::Lanes sum{};
      for (std::size_t k = 0; k < filter.weights.size(); ++k) {
        for (std::size_t lane = 0; lane < kLanes; ++lane)
          sum[lane] += filter.weights[k] * work.power[filter.first + k][lane];
      }
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        out[static_cast<std::size_t>(m * kMelFrames + frame) + lane] =
            std::log10(std::max(sum[lane], 1e-10));
      }
    }
  }
}

}  // namespace

std::vector<double> mel_filters() {
  const double top = 15 + 27 * std::log(8.0) / std::log(6.4);  // 8000 Hz
  std::vector<double> edges;                                   // [kMelBins + 2], Hz
  for (std::int64_t k = 0; k < kMelBins + 2; ++k)
    edges.push_back(hertz_of(top * static_cast<double>(k) / static_cast<double>(kMelBins + 1)));
  std::vector<double> weights;
  for (std::size_t m = 0; m < static_cast<std::size_t>(kMelBins); ++m) {
    const double low = edges[m], middle = edges[m + 1], high = edges[m + 2];
    for (std::int64_t j = 0; j < kBins; ++j) {
      const double hertz = kBinHertz * static_cast<double>(j);
      const double height =
          std::min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      weights.push_back(std::max(0.0, height) * 2 / (high - low));
    }
  }
  return weights;
}

std::int64_t mel_chunks(std::int64_t samples) {
  return std::max<std::int64_t>(1, (samples + kMelChunkSamples - 1) / kMelChunkSamples);
}

std::vector<float> log_mel(std::span<const float> samples) {
  static const Tables tables;
  PowerSpectrum400::Work work;
  const auto chunk_values = static_cast<std::size_t>(kMelBins * kMelFrames);
  std::vector<double> powers(chunk_values);
  const std::int64_t chunks = mel_chunks(static_cast<std::int64_t>(samples.size()));
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(chunks) * chunk_values);
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const auto begin = static_cast<std::size_t>(chunk * kMelChunkSamples);
    const auto count = std::min(samples.size() - begin, static_cast<std::size_t>(kMelChunkSamples));
    log_powers(samples.subspan(begin, count), tables, work, powers);
    const double floor = *std::max_element(powers.begin(), powers.end()) - 8;
    for (const double power : powers)
      result.push_back(static_cast<float>((std::max(power, floor) + 4) / 4));
  }
  return result;
}

}  // namespace tarsier
