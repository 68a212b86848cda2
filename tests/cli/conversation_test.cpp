// ask, chat and models from outside, on tiny checkpoints of random weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tarsier/base/json.h"
#include "tests/cli/run_tarsier.h"

namespace tarsier {
namespace {

using testing::HasSubstr;

const std::string kModel = "tests/fixtures/models/tarsier2";
const std::string kClip = "tests/fixtures/media/layers.gif";
const std::string kImage = "tests/fixtures/media/exif6.jpg";
const std::string kSound = "tests/fixtures/media/sound/mono_8000.wav";

std::vector<JsonView> lines_of(const std::string& text) {
  std::vector<JsonView> rows;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    rows.push_back(parse_json(line, "stdout", JsonOwner::input));
  return rows;
}

void expect_refused(const std::vector<std::string>& arguments, int exit_code,
                    const std::string& part) {
  const ProgramResult result = run_tarsier(arguments);
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr(part));
}

TEST(Conversation, HelpOfEach) {
  for (const char* command : {"chat", "models"}) {
    const ProgramResult result = run_tarsier({command, "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    expect_golden(std::string("help-") + command, result.out);
  }
}

TEST(Conversation, ATurnHearsTheTurnsBeforeIt) {
  const std::vector<std::string> chat = {"chat", "--json", "--model", kModel, "--max-new-tokens",
                                         "5",    kClip};
  const ProgramResult result =
      run_tarsier(chat, {}, "What is there?\n\n/nonsense\nAnd then?\r\n/new\nWhat is there?");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("'/nonsense' is no command"));
  const std::vector<JsonView> turns = lines_of(result.out);
  ASSERT_EQ(turns.size(), 3U);
  EXPECT_TRUE(turns[0].has("frames"));  // what it saw is said once
  EXPECT_EQ(turns[1].at("turn").as_int(), 2);
  EXPECT_EQ(turns[1].at("question").as_string(), "And then?");
  EXPECT_EQ(turns[2].at("turn").as_int(), 1);
  EXPECT_EQ(turns[2].at("answer").as_string(), turns[0].at("answer").as_string());
  // The same two questions in one conversation, by ask.
  const ProgramResult asked =
      run_tarsier({"ask", "--json", "--turns", "--model", kModel, "--max-new-tokens", "5", kClip,
                   "What is there?", "And then?"});
  ASSERT_EQ(asked.exit_code, 0) << asked.err;
  const JsonView answers = lines_of(asked.out).at(0).at("answers");
  for (std::int64_t i = 0; i < 2; ++i) {
    EXPECT_EQ(answers.at(i).at("answer").as_string(),
              turns[static_cast<std::size_t>(i)].at("answer").as_string());
  }
  EXPECT_GT(answers.at(1).at("usage").at("prompt_tokens").as_int(),
            answers.at(0).at("usage").at("prompt_tokens").as_int());
}

TEST(Conversation, SpeaksToPeopleInLines) {
  const ProgramResult result =
      run_tarsier({"chat", "-q", "--model", kModel, "--max-new-tokens", "3", kClip}, {},
                  "One?\nTwo?\n/quit\nThree?\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2) << result.out;
  EXPECT_EQ(result.err, "");
}

TEST(Conversation, SeveralFilesInOnePrompt) {
  const ProgramResult result =
      run_tarsier({"ask", "--json", "--model", kModel, "--max-new-tokens", "3", kClip, "--with",
                   kImage, "Is the picture in the video?"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const JsonView row = lines_of(result.out).at(0);
  EXPECT_EQ(row.at("source").as_string(), kClip);
  ASSERT_EQ(row.at("with").size(), 1);
  EXPECT_EQ(row.at("with").at(std::int64_t{0}).at("source").as_string(), kImage);
  const std::int64_t tokens =
      row.at("frames").at("visual_tokens").as_int() +
      row.at("with").at(std::int64_t{0}).at("frames").at("visual_tokens").as_int();
  EXPECT_EQ(row.at("answers")
                .at(std::int64_t{0})
                .at("usage")
                .at("prompt_tokens_details")
                .at("video_tokens")
                .as_int(),
            tokens);
}

TEST(Conversation, TheLikeliestChoiceIsGiven) {
  const std::vector<std::string> ask = {"ask",           "-q",  "--model",   kModel, "--choices",
                                        "left,right,up", kClip, "Which way?"};
  std::vector<std::string> json = ask;
  json.push_back("--json");
  const ProgramResult text = run_tarsier(ask), rows = run_tarsier(json);
  ASSERT_EQ(text.exit_code, 0) << text.err;
  ASSERT_EQ(rows.exit_code, 0) << rows.err;
  const JsonView answer = lines_of(rows.out).at(0).at("answers").at(std::int64_t{0});
  EXPECT_EQ(text.out, answer.at("answer").as_string() + "\n");
  const JsonView choices = answer.at("choices");
  ASSERT_EQ(choices.size(), 3);
  double all = 0, best = 0;
  std::string likeliest;
  for (std::int64_t i = 0; i < 3; ++i) {
    const double share = choices.at(i).at("probability").as_double();
    all += share;
    if (share > best) likeliest = choices.at(i).at("text").as_string();
    best = std::max(best, share);
  }
  EXPECT_NEAR(all, 1, 1e-9);
  EXPECT_EQ(likeliest, answer.at("answer").as_string());
}

TEST(Conversation, RefusesWhatDoesNotGoTogether) {
  expect_refused({"ask", kClip, "Q?", "--choices", "a"}, 2, "--choices: names one answer");
  expect_refused({"ask", kClip, "Q?", "--choices", "a,,b"}, 2, "--choices");
  expect_refused({"ask", kClip, "Q?", "--turns", "--choices", "a,b"}, 2,
                 "--turns: was given together with --choices");
  expect_refused(
      {"ask", "--model", kModel, kClip, "Q?", "--with", kImage, "--show-frames", "/nowhere/x.png"},
      2, "--show-frames: writes one picture");
  expect_refused({"chat", "--model", kModel, "no-such.mp4"}, 5, "no-such.mp4");
}

TEST(Languages, NativeOrInTwoSteps) {
  const ProgramResult result = run_tarsier({"describe", "--json", "--model", kModel,
                                            "--max-new-tokens", "4", "--lang", "en,zh,fr", kClip});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<JsonView> rows = lines_of(result.out);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("lang").as_string(), "en");
  EXPECT_EQ(rows[0].at("lang_mode").as_string(), "native");
  EXPECT_EQ(rows[1].at("lang_mode").as_string(), "native");
  EXPECT_EQ(rows[1].at("params").at("prompt").as_string(), "请详细描述这个视频。");
  EXPECT_EQ(rows[2].at("lang").as_string(), "fr");
  EXPECT_EQ(rows[2].at("lang_mode").as_string(), "two_step");
  EXPECT_EQ(rows[2].at("caption_en").as_string(), rows[0].at("caption").as_string());
  EXPECT_FALSE(rows[0].has("caption_en"));
}

TEST(Languages, ASmallModelHasItsOwnWords) {
  const auto described = [](const std::vector<std::string>& flags) {
    std::vector<std::string> command = {"describe", "-q", "--max-new-tokens", "12"};
    command.insert(command.end(), flags.begin(), flags.end());
    command.push_back("assets/example.mp4");
    const ProgramResult result = run_tarsier(command);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  EXPECT_EQ(described({}), described({"--prompt", "Describe the video in detail."}));
  EXPECT_EQ(described({"--lang", "zh"}), described({"--prompt", "详细描述视频。"}));
  EXPECT_EQ(described({"--style", "brief"}),
            described({"--prompt", "Describe the video briefly."}));
  EXPECT_EQ(described({"--lang", "en,es"}),
            "en: " + described({"--lang", "en"}) + "es: " + described({"--lang", "es"}));
}

TEST(Languages, UnknownOnesAreNamed) {
  expect_refused({"describe", "--lang", "fr", "assets/example.mp4"}, 2,
                 "--lang: 'fr' is not one of this model's; it has en, es, zh");
  expect_refused({"describe", "--lang", "xx", "--model", kModel, kClip}, 2,
                 "--lang: 'xx' is not one of this model's; it has ar, de, en");
  expect_refused({"describe", "--style", "rude", "--model", kModel, kClip}, 2,
                 "--style: 'rude' is not one of this model's; it has detailed, brief");
  expect_refused({"describe", "--prompt", "What?", "--lang", "zh", kClip}, 2,
                 "--prompt: says it all");
}

TEST(Audio, AModelThatCannotHearSaysSo) {
  expect_refused({"describe", "--audio", "on", "--model", kModel, kClip}, 2,
                 "--audio: is on, but tarsier2 cannot hear");
  expect_refused({"describe", "--model", kModel, kSound}, 5,
                 "is sound alone, which is not to be heard; use a model that hears");
  expect_refused({"describe", "--audio", "maybe", "--model", kModel, kClip}, 2, "--audio");
  const ProgramResult result = run_tarsier(
      {"describe", "--json", "--audio", "off", "--model", kModel, "--max-new-tokens", "2", kClip});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const JsonView row = lines_of(result.out).at(0);
  EXPECT_EQ(row.at("sound").at("audio_tokens").as_int(), 0);
  EXPECT_EQ(row.at("usage").at("prompt_tokens_details").at("audio_tokens").as_int(), 0);
}

TEST(Audio, SoundAloneIsHeard) {
  for (const char* model : {"salmonn2", "salmonn2_plus"}) {
    const ProgramResult result =
        run_tarsier({"describe", "--json", "--audio", "on", "--max-new-tokens", "2", "--model",
                     std::string("tests/fixtures/models/") + model, kSound});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const JsonView row = lines_of(result.out).at(0);
    EXPECT_EQ(row.at("params").at("prompt").as_string(), "Describe the sound in detail.");
    EXPECT_GT(row.at("sound").at("audio_tokens").as_int(), 0) << model;
    EXPECT_GT(row.at("sound").at("seconds").as_double(), 0.05) << model;
    EXPECT_EQ(row.at("frames").at("visual_tokens").as_int(), 0) << model;
    EXPECT_THAT(result.err, HasSubstr("s of sound, "));
  }
  expect_refused({"describe", "--audio", "on", "--model", "tests/fixtures/models/salmonn2_plus",
                  "--frames", "4", "assets/example.mp4"},
                 5, "assets/example.mp4: has no sound, and --audio is on; leave --audio out");
  expect_refused(
      {"describe", "--audio", "off", "--model", "tests/fixtures/models/salmonn2_plus", kSound}, 5,
      "is sound alone, which is not to be heard; leave --audio off out");
}

TEST(Audio, AnImageForAModelOfVideosIsRefused) {
  expect_refused({"describe", "--model", "tests/fixtures/models/salmonn2", kImage}, 5,
                 "prompt: holds an image, which video-SALMONN 2 does not take");
}

TEST(Models, SaysWhatFamiliesCanDo) {
  const ProgramResult text = run_tarsier({"models"}), json = run_tarsier({"models", "--json"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("Tarsier2"));
  EXPECT_THAT(text.out, HasSubstr("tarsier-nano"));
  const JsonView families = lines_of(json.out).at(0).at("families");
  EXPECT_GE(families.size(), 3);
  EXPECT_EQ(families.at(std::int64_t{0}).at("family").as_string(), "tarsier");
}

// A model directory with its index alone, as one has before the shards are fetched.
TEST(Inspect, AnIndexWithoutWeightsGivesTheCounts) {
  const ScratchFolder scratch;
  const std::filesystem::path from =
      std::filesystem::path(TARSIER_SOURCE_DIR) / "tests/fixtures/models/deep_sharded";
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    if (entry.path().extension() != ".safetensors")
      std::filesystem::copy(entry.path(), scratch.path());
  }
  const ProgramResult whole = run_tarsier({"inspect", "--json", from.string()}),
                      index = run_tarsier({"inspect", "--json", scratch.path().string()});
  ASSERT_EQ(index.exit_code, 0) << index.err;
  const JsonView expected = lines_of(whole.out).at(0), found = lines_of(index.out).at(0);
  EXPECT_EQ(found.at("parameters").as_int(), expected.at("parameters").as_int());
  EXPECT_EQ(found.at("parameters_by_part").raw(), expected.at("parameters_by_part").raw());
  EXPECT_EQ(found.at("files").raw(), expected.at("files").raw());
  EXPECT_EQ(found.at("missing_from_index").size(), 0);
  EXPECT_FALSE(found.at("weights_here").as_bool());
  EXPECT_THAT(run_tarsier({"inspect", scratch.path().string()}).out,
              HasSubstr("the weights are not here: shapes are what config.json asks for"));
  const std::vector<std::string> plan = {"plan",   "--json",  "--frames", "4",
                                         "--size", "320x240", "--model"};
  const auto planned = [&](const std::filesystem::path& model) {
    std::vector<std::string> command = plan;
    command.push_back(model.string());
    const ProgramResult result = run_tarsier(command);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return lines_of(result.out).at(0);
  };
  const JsonView with = planned(from), without = planned(scratch.path());
  EXPECT_EQ(without.at("parameters").as_int(), with.at("parameters").as_int());
  EXPECT_EQ(without.at("prompt_tokens").as_int(), with.at("prompt_tokens").as_int());
  EXPECT_FALSE(without.at("weights_here").as_bool());
  std::filesystem::remove(scratch.path() / "tokenizer.json");
  EXPECT_GT(planned(scratch.path()).at("prompt_tokens").as_int(),
            with.at("visual_tokens").as_int());
}

}  // namespace
}  // namespace tarsier
