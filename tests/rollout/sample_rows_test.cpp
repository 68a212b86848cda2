#include "tarsier/rollout/sample_rows.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "tarsier/base/error.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/data/pairs/candidates.h"
#include "tarsier/models/registry.h"
#include "tests/data/small_videos.h"
#include "tests/media/sound.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kRow[] =
    R"({"messages":[{"role":"user","content":[{"type":"video","video":{"video_file":"a.mp4"}},)"
    R"({"type":"text","text":"What happens?"}]},{"role":"assistant","content":"It moves."}]EXTRA})";
constexpr char kCorrupted[] =
    R"(,"corrupted_from":[0,3,6,9],"corruptions":[{"kind":"reverse","frames":[9,6,3,0]},)"
    R"({"kind":"discard","frames":[0,9]}])";

class SampleRows : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::fresh_folder("sample_rows");
    testing::write_video(folder_ / "a.mp4", {.seconds = 1});
    LoadOptions options;
    options.random_weights = 5;
    options.dtype = at::kFloat;
    model_ = {load_model(test::make_tiny_model(folder_), options), "the weights", {}, 1};
    settings_.intact = 2;
    settings_.max_new_tokens = 6;
    settings_.temperature = 1;
    settings_.top_p = 1;
    settings_.frames = 4;
  }

  Row row(const std::string& extra, const std::string& text = kRow) const {
    std::string line = text;
    if (const std::size_t at = line.find("EXTRA"); at != std::string::npos)
      line.replace(at, 5, extra);
    RowText row_text;
    row_text.text = line;
    row_text.where = "rows.jsonl line 1";
    row_text.folder = folder_.string();
    return std::get<Row>(parse_row(row_text, std::nullopt));
  }
  RowCandidates sample(const Row& given) const {
    const RowStage stage = make_sample_stage(model_, settings_);
    Row kept = given;
    const Decision decision = stage.decide(kept, stage.examine(given));
    return parse_candidates(std::get<std::vector<Record>>(decision).at(0));
  }
  std::string failure(const Row& given) const {
    try {
      make_sample_stage(model_, settings_).examine(given);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
  AnsweringModel model_;
  SampleSettings settings_;
};

TEST_F(SampleRows, AnswersTheIntactVideoAndEachCorruption) {
  const RowCandidates answers = sample(row(kCorrupted));
  ASSERT_EQ(answers.samples.size(), 4u);
  EXPECT_FALSE(answers.samples[0].corruption.has_value());
  EXPECT_FALSE(answers.samples[1].corruption.has_value());
  EXPECT_EQ(answers.samples[2].corruption, 0u);
  EXPECT_EQ(answers.samples[3].corruption, 1u);
  EXPECT_NE(answers.samples[0].seed, answers.samples[1].seed);
  EXPECT_EQ(answers.samples[0].finish, AnswerEnd::length);  // random weights do not stop
  ASSERT_TRUE(answers.sampling.has_value());
  EXPECT_EQ(answers.sampling->model, "the weights");
  EXPECT_EQ(answers.sampling->video, sha256_of_file(folder_ / "a.mp4"));
  EXPECT_EQ(answers.sampling->max_new_tokens, 6);
}

TEST_F(SampleRows, AreAFunctionOfSeedVideoAndQuestion) {
  const RowCandidates once = sample(row(kCorrupted)), again = sample(row(kCorrupted));
  for (std::size_t i = 0; i < once.samples.size(); ++i) {
    EXPECT_EQ(once.samples[i].text, again.samples[i].text);
    EXPECT_EQ(once.samples[i].seed, again.samples[i].seed);
  }
  settings_.seed = 2;
  EXPECT_NE(sample(row(kCorrupted)).samples[0].seed, once.samples[0].seed);
}

// Greedy answers tell which frames were shown.
TEST_F(SampleRows, CorruptedFramesAreWhatTheModelSees) {
  settings_.temperature = 0;
  settings_.max_new_tokens = 24;
  settings_.intact = 1;
  const RowCandidates reversed = sample(row(kCorrupted));
  const RowCandidates direct = sample(row("", R"({"messages":[{"role":"user","content":[)"
                                              R"({"type":"video","video":{"video_file":"a.mp4",)"
                                              R"("frame_indices":[9,6,3,0]}},{"type":"text",)"
                                              R"("text":"What happens?"}]}]})"));
  EXPECT_EQ(reversed.samples[1].text, direct.samples[0].text);
}

// Greedy answers tell what was heard: corrupted frames, the sound of the row's part as it is.
TEST_F(SampleRows, AModelWithEarsHearsTheVideoCorruptedOrNot) {
  AudioTrackOptions track;
  track.codec = "pcm_s16le";
  std::vector<float> sound = testing::tone(1);
  const std::vector<float> later = testing::tone(1, 16'000, 1, 1'700);
  sound.insert(sound.end(), later.begin(), later.end());
  testing::write_clip(folder_ / "heard.mkv", 50, sound, track);
  write_audio(folder_ / "later.wav", later, track);
  model_.model = load_model(fs::path(TARSIER_SOURCE_DIR) / "tests/fixtures/models/salmonn2_plus");
  settings_.temperature = 0;
  settings_.intact = 1;
  settings_.max_new_tokens = 24;
  const auto row_of = [&](const std::string& media, const std::string& extra) {
    return sample(row("", R"({"messages":[{"role":"user","content":[{"type":"video","video":{)"
                          R"("video_file":"heard.mkv")" +
                              media + R"(}},{"type":"text","text":"What is heard?"}]}])" + extra +
                              "}"));
  };
  const auto answers = [&](const std::string& media, const std::string& extra) {
    return row_of(media, extra).samples;
  };
  const std::string part = R"(,"start_time":1,"end_time":2)";
  const auto heard = answers(part, kCorrupted);
  ASSERT_EQ(heard.size(), 3u);
  const auto unheard = answers(part + R"(,"use_audio":false)", kCorrupted);
  const auto whole = answers("", kCorrupted);
  const auto of_file =
      answers(R"(,"start_time":0,"end_time":1,"audio_file":"later.wav")", kCorrupted);
  for (std::size_t i = 0; i < heard.size(); ++i) {
    EXPECT_NE(heard[i].text, unheard[i].text) << i;
    EXPECT_NE(heard[i].text, whole[i].text) << i;
    EXPECT_EQ(heard[i].text, of_file[i].text) << i;
  }
  EXPECT_EQ(heard[1].text, answers(part + R"(,"frame_indices":[9,6,3,0])", "")[0].text);
  EXPECT_EQ(row_of("", "").sampling->sound, "");
  EXPECT_EQ(row_of(R"(,"start_time":0,"end_time":1,"audio_file":"later.wav")", "").sampling->sound,
            sha256_of_file(folder_ / "later.wav"));
}

TEST_F(SampleRows, RowsThatCannotBeAnsweredFail) {
  EXPECT_THAT(failure(row("", R"({"messages":[{"role":"user","content":[{"type":"video","video":)"
                              R"({"video_file":"a.mp4","use_audio":true}},)"
                              R"({"type":"text","text":"What is heard?"}]}]})")),
              HasSubstr("media: is to be heard, and this model has no ears"));
  EXPECT_THAT(failure(row(R"(,"samples":[],"sampling":null)")), HasSubstr("has answers already"));
  EXPECT_THAT(failure(row("", R"({"messages":[{"role":"assistant","content":"x"}]})")),
              HasSubstr("rows.jsonl line 1: asks no question; give rows that end with one"));
  fs::remove(folder_ / "a.mp4");
  EXPECT_THAT(failure(row("")), HasSubstr("a.mp4"));
}

}  // namespace
}  // namespace tarsier
