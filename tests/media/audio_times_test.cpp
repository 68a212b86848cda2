// Times inside a track that leap: Matroska files whose blocks after some point claim another time.
#include <gtest/gtest.h>

#include "sound.h"
#include "tarsier/base/error.h"
#include "tarsier/media/audio_reader.h"

namespace tarsier {
namespace {

using testing::bytes_of;
using testing::distance;
using testing::loudness;
using testing::TemporaryFolder;
using testing::tone;
using testing::write_bytes;

constexpr int kBlock = 1024;  // samples
constexpr int kBlockMilliseconds = 64;
constexpr int kBlocks = 31;

std::vector<float> whole_tone() { return tone(kBlocks * kBlockMilliseconds / 1000.0); }

/// A sound file whose blocks from the tenth on are `shift` milliseconds later than they
/// were written.
void write_leap(const std::filesystem::path& file, int shift) {
  write_audio(file, whole_tone(), {.codec = "pcm_s16le"});
  std::string bytes = bytes_of(file);
  // SimpleBlock of 2052 bytes on track 1; then its time, 16 bits, most significant first.
  const std::string head = "\xA3\x48\x04\x81";
  int block = 0;
  for (std::size_t at = bytes.find(head); at != std::string::npos;
       at = bytes.find(head, at + head.size()), ++block) {
    if (block < 10) continue;
    const int time = block * kBlockMilliseconds + shift;
    bytes[at + 4] = static_cast<char>(time >> 8);
    bytes[at + 5] = static_cast<char>(time);
  }
  ASSERT_EQ(block, kBlocks);
  write_bytes(file, bytes);
}

std::span<const float> blocks(const std::vector<float>& samples, int from, int to) {
  return std::span(samples).subspan(static_cast<std::size_t>(from * kBlock),
                                    static_cast<std::size_t>((to - from) * kBlock));
}

TEST(AudioTimes, GapsAreSilent) {
  const TemporaryFolder folder;
  write_leap(folder / "a.mka", 10 * kBlockMilliseconds);
  const auto samples = read_audio(folder / "a.mka")->samples;
  EXPECT_EQ(samples.size(), (kBlocks + 10U) * kBlock);
  EXPECT_EQ(distance(blocks(samples, 0, 10), blocks(whole_tone(), 0, 10)), 0);
  EXPECT_EQ(loudness(blocks(samples, 10, 20)), 0);
  EXPECT_EQ(distance(blocks(samples, 20, 41), blocks(whole_tone(), 10, 31)), 0);
  const auto window = read_audio(folder / "a.mka", {.start_seconds = 1, .end_seconds = 1.1});
  EXPECT_EQ(window->samples, std::vector<float>(1600));
}

TEST(AudioTimes, RoundingIsNoGap) {
  const TemporaryFolder folder;
  for (const int shift : {-90, -20, 20, 90}) {
    write_leap(folder / "a.mka", shift);
    EXPECT_EQ(read_audio(folder / "a.mka")->samples, whole_tone()) << shift;
  }
}

TEST(AudioTimes, OverlapsAreLeftOut) {
  const TemporaryFolder folder;
  write_leap(folder / "a.mka", -5 * kBlockMilliseconds);
  const auto samples = read_audio(folder / "a.mka")->samples;
  // Blocks 10 to 13 overlap by 320 down to 128 ms; the 14th by no more than rounding does.
  EXPECT_EQ(samples.size(), (kBlocks - 4U) * kBlock);
  EXPECT_EQ(distance(blocks(samples, 10, 27), blocks(whole_tone(), 14, 31)), 0);
}

TEST(AudioTimes, TimesThatGoBackAreRefused) {
  const TemporaryFolder folder;
  write_audio(folder / "a.mka", tone(4), {.codec = "pcm_s16le"});
  std::string bytes = bytes_of(folder / "a.mka");
  const std::string head = "\xA3\x48\x04\x81";
  std::size_t at = bytes.find(head);
  for (int block = 0; block < 40; ++block) at = bytes.find(head, at + head.size());
  bytes[at + 4] = bytes[at + 5] = 0;
  write_bytes(folder / "a.mka", bytes);
  try {
    read_audio(folder / "a.mka");
    ADD_FAILURE() << "was read";
  } catch (const InputError& error) {
    EXPECT_EQ(error.note.text(), (folder / "a.mka").string() +
                                     ": the times of its sound go back by 2.6 seconds at 2.6; "
                                     "encode it again");
  }
}

}  // namespace
}  // namespace tarsier
