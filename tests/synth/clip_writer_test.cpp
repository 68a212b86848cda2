#include "tarsier/synth/clip_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tarsier/synth/scene.h"

namespace tarsier {
namespace {

TEST(ClipWriter, WritesAnMp4) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "synth_clip.mp4";
  write_clip(make_clip(level_named("easy"), Split::train, 1, 0), file, 84);
  EXPECT_GT(std::filesystem::file_size(file), 1000u);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace tarsier
