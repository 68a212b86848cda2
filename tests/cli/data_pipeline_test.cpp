// Rows of training data from their making to a training on them, through the program; and each
// stage killed half-way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/run_tarsier.h"
#include "tests/data/small_videos.h"
#include "tests/data/temporary_folder.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using testing::read_text;
using testing::write_text;
using testing::write_video;
namespace fs = std::filesystem;
using Json = nlohmann::json;

std::int64_t lines_of(const fs::path& file) {
  const std::string text = read_text(file);
  return std::count(text.begin(), text.end(), '\n');
}

class DataPipeline : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (scratch_.path() / name).string(); }

  static void run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "data");
    const ProgramResult result = run_tarsier(arguments);
    ASSERT_EQ(result.exit_code, 0) << arguments[1] << ": " << result.err;
  }

  ScratchFolder scratch_;
};

TEST_F(DataPipeline, FromClipsToATraining) {
  run({"synth", "--level", "easy", "--clips", "2", "--rows", "dense,web,questions", "--languages",
       "english,chinese", "--out", at("clips")});
  run({"check", "--in", at("clips/rows.jsonl"), "--decode"});
  run({"convert", "--in", at("clips/rows.jsonl"), "--to", "tarsier", "--out", at("plain")});
  ASSERT_EQ(lines_of(at("plain/rows.jsonl")), 12);
  for (const std::string shape : {"llava", "salmonn2", "salmonn2plus", "trl"}) {
    run({"convert", "--in", at("plain/rows.jsonl"), "--to", shape, "--out", at(shape)});
    EXPECT_NE(read_text(at(shape + "/rows.jsonl")), read_text(at("plain/rows.jsonl")));
    run({"convert", "--in", at(shape + "/rows.jsonl"), "--from", shape, "--to", "tarsier", "--out",
         at(shape + "-back")});
    EXPECT_EQ(read_text(at(shape + "-back/rows.jsonl")), read_text(at("plain/rows.jsonl")))
        << shape;
  }
  run({"filter", "--in", at("trl/rows.jsonl"), "--script", "latin", "--min-script", "0.8",
       "--max-seconds", "60", "--to", "tarsier", "--out", at("english")});
  ASSERT_EQ(lines_of(at("english/rows.jsonl")), 6);
  run({"mix", "--source", at("english/rows.jsonl") + "=3", "--source",
       at("plain/rows.jsonl") + "=1", "--rows", "16", "--out", at("mixed")});
  run({"shard", "--in", at("mixed/rows.jsonl"), "--size", "150kB", "--out", at("shards")});
  const std::size_t shards = Json::parse(read_text(at("shards/index.json"))).at("shards").size();
  ASSERT_GT(shards, 1u);
  run({"convert", "--in", at(fmt::format("shards/shard-{{000000..{:06}}}.tar", shards - 1)), "--to",
       "tarsier", "--out", at("unpacked")});
  EXPECT_EQ(lines_of(at("unpacked/rows.jsonl")), 16);

  fs::create_directories(at("model"));
  const fs::path model = test::make_tiny_model(at("model"));
  const fs::path recipe = test::write_recipe(scratch_.path(), model, [&](Json& json) {
    json["stages"] = Json::array(
        {{{"name", "rows"},
          {"steps", 2},
          {"clips_per_step", 2},
          {"warmup_steps", 1},
          {"objectives", {{"next_token", 1}}},
          {"data", {{"jsonl", {{"file", at("unpacked/rows.jsonl")}, {"frames", 4}}}}}}});
  });
  const ProgramResult trained =
      run_tarsier({"train", "sft", "--recipe", recipe.string(), "--out", at("run")});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const std::string metrics = read_text(at("run/metrics.jsonl"));
  const Json last = Json::parse(metrics.substr(metrics.rfind('\n', metrics.size() - 2) + 1));
  EXPECT_EQ(last.at("step"), 2);
  EXPECT_EQ(last.at("skipped"), 0);
  EXPECT_GT(last.at("loss"), 0);
}

