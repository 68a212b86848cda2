#include "tarsier/data/shard/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/sha256.h"
#include "tarsier/data/rows/row_input.h"
#include "tarsier/data/rows/tar_writer.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;
namespace fs = std::filesystem;

std::vector<std::string> samples_of(TarReader& reader) {
  std::vector<std::string> samples;
  while (const auto sample = reader.next()) {
    std::string text = sample->key + ":";
    for (const auto& [name, bytes] : sample->members) text += " " + name + "=" + bytes;
    samples.push_back(text);
  }
  return samples;
}

TEST(Tar, ComesBackAndIsAFunctionOfItsContent) {
  const TemporaryFolder folder;
  const std::string long_name = std::string(180, 'n') + ".json";
  for (const char* name : {"a.tar", "b.tar"}) {
    TarWriter writer(folder / name);
    writer.add("000.json", "{}");
    writer.add("000.1.mp4", std::string(600, 'v'));
    writer.add("000.mp4", "");
    writer.add(long_name, "x");
    EXPECT_FALSE(fs::exists(folder / name));
    const TarSummary summary = writer.finish();
    EXPECT_EQ(summary.bytes, static_cast<std::int64_t>(fs::file_size(folder / name)));
    EXPECT_EQ(summary.sha256, sha256_of_file(folder / name));
    const std::string bytes = read_text(folder / name);
    for (const TarMember& member : summary.members) {
      if (member.bytes != 600) continue;
      EXPECT_EQ(bytes.substr(static_cast<std::size_t>(member.offset), 600), std::string(600, 'v'));
    }
  }
  EXPECT_EQ(read_text(folder / "a.tar"), read_text(folder / "b.tar"));
  TarReader reader(folder / "a.tar");
  EXPECT_THAT(samples_of(reader),
              ::testing::ElementsAre("000: 1.mp4=" + std::string(600, 'v') + " json={} mp4=",
                                     std::string(180, 'n') + ": json=x"));
  EXPECT_TRUE(reader.problems().empty());
}

TEST(Tar, NothingAppearsWithoutFinish) {
  const TemporaryFolder folder;
  { TarWriter(folder / "a.tar").add("a.json", "{}"); }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Tar, PythonReadsIt) {
  if (std::system("python3 -c 'import tarfile' 2>/dev/null") != 0) GTEST_SKIP() << "no python3";
  const TemporaryFolder folder;
  TarWriter writer(folder / "a.tar");
  writer.add("000.json", "{\"a\": 1}");
  writer.add("000.mp4", std::string(100'000, 'v'));
  writer.finish();
  const std::string script =
      "import tarfile\n"
      "t = tarfile.open('" +
      (folder / "a.tar").string() +
      "')\n"
      "m = t.getmembers()\n"
      "assert [(x.name, x.size, x.mtime, x.mode, x.uid, x.uname) for x in m] == "
      "[('000.json', 8, 0, 0o644, 0, ''), ('000.mp4', 100000, 0, 0o644, 0, '')], m\n"
      "assert t.extractfile('000.mp4').read() == b'v' * 100000\n";
  write_text(folder / "check.py", script);
  EXPECT_EQ(std::system(("python3 " + (folder / "check.py").string()).c_str()), 0);
}

TEST(Tar, DamageIsNamed) {
  const TemporaryFolder folder;
  TarWriter writer(folder / "a.tar");
  writer.add("000.json", "{}");
  writer.add("README", "x");
  writer.add("001.json", "{}");
  writer.add("001.mp4", std::string(2000, 'v'));
  writer.finish();
  fs::resize_file(folder / "a.tar", 5 * 512 + 512 + 512 + 1000);
  TarReader reader(folder / "a.tar");
  EXPECT_THAT(samples_of(reader), ::testing::ElementsAre("000: json={}"));
  ASSERT_EQ(reader.problems().size(), 2u);
  EXPECT_EQ(reader.problems()[0].text(),
            "a.tar: README: has no name before a dot, so it belongs to no sample; rename it, or "
            "leave it out of the tar");
  EXPECT_THAT(reader.problems()[1].text(), ::testing::StartsWith("a.tar: 001.mp4: is cut short"));
}

class ShardTest : public ::testing::Test {
 protected:
  ShardTest() {
    set_log_sink([](LogLevel, std::string_view) {});
    std::string rows;
    for (int i = 0; i < 20; ++i) {
      const std::string name = "v" + std::to_string(i);
      write_text(folder_ / (name + ".mp4"),
                 std::string(static_cast<std::size_t>(1000 * i + 1), 'm'));
      write_text(folder_ / (name + ".wav"), "w" + std::to_string(i));
      rows +=
          R"({"id":)" + std::to_string(i) + R"(,"video":")" + name + R"(.mp4","audio":")" + name +
          R"(.wav","use_audio":true,"conversations":[{"from":"human","value":"<video>\nQ"},{"from":"gpt","value":"A"}]})" +
          "\n";
      if (i == 10)
        rows +=
            R"({"video":"gone.mp4","conversations":[{"from":"human","value":"<video>\nQ"},{"from":"gpt","value":"A"}]})"
            "\n";
    }
    write_text(folder_ / "rows.jsonl", rows);
    fs::remove(folder_ / "gone.mp4");
  }
  ~ShardTest() override { set_log_sink({}); }

  ShardJob job(const std::string& out, int workers = 1) const {
    ShardJob job;
    job.inputs = {folder_ / "rows.jsonl"};
    job.out = folder_ / out;
    job.shard_bytes = 60'000;
    job.workers = workers;
    return job;
  }

  void expect_same(const std::string& a, const std::string& b) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / b))
      names.push_back(entry.path().filename().string());
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / a), fs::directory_iterator()),
              static_cast<std::ptrdiff_t>(names.size()));
    for (const std::string& name : names)
      EXPECT_EQ(read_text(folder_ / a / name), read_text(folder_ / b / name)) << name;
  }

  TemporaryFolder folder_;
};

