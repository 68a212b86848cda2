#include "tarsier/checkpoint/safetensors.h"

#include <gmock/gmock.h>

#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

using testing::as_bytes;
using ::testing::ElementsAre;
using testing::fresh_folder;
using ::testing::HasSubstr;
using testing::message_of;
using testing::safetensors_bytes;

SafetensorsHeader parse(const std::string& file) {
  return parse_safetensors_header(as_bytes(file), "m.safetensors");
}
SafetensorsHeader parse(std::string_view header, std::size_t data_bytes) {
  return parse(safetensors_bytes(header, data_bytes));
}

std::string refusal(const std::string& file) {
  return message_of<CheckpointError>([&] { parse(file); });
}
std::string refusal(std::string_view header, std::size_t data_bytes) {
  return refusal(safetensors_bytes(header, data_bytes));
}

TEST(SafetensorsHeader, ReadsTensorsAndMetadata) {
  const SafetensorsHeader header = parse(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"none":{"dtype":"I64","shape":[0,7],"data_offsets":[16,16]}}   )",
      16);
  ASSERT_EQ(header.entries.size(), 3u);
  EXPECT_EQ(header.entries[0].name, "a");
  EXPECT_TRUE(header.entries[0].shape.empty());
  EXPECT_EQ(header.entries[1].dtype, DType::bf16);
  EXPECT_THAT(header.entries[1].shape, ElementsAre(2, 3));
  EXPECT_EQ(header.entries[1].begin, 4);
  EXPECT_EQ(header.entries[2].name, "none");
  EXPECT_EQ(header.metadata.at("format"), "pt");
}

TEST(SafetensorsHeader, NoTensorsIsAFile) { EXPECT_TRUE(parse("{}", 0).entries.empty()); }

TEST(SafetensorsHeader, EveryDTypeIsNamed) {
  for (int i = 0; i <= static_cast<int>(DType::u64); ++i) {
    const DType dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_name(name_of(dtype)), dtype);
    EXPECT_GE(bytes_of(dtype), 1);
  }
  EXPECT_EQ(dtype_from_name("f32"), std::nullopt);
}

TEST(SafetensorsHeader, RefusesFilesThatAreNoSafetensors) {
  EXPECT_EQ(
      refusal(std::string("")),
      "m.safetensors: has 0 bytes, a safetensors file has at least 8; download the file again");
  EXPECT_EQ(
      refusal(std::string(7, 'x')),
      "m.safetensors: has 7 bytes, a safetensors file has at least 8; download the file again");
  EXPECT_EQ(refusal(std::string(8, '\0')),
            "m.safetensors: has an empty header; the file is damaged or not a safetensors file");
  EXPECT_EQ(refusal(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)),
            "m.safetensors: says its header has 100000001 bytes, the limit is 100000000; "
            "the file is damaged or not a safetensors file");
  EXPECT_THAT(refusal(std::string(16, '\xff')),
              HasSubstr("says its header has 18446744073709551615 bytes"));
  EXPECT_EQ(refusal(std::string("\x09\0\0\0\0\0\0\0{}", 10)),
            "m.safetensors: is cut inside its header: 2 bytes of 9; download the file again");
  EXPECT_THAT(refusal(" {}", 0),
              HasSubstr("m.safetensors: has a header that does not start with '{'; "));
}

