#include "tarsier/data/filter/picture_hash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "tarsier/base/error.h"
#include "tarsier/media/resize.h"

namespace tarsier {
namespace {

constexpr std::int64_t kSide = 32;  // of the grey version
constexpr std::int64_t kWaves = 8;  // along each side
constexpr double kWeak = 4;         // grey levels
constexpr int kBands = 4, kBandBits = 16;

// cosines[k][x] of the orthonormal transform of length kSide.
std::array<std::array<double, kSide>, kWaves> make_cosines() {
  std::array<std::array<double, kSide>, kWaves> cosines;
  for (std::size_t k = 0; k < kWaves; ++k) {
    const double scale = std::sqrt((k == 0 ? 1.0 : 2.0) / kSide);
    for (std::size_t x = 0; x < kSide; ++x) {
      cosines[k][x] = scale * std::cos(std::numbers::pi * (2.0 * static_cast<double>(x) + 1) *
                                       static_cast<double>(k) / (2.0 * kSide));
    }
  }
  return cosines;
}

std::uint32_t bucket(int band, std::uint64_t hash) {
  return static_cast<std::uint32_t>(band) << kBandBits |
         static_cast<std::uint32_t>(hash >> (band * kBandBits) & 0xFFFF);
}

}  // namespace

std::uint64_t picture_hash(std::span<const std::uint8_t> rgb, Size size) {
  static const auto cosines = make_cosines();
  const std::vector<std::uint8_t> small = resize_bilinear(rgb, size, {kSide, kSide});
  std::array<std::array<double, kSide>, kWaves> rows{};  // waves down, pixels across
  for (std::size_t y = 0; y < kSide; ++y) {
    for (std::size_t x = 0; x < kSide; ++x) {
      const std::size_t at = (y * kSide + x) * 3;
      const double grey = 0.299 * small[at] + 0.587 * small[at + 1] + 0.114 * small[at + 2];
      for (std::size_t k = 0; k < kWaves; ++k) rows[k][x] += cosines[k][y] * grey;
    }
  }
  std::array<double, kWaves * kWaves - 1> waves{};
  for (std::size_t i = 0; i < waves.size(); ++i) {
    const std::size_t down = (i + 1) / kWaves, across = (i + 1) % kWaves;
    double wave = 0;
    for (std::size_t x = 0; x < kSide; ++x) wave += cosines[across][x] * rows[down][x];
    waves[i] = std::abs(wave) < kWeak ? 0 : wave;
  }
  auto sorted = waves;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const double median = sorted[sorted.size() / 2];
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < waves.size(); ++i) {
    if (waves[i] > median) hash |= std::uint64_t{1} << i;
  }
  return hash;
}

int hash_distance(std::uint64_t a, std::uint64_t b) { return std::popcount(a ^ b); }

HashIndex::HashIndex(int distance) : distance_(distance) {
  check(distance >= 0 && distance <= kMaxDistance, "a hash distance is 0 to 15");
  for (std::uint32_t flip = 0; flip <= 0xFFFF; ++flip) {
    if (std::popcount(flip) <= distance / kBands)
      flips_.push_back(static_cast<std::uint16_t>(flip));
  }
}

void HashIndex::add(std::uint64_t hash, std::int64_t item) {
  for (int band = 0; band < kBands; ++band)
    buckets_[bucket(band, hash)].push_back(static_cast<std::int64_t>(entries_.size()));
  entries_.push_back({hash, item});
}

std::vector<std::int64_t> HashIndex::near(std::uint64_t hash) const {
  std::vector<std::int64_t> items;
  for (int band = 0; band < kBands; ++band) {
    for (const std::uint16_t flip : flips_) {
      const auto found = buckets_.find(bucket(band, hash) ^ flip);
      if (found == buckets_.end()) continue;
      for (const std::int64_t index : found->second) {
        const Entry& entry = entries_[static_cast<std::size_t>(index)];
        if (hash_distance(entry.hash, hash) <= distance_) items.push_back(entry.item);
      }
    }
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

}  // namespace tarsier
