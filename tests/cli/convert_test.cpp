// `tarsier convert` from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/json.h"
#include "tests/cli/run_tarsier.h"

namespace tarsier {
namespace {

using testing::HasSubstr;

std::string fixture(const std::string& name) {
  return std::string(TARSIER_SOURCE_DIR) + "/tests/fixtures/pickle/" + name;
}

TEST(Convert, WritesADirectoryThatVerifies) {
  const ScratchFolder scratch;
  const std::string out = (scratch.path() / "model").string();
  const ProgramResult text = run_tarsier({"convert", fixture("nested.pt"), out});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(text.out, out +
                          ": 2 tensors, 24 bytes in model.safetensors; left out: epoch, rate, "
                          "done, seed, neg, optimizer\n");
  EXPECT_EQ(run_tarsier({"verify", out}).exit_code, 0);
  const ProgramResult again = run_tarsier({"convert", fixture("nested.pt"), out});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("is there already"));

  const std::string shards = (scratch.path() / "shards").string();
  const ProgramResult json = run_tarsier({"convert", fixture("nested.pt"), shards, "--dtype",
                                          "bf16", "--max-shard-size", "8", "--json"});
  EXPECT_EQ(json.exit_code, 0) << json.err;
  const JsonView report = parse_json(json.out, "json", JsonOwner::input);
  EXPECT_EQ(report.at("bytes").as_int(), 12);
  EXPECT_EQ(report.at("files").size(), 2);
}

TEST(Convert, RefusesCodeAndWrongFlags) {
  const ScratchFolder scratch;
  const std::string out = (scratch.path() / "model").string();
  const ProgramResult code = run_tarsier({"convert", fixture("runs_shell.pt"), out});
  EXPECT_EQ(code.exit_code, 4);
  EXPECT_EQ(code.out, "");
  EXPECT_THAT(code.err, HasSubstr("system, which no tensor needs"));
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  const ProgramResult size =
      run_tarsier({"convert", fixture("nested.pt"), out, "--max-shard-size", "5 apples"});
  EXPECT_EQ(size.exit_code, 2);
  EXPECT_EQ(size.err,
            "--max-shard-size: '5 apples' is not a size; write it as 5GB, 500MB, 2GiB or a number "
            "of bytes\n");
}

TEST(Convert, AMergedAdapterAnswersAsOneApart) {
  const ScratchFolder scratch;
  const std::string fixtures = std::string(TARSIER_SOURCE_DIR) + "/tests/fixtures/";
  const std::string base = fixtures + "models/untied", adapter = fixtures + "adapters/patterns";
  const std::string merged = (scratch.path() / "merged").string();
  const ProgramResult convert =
      run_tarsier({"convert", base, merged, "--merge-adapter", adapter, "--json"});
  ASSERT_EQ(convert.exit_code, 0) << convert.err;
  EXPECT_EQ(parse_json(convert.out, "json", JsonOwner::input).at("merged").as_int(), 8);
  const auto answer = [&](const std::vector<std::string>& model) {
    std::vector<std::string> words = {
        "describe", fixtures + "media/rgb.bmp", "--json", "--tokens", "--temperature",
        "0",        "--max-new-tokens",         "8"};
    words.insert(words.end(), model.begin(), model.end());
    const ProgramResult result = run_tarsier(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return parse_json(result.out, "row", JsonOwner::input);
  };
  const JsonView apart = answer({"--model", base, "--adapter", adapter});
  EXPECT_EQ(apart.at("adapter").as_string(), adapter);
  const JsonView whole = answer({"--model", merged});
  EXPECT_FALSE(whole.has("adapter"));
  EXPECT_EQ(apart.at("token_ids").as_ints(), whole.at("token_ids").as_ints());
  EXPECT_NE(answer({"--model", base}).at("token_ids").as_ints(), whole.at("token_ids").as_ints());
  const ProgramResult other = run_tarsier({"describe", fixtures + "media/rgb.bmp", "--model",
                                           fixtures + "models/bf16", "--adapter", adapter});
  EXPECT_EQ(other.exit_code, 4);
  EXPECT_THAT(other.err, HasSubstr("the adapter belongs to another base model"));
}

TEST(Convert, OtherCommandsReadNoPickles) {
  const ProgramResult inspect = run_tarsier({"inspect", fixture("nested.pt")});
  EXPECT_EQ(inspect.exit_code, 4);
  EXPECT_EQ(inspect.err,
            "nested.pt: is a pickle, a format that can run code; convert it to safetensors with "
            "`tarsier convert`\n");
  EXPECT_EQ(run_tarsier({"verify", fixture("nested.pt")}).exit_code, 4);
}

}  // namespace
}  // namespace tarsier