/// Rows over ten small videos, or without any.
class DataKills : public DataPipeline {
 protected:
  void write_rows(int count, bool videos) {
    for (std::uint64_t i = 0; videos && i < 10; ++i)
      write_video(at("v" + std::to_string(i) + ".mp4"), {.scenes = {i + 1}});
    std::string rows;
    for (int i = 0; i < count; ++i) {
      const std::string video =
          R"({"type":"video","video":{"video_file":"v)" + std::to_string(i % 10) + R"(.mp4"}},)";
      rows += R"({"messages":[{"role":"user","content":[)" + (videos ? video : "") +
              R"({"type":"text","text":"Question )" + std::to_string(i) +
              R"("}]},{"role":"assistant","content":"Answer )" + std::to_string(i) + "\"}]}\n";
    }
    write_text(at("rows.jsonl"), rows);
  }

  /// Runs a command whole, and killed in each way and run again: all files are the same. `started`
  /// tells of a job's folder that it is half-way; `last` is the file that ends it.
  void expect_same_after_kills(std::vector<std::string> command,
                               const std::function<bool(const fs::path&)>& started,
                               const std::string& last) {
    command.insert(command.begin(), "data");
    command.insert(command.end(), {"--out", at("whole")});
    ASSERT_EQ(run_tarsier(command).exit_code, 0);
    for (const int signal : {SIGTERM, SIGKILL}) {
      const fs::path folder = at("killed-" + std::to_string(signal));
      command.back() = folder.string();
      // A fast machine may end the job before the signal is there.
      ProgramResult killed{0, "", ""};
      for (int attempt = 0; attempt < 20; ++attempt) {
        RunningTarsier running(command);
        while (running.is_running() && !started(folder))
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        running.send(signal);
        killed = running.wait();
        if (!fs::exists(folder / last)) break;
        fs::remove_all(folder);
      }
      ASSERT_EQ(killed.exit_code, signal == SIGTERM ? 75 : 128 + SIGKILL) << killed.err;
      EXPECT_EQ(killed.out, "");
      if (signal == SIGTERM) {
        EXPECT_THAT(killed.err, ::testing::HasSubstr("; the same command "));
      }
      const ProgramResult resumed = run_tarsier(command);
      ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
      EXPECT_EQ(files_of(folder), files_of(at("whole"))) << "after signal " << signal;
    }
  }

  // A temporary file that has something in it.
  static bool has_begun(const fs::path& folder) {
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(folder, absent)) {
      const bool temporary = entry.path().filename().string().find(".tmp-") != std::string::npos;
      if (temporary && fs::file_size(entry.path(), absent) > 1000 && !absent) return true;
    }
    return false;
  }

 private:
  static std::map<std::string, std::string> files_of(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file())
        files[entry.path().lexically_relative(folder).string()] = read_text(entry.path());
    }
    return files;
  }
};

TEST_F(DataKills, Synth) {
  expect_same_after_kills(
      {"synth", "--level", "easy", "--clips", "3", "--rows", "web,commentary"},
      [](const fs::path& folder) { return fs::exists(folder / "000000.mp4"); }, "clips.jsonl");
}

TEST_F(DataKills, Convert) {
  write_rows(20'000, false);
  expect_same_after_kills({"convert", "--in", at("rows.jsonl"), "--to", "trl"}, has_begun,
                          "rows.jsonl");
}

TEST_F(DataKills, Filter) {
  write_rows(1'000, true);
  expect_same_after_kills({"filter", "--in", at("rows.jsonl"), "--min-motion", "0.01", "--workers",
                           "1", "--video-distance", "2"},
                          has_begun, "rows.jsonl");
}

TEST_F(DataKills, Selfsup) {
  write_rows(1'500, true);
  expect_same_after_kills({"selfsup", "--in", at("rows.jsonl"), "--workers", "1"}, has_begun,
                          "rows.jsonl");
}

TEST_F(DataKills, Corrupt) {
  write_rows(1'500, true);
  expect_same_after_kills({"corrupt", "--in", at("rows.jsonl"), "--workers", "1"}, has_begun,
                          "rows.jsonl");
}

TEST_F(DataKills, Pairs) {
  std::string rows;
  for (int i = 0; i < 10'000; ++i) {
    const auto sample = [&](const char* corruption, int recall) {
      return fmt::format(
          R"({{"text":"Answer {} {}","seed":{},"finish":"stop","corruption":{},"score":{{"recall":[{},10],"precision":[1,1],"judge":"exact","prompt_hash":""}}}})",
          recall, i, i, corruption, recall);
    };
    rows +=
        fmt::format(
            R"({{"messages":[{{"role":"user","content":"Q"}},{{"role":"assistant","content":"A"}}],"corruptions":[{{"kind":"crop","frames":[1,2]}}],"sampling":{{"model":"m","temperature":1,"top_p":1,"max_new_tokens":9}},"samples":[{},{}]}})",
            sample("null", 5 + i % 6), sample("0", i % 7)) +
        "\n";
  }
  write_text(at("rows.jsonl"), rows);
  expect_same_after_kills({"pairs", "--in", at("rows.jsonl")}, has_begun, "rows.jsonl");
}

TEST_F(DataKills, Mix) {
  write_rows(2'000, false);
  expect_same_after_kills(
      {"mix", "--source", at("rows.jsonl") + "=1", "--rows", "30000", "--batch", "4"}, has_begun,
      "rows.jsonl");
}

TEST_F(DataKills, Shard) {
  write_rows(1'500, true);
  expect_same_after_kills(
      {"shard", "--in", at("rows.jsonl"), "--size", "500kB", "--workers", "1"},
      [](const fs::path& folder) { return fs::exists(folder / "shard-000001.tar"); }, "index.json");
}

}  // namespace
}  // namespace tarsier
