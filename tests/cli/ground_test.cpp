// `tarsier ground` from outside, with the model that comes with the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tarsier/base/json.h"
#include "tarsier/media/video_writer.h"
#include "tarsier/synth/clip_writer.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"
#include "tests/cli/run_tarsier.h"
#include "tests/grounding/subtitle_reader.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
using testing::ReadCue;
using testing::SubtitleReader;

constexpr char kExample[] = "assets/example.mp4";

ProgramResult ground(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"ground", "-q"});
  return run_tarsier(arguments);
}

JsonView json_of(const ProgramResult& result) {
  return parse_json(result.out, "stdout", JsonOwner::input);
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// A clip of the world whose first half has `fast` and whose second half `slow` milliseconds
/// between frames, and whose pictures begin 1.5 s after its sound.
Clip write_uneven_clip(const std::filesystem::path& file, std::uint64_t index, std::int64_t fast,
                       std::int64_t slow) {
  const Clip clip = make_clip(level_named("base"), Split::test, 11, index);
  constexpr std::int64_t kSide = 168;
  VideoWriterOptions options;
  options.start_seconds = 1.5;
  options.sound.codec = "pcm_s16le";
  options.comment = kWorldMark;
  VideoWriter writer(file, {kSide, kSide}, options);
  writer.write_sound(std::vector<float>(16'000, 0.1F));
  Renderer renderer(clip, kSide);
  const auto length = static_cast<std::int64_t>(clip.seconds * 1000);
  for (std::int64_t at = 0; at < length; at += at < length / 2 ? fast : slow)
    writer.write_at(renderer.render(static_cast<double>(at) / 1000), at);
  writer.finish();
  return clip;
}

TEST(Ground, JsonSrtAndVttAgree) {
  const ProgramResult json = ground({kExample, "--json"}), srt = ground({kExample, "--srt"}),
                      vtt = ground({kExample, "--vtt"}), text = ground({kExample});
  for (const ProgramResult* result : {&json, &srt, &vtt, &text})
    ASSERT_EQ(result->exit_code, 0) << result->err;
  const JsonView row = json_of(json);
  EXPECT_EQ(row.at("notation").as_string(), "frames");
  const JsonView events = row.at("events");
  ASSERT_GT(events.size(), 0);
  const std::vector<ReadCue> cues = SubtitleReader::srt(srt.out);
  EXPECT_EQ(cues, SubtitleReader::vtt(vtt.out));
  ASSERT_EQ(static_cast<std::int64_t>(cues.size()), events.size());
  const double step = row.at("precision_s").as_double();
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const ReadCue& cue = cues[static_cast<std::size_t>(i)];
    EXPECT_EQ(cue.text, events.at(i).at("text").as_string());
    EXPECT_NEAR(static_cast<double>(cue.start) / 1000, events.at(i).at("start_s").as_double(),
                step / 2);
    EXPECT_NEAR(static_cast<double>(cue.end) / 1000, events.at(i).at("end_s").as_double(),
                step / 2);
    EXPECT_FALSE(events.at(i).has("snapped"));
    EXPECT_THAT(text.out, HasSubstr(" s  " + cue.text + "\n"));
  }
}

TEST(Ground, WritesToAFile) {
  const ScratchFolder folder;
  const std::string file = folder.path() / "example.vtt";
  const ProgramResult result = ground({kExample, "--vtt", "--out", file});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(text_of(file), ground({kExample, "--vtt"}).out);
}

TEST(Ground, SegmentsOfAQueryCarryItsWords) {
  const ProgramResult result = ground({kExample, "the yellow star rotates", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const JsonView events = json_of(result).at("events");
  ASSERT_GT(events.size(), 0);
  for (std::int64_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(events.at(i).at("text").as_string(), "the yellow star rotates");
}

// The frames that the model names reach from the last one before an event to the first one behind
// it, and half a step further each way: an event right in its frames is within 1.5 of their gaps.
TEST(Ground, TimesOfAnUnevenClipThatStartsLateAreItsOwn) {
  const ScratchFolder folder;
  int asked = 0, right = 0;
  for (std::uint64_t index = 0; index < 3; ++index) {
    const std::string file = folder.path() / ("clip" + std::to_string(index) + ".mkv");
    const Clip clip = write_uneven_clip(file, index, 20, 60);
    for (const Event& event : clip.events) {
      const std::string query = event_clause(event, Language::english);
      const ProgramResult result = ground({file, query, "--json"});
      ASSERT_EQ(result.exit_code, 0) << result.err;
      const JsonView row = json_of(result);
      EXPECT_NEAR(row.at("frames").at("seconds").at(0).as_double(), 1.5, 0.002);
      double gap = 0;
      std::vector<double> seconds;
      for (std::int64_t i = 0; i < row.at("frames").at("seconds").size(); ++i) {
        seconds.push_back(row.at("frames").at("seconds").at(i).as_double());
        if (i > 0) gap = std::max(gap, seconds.back() - seconds[seconds.size() - 2]);
      }
      const JsonView segment = row.at("events").at(0);
      const double start = segment.at("start_s").as_double(), end = segment.at("end_s").as_double();
      ++asked;
      right += std::abs(start - 1.5 - event.start) <= 1.5 * gap + 0.003 &&
               std::abs(end - 1.5 - event.end) <= 1.5 * gap + 0.003;
      EXPECT_GE(start, 1.5);
    }
  }
  EXPECT_GE(asked, 4);
  EXPECT_GE(right * 4, asked * 3) << right << " of " << asked;
}

TEST(Ground, RefusesTwoForms) {
  for (const auto& [flags, part] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--json", "--srt"}, "--srt: was given together with --json; choose one"},
           {{"--srt", "--vtt"}, "--vtt: was given together with --srt; choose one"},
           {{"--srt", "--tokens"}, "--tokens: adds to --json, which is not given"}}) {
    std::vector<std::string> arguments = {kExample};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProgramResult result = ground(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(part));
  }
  const ProgramResult result = ground({kExample, "--vtt", "--out", "no/such/folder/a.vtt"});
  EXPECT_EQ(result.exit_code, 6) << result.err;
}

// A model of one's own says in its files that it was taught to.
TEST(Ground, FamilyThatWasNotTaughtTimesIsRefused) {
  namespace fs = std::filesystem;
  const fs::path models = fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models";
  const ProgramResult refused = ground({kExample, "--model", (models / "untied").string()});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, HasSubstr("ground: Qwen2-VL was not trained to answer with times; see "
                                     "`tarsier models` for those that were"));
  const fs::path own = fs::path(::testing::TempDir()) / "ground_own";
  fs::remove_all(own);
  fs::copy(models / "untied", own);
  std::ofstream(own / "processor_config.json") << R"({"ground_prompt": "When does it happen?"})";
  const ProgramResult taught = ground({kExample, "--model", own.string(), "--max-new-tokens", "4"});
  EXPECT_EQ(taught.exit_code, 4) << taught.err;  // random weights say nothing of times
  const ProgramResult asked =
      ground({kExample, "the star turns", "--model", own.string(), "--max-new-tokens", "4"});
  EXPECT_EQ(asked.exit_code, 2) << asked.err;
}

}  // namespace
}  // namespace tarsier
