#include "tarsier/media/media_kinds.h"

#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

MediaKinds kinds_of(const std::string& file) {
  return media_kinds(std::filesystem::path(TARSIER_SOURCE_DIR) / file);
}

TEST(MediaKinds, SoundAlone) {
  for (const char* file : {"mono_8000.wav", "stereo_44100.m4a", "stereo_48000.opus"}) {
    const MediaKinds kinds = kinds_of(std::string("tests/fixtures/media/sound/") + file);
    EXPECT_FALSE(kinds.pictures) << file;
    EXPECT_TRUE(kinds.sound) << file;
  }
}

TEST(MediaKinds, PicturesAlone) {
  for (const char* file : {"assets/example.mp4", "tests/fixtures/media/exif6.jpg",
                           "tests/fixtures/media/layers.gif"}) {
    const MediaKinds kinds = kinds_of(file);
    EXPECT_TRUE(kinds.pictures) << file;
    EXPECT_FALSE(kinds.sound) << file;
  }
}

TEST(MediaKinds, WhatIsNoMediaIsRefused) {
  EXPECT_THROW(kinds_of("README.md"), InputError);
  EXPECT_THROW(kinds_of("no-such.mp4"), InputError);
}

}  // namespace
}  // namespace tarsier
