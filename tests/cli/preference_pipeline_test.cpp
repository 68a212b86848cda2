#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/checkpoint/weights_hash.h"
#include "tests/cli/run_tarsier.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::HasSubstr;

const fs::path kNano = fs::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano";

std::vector<Json> rows_of(const fs::path& file) {
  std::vector<Json> rows;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) rows.push_back(Json::parse(line));
  return rows;
}

// From clips of the world to a model trained on its own answers about them, by commands alone.
class PreferencePipeline : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (scratch_.path() / name).string(); }
  ProgramResult run(std::vector<std::string> words) const {
    const ProgramResult result = run_tarsier(words);
    EXPECT_EQ(result.exit_code, 0) << words[0] << " " << words[1] << ": " << result.err;
    return result;
  }
  void expect_refusal(const std::vector<std::string>& words, const std::string& message) const {
    const ProgramResult result = run_tarsier(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(message));
  }
  void make_pool() const {
    run({"data", "synth", "--rows", "flawed", "--clips", "6", "--seed", "3", "--omit", "0.5",
         "--out", at("pool")});
  }
  // A recipe of the nano with an adapter; `stage` is merged into its one stage.
  std::string write_recipe(const Json& stage) const {
    Json recipe = {
        {"model", kNano.string()},
        {"compute", "f32"},
        {"export_dtype", "f32"},
        {"adapter", {{"rank", 4}}},
        {"save_every", 1},
        {"log_every", 1},
        {"max_bad", 0},
        {"stages",
         {{{"name", "pairs"}, {"steps", 2}, {"clips_per_step", 2}, {"warmup_steps", 1}}}}};
    recipe["stages"][0].update(stage);
    std::ofstream(at("recipe.jsonc")) << recipe.dump(1);
    return at("recipe.jsonc");
  }
  ScratchFolder scratch_;
};

TEST_F(PreferencePipeline, HelpOfEach) {
  for (const auto& [group, name] : {std::pair{"data", "sample"},
                                    {"data", "score"},
                                    {"train", "dpo"},
                                    {"train", "gdpo"},
                                    {"train", "mrdpo"}}) {
    const ProgramResult result = run_tarsier({group, name, "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    expect_golden(std::string("help-") + group + "-" + name, result.out);
  }
}

TEST_F(PreferencePipeline, EndsInATrainedModel) {
  make_pool();
  run({"data", "corrupt", "--in", at("pool/rows.jsonl"), "--frames", "8", "--out",
       at("corrupted")});
  run({"data", "sample", "--in", at("corrupted/rows.jsonl"), "--frames", "8", "--temperature", "1",
       "--top-p", "1", "--corrupted", "2", "--max-new-tokens", "128", "--out", at("sampled")});
  run({"data", "score", "--in", at("sampled/rows.jsonl"), "--judge", "exact", "--metric", "both",
       "--out", at("scored")});
  const std::vector<Json> scored = rows_of(at("scored/rows.jsonl"));
  ASSERT_EQ(scored.size(), 6u);
  for (const Json& row : scored) {
    ASSERT_EQ(row.at("samples").size(), 3u);
    for (const Json& sample : row.at("samples")) EXPECT_TRUE(sample.contains("score"));
    EXPECT_EQ(row.at("sampling").at("model"), weights_sha256(kNano));
  }
  run({"data", "pairs", "--in", at("scored/rows.jsonl"), "--no-filter", "--out", at("pairs")});
  const std::vector<Json> pairs = rows_of(at("pairs/rows.jsonl"));
  ASSERT_GE(pairs.size(), 2u);

  const std::string recipe =
      write_recipe({{"preference", {{"beta", 0.1}, {"truth_nll", 0.1}}},
                    {"data", {{"jsonl", {{"file", at("pairs/rows.jsonl")}, {"frames", 8}}}}}});
  expect_refusal({"train", "dpo", "--recipe", recipe, "--out", at("run")},
                 "--recipe: trains on pairs beside true answers: \"truth_nll\" is above 0; that is "
                 "for train gdpo, this is train dpo");
  expect_refusal({"train", "sft", "--recipe", recipe, "--out", at("run")},
                 "that is for train gdpo, this is train sft");
  run({"train", "gdpo", "--recipe", recipe, "--out", at("run")});
  const std::vector<Json> metrics = rows_of(at("run/metrics.jsonl"));
  ASSERT_EQ(metrics.size(), 2u);
  EXPECT_EQ(metrics[0].at("rewards/margins"), 0);
  EXPECT_TRUE(fs::exists(at("run/adapter/adapter_model.safetensors")));
  const ProgramResult described =
      run({"describe", (scratch_.path() / "pool" / "000000.mp4").string(), "--model",
           at("run/model"), "--quiet"});
  EXPECT_FALSE(described.out.empty());
}

TEST_F(PreferencePipeline, RowsOfAnotherModelOrVideoAreRefusedByTheirLine) {
  make_pool();
  const Json pool = rows_of(at("pool/rows.jsonl")).at(0);
  const auto refusal = [&](const Json& pair) {
    Json row = pool;
    row["messages"][1]["content"][0].update(
        {{"chosen", "The red circle grows."}, {"rejected", "The blue star spins."}});
    row["pair"] = pair;
    std::ofstream(at("pool/pairs.jsonl")) << row.dump() << "\n";
    const std::string recipe =
        write_recipe({{"preference", Json::object()},
                      {"data", {{"jsonl", {{"file", at("pool/pairs.jsonl")}, {"frames", 8}}}}}});
    return run_tarsier({"train", "dpo", "--recipe", recipe, "--out", at("run")});
  };
  const ProgramResult model = refusal({{"sampling", {{"model", std::string(64, 'f')}}}});
  EXPECT_EQ(model.exit_code, 2);
  EXPECT_THAT(model.err, HasSubstr("pairs.jsonl line 1: pair.sampling: is of the model ffff"));
  const ProgramResult video = refusal({{"sampling", {{"video", std::string(64, 'f')}}}});
  EXPECT_NE(video.exit_code, 0);
  EXPECT_THAT(video.err, HasSubstr("pairs.jsonl line 1: pair.sampling.video: is ffffffffffff"));
}

}  // namespace
}  // namespace tarsier
