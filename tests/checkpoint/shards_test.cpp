#include "tarsier/checkpoint/shards.h"

#include <gmock/gmock.h>

#include <set>

#include "tarsier/base/log.h"
#include "tarsier/checkpoint/rename.h"
#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::fresh_folder;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::StartsWith;
using testing::write_text;
using testing::write_weights;

constexpr char kFirst[] = "model-00001-of-00002.safetensors";
constexpr char kSecond[] = "model-00002-of-00002.safetensors";

std::string index_text(const std::string& weight_map, const std::string& metadata = "{}") {
  return "{\"metadata\":" + metadata + ",\"weight_map\":" + weight_map + "}";
}

// A sound checkpoint of two shards: a and b in the first, c in the second.
fs::path two_shards() {
  const fs::path folder = fresh_folder();
  write_weights(folder / kFirst, {"a", "b"});
  write_weights(folder / kSecond, {"c"});
  write_text(folder / "model.safetensors.index.json",
             index_text(std::string("{\"a\":\"") + kFirst + "\",\"b\":\"" + kFirst + "\",\"c\":\"" +
                            kSecond + "\"}",
                        "{\"total_size\":12}"));
  return folder;
}

void replace_index(const fs::path& folder, const std::string& text) {
  write_text(folder / "model.safetensors.index.json", text);
}

std::string refusal(const fs::path& folder) {
  return message_of<CheckpointError>([&] { Checkpoint::open(folder); });
}

TEST(Checkpoint, OpensOneFile) {
  const fs::path folder = fresh_folder();
  write_weights(folder / "model.safetensors", {"a", "b"});
  const Checkpoint checkpoint = Checkpoint::open(folder);
  EXPECT_EQ(checkpoint.tensors().size(), 2u);
  EXPECT_EQ(checkpoint.total_bytes(), 8);
  EXPECT_EQ(checkpoint.find("none"), nullptr);
  ASSERT_NE(checkpoint.find("a"), nullptr);
  EXPECT_EQ(checkpoint.find("a")->shape, (std::vector<std::int64_t>{4}));
  EXPECT_THAT(checkpoint.files(), ElementsAre("model.safetensors"));
}

TEST(Checkpoint, OpensShardsAndSurvivesAMove) {
  Checkpoint opened = Checkpoint::open(two_shards());
  const Checkpoint checkpoint = std::move(opened);
  EXPECT_THAT(checkpoint.files(), ElementsAre(kFirst, kSecond));
  EXPECT_EQ(checkpoint.file_of("c"), kSecond);
  EXPECT_EQ(checkpoint.total_bytes(), 12);
  EXPECT_TRUE(checkpoint.warnings().empty());
  EXPECT_EQ(static_cast<char>(checkpoint.find("c")->bytes[1]), 'b');
}

TEST(Checkpoint, NamesAFolderWithoutWeights) {
  EXPECT_THAT(refusal("/no/such/model"),
              StartsWith("/no/such/model: does not exist; pass a model directory"));
  const fs::path folder = fresh_folder();
  EXPECT_THAT(
      refusal(folder),
      HasSubstr(": has no weights: neither model.safetensors nor model.safetensors.index.json; "));
  write_text(folder / "pytorch_model.bin", "x");
  EXPECT_THAT(
      refusal(folder),
      HasSubstr(
          ": has its weights only as pytorch_model.bin, a format that can run code; convert them "
          "to safetensors with `tarsier convert`"));
  fs::rename(folder / "pytorch_model.bin", folder / "consolidated.00.pth");
  EXPECT_THAT(refusal(folder), HasSubstr("only as consolidated.00.pth"));
  write_weights(folder / kFirst, {"a"});
  EXPECT_THAT(
      refusal(folder),
      HasSubstr(": holds model-00001-of-00002.safetensors but neither model.safetensors nor "));
  EXPECT_THAT(refusal(folder / kFirst), HasSubstr(": is not a directory; "));
}

TEST(Checkpoint, NamesAMissingShard) {
  const fs::path folder = two_shards();
  fs::remove(folder / kSecond);
  EXPECT_THAT(refusal(folder), StartsWith("model-00002-of-00002.safetensors: is missing from " +
                                          folder.string() + "; download"));
}

TEST(Checkpoint, NamesATensorMissingFromItsShard) {
  const fs::path folder = two_shards();
  write_weights(folder / kFirst, {"a"});
  EXPECT_THAT(refusal(folder), StartsWith("model-00001-of-00002.safetensors: has no tensor b, "
                                          "which model.safetensors.index.json says it holds"));
}

TEST(Checkpoint, NamesATensorInTwoShards) {
  const fs::path folder = two_shards();
  write_weights(folder / kSecond, {"a", "c"});
  EXPECT_THAT(
      refusal(folder),
      StartsWith(
          "model-00002-of-00002.safetensors: a is also in model-00001-of-00002.safetensors"));
}

