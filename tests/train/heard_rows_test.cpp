// Rows with sound, as models that hear learn from them; row_media_test.cpp has the details.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "tarsier/models/registry.h"
#include "tarsier/train/data/source.h"
#include "tests/data/small_videos.h"
#include "tests/media/sound.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

constexpr char kNamedFrames[] =
    R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"VIDEO",)"
    R"("frame_indices":[9,6,3,0]}},{"type":"text","text":"What is it?"}]},)"
    R"({"role":"assistant","content":"a ring"}]})";

class HeardRows : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::fresh_folder("heard_rows");
    testing::write_video(folder_ / "silent.mp4", {.seconds = 1});
    AudioTrackOptions track;
    track.codec = "pcm_s16le";
    testing::write_clip(folder_ / "heard.mkv", 25, testing::tone(1), track);
    write_audio(folder_ / "b.wav", testing::tone(1, 16'000, 1, 700), track);
    load({});
  }
  void load(LoadOptions options, const std::string& name = "salmonn2_plus") {
    model_ = load_model(std::filesystem::path(TARSIER_SOURCE_DIR) / "tests/fixtures/models" / name,
                        options);
  }
  Outcome<Sample> outcome(const std::string& row) const {
    std::ofstream(folder_ / "rows.jsonl") << row << "\n";
    return make_jsonl_source(*model_, {folder_ / "rows.jsonl", 2, false}, 1, 0, 0)->sample(0);
  }
  // Of a row about `media`, which is the row's keys beside the conversation.
  Outcome<Sample> outcome(const std::string& mark, const std::string& media) const {
    return outcome("{" + media + R"(,"conversations":[{"from":"human","value":")" + mark +
                   R"(\nWhat is it?"},{"from":"gpt","value":"a ring"}]})");
  }
  Sample sample(const std::string& mark, const std::string& media) const {
    const Outcome<Sample> made = outcome(mark, media);
    if (const auto* note = std::get_if<ErrorNote>(&made)) ADD_FAILURE() << note->text();
    return std::get<Sample>(made);
  }
  static std::string fault_of(const Outcome<Sample>& made) {
    const auto* note = std::get_if<ErrorNote>(&made);
    return note == nullptr ? "no fault" : note->text();
  }
  std::string fault(const std::string& mark, const std::string& media) const {
    return fault_of(outcome(mark, media));
  }

  std::filesystem::path folder_;
  std::shared_ptr<VideoLanguageModel> model_;
};

TEST_F(HeardRows, AVideosSoundIsPartOfItsSample) {
  const Sample plain = sample("<video>", R"("video":"heard.mkv")"),
               asked = sample("<video>", R"("video":"heard.mkv","use_audio":true)"),
               seen = sample("<video>", R"("video":"heard.mkv","use_audio":false)");
  EXPECT_TRUE(plain.media.pixels.defined());
  ASSERT_TRUE(plain.media.mel.defined());
  EXPECT_TRUE(at::equal(plain.media.mel, asked.media.mel));
  EXPECT_FALSE(seen.media.mel.defined());
  EXPECT_EQ(plain.media_rows.size(), seen.media_rows.size() + 60);
  const Sample other = sample("<video>", R"("video":"heard.mkv","audio":"b.wav","use_audio":true)");
  ASSERT_TRUE(other.media.mel.defined());
  EXPECT_FALSE(at::equal(plain.media.mel, other.media.mel));
  EXPECT_FALSE(sample("<video>", R"("video":"silent.mp4")").media.mel.defined());
}

TEST_F(HeardRows, SoundAloneIsASampleToo) {
  const Sample sound = sample("<audio>", R"("audio":"b.wav")");
  EXPECT_FALSE(sound.media.pixels.defined());
  EXPECT_TRUE(sound.media.mel.defined());
  EXPECT_EQ(sound.media_rows.size(), 60u);
}

// Both generations put sound, or the time, between the frames; so they must know how long the part
// is.
TEST_F(HeardRows, NamedFramesAreOfAPartOfKnownLength) {
  for (const char* name : {"salmonn2", "salmonn2_plus"}) {
    load({}, name);
    for (const char* video : {"heard.mkv", "silent.mp4"}) {
      std::string row = kNamedFrames;
      row.replace(row.find("VIDEO"), 5, video);
      EXPECT_EQ(fault_of(outcome(row)), "no fault") << name << ", " << video;
    }
  }
}

TEST_F(HeardRows, SoundThatCannotBeHeardIsTheRowsFault) {
  EXPECT_EQ(fault("<video>", R"("video":"silent.mp4","use_audio":true)"),
            "rows.jsonl line 1: silent.mp4: has no sound, and use_audio is true; leave use_audio "
            "out, or give audio_file; mend or remove the row");
  LoadOptions deaf;
  deaf.without_sound = true;
  load(deaf);
  const std::string no_ears =
      "rows.jsonl line 1: media: is to be heard, and this model has no ears; leave audio_file and "
      "use_audio out; mend or remove the row";
  EXPECT_EQ(fault("<video>", R"("video":"heard.mkv","use_audio":true)"), no_ears);
  EXPECT_EQ(fault("<video>", R"("video":"heard.mkv","audio":"b.wav","use_audio":true)"), no_ears);
  EXPECT_EQ(fault("<audio>", R"("audio":"b.wav")"), no_ears);
  EXPECT_FALSE(sample("<video>", R"("video":"heard.mkv")").media.mel.defined());
}

}  // namespace
}  // namespace tarsier
