#include "tarsier/synth/clip_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tarsier/media/video_reader.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
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
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace tarsier