TEST(Checkpoint, NamesATensorInAnotherShardThanListed) {
  const fs::path folder = two_shards();
  replace_index(folder, index_text(std::string("{\"a\":\"") + kSecond + "\",\"b\":\"" + kFirst +
                                   "\",\"c\":\"" + kSecond + "\"}"));
  EXPECT_THAT(refusal(folder), StartsWith("model-00001-of-00002.safetensors: holds a, which "
                                          "model.safetensors.index.json says is in " +
                                          std::string(kSecond)));
}

TEST(Checkpoint, NamesATensorThatIsNotListed) {
  const fs::path folder = two_shards();
  replace_index(folder,
                index_text(std::string("{\"a\":\"") + kFirst + "\",\"c\":\"" + kSecond + "\"}"));
  EXPECT_THAT(refusal(folder), StartsWith("model-00001-of-00002.safetensors: holds b, which "
                                          "model.safetensors.index.json does not list"));
}

TEST(Checkpoint, RefusesShardNamesThatLeaveTheDirectory) {
  const fs::path folder = two_shards();
  for (const char* name : {"../m.safetensors", "/etc/m.safetensors", "a/m.safetensors", "..",
                           "a\\\\m.safetensors", "", "a\\u0000.safetensors"}) {
    replace_index(folder, index_text(std::string("{\"a\":\"") + name + "\"}"));
    EXPECT_THAT(refusal(folder),
                HasSubstr("model.safetensors.index.json: weight_map.a: names the file"))
        << name;
    EXPECT_THAT(refusal(folder), HasSubstr("outside the directory")) << name;
  }
  replace_index(folder, index_text("{\"a\":\"weights.bin\"}"));
  EXPECT_THAT(refusal(folder),
              HasSubstr("weight_map.a: names 'weights.bin', which is not a safetensors file"));
}

TEST(Checkpoint, RefusesAMalformedIndex) {
  const fs::path folder = two_shards();
  replace_index(folder, "{");
  EXPECT_THAT(refusal(folder),
              StartsWith("model.safetensors.index.json: is not valid JSON at byte"));
  replace_index(folder, "{}");
  EXPECT_THAT(refusal(folder), StartsWith("model.safetensors.index.json: weight_map: is missing"));
  replace_index(folder, index_text("[]"));
  EXPECT_THAT(refusal(folder), StartsWith("model.safetensors.index.json: weight_map: is an array"));
  replace_index(folder, index_text("{}"));
  EXPECT_THAT(refusal(folder), StartsWith("model.safetensors.index.json: weight_map: is empty"));
  replace_index(folder, index_text("{\"a\":3}"));
  EXPECT_THAT(
      refusal(folder),
      StartsWith("model.safetensors.index.json: weight_map.a: is an integer, expected a string"));
}

TEST(Checkpoint, ReportsAnotherTotalSize) {
  const fs::path folder = two_shards();
  std::string text = testing::read_text(folder / "model.safetensors.index.json");
  replace_index(folder, text.replace(text.find("12"), 2, "99"));
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  const Checkpoint checkpoint = Checkpoint::open(folder);
  set_log_sink({});
  ASSERT_EQ(checkpoint.warnings().size(), 1u);
  EXPECT_EQ(checkpoint.warnings()[0],
            "model.safetensors.index.json: metadata.total_size is 99, the tensors have 12 bytes; "
            "the index may belong to another version");
  EXPECT_EQ(lines.size(), 1u);
}

TEST(Checkpoint, NamesTheDamagedShard) {
  const fs::path folder = two_shards();
  fs::resize_file(folder / kSecond, fs::file_size(folder / kSecond) - 1);
  EXPECT_THAT(
      refusal(folder),
      StartsWith("model-00002-of-00002.safetensors: is cut: its tensors need 4 bytes, it has 3"));
}

// Files that the reference library wrote: every tensor is found, and has one name of ours.
TEST(Checkpoint, OpensTheTinyModels) {
  const fs::path models = fs::path(TARSIER_SOURCE_DIR) / "tests/fixtures/models";
  for (const char* name : {"untied", "tied", "deep_sharded", "bf16", "tarsier2"}) {
    const Checkpoint checkpoint = Checkpoint::open(models / name);
    EXPECT_TRUE(checkpoint.warnings().empty()) << name;
    EXPECT_EQ(checkpoint.files().size(), name == std::string("deep_sharded") ? 3u : 1u);
    std::set<std::string> ours;
    for (const auto& [tensor, view] : checkpoint.tensors()) {
      const auto renamed = apply_renames(kQwen2VlNames, tensor);
      ASSERT_TRUE(renamed.has_value()) << tensor;
      EXPECT_TRUE(ours.insert(*renamed).second) << tensor;
      EXPECT_EQ(view.dtype, name == std::string("bf16") ? DType::bf16 : DType::f32);
    }
    EXPECT_TRUE(ours.contains("visual.merger.mlp.2.bias") && ours.contains("model.norm.weight"))
        << name;
    EXPECT_EQ(ours.contains("lm_head.weight"),
              name != std::string("tied") && name != std::string("bf16"));
  }
}

}  // namespace
}  // namespace tarsier
