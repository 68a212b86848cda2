#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tarsier/media/audio_reader.h"
#include "tests/cli/run_tarsier.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

void expect_refusal(const std::vector<std::string>& arguments, int exit_code,
                    const std::string& words) {
  const ProgramResult result = run_tarsier(arguments);
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_THAT(result.err, HasSubstr(words));
  EXPECT_EQ(result.out, "");
}

TEST(TrainingCommands, HelpOfEach) {
  for (const auto& [group, name] : {std::pair{"train", "pretrain"},
                                    {"train", "sft"},
                                    {"train", "report"},
                                    {"eval", "world"},
                                    {"data", "synth"}}) {
    const ProgramResult result = run_tarsier({group, name, "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    expect_golden(std::string("help-") + group + "-" + name, result.out);
  }
}

TEST(TrainingCommands, RefuseFlags) {
  expect_refusal({"train", "sft"}, 2, "--recipe");
  expect_refusal({"train", "sft", "--recipe", "none.jsonc", "--out", "/tmp/x"}, 2, "none.jsonc");
  expect_refusal({"train", "pretrain", "--out", "/tmp/x"}, 2, "--recipe");
  expect_refusal(
      {"train", "sft", "--recipe", "none.jsonc", "--out", "/tmp/x", "--resume", "/tmp/no"}, 2,
      "use auto, never, or the --out of another run");
  expect_refusal({"train", "report", "/tmp"}, 5, "/tmp/metrics.jsonl: is not there");
  expect_refusal({"eval", "world", "--split", "train"}, 2, "--split: 'train'");
  expect_refusal({"eval", "world", "--clips", "0"}, 2, "--clips: is 0");
  expect_refusal({"eval", "world", "--split", "validation", "--unseen", "3"}, 2, "--unseen");
  expect_refusal({"data", "synth", "--level", "hard", "--out", "/tmp/x"}, 2, "hard");
  expect_refusal({"data", "synth", "--split", "all", "--out", "/tmp/x"}, 2, "--split: 'all'");
  expect_refusal({"data", "synth"}, 2, "--out");
}

TEST(DataSynth, WritesClipsAndGoesOnWhereItWas) {
  const ScratchFolder scratch;
  const std::string out = (scratch.path() / "clips").string();
  const std::vector<std::string> command = {"data",    "synth", "--level", "easy",
                                            "--clips", "2",     "--out",   out};
  ASSERT_EQ(run_tarsier(command).exit_code, 0);
  EXPECT_TRUE(fs::exists(fs::path(out) / "000001.mp4"));
  std::ifstream stream(fs::path(out) / "clips.jsonl");
  std::string first;
  ASSERT_TRUE(std::getline(stream, first));
  EXPECT_EQ(nlohmann::json::parse(first).at("video"), "000000.mp4");
  const auto written = fs::last_write_time(fs::path(out) / "000000.mp4");
  EXPECT_EQ(run_tarsier(command).exit_code, 0);
  EXPECT_EQ(fs::last_write_time(fs::path(out) / "000000.mp4"), written);
  expect_refusal({"data", "synth", "--level", "easy", "--seed", "9", "--clips", "2", "--out", out},
                 2, "holds the output of other settings");
}

TEST(DataSynth, WritesClipsThatAreHeard) {
  const ScratchFolder scratch;
  const std::string out = (scratch.path() / "clips").string();
  ASSERT_EQ(run_tarsier({"data", "synth", "--level", "av", "--clips", "1", "--rows",
                         "dense,questions,flawed", "--languages", "english,chinese,spanish",
                         "--out", out})
                .exit_code,
            0);
  std::ifstream stream(fs::path(out) / "clips.jsonl");
  const nlohmann::json clip = nlohmann::json::parse(stream);
  EXPECT_EQ(clip.at("level"), "av");
  ASSERT_GE(clip.at("sounds").size(), 1u);
  EXPECT_TRUE(clip.at("sounds").at(0).contains("kind"));
  const std::optional<Audio> heard = read_audio(fs::path(out) / "000000.mp4");
  ASSERT_TRUE(heard);
  EXPECT_GE(heard->samples.size(), 8u * kAudioRate);
  EXPECT_EQ(run_tarsier({"data", "check", "--in", out + "/rows.jsonl"}).exit_code, 0);
}

TEST(TrainSft, TrainsResumesAndLeavesAModelThatAnswers) {
  const ScratchFolder scratch;
  const std::string run = (scratch.path() / "run").string();
  std::ofstream(scratch.path() / "recipe.jsonc")
      << R"({"model": ")" << TARSIER_SOURCE_DIR << R"(/assets/tarsier-nano", "random_weights": 1,
        "stages": [{"name": "one", "steps": 2, "clips_per_step": 1, "data": {"synth": {"level": "easy", "questions": 2}}}]})";
  const std::string recipe = (scratch.path() / "recipe.jsonc").string();
  const ProgramResult trained = run_tarsier({"train", "sft", "--recipe", recipe, "--out", run});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(trained.out, run + "/model\n");
  EXPECT_EQ(run_tarsier({"verify", run + "/model"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(run + "/report.html"));
  EXPECT_EQ(run_tarsier({"train", "report", run}).out, run + "/report.html\n");
  expect_refusal({"train", "sft", "--recipe", recipe, "--out", run, "--resume", "never"}, 2,
                 "already holds a run");
  expect_refusal({"train", "sft", "--recipe", recipe, "--out", run, "--set", "seed=2"}, 4,
                 "was made by another recipe");
  const ProgramResult scored = run_tarsier(
      {"eval", "world", "--model", run + "/model", "--level", "easy", "--clips", "1", "--json"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const auto json = nlohmann::json::parse(scored.out);
  for (const char* key : {"event_f1", "order", "scene_f1", "interval_iou", "qa", "probes", "miss",
                          "unparsed", "unseen_event_f1", "clips", "seed", "model"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

}  // namespace
}  // namespace tarsier
