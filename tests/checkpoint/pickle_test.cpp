#include "tarsier/checkpoint/pickle.h"

#include <gmock/gmock.h>

#include "tarsier/checkpoint/pickle_machine.h"
#include "tests/checkpoint/archives.h"
#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

const std::filesystem::path kFixtures =
    std::filesystem::path(TARSIER_SOURCE_DIR) / "tests/fixtures/pickle";

std::string elements_of(const StridedTensor& tensor) {
  std::string bytes(static_cast<std::size_t>(contiguous_bytes(tensor)), '\0');
  copy_elements(tensor, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

PickledCheckpoint parse(const std::string& file) {
  return parse_pickled_checkpoint(as_bytes(file), "m.bin");
}

std::string refusal(const std::string& file) {
  return message_of<CheckpointError>([&] { parse(file); });
}

std::string refusal_of_fixture(const char* name) {
  return message_of<CheckpointError>([&] { PickleFile file(kFixtures / name); });
}

// A storage "0" of 8 floats.
std::string archive_of_tensor(std::int64_t offset, const std::vector<std::int64_t>& shape,
                              const std::vector<std::int64_t>& strides) {
  const std::string storage = pickled_storage("FloatStorage", "0", 8);
  return archive_of(pickled_dict({{"w", pickled_tensor(storage, offset, shape, strides)}}),
                    std::string(32, 'a'));
}

TEST(PickleFile, HoldsWhatTorchSaved) {
  const PickleFile file(kFixtures / "every_kind.pt");
  const SafetensorsFile expected(kFixtures / "every_kind.safetensors");
  ASSERT_EQ(file.tensors().size(), expected.tensors().size());
  for (const auto& [name, view] : expected.tensors()) {
    const StridedTensor& tensor = file.tensors().at(name);
    EXPECT_EQ(tensor.name, name);
    EXPECT_EQ(name_of(tensor.dtype), name_of(view.dtype)) << name;
    EXPECT_EQ(tensor.shape, view.shape) << name;
    const std::string_view bytes(reinterpret_cast<const char*>(view.bytes.data()),
                                 view.bytes.size());
    EXPECT_EQ(elements_of(tensor), bytes) << name;
  }
  EXPECT_TRUE(file.left_out().empty());
}

TEST(PickleFile, TakesTheInnerDictAndSaysWhatItLeaves) {
  const PickleFile file(kFixtures / "nested.pt");
  EXPECT_EQ(file.tensors().size(), 2u);
  EXPECT_THAT(file.tensors().at("a.weight").shape, ElementsAre(2, 2));
  EXPECT_THAT(file.left_out(),
              UnorderedElementsAre("epoch", "rate", "done", "seed", "neg", "optimizer"));
  EXPECT_EQ(PickleFile(kFixtures / "nested_twice.pt").tensors().size(), 2u);
}

TEST(PickleFile, RefusesWhatWouldRun) {
  EXPECT_THAT(refusal_of_fixture("runs_shell.pt"),
              ::testing::MatchesRegex(
                  "runs_shell.pt: data.pkl: byte [0-9]+: asks for (posix|os).system, which no "
                  "tensor needs; only tensors are read, and nothing is run; save the state dict "
                  "alone by torch.save"));
  EXPECT_THAT(refusal_of_fixture("whole_module.pt"),
              HasSubstr("asks for torch.nn.modules.linear.Linear, which no tensor needs"));
  EXPECT_THAT(refusal_of_fixture("protocol_4.pt"),
              HasSubstr("data.pkl: byte 2: uses the opcode FRAME, which no tensor needs"));
  EXPECT_THAT(refusal_of_fixture("before_1_6.pt"),
              HasSubstr("is a bare pickle, which torch.save wrote before version 1.6"));
  EXPECT_THAT(refusal_of_fixture("conjugate.pt"), HasSubstr("asks for torch.ComplexFloatStorage"));
}

TEST(PickleFile, AMissingFileIsNamed) {
  EXPECT_THAT(refusal_of_fixture("absent.pt"), HasSubstr("absent.pt: is missing from "));
}

TEST(PickledCheckpoint, EveryCutOfAFileIsRefused) {
  const std::string whole = read_text(kFixtures / "nested.pt");
  parse(whole);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_THAT(refusal(whole.substr(0, bytes)), HasSubstr("m.bin: ")) << bytes;
  }
}

TEST(PickledCheckpoint, RefusesEveryOtherOpcode) {
  const std::string accepted = "(.NJKMGXaebchjqrQRsut)]}\x80\x85\x86\x87\x88\x89\x8a";
  for (int opcode = 0; opcode < 256; ++opcode) {
    const char byte = static_cast<char>(opcode);
    const std::string message = refusal(archive_of(std::string(1, byte), ""));
    const bool foreign = message.find("uses the opcode") != std::string::npos;
    EXPECT_EQ(foreign, accepted.find(byte) == std::string::npos) << opcode << ": " << message;
  }
  EXPECT_THAT(refusal(archive_of("\x93", "")), HasSubstr("byte 2: uses the opcode STACK_GLOBAL"));
  EXPECT_THAT(refusal(archive_of("\x07", "")), HasSubstr("uses the opcode 0x07"));
}

TEST(PickledCheckpoint, RefusesPicklesThatMakeNoSense) {
  EXPECT_THAT(refusal(archive_of("", "")), HasSubstr("does not end with one value"));
  EXPECT_THAT(refusal(archive_of("}}", "")), HasSubstr("does not end with one value"));
  EXPECT_THAT(refusal(archive_of("N", "")), HasSubstr("m.bin: data.pkl: holds no dict"));
  EXPECT_THAT(refusal(archive_of("NNR", "")), HasSubstr("calls a value that is no function"));
  EXPECT_THAT(refusal(archive_of("R", "")), HasSubstr("takes a value where there is none"));
  EXPECT_THAT(refusal(archive_of("N(R", "")), HasSubstr("takes a value where there is none"));
  EXPECT_THAT(refusal(archive_of("t", "")), HasSubstr("ends a container that it did not begin"));
  EXPECT_THAT(refusal(archive_of("Na", "")), HasSubstr("takes a value where there is none"));
  EXPECT_THAT(refusal(archive_of("NNa", "")), HasSubstr("no container of that kind"));
  EXPECT_THAT(refusal(archive_of("N}b", "")), HasSubstr("no container of that kind"));
  EXPECT_THAT(refusal(archive_of("}(Nu", "")), HasSubstr("a key without a value"));
  EXPECT_THAT(refusal(archive_of("h\x05", "")), HasSubstr("recalls a value"));
  EXPECT_THAT(refusal(archive_of("X\xff\xff\xff\xff", "")), HasSubstr("is cut inside a text"));
  EXPECT_THAT(refusal(archive_of(pickled_text("\xff"), "")), HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal(archive_of("\x8a\x09", "")), HasSubstr("more than 64 bits"));
  EXPECT_THAT(refusal(archive_of("cos\nsystem", "")), HasSubstr("is cut inside a name"));
  EXPECT_THAT(refusal(archive_of(pickled_global("torch", "FloatStorage") + ")R", "")),
              HasSubstr("calls torch.FloatStorage, which is a type"));
  EXPECT_THAT(refusal(archive_of("NQ", "")), HasSubstr("something outside that is no storage"));
  EXPECT_THAT(refusal(archive_of(pickled_dict({{"a", "N"}}), "")),
              HasSubstr("has a, which is no tensor"));
}

TEST(PickledCheckpoint, DeepNestingCostsNoStack) {
  const std::string deep(1'000'000, ']');
  std::string appends(999'999, 'a');
  EXPECT_THAT(refusal(archive_of(deep + appends, "")), HasSubstr("holds no dict"));
}

TEST(PickledCheckpoint, ReadsStridesAndOffsets) {
  const auto elements = [](const std::string& archive) {
    return elements_of(parse(archive).tensors.at("w"));
  };
  EXPECT_EQ(elements(archive_of_tensor(1, {2, 3}, {1, 2})), std::string(24, 'a'));
  EXPECT_EQ(elements(archive_of_tensor(0, {8}, {1})), std::string(32, 'a'));
  EXPECT_EQ(elements(archive_of_tensor(8, {4, 0}, {9, 9})), "");
  EXPECT_EQ(elements(archive_of_tensor(7, {}, {})), "aaaa");
}

TEST(PickledCheckpoint, RefusesTensorsBeyondTheirStorage) {
  EXPECT_THAT(refusal(archive_of_tensor(0, {9}, {1})),
              HasSubstr("has a tensor [9] with strides [1] from element 0 of a storage of 8"));
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  EXPECT_THAT(refusal(archive_of_tensor(1, {8}, {1})), HasSubstr("of a storage of 8"));
  EXPECT_THAT(refusal(archive_of_tensor(0, {2, 2}, {7, 2})), HasSubstr("of a storage of 8"));
  EXPECT_THAT(refusal(archive_of_tensor(0, {3}, {kHuge})), HasSubstr("of a storage of 8"));
  EXPECT_THAT(refusal(archive_of_tensor(0, {kHuge, 4}, {0, 0})), HasSubstr("of a storage of 8"));
  EXPECT_THAT(refusal(archive_of_tensor(9, {0}, {1})), HasSubstr("of a storage of 8"));
  EXPECT_THAT(refusal(archive_of_tensor(-1, {1}, {1})), HasSubstr("of a storage of 8"));
  EXPECT_THAT(refusal(archive_of_tensor(0, {9}, {0})),
              HasSubstr("has a tensor of 9 elements in a storage of 8"));
  EXPECT_THAT(refusal(archive_of_tensor(0, {-1}, {1})), HasSubstr("that is no count"));
  EXPECT_THAT(refusal(archive_of_tensor(0, {1}, {-1})), HasSubstr("that is no count"));
  EXPECT_THAT(refusal(archive_of_tensor(0, {1, 1}, {1})), HasSubstr("number of strides"));
  EXPECT_THAT(refusal(archive_of_tensor(0, std::vector<std::int64_t>(9, 1),
                                        std::vector<std::int64_t>(9, 1))),
              HasSubstr("of 9 dimensions, the limit is 8"));
}

TEST(PickledCheckpoint, RefusesStoragesOfAnotherSize) {
  const auto with_storage = [](std::string_view key, std::int64_t elements) {
    return archive_of(pickled_dict({{"w", pickled_storage("HalfStorage", key, elements)}}), "abcd");
  };
  EXPECT_THAT(refusal(with_storage("0", 3)),
              HasSubstr("says the storage 0 has 3 elements of F16, the archive has 4 bytes of it"));
  EXPECT_THAT(refusal(with_storage("0", std::int64_t{1} << 62)), HasSubstr("says the storage 0"));
  EXPECT_THAT(refusal(with_storage("0", -2)), HasSubstr("says the storage 0"));
  EXPECT_THAT(refusal(with_storage("../0", 2)),
              HasSubstr("needs the storage ../0, which the archive lacks"));
  EXPECT_THAT(refusal(with_storage("0", 2)), HasSubstr("has w, which is no tensor"));
}

TEST(PickledCheckpoint, NamesAreChecked) {
  const std::string tensor = pickled_tensor(pickled_storage("ByteStorage", "0", 1), 0, {1}, {1});
  const auto named = [&](const std::vector<std::string>& names) {
    std::vector<std::pair<std::string, std::string>> items;
    for (const std::string& name : names) items.emplace_back(name, tensor);
    return refusal(archive_of(pickled_dict(items), "a"));
  };
  EXPECT_THAT(named({"a", "b", "a"}), HasSubstr("has the tensor a twice"));
  EXPECT_THAT(named({"__metadata__"}), HasSubstr("has a tensor with the name '__metadata__'"));
  EXPECT_THAT(named({std::string(513, 'n')}), HasSubstr("has a tensor with the name 'nnn"));
  EXPECT_THAT(refusal(archive_of("}(N" + tensor + "u", "a")),
              HasSubstr("a dict key that is no text"));
  EXPECT_THAT(refusal(archive_of(
                  pickled_dict({{"model", pickled_dict({{"a", tensor}})}, {"head", tensor}}), "a")),
              HasSubstr("has the tensor head beside the dict model"));
}

TEST(PickledCheckpoint, RefusesArchivesOfOtherKinds) {
  EXPECT_THAT(refusal(zip_bytes({{"a/version", "3"}})),
              HasSubstr("is a zip archive without data.pkl"));
  EXPECT_THAT(refusal(zip_bytes({{"a/data.pkl", "}."}, {"b/data.pkl", "}."}})),
              HasSubstr("has two data.pkl"));
  EXPECT_THAT(refusal(zip_bytes({{"a/data.pkl", "}."}, {"a/byteorder", "big"}})),
              HasSubstr("m.bin: byteorder: is not little"));
  EXPECT_TRUE(parse(zip_bytes({{"a/data.pkl", "}."}})).tensors.empty());
}

}  // namespace
}  // namespace tarsier