TEST_F(ShardTest, PacksAndUnpacks) {
  const ShardReport report = run_shard(job("shards"), {});
  EXPECT_EQ(report.rows, 21);
  EXPECT_EQ(report.written, 20);
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(report.failures[0],
            "rows.jsonl line 12: no file gone.mp4 of at most 1 GiB; check the path, which is "
            "relative to the file of rows");
  EXPECT_GT(report.shards, 3);
  const auto index = nlohmann::json::parse(read_text(folder_ / "shards" / "index.json"));
  std::int64_t samples = 0;
  std::vector<fs::path> tars;
  for (const auto& shard : index.at("shards")) {
    tars.push_back(folder_ / "shards" / shard.at("shard").get<std::string>());
    samples += shard.at("n_samples").get<std::int64_t>();
    EXPECT_EQ(shard.at("sha256"), sha256_of_file(tars.back()));
    EXPECT_EQ(shard.at("bytes"), fs::file_size(tars.back()));
    EXPECT_LE(shard.at("bytes"), 60'000 + 2 * 10'240);
  }
  EXPECT_EQ(samples, 20);
  RowInput input(tars, folder_ / "unpacked");
  int rows = 0;
  while (const auto text = input.next()) {
    const Outcome<Row> parsed = parse_row(*text, std::nullopt);
    const Row& row = std::get<Row>(parsed);
    const std::string number = std::to_string(rows++);
    EXPECT_EQ(extra_text(row.record.extra, "id"), number);
    EXPECT_EQ(read_text(media_path(row.folder, row.record.media[0].files[0])),
              read_text(folder_ / ("v" + number + ".mp4")));
    EXPECT_EQ(read_text(media_path(row.folder, row.record.media[0].audio_file)), "w" + number);
  }
  EXPECT_EQ(rows, 20);
  EXPECT_TRUE(input.problems().empty());
}

TEST_F(ShardTest, WorkersAndStopsChangeNothing) {
  run_shard(job("one"), {});
  run_shard(job("three", 3), {});
  expect_same("three", "one");
  std::stop_source stop;
  int shards = 0;  // two whole shards, then a stop in the middle of the third
  set_log_sink([&](LogLevel level, std::string_view) {
    if (level == LogLevel::info && ++shards == 2) stop.request_stop();
  });
  const ShardReport first = run_shard(job("stopped"), stop.get_token());
  EXPECT_TRUE(first.stopped);
  EXPECT_GE(first.shards, 2);
  EXPECT_FALSE(fs::exists(folder_ / "stopped" / "index.json"));
  set_log_sink([](LogLevel, std::string_view) {});
  run_shard(job("stopped"), {});
  expect_same("stopped", "one");
}

TEST(Inputs, RangesOfShards) {
  const TemporaryFolder folder;
  for (const char* name : {"s-008.tar", "s-009.tar", "s-010.tar"}) write_text(folder / name, "");
  const auto files = expand_inputs({(folder / "s-{008..010}.tar").string()});
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[2].filename(), "s-010.tar");
  EXPECT_THROW(expand_inputs({(folder / "s-{008..011}.tar").string()}), InputError);
}

}  // namespace
}  // namespace tarsier
