#include "tests/cli/killed_rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/checkpoint/weights_hash.h"
#include "tests/train/tiny_model.h"

namespace tarsier::test {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

Json recipe_of(int rounds, const fs::path& rows) {
  return {{"model", (fs::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano").string()},
          {"rows", rows.string()},
          {"rounds", rounds},
          {"sample", {{"intact", 4}, {"temperature", 1.5}, {"max_new_tokens", 128}, {"frames", 8}}},
          {"pairs", {{"min_gap", 0.01}}},
          {"train",
           {{"compute", "f32"},
            {"export_dtype", "f32"},
            {"adapter", {{"rank", 2}}},
            {"save_every", 1},
            {"stages",
             {{{"name", "gdpo"},
               {"steps", 2},
               {"clips_per_step", 1},
               {"warmup_steps", 1},
               {"preference", {{"truth_nll", 0.1}}},
               {"data", {{"jsonl", {{"frames", 8}}}}}}}}}}};
}

}  // namespace

void expect_killed_rounds_go_on(int rounds, int kills, const WaitForKill& wait) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path();
  const ProgramResult pool =
      run_tarsier({"data", "synth", "--rows", "flawed", "--clips", "6", "--seed", "3", "--omit",
                   "0.5", "--out", (folder / "pool").string()});
  ASSERT_EQ(pool.exit_code, 0) << pool.err;
  std::ofstream(folder / "rounds.jsonc") << recipe_of(rounds, folder / "pool/rows.jsonl").dump(1);
  const auto command = [&](const char* name) {
    return std::vector<std::string>{
        "train",   "mrdpo", "--recipe", (folder / "rounds.jsonc").string(),
        "--judge", "exact", "--out",    (folder / name).string()};
  };
  const auto begin = std::chrono::steady_clock::now();
  const ProgramResult whole = run_tarsier(command("whole"));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  int killed = 0;
  for (int kill = 0; kill < kills; ++kill) {
    RunningTarsier running(command("killed"));
    wait(kill, running, folder / "killed", seconds);
    running.send(SIGKILL);
    if (running.wait().exit_code == 0) break;  // done before the signal came
    ++killed;
  }
  EXPECT_GE(2 * killed, kills);
  const ProgramResult resumed = run_tarsier(command("killed"));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(weights_sha256(folder / "whole/model"), weights_sha256(folder / "killed/model"));
  for (int round = 0; round <= rounds; ++round) {
    const std::string lineage = "round_0" + std::to_string(round) + "/lineage.json";
    EXPECT_EQ(read(folder / "whole" / lineage), read(folder / "killed" / lineage)) << round;
  }
  const std::string broken = (folder / "killed").string();
  const Json listed = Json::parse(run_tarsier({"inspect", broken, "--json"}).out).at("rounds");
  ASSERT_EQ(listed.size(), static_cast<std::size_t>(rounds) + 1);
  EXPECT_EQ(listed[1].at("policy"), listed[0].at("model"));
  const std::string table = run_tarsier({"inspect", broken}).out;
  for (const Json& round : listed)
    EXPECT_THAT(table, HasSubstr(round.at("model").get<std::string>().substr(0, 12)));
}

}  // namespace tarsier::test
