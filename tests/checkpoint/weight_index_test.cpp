#include "tarsier/checkpoint/weight_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

fs::path folder_with(const std::string& index) {
  const fs::path folder =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::remove_all(folder);
  fs::create_directories(folder);
  std::ofstream(folder / "model.safetensors.index.json") << index;
  return folder;
}

constexpr char kIndex[] =
    R"({"metadata": {"total_size": 12}, "weight_map": {"a": "2.safetensors", "b": "1.safetensors",
        "c": "2.safetensors"}})";

TEST(WeightIndex, IsReadWhereItsFilesAreNotHere) {
  const auto index = index_without_weights(folder_with(kIndex));
  ASSERT_TRUE(index);
  EXPECT_EQ(index->total_bytes, 12);
  EXPECT_EQ(index->file_of.at("a"), "2.safetensors");
  EXPECT_THAT(index->files(), ElementsAre("1.safetensors", "2.safetensors"));
}

TEST(WeightIndex, OneFileThatIsHereMakesItAModel) {
  const fs::path folder = folder_with(kIndex);
  std::ofstream(folder / "1.safetensors") << "x";
  EXPECT_FALSE(index_without_weights(folder));
}

TEST(WeightIndex, NeedsAnIndexAndNoSingleFile) {
  const fs::path folder = folder_with(kIndex);
  EXPECT_FALSE(index_without_weights(folder / "no"));
  std::ofstream(folder / "model.safetensors") << "x";
  EXPECT_FALSE(index_without_weights(folder));
}

TEST(WeightNames, NeedNoShards) {
  EXPECT_THAT(weight_names(folder_with(kIndex)), ElementsAre("a", "b", "c"));
  const fs::path models = fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models";
  EXPECT_THAT(weight_names(models / "untied"), testing::Contains("model.norm.weight"));
  EXPECT_TRUE(weight_names(models).empty());
}

TEST(WeightIndex, ABadIndexIsNamed) {
  EXPECT_THROW(index_without_weights(folder_with("[")), CheckpointError);
  EXPECT_THROW(index_without_weights(folder_with("{}")), CheckpointError);
  EXPECT_THROW(
      index_without_weights(folder_with(R"({"metadata": {"total_size": -1}, "weight_map": {}})")),
      CheckpointError);
}

}  // namespace
}  // namespace tarsier
