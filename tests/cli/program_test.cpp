// The program from outside: what it prints, where, and its exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/json.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tests/cli/run_tarsier.h"

namespace tarsier {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// One line on stderr, nothing on stdout.
void expect_refused(const std::vector<std::string>& arguments, int exit_code,
                    const std::string& line) {
  const ProgramResult result = run_tarsier(arguments);
  EXPECT_EQ(result.exit_code, exit_code);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, line + "\n");
}

TEST(Program, HelpOfEachCommand) {
  for (const char* command : {"convert", "doctor", "inspect", "limits", "verify", "version"}) {
    const ProgramResult result = run_tarsier({command, "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    expect_golden(std::string("help-") + command, result.out);
  }
  EXPECT_EQ(run_tarsier({"help", "version"}).out, run_tarsier({"version", "--help"}).out);
}

TEST(Program, HelpOfTheProgram) {
  const ProgramResult result = run_tarsier({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  expect_golden("help", result.out);
  EXPECT_EQ(run_tarsier({}).out, result.out);
  EXPECT_EQ(run_tarsier({"help"}).out, result.out);
}

TEST(Program, WrongCommandsAndFlags) {
  expect_refused({"versoin"}, 2, "versoin: no such command; did you mean `tarsier version`?");
  expect_refused({"transmogrify"}, 2, "transmogrify: no such command; see `tarsier --help`");
  expect_refused({"--frames"}, 2, "--frames: not an option of `tarsier`; see `tarsier --help`");
  expect_refused({"version", "--jsn"}, 2,
                 "--jsn: not an option of `tarsier version`; did you mean --json?");
  expect_refused({"version", "--model=x"}, 2,
                 "--model: not an option of `tarsier version`; see `tarsier version --help`");
  expect_refused({"version", "now"}, 2,
                 "now: one argument too many for `tarsier version`; see `tarsier version --help`");
  expect_refused({"verify"}, 2, "PATH: missing; see `tarsier verify --help`");
  expect_refused({"no\nsuch\033[2J"}, 2,
                 "no\\x0asuch\\x1b[2J: no such command; see `tarsier --help`");
}

TEST(Program, Version) {
  const ProgramResult text = run_tarsier({"version"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, StartsWith("tarsier "));
  EXPECT_EQ(run_tarsier({"--version"}).out, text.out);
  const JsonView json =
      parse_json(run_tarsier({"version", "--json"}).out, "version", JsonOwner::input);
  EXPECT_THAT(json.at("libtorch").as_string(), StartsWith("2."));
  EXPECT_NE(json.at("ffmpeg").as_string(), "");
  EXPECT_NE(json.at("commit").as_string(), "");
}

TEST(Program, Doctor) {
  EXPECT_THAT(run_tarsier({"doctor"}).out, HasSubstr("decoder sandbox"));
  const JsonView json =
      parse_json(run_tarsier({"doctor", "--json"}).out, "doctor", JsonOwner::input);
  EXPECT_GT(json.at("cores").as_int(), 0);
  EXPECT_GT(json.at("memory_bytes").as_int(), 0);
  EXPECT_EQ(json.at("decoder_sandbox").as_string(), "none");
}

TEST(Program, Limits) {
  EXPECT_THAT(run_tarsier({"limits"}).out, HasSubstr("media.max_pixels"));
  const JsonView json =
      parse_json(run_tarsier({"limits", "--json"}).out, "limits", JsonOwner::input);
  EXPECT_EQ(json.at("media.max_pixels").as_int(), 33'177'600);
}

/// A model directory with one tensor, and its manifest.
class ModelDirectory : public testing::Test {
 protected:
  ModelDirectory() {
    const std::vector<float> values(6, 1.0f);
    const TensorView tensor{
        "model.norm.weight", DType::f32, {2, 3}, std::as_bytes(std::span(values))};
    write_safetensors(weights(), std::span(&tensor, 1));
    write_file_atomically(
        scratch_.path() / "config.json",
        R"({"model_type": "qwen2_vl", "hidden_size": 3, "vision_config": {"depth": 2}})");
    write_manifest(scratch_.path());
  }
  std::filesystem::path weights() const { return scratch_.path() / "model.safetensors"; }
  std::string folder() const { return scratch_.path().string(); }

 private:
  ScratchFolder scratch_;
};

TEST_F(ModelDirectory, Verify) {
  const ProgramResult whole = run_tarsier({"verify", folder()});
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_EQ(whole.out,
            folder() +
                ": whole: 1 tensor, 24 bytes of weights in 1 file; every file has the SHA-256 of "
                "manifest.json\n");
  const ProgramResult file = run_tarsier({"verify", weights().string()});
  EXPECT_EQ(file.exit_code, 0) << file.err;
  EXPECT_THAT(file.out, HasSubstr("only the structure was checked"));
}

TEST_F(ModelDirectory, VerifyFindsAChangedByte) {
  {
    std::fstream file(weights(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x01');
  }
  const ProgramResult result = run_tarsier({"verify", folder()});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("model.safetensors: has another SHA-256"));
  const ProgramResult json = run_tarsier({"verify", folder(), "--json"});
  EXPECT_EQ(json.exit_code, 4);
  const JsonView report = parse_json(json.out, "report", JsonOwner::input);
  EXPECT_FALSE(report.at("ok").as_bool());
  EXPECT_THAT(report.at("problems").at(0).at("where").as_string(), EndsWith("model.safetensors"));
}

TEST_F(ModelDirectory, VerifyFindsAFileCutShort) {
  std::filesystem::resize_file(weights(), std::filesystem::file_size(weights()) - 1);
  EXPECT_EQ(run_tarsier({"verify", folder()}).exit_code, 4);
  const ProgramResult file = run_tarsier({"verify", weights().string()});
  EXPECT_EQ(file.exit_code, 4);
  EXPECT_THAT(file.err, StartsWith("model.safetensors: "));
}

TEST_F(ModelDirectory, Inspect) {
  const ProgramResult text = run_tarsier({"inspect", folder()});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  expect_golden("inspect", text.out);
  const JsonView json =
      parse_json(run_tarsier({"inspect", folder(), "--json"}).out, "json", JsonOwner::input);
  EXPECT_EQ(json.at("parameters").as_int(), 6);
  EXPECT_EQ(json.at("config").at("vision_config").at("depth").as_int(), 2);
  EXPECT_EQ(json.at("tensors").at(0).at("shape").as_ints(), (std::vector<std::int64_t>{2, 3}));
  const JsonView file =
      parse_json(run_tarsier({"inspect", weights().string(), "--json"}).out, "f", JsonOwner::input);
  EXPECT_EQ(file.at("parameters_by_part").at("decoder").as_int(), 6);
}

TEST(Program, ModelDirectoryThatIsNotThere) {
  expect_refused({"inspect", "/no/such"}, 4,
                 "/no/such: no such directory; pass the folder that holds config.json");
  expect_refused(
      {"verify", "/no/such"}, 4,
      "/no/such: no such file or directory; pass a model directory or a safetensors file");
}

}  // namespace
}  // namespace tarsier
