#include "tarsier/synth/clip_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "tarsier/media/audio_reader.h"
#include "tarsier/media/video_reader.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/soundtrack.h"
#include "tarsier/synth/timeline.h"

namespace tarsier {
namespace {

TEST(ClipWriter, WritesAnMp4ThatReadsBackAsItWasDrawn) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) /
                                     ("synth_clip_" + std::to_string(::getpid()) + ".mp4");
  const Clip clip = make_clip(level_named("easy"), Split::train, 1, 0);
  write_clip(clip, file, 168);
  VideoReader reader(file);
  EXPECT_EQ(reader.info().frames, frame_count(clip));
  EXPECT_EQ(reader.info().height, 168);
  const std::vector<std::int64_t> indices = {0, 50, 99};
  for (const Frame& frame : reader.read(indices)) {
    EXPECT_NEAR(frame.seconds, static_cast<double>(frame.index) / kFramesPerSecond, 1e-6);
    const std::vector<std::uint8_t> drawn = render(clip, frame.seconds, 168);
    ASSERT_EQ(frame.rgb.size(), drawn.size());
    std::int64_t difference = 0;
    for (std::size_t i = 0; i < drawn.size(); ++i) difference += std::abs(frame.rgb[i] - drawn[i]);
    EXPECT_LT(static_cast<double>(difference) / static_cast<double>(drawn.size()), 4.0);
  }
  EXPECT_FALSE(read_audio(file)) << "a silent level has no sound track";
  std::filesystem::remove(file);
}

TEST(ClipWriter, WritesTheSoundOfAClipThatHasSome) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) /
                                     ("synth_heard_" + std::to_string(::getpid()) + ".mp4");
  const Clip clip = make_clip(level_named("av"), Split::train, 1, 0);
  write_clip(clip, file, 56);
  EXPECT_EQ(VideoReader(file).info().frames, frame_count(clip));
  const std::optional<Audio> heard = read_audio(file);
  ASSERT_TRUE(heard);
  const std::vector<float> made = soundtrack(clip);
  ASSERT_GE(heard->samples.size(), made.size());
  EXPECT_LT(heard->samples.size(), made.size() + 4096);  // whole blocks of the encoder
  double both = 0, of_heard = 0, of_made = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    both += made[i] * heard->samples[i];
    of_heard += heard->samples[i] * heard->samples[i];
    of_made += made[i] * made[i];
  }
  EXPECT_GT(both / std::sqrt(of_heard * of_made), 0.9);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace tarsier