TEST(SafetensorsHeader, RefusesTextThatIsNotUtf8) {
  for (const char* bad : {"\xff", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xe2\x82", "\xf0\x80\x80\x80", "\x80", "\xe0\x80\x80", "\xe2\x28\xa1"}) {
    EXPECT_THAT(refusal(std::string("{\"") + bad + "\":1}", 0),
                HasSubstr("m.safetensors: has a header that is not UTF-8"));
  }
  const SafetensorsHeader header = parse(
      "{\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":["
      "0,1]}}",
      1);
  EXPECT_EQ(header.entries[0].name, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(SafetensorsHeader, RefusesTextThatIsNotJson) {
  EXPECT_THAT(refusal("{", 0), HasSubstr("m.safetensors: header: is not valid JSON at byte "));
  EXPECT_THAT(refusal("{} x", 0), HasSubstr("m.safetensors: header: is not valid JSON at byte "));
  EXPECT_THAT(refusal(std::string_view("{}\0", 3), 0),
              HasSubstr("m.safetensors: has a zero byte in its header"));
  EXPECT_THAT(refusal("{\"a\":1,\"a\":2}", 0),
              HasSubstr("m.safetensors: header: has the key 'a' twice"));
  EXPECT_THAT(refusal(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("has the key 'dtype' twice"));
  EXPECT_THAT(refusal("{\"a\":" + std::string(70, '[') + std::string(70, ']') + "}", 0),
              HasSubstr("nested more than 64 levels"));
}

TEST(SafetensorsHeader, RefusesMetadataThatIsNotText) {
  EXPECT_THAT(refusal(R"({"__metadata__":[]})", 0),
              HasSubstr("m.safetensors: header: __metadata__: is an array, expected an object"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"epoch":3}})", 0),
              HasSubstr("__metadata__.epoch: is an integer, expected a string"));
}

TEST(SafetensorsHeader, RefusesATensorWithWrongFields) {
  EXPECT_THAT(refusal(R"({"w":7})", 0),
              HasSubstr("m.safetensors: header: w: is an integer, expected an object"));
  EXPECT_THAT(refusal(R"({"w":{"shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("w.dtype: is missing"));
  EXPECT_THAT(refusal(R"({"w":{"dtype":"U8","data_offsets":[0,1]}})", 1),
              HasSubstr("w.shape: is missing"));
  EXPECT_THAT(refusal(R"({"w":{"dtype":"U8","shape":[1]}})", 1),
              HasSubstr("w.data_offsets: is missing"));
  EXPECT_EQ(refusal(R"({"w":{"dtype":"Q4_0","shape":[1],"data_offsets":[0,1]}})", 1),
            "m.safetensors: w: has the unknown dtype 'Q4_0'; convert the file to BF16, F16 or F32");
  EXPECT_THAT(refusal(R"({"w":{"dtype":3,"shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("w.dtype: is an integer, expected a string"));
  EXPECT_THAT(refusal(R"({"w":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1),
              HasSubstr("w.shape: is an integer, expected an array"));
}

TEST(SafetensorsHeader, RefusesNumbersThatAreNoSizes) {
  const auto shape = [](const char* value) {
    return std::string(R"({"w":{"dtype":"U8","shape":[)") + value + R"(],"data_offsets":[0,1]}})";
  };
  EXPECT_THAT(refusal(shape("-1"), 1), HasSubstr("w.shape[0]: is -1, expected 0 to "));
  EXPECT_THAT(refusal(shape("1.0"), 1), HasSubstr("w.shape[0]: is a number, expected an integer"));
  EXPECT_THAT(refusal(shape("\"1\""), 1),
              HasSubstr("w.shape[0]: is a string, expected an integer"));
  EXPECT_THAT(refusal(shape("18446744073709551615"), 1),
              HasSubstr("w.shape[0]: is too large for a 64-bit integer"));
  EXPECT_THAT(refusal(shape("1e999"), 1), HasSubstr("a number is out of range"));
  EXPECT_THAT(refusal(shape("9223372036854775807,2"), 1),
              HasSubstr("w: has the shape [9223372036854775807, 2], too large for any file"));
  EXPECT_THAT(refusal(shape("4294967296,4294967296,0"), 1), HasSubstr("too large for any file"));
  EXPECT_THAT(refusal(shape("1,1,1,1,1,1,1,1,1"), 1),
              HasSubstr("m.safetensors: w: has 9 dimensions, the limit is 8"));
}

TEST(SafetensorsHeader, RefusesOffsetsThatDoNotFit) {
  const auto offsets = [](const char* value) {
    return std::string(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":)") + value + "}}";
  };
  EXPECT_THAT(refusal(offsets("[0]"), 24), HasSubstr("w.data_offsets: is not a pair of integers"));
  EXPECT_THAT(refusal(offsets("[0,24,48]"), 24),
              HasSubstr("w.data_offsets: is not a pair of integers"));
  EXPECT_THAT(refusal(offsets("24"), 24), HasSubstr("w.data_offsets: is not a pair of integers"));
  EXPECT_THAT(refusal(offsets("[-24,0]"), 24), HasSubstr("w.data_offsets[0]: is -24"));
  EXPECT_THAT(refusal(offsets("[24,0]"), 24),
              HasSubstr("m.safetensors: w: ends at byte 0, before it begins at 24"));
  EXPECT_EQ(refusal(offsets("[0,20]"), 20),
            "m.safetensors: w: is F32 [2, 3], 24 bytes, but the file gives it 20; the file is "
            "damaged or not a safetensors file");
}

TEST(SafetensorsHeader, RefusesBytesThatDoNotTileTheFile) {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + first +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
  };
  EXPECT_EQ(parse(two("[4,8]", "[0,4]"), 8).entries[0].name, "b");
  EXPECT_THAT(
      refusal(two("[1,5]", "[5,9]"), 9),
      HasSubstr("m.safetensors: a: begins at byte 1, leaving 1 bytes before it to no tensor"));
  EXPECT_THAT(refusal(two("[0,4]", "[6,10]"), 10),
              HasSubstr("m.safetensors: b: begins at byte 6, leaving 2 bytes"));
  EXPECT_THAT(refusal(two("[0,4]", "[2,6]"), 8), HasSubstr("m.safetensors: b: overlaps a"));
  EXPECT_THAT(refusal(two("[0,4]", "[0,4]"), 4), HasSubstr("m.safetensors: b: overlaps a"));
  EXPECT_EQ(refusal(two("[0,4]", "[4,8]"), 7),
            "m.safetensors: is cut: its tensors need 8 bytes, it has 7; download the file again");
  EXPECT_THAT(refusal(two("[0,4]", "[4,8]"), 9),
              HasSubstr("m.safetensors: has 1 bytes after its last tensor"));
  EXPECT_THAT(refusal("{}", 1), HasSubstr("m.safetensors: has 1 bytes after its last tensor"));
}

TEST(SafetensorsHeader, RefusesTooManyTensorsAndTooLongNames) {
  std::string header = "{\"__metadata__\":{}";
  for (int i = 0; i <= 100'000; ++i) header += ",\"" + std::to_string(i) + "\":0";
  EXPECT_THAT(refusal(header + "}", 0),
              HasSubstr("m.safetensors: has 100002 tensors, the limit is 100000"));
  const auto named = [](std::size_t bytes) {
    return "{\"" + std::string(bytes, 'n') +
           R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  };
  EXPECT_EQ(parse(named(512), 1).entries.size(), 1u);
  EXPECT_THAT(refusal(named(513), 1),
              HasSubstr("nnn...: has a name of 513 bytes, the limit is 512"));
}

TEST(SafetensorsHeader, EveryCutOfAFileIsRefused) {
  const std::string whole =
      safetensors_bytes(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(parse(whole.substr(0, length)), CheckpointError) << length;
  }
}

TEST(SafetensorsFile, WritesAndReadsBack) {
  const std::filesystem::path path = fresh_folder() / "m.safetensors";
  const std::string floats(24, 'f'), bytes = "abc", halves = "hhhh";
  const std::vector<TensorView> tensors = {{"z", DType::u8, {3}, as_bytes(bytes)},
                                           {"b", DType::f32, {2, 3}, as_bytes(floats)},
                                           {"a", DType::bf16, {2}, as_bytes(halves)},
                                           {"empty", DType::f32, {0}, {}}};
  write_safetensors(path, tensors, {{"format", "pt"}});
  const SafetensorsFile file(path);
  ASSERT_EQ(file.tensors().size(), 4u);
  for (const TensorView& tensor : tensors) {
    const TensorView& read = file.tensors().at(tensor.name);
    EXPECT_EQ(read.name, tensor.name);
    EXPECT_EQ(read.dtype, tensor.dtype);
    EXPECT_EQ(read.shape, tensor.shape);
    EXPECT_TRUE(
        std::equal(read.bytes.begin(), read.bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read.bytes.data()) %
                  static_cast<std::uintptr_t>(bytes_of(read.dtype)),
              0u);
  }
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

// The bytes that the reference library (safetensors 0.8) writes for the same tensors.
TEST(SafetensorsFile, WritesTheReferenceBytes) {
  const std::filesystem::path path = fresh_folder() / "m.safetensors";
  const std::string data(8, '\x01');
  const std::vector<TensorView> tensors = {{"a", DType::u8, {3}, as_bytes(data).first(3)},
                                           {"\"q\"", DType::f32, {1, 2}, as_bytes(data)}};
  write_safetensors(path, tensors, {{"format", "pt"}});
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"\"q\"":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  const std::size_t padded = (header.size() + 7) / 8 * 8;
  std::string expected = safetensors_bytes(header + std::string(padded - header.size(), ' '), 0);
  EXPECT_EQ(testing::read_text(path), expected + data + data.substr(0, 3));
  std::vector<TensorView> reversed(tensors.rbegin(), tensors.rend());
  write_safetensors(path, reversed, {{"format", "pt"}});
  EXPECT_EQ(testing::read_text(path), expected + data + data.substr(0, 3));
}

TEST(SafetensorsFile, WritesTensorsOneAtATimeInTheFilesOrder) {
  const std::filesystem::path folder = fresh_folder();
  const std::string data(8, '\x01');
  const std::vector<TensorView> tensors = {{"b", DType::u8, {3}, as_bytes(data).first(3)},
                                           {"a", DType::u8, {2}, as_bytes(data).first(2)},
                                           {"c", DType::f32, {2}, as_bytes(data)}};
  write_safetensors(folder / "whole", tensors);
  std::vector<TensorView> without_bytes = tensors;
  for (TensorView& tensor : without_bytes) tensor.bytes = {};
  std::string order;
  write_safetensors(folder / "single", without_bytes, {}, [&](const TensorView& asked) {
    order += asked.name;
    return asked.name == "c" ? as_bytes(data) : as_bytes(data).first(asked.name == "a" ? 2 : 3);
  });
  EXPECT_EQ(order, "cab");
  EXPECT_EQ(testing::read_text(folder / "single"), testing::read_text(folder / "whole"));
  EXPECT_THROW(write_safetensors(folder / "short", without_bytes, {},
                                 [&](const TensorView&) { return as_bytes(data).first(1); }),
               InternalError);
  EXPECT_FALSE(std::filesystem::exists(folder / "short"));
}

TEST(SafetensorsFile, RefusesToWriteNonsense) {
  const std::filesystem::path path = fresh_folder() / "m.safetensors";
  const std::string data = "abcd";
  const auto write = [&](std::vector<TensorView> tensors) { write_safetensors(path, tensors); };
  EXPECT_THROW(write({{"a", DType::f32, {2}, as_bytes(data)}}), InternalError);
  EXPECT_THROW(write({{"a", DType::f32, {-1}, as_bytes(data)}}), InternalError);
  EXPECT_THROW(
      write({{"a", DType::f32, {1}, as_bytes(data)}, {"a", DType::u8, {4}, as_bytes(data)}}),
      InternalError);
  EXPECT_THROW(write({{"__metadata__", DType::f32, {1}, as_bytes(data)}}), InternalError);
  EXPECT_THROW(write({{"\xff", DType::f32, {1}, as_bytes(data)}}), InternalError);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SafetensorsFile, MissingFileIsNamed) {
  EXPECT_THAT(message_of<CheckpointError>([] { SafetensorsFile("/no/such/m.safetensors"); }),
              HasSubstr("m.safetensors: is missing from /no/such; "));
  EXPECT_THROW(SafetensorsFile{fresh_folder()}, CheckpointError);
}

}  // namespace
}  // namespace tarsier
