#include "tarsier/data/filter/media_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tarsier/data/filter/picture_hash.h"
#include "tarsier/media/resize.h"
#include "tarsier/media/sampling.h"
#include "tarsier/media/video_reader.h"

namespace tarsier {
namespace {

constexpr std::int64_t kSide = 64;       // pictures are compared at this size
constexpr std::size_t kReadAtOnce = 16;  // full-size frames in memory
constexpr int kLevels = 8;               // of each colour, in a histogram
constexpr std::size_t kHashPlaces = 3;

using Histogram = std::array<int, kLevels * kLevels * kLevels>;

Histogram histogram_of(const std::vector<std::uint8_t>& rgb) {
  Histogram histogram{};
  const auto level = [&](std::size_t at) {
    return static_cast<std::size_t>(rgb[at] * kLevels / 256);
  };
  for (std::size_t at = 0; at < rgb.size(); at += 3)
    ++histogram[(level(at) * kLevels + level(at + 1)) * kLevels + level(at + 2)];
  return histogram;
}

// The share of pixels that would have to change their colour to make one histogram the other.
double distance(const Histogram& a, const Histogram& b) {
  int moved = 0;
  for (std::size_t i = 0; i < a.size(); ++i) moved += std::abs(a[i] - b[i]);
  return static_cast<double>(moved) / (2.0 * kSide * kSide);
}

double mean_change(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return static_cast<double>(sum) / static_cast<double>(a.size());
}

std::int64_t shown_at(const std::vector<double>& seconds, double time) {
  const auto after = std::upper_bound(seconds.begin(), seconds.end(), time);
  return std::max<std::int64_t>(0, after - seconds.begin() - 1);
}

}  // namespace

MediaFacts look_at(const Media& media, const std::filesystem::path& file,
                   const LookSettings& settings) {
  VideoReader reader(file);
  MediaFacts facts;
  const std::vector<double>& times = reader.frame_seconds();
  if (reader.info().is_still_image || media.kind == MediaKind::image) {
    const std::array<std::int64_t, 1> first = {0};
    const Frame frame = std::move(reader.read(first).front());
    facts.hashes = {picture_hash(frame.rgb, {frame.height, frame.width})};
    return facts;
  }
  const FrameRange range = frames_in_window(times, reader.info().seconds, media.start, media.end);
  const double begin = media.start.value_or(0);
  const double end = std::min(media.end.value_or(reader.info().seconds), reader.info().seconds);
  facts.seconds = end - begin;
  const auto wanted =
      static_cast<std::int64_t>(std::ceil(facts.seconds * settings.frames_per_second)) + 1;
  std::vector<std::int64_t> looked = sample_uniform(
      range.first, range.last, std::clamp<std::int64_t>(wanted, 2, settings.max_frames));
  std::array<std::int64_t, kHashPlaces> hashed{};
  for (std::size_t i = 0; i < kHashPlaces; ++i) {
    const double place = static_cast<double>(i + 1) / (kHashPlaces + 1);
    hashed[i] = std::clamp(shown_at(times, begin + place * facts.seconds), range.first, range.last);
  }
  std::vector<std::int64_t> indices = looked;
  indices.insert(indices.end(), hashed.begin(), hashed.end());
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());

  facts.hashes.resize(kHashPlaces);
  std::vector<std::uint8_t> before;
  Histogram histogram_before{};
  double change = 0;
  for (std::size_t at = 0; at < indices.size(); at += kReadAtOnce) {
    const std::size_t count = std::min(kReadAtOnce, indices.size() - at);
    for (const Frame& frame : reader.read(std::span(indices).subspan(at, count))) {
      const Size size{frame.height, frame.width};
      for (std::size_t i = 0; i < kHashPlaces; ++i) {
        if (hashed[i] == frame.index) facts.hashes[i] = picture_hash(frame.rgb, size);
      }
      if (!std::binary_search(looked.begin(), looked.end(), frame.index)) continue;
      std::vector<std::uint8_t> small = resize_bilinear(frame.rgb, size, {kSide, kSide});
      const Histogram histogram = histogram_of(small);
      if (!before.empty()) {
        change += mean_change(before, small);
        if (distance(histogram_before, histogram) > settings.cut) ++facts.cuts;
      }
      before = std::move(small);
      histogram_before = histogram;
    }
  }
  if (looked.size() > 1) facts.motion = change / static_cast<double>(looked.size() - 1);
  return facts;
}

std::string facts_json(const MediaFacts& facts) {
  nlohmann::ordered_json json{
      {"seconds", facts.seconds}, {"cuts", facts.cuts}, {"motion", facts.motion}};
  json["hashes"] = facts.hashes;
  return json.dump();
}

MediaFacts parse_facts(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  MediaFacts facts;
  facts.seconds = json.at("seconds");
  facts.cuts = json.at("cuts");
  facts.motion = json.at("motion");
  facts.hashes = json.at("hashes").get<std::vector<std::uint64_t>>();
  return facts;
}

}  // namespace tarsier
