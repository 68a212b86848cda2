#include "tarsier/checkpoint/foreign_weights.h"

#include <gmock/gmock.h>

#include "tests/checkpoint/archives.h"
#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A torch.save archive of one-byte tensors: name -> byte.
void write_pickle(const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, char>>& tensors) {
  std::vector<std::pair<std::string, std::string>> items;
  std::string storage;
  for (const auto& [name, byte] : tensors) storage += byte;
  const std::string all =
      pickled_storage("ByteStorage", "0", static_cast<std::int64_t>(storage.size()));
  for (const auto& [name, byte] : tensors) {
    const auto offset = static_cast<std::int64_t>(items.size());
    items.emplace_back(name, pickled_tensor(all, offset, {1}, {1}));
  }
  write_text(path, archive_of(pickled_dict(items), storage));
}

// "name=byte " of all tensors.
std::string summary(const ForeignWeights& weights) {
  std::string out;
  for (const auto& [name, tensor] : weights.tensors())
    out += name + "=" + static_cast<char>(std::to_integer<int>(tensor.view.storage[0])) + " ";
  return out;
}

std::string refusal(const std::filesystem::path& path) {
  return message_of<CheckpointError>([&] { ForeignWeights::open(path); });
}

TEST(ForeignWeights, TakesTheWrapperAwayWhereAllNamesHaveIt) {
  const auto folder = fresh_folder();
  write_pickle(folder / "wrapped.bin", {{"module.a", '1'}, {"module.b", '2'}});
  write_pickle(folder / "partly.pt", {{"module.a", '1'}, {"b", '2'}});
  EXPECT_EQ(summary(ForeignWeights::open(folder / "wrapped.bin")), "a=1 b=2 ");
  EXPECT_EQ(summary(ForeignWeights::open(folder / "partly.pt")), "b=2 module.a=1 ");
}

TEST(ForeignWeights, LaysTheLastStepOverAllParameters) {
  const auto folder = fresh_folder();
  write_pickle(folder / "all_parameters.bin", {{"module.a", '1'}, {"module.b", '2'}});
  EXPECT_EQ(summary(ForeignWeights::open(folder)), "a=1 b=2 ");
  write_pickle(folder / "checkpoint-200.bin", {{"module.b", '3'}, {"module.c", '4'}});
  write_pickle(folder / "checkpoint-1000.bin", {{"module.a", '5'}});
  write_text(folder / "checkpoint-.bin", "not a step");
  const ForeignWeights last = ForeignWeights::open(folder);
  EXPECT_EQ(summary(last), "a=5 b=2 ");
  EXPECT_THAT(last.files(), ElementsAre("all_parameters.bin", "checkpoint-1000.bin"));
  EXPECT_EQ(last.tensors().at("a").file, "checkpoint-1000.bin");
  EXPECT_EQ(summary(ForeignWeights::open(folder / "checkpoint-200.bin")), "a=1 b=3 c=4 ");
}

TEST(ForeignWeights, ReadsShards) {
  const auto folder = fresh_folder();
  write_pickle(folder / "m-1.bin", {{"a", '1'}});
  write_pickle(folder / "m-2.bin", {{"b", '2'}});
  const auto index = [&](const char* map) {
    write_text(folder / "pytorch_model.bin.index.json",
               std::string(R"({"weight_map":)") + map + "}");
  };
  index(R"({"a":"m-1.bin","b":"m-2.bin"})");
  EXPECT_EQ(summary(ForeignWeights::open(folder)), "a=1 b=2 ");
  index(R"({"a":"m-1.bin","b":"m-1.bin"})");
  EXPECT_THAT(refusal(folder),
              HasSubstr("m-1.bin: has no tensor b, which pytorch_model.bin.index"));
  index(R"({"a":"../m-1.bin"})");
  EXPECT_THAT(refusal(folder), HasSubstr("names the file '../m-1.bin' outside the directory"));
  index(R"({"a":"m-1.safetensors"})");
  EXPECT_THAT(refusal(folder), HasSubstr("names 'm-1.safetensors', which is not a bin file"));
  write_pickle(folder / "m-2.bin", {{"a", '2'}, {"b", '2'}});
  index(R"({"a":"m-1.bin","b":"m-2.bin"})");
  EXPECT_THAT(refusal(folder), HasSubstr("m-2.bin: a is also in m-1.bin"));
}

TEST(ForeignWeights, PrefersSafetensors) {
  const auto folder = fresh_folder();
  write_pickle(folder / "pytorch_model.bin", {{"p", '1'}});
  EXPECT_EQ(summary(ForeignWeights::open(folder)), "p=1 ");
  write_weights(folder / "model.safetensors", {"s"});
  EXPECT_EQ(summary(ForeignWeights::open(folder)), "s=a ");
}

TEST(ForeignWeights, SaysWhatItCannotRead) {
  const auto folder = fresh_folder();
  EXPECT_THAT(refusal(folder), HasSubstr("has no weights: none of model.safetensors, "));
  EXPECT_THAT(refusal(folder / "absent.bin"), HasSubstr("absent.bin: does not exist; "));
  write_text(folder / "weights.h5", "");
  EXPECT_THAT(refusal(folder / "weights.h5"), HasSubstr("is no file of weights by its ending"));
}

}  // namespace
}  // namespace tarsier
