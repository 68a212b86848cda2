#include "tarsier/checkpoint/manifest.h"

#include <gmock/gmock.h>

#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;
using testing::fresh_folder;
using ::testing::HasSubstr;
using testing::read_text;
using testing::write_text;

fs::path sound_folder() {
  const fs::path folder = fresh_folder();
  write_text(folder / "config.json", "{}");
  write_text(folder / "model.safetensors", "weights");
  write_text(folder / ".hidden", "of the operating system");
  write_manifest(folder);
  return folder;
}

// All problems, one a line.
std::string problems_of(const fs::path& folder) {
  std::string lines;
  for (const ErrorNote& problem : verify_directory(folder)) lines += problem.text() + "\n";
  return lines;
}

TEST(Manifest, ASoundFolderHasNoProblems) {
  const fs::path folder = sound_folder();
  EXPECT_EQ(problems_of(folder), "");
  EXPECT_EQ(
      read_text(folder / "manifest.json"),
      "{\n  \"files\": {\n    \"config.json\": {\n      \"bytes\": 2,\n      \"sha256\": "
      "\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"\n    },\n    "
      "\"model.safetensors\": {\n"
      "      \"bytes\": 7,\n      \"sha256\": "
      "\"9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c\"\n    }\n  }\n}\n");
}

TEST(Manifest, NamesEveryDifference) {
  const fs::path folder = sound_folder();
  write_text(folder / "model.safetensors", "Weights");
  write_text(folder / "config.json", "{ }");
  write_text(folder / "spare.txt", "");
  const std::string problems = problems_of(folder);
  EXPECT_THAT(
      problems,
      HasSubstr(
          "model.safetensors: has another SHA-256 than manifest.json says; restore the file"));
  EXPECT_THAT(problems, HasSubstr("config.json: has 3 bytes, manifest.json says 2; "));
  EXPECT_THAT(problems, HasSubstr("spare.txt: is not in manifest.json; "));
  fs::remove(folder / "config.json");
  EXPECT_THAT(problems_of(folder), HasSubstr("config.json: is missing; "));
}

// Reliability T4: one flipped bit anywhere, in the manifest too, never goes unnoticed.
TEST(Manifest, EveryFlippedBitIsNoticed) {
  const fs::path folder = sound_folder();
  for (const char* name : {"config.json", "model.safetensors"}) {
    const std::string whole = read_text(folder / name);
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      std::string flipped = whole;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      write_text(folder / name, flipped);
      EXPECT_THAT(problems_of(folder), HasSubstr(name)) << bit;
    }
    write_text(folder / name, whole);
  }
  EXPECT_EQ(problems_of(folder), "");
}

TEST(Manifest, MissingOrMalformedIsAProblem) {
  const fs::path folder = sound_folder();
  const auto with_manifest = [&](const std::string& text) {
    write_text(folder / "manifest.json", text);
    return problems_of(folder);
  };
  const std::string digest(64, '0');
  const auto entry = [&](const std::string& name, const std::string& bytes,
                         const std::string& sha256) {
    return "{\"files\":{\"" + name + "\":{\"bytes\":" + bytes + ",\"sha256\":\"" + sha256 + "\"}}}";
  };
  EXPECT_THAT(with_manifest("{"), HasSubstr("manifest.json: is not valid JSON"));
  EXPECT_THAT(with_manifest("{}"), HasSubstr("manifest.json: files: is missing"));
  for (const char* name : {"../x", "/etc/passwd", "a/b", "", "..", "manifest.json", "a\\u0000"}) {
    EXPECT_THAT(with_manifest(entry(name, "1", digest)),
                HasSubstr("is not the name of a file in the folder"))
        << name;
  }
  EXPECT_THAT(with_manifest(entry("a", "-1", digest)),
              HasSubstr("manifest.json: files.a.bytes: is -1"));
  EXPECT_THAT(with_manifest(entry("a", "1", "00")),
              HasSubstr("manifest.json: files.a.sha256: is not 64 lower-case"));
  fs::remove(folder / "manifest.json");
  EXPECT_THAT(problems_of(folder),
              HasSubstr("manifest.json: is missing; the folder was never finished"));
}

TEST(Manifest, CoversPlainFilesOnly) {
  const fs::path folder = sound_folder();
  fs::create_directory(folder / "inner");
  EXPECT_THAT(testing::message_of<ConfigError>([&] { write_manifest(folder); }),
              HasSubstr("inner: is not a plain file"));
  EXPECT_THAT(problems_of(folder), HasSubstr("inner: is not in manifest.json"));
}

}  // namespace
}  // namespace tarsier
