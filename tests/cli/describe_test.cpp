// The commands that run a model, from outside, on tiny checkpoints of random weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/cli/commands.h"
#include "tests/cli/run_tarsier.h"

namespace tarsier {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kModel = "tests/fixtures/models/tarsier2";
const std::string kClip = "tests/fixtures/media/layers.gif";
const std::string kImage = "tests/fixtures/media/exif6.jpg";

void expect_refused(const std::vector<std::string>& arguments, int exit_code,
                    const std::string& part) {
  const ProgramResult result = run_tarsier(arguments);
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr(part));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

/// The same inside this process, where starting costs nothing: the refusals of one command's flags.
void expect_config_error(CommandFunction& command, const std::vector<std::string>& arguments,
                         const std::string& part) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(TARSIER_SOURCE_DIR);
  try {
    command({}, arguments);
    ADD_FAILURE() << "not refused: " << part;
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
  std::filesystem::current_path(before);
}

JsonView json_of(const ProgramResult& result) {
  return parse_json(result.out, "stdout", JsonOwner::input);
}

TEST(ModelCommands, HelpOfEach) {
  for (const char* command : {"describe", "ask", "ground", "plan"}) {
    const ProgramResult result = run_tarsier({command, "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    expect_golden(std::string("help-") + command, result.out);
  }
}

TEST(ModelCommands, RefuseFlags) {
  expect_config_error(run_describe, {}, "MEDIA: missing");
  expect_config_error(run_describe, {"--frmes", "3", kClip}, "did you mean --frames?");
  expect_config_error(run_describe, {"--frames", "0", "--model", kModel, kClip}, "--frames: is 0");
  expect_config_error(run_describe, {"--frames", "x", kClip}, "--frames: cannot take 'x'");
  expect_config_error(run_describe, {"--frames", "2", "--fps", "1", "--model", kModel, kClip},
                      "--fps: was given together with --frames");
  expect_config_error(run_describe, {"--temperature", "-1", kClip}, "--temperature: -1");
  expect_config_error(run_describe, {"--top-p", "0", kClip}, "--top-p: 0");
  expect_config_error(run_describe, {"--max-new-tokens", "0", kClip}, "--max-new-tokens: 0");
  expect_config_error(run_describe, {"--max-new-tokens", "99999999", "--model", kModel, kClip},
                      "--max-new-tokens: 99999999 do not fit");
  expect_config_error(run_describe, {"--max-pixels", "10", "--model", kModel, kClip},
                      "--max-pixels: 10 is below");
  expect_config_error(run_describe, {"--tokens", kClip}, "--tokens: adds to --json");
  expect_config_error(run_describe, {"--show-frames", "a.png", kClip, kClip},
                      "--show-frames: writes one picture");
  expect_config_error(run_describe, {"--device", "tpu", "--model", kModel, kClip}, "--device");
  expect_config_error(run_describe, {"--model", kModel, "--fps", "2", kImage},
                      "--fps: does not apply to a still image");
  expect_config_error(run_ask, {kClip}, "QUESTION: missing");
  expect_config_error(run_ask, {kClip, ""}, "QUESTION: is empty");
  expect_config_error(run_ground, {kClip, "one", "two"}, "two: one argument too many");
  expect_config_error(run_plan, {"--model", kModel}, "MEDIA: or --size");
  expect_config_error(run_plan, {"--model", kModel, "--size", "64x64"},
                      "--frames: missing beside --size");
  for (const char* size : {"64", "x64", "64x", "0x64", "64x64x64", "1e3x5"}) {
    expect_config_error(run_plan, {"--model", kModel, "--frames", "2", "--size", size},
                        "is not a size");
  }
}

TEST(ModelCommands, RefuseModelsAndMedia) {
  expect_refused({"describe", "--frames", "0", "--model", kModel, kClip}, 2, "--frames: is 0");
  expect_refused({"describe", "--max-new-tokens", "99999999", "--model", kModel, kClip}, 2,
                 "--max-new-tokens: 99999999 do not fit");
  expect_refused({"describe", "--model", "no/such/model", kClip}, 4,
                 "no/such/model: no such directory");
  expect_refused({"describe", "--model", "tests", kClip}, 4, "config.json");
  expect_refused({"describe", "--model", kModel, "no-such.mp4"}, 5, "no-such.mp4");
  expect_refused({"describe", "--model", kModel, "tests/fixtures/media/audio_only.m4a"}, 5,
                 "is sound alone, which is not to be heard");
  expect_refused({"ground", "--model", kModel, kImage}, 5, "is a still image");
}

TEST(Describe, StreamsAnAnswerAndSaysWhatItSaw) {
  const ProgramResult result =
      run_tarsier({"describe", "--model", kModel, "--max-new-tokens", "8", kClip});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, EndsWith("\n"));
  EXPECT_THAT(result.err, StartsWith("saw "));
  EXPECT_THAT(result.err, HasSubstr("visual tokens, sampler tarsier2 v1, model tarsier2"));
  const ProgramResult quiet =
      run_tarsier({"describe", "-q", "--model", kModel, "--max-new-tokens", "8", kClip});
  EXPECT_EQ(quiet.out, result.out);
  EXPECT_EQ(quiet.err, "");
}

TEST(Describe, JsonHoldsWhatItSaw) {
  const ProgramResult result = run_tarsier({"describe", "--json", "--tokens", "--model", kModel,
                                            "--max-new-tokens", "6", "--frames", "2", kClip});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const JsonView row = json_of(result);
  EXPECT_EQ(row.at("v").as_int(), 1);
  EXPECT_EQ(row.at("status").as_string(), "ok");
  EXPECT_EQ(row.at("source").as_string(), kClip);
  EXPECT_EQ(row.at("sha256").as_string().size(), 64u);
  EXPECT_EQ(row.at("params").at("prompt").as_string(), "Describe the video in detail.");
  EXPECT_EQ(row.at("frames").at("indices").size(), 2);
  EXPECT_EQ(row.at("frames").at("size").size(), 2);
  EXPECT_GT(row.at("frames").at("visual_tokens").as_int(), 0);
  EXPECT_EQ(row.at("usage").at("completion_tokens").as_int(), row.at("token_ids").size());
  EXPECT_FALSE(row.has("events"));
  for (const char* key : {"id", "caption", "model", "revision", "template", "finish_reason",
                          "t_decode_s", "t_gen_s"}) {
    EXPECT_TRUE(row.has(key)) << key;
  }
}

TEST(Describe, AnImageGetsItsOwnWords) {
  const ProgramResult result =
      run_tarsier({"describe", "--json", "--model", kModel, "--max-new-tokens", "2", kImage});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(json_of(result).at("params").at("prompt").as_string(), "Describe the image in detail.");
  EXPECT_THAT(result.err, StartsWith("saw 1 image, "));
}

TEST(Describe, SeveralFilesAreNamedAndOneBadOneIsReported) {
  const std::vector<std::string> start = {"describe", "--model", kModel, "--max-new-tokens", "2"};
  auto arguments = start;
  arguments.insert(arguments.end(), {kClip, "no-such.mp4", kImage});
  const ProgramResult result = run_tarsier(arguments);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, StartsWith(kClip + ": "));
  EXPECT_THAT(result.out, HasSubstr("\n" + kImage + ": "));
  EXPECT_THAT(result.err, HasSubstr("no-such.mp4"));
  arguments.push_back("--json");
  EXPECT_THAT(run_tarsier(arguments).out,
              HasSubstr(R"("status":"failed","error":{"code":"input")"));
}

TEST(Describe, ShowsTheFramesItSaw) {
  const ScratchFolder folder;
  const std::string file = folder.path() / "frames.png";
  const ProgramResult result = run_tarsier(
      {"describe", "--model", kModel, "--max-new-tokens", "1", "--show-frames", file, kClip});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(std::filesystem::file_size(file), 100u);
  const ProgramResult again =
      run_tarsier({"plan", "--model", kModel, file, "--max-new-tokens", "1"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
}

TEST(Describe, ASeedReproduces) {
  const std::vector<std::string> hot = {
      "describe",      "-q", "--model", kModel,  "--max-new-tokens", "12",
      "--temperature", "2",  kClip,     "--seed"};
  const auto with = [&](const char* seed) {
    auto arguments = hot;
    arguments.emplace_back(seed);
    return run_tarsier(arguments).out;
  };
  EXPECT_EQ(with("1"), with("1"));
  EXPECT_NE(with("1"), with("2"));
}

TEST(Ask, SeveralQuestionsAreAnsweredAsOneByOne) {
  const auto ask = [](std::vector<std::string> questions) {
    std::vector<std::string> arguments = {"ask", "-q", "--model", kModel, "--max-new-tokens",
                                          "6",   kClip};
    arguments.insert(arguments.end(), questions.begin(), questions.end());
    const ProgramResult result = run_tarsier(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  EXPECT_EQ(ask({"What is it?", "Where?"}),
            "What is it? " + ask({"What is it?"}) + "Where? " + ask({"Where?"}));
}

TEST(Ask, Json) {
  const ProgramResult result = run_tarsier(
      {"ask", "--json", "--model", kModel, "--max-new-tokens", "3", kClip, "One?", "Two?"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const JsonView answers = json_of(result).at("answers");
  EXPECT_EQ(answers.size(), 2);
  EXPECT_EQ(answers.at(1).at("question").as_string(), "Two?");
}

TEST(Ground, AnAnswerWithoutIntervalsIsAnError) {
  expect_refused({"ground", "-q", "--model", kModel, "--max-new-tokens", "4", kClip}, 4,
                 "answered without an interval of frames or seconds; it said");
}

TEST(Plan, CountsWithoutRunning) {
  const ProgramResult result =
      run_tarsier({"plan", "--json", "--model", kModel, "--frames", "4", "--size", "320x240"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const JsonView plan = json_of(result);
  EXPECT_EQ(plan.at("frames").as_int(), 4);
  EXPECT_GT(plan.at("visual_tokens").as_int(), 0);
  EXPECT_EQ(plan.at("cache_bytes").as_int(),
            (plan.at("prompt_tokens").as_int() + 512) * 2 * 2 * 1 * 16 * 4);
  EXPECT_TRUE(plan.at("fits").as_bool());
  const ProgramResult text = run_tarsier({"plan", "--model", kModel, kClip});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("weights "));
}

TEST(Plan, OfATrainingStep) {
  const std::vector<std::string> command = {"plan", "--train", "--model", kModel,    "--frames",
                                            "4",    "--size",  "320x240", "--clips", "3"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return run_tarsier(more);
  };
  const ProgramResult result = with({"--json", "--dtype", "bf16", "--ema"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const JsonView plan = json_of(result);
  const std::int64_t parameters = plan.at("parameters").as_int();
  EXPECT_EQ(plan.at("weights_bytes").as_int(), 2 * parameters);
  EXPECT_EQ(plan.at("master_bytes").as_int(), 4 * parameters);
  EXPECT_EQ(plan.at("moments_bytes").as_int(), 8 * parameters);
  EXPECT_EQ(plan.at("average_bytes").as_int(), 4 * parameters);
  EXPECT_EQ(plan.at("gradients_bytes").as_int(), 6 * parameters);
  EXPECT_GT(plan.at("total_bytes").as_int(), 18 * parameters);
  EXPECT_TRUE(plan.at("fits").as_bool());
  const ProgramResult whole = with({"--json"}), inputs = with({"--json", "--recompute"});
  EXPECT_GT(json_of(whole).at("activations_bytes").as_int(),
            json_of(inputs).at("activations_bytes").as_int());
  const ProgramResult text = with({"--recompute", "--optimizer", "muon", "--ema"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  for (const char* words : {"f32, muon", "1 x 3 clips of 4 frames", "moments  ", "averages  ",
                            "a vision block, inputs alone", "at most at once"})
    EXPECT_THAT(text.out, HasSubstr(words));
}

TEST(Plan, RefusesFlagsOfTheOtherKind) {
  const std::vector<std::string> clip = {"--model", kModel, "--frames", "2", "--size", "64x64"};
  const auto refuses = [&](std::vector<std::string> more, const std::string& part) {
    more.insert(more.end(), clip.begin(), clip.end());
    expect_config_error(run_plan, more, part);
  };
  refuses({"--clips", "2"}, "--clips");
  refuses({"--train", "--max-new-tokens", "9"}, "--max-new-tokens");
  refuses({"--train", "--optimizer", "sgd"}, "--optimizer");
  refuses({"--train", "--dtype", "f16"}, "--dtype f16: is no type to train in; use f32 or bf16");
}

}  // namespace
}  // namespace tarsier
