#include "tarsier/train/tensorboard.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    for (const int shift : {4, 0}) text += "0123456789abcdef"[(byte >> shift) & 15];
  }
  return text;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents."))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The same, of hex digits with spaces between the fields.
std::string fields(std::string text) {
  std::erase(text, ' ');
  return text;
}

// Put together field by field, by hand, as the .proto files say; the time is 1.5 s (3ff8...). A
// record is length, masked CRC of it, event, masked CRC of that.
TEST(TensorBoardEvents, AreRecordsByteForByte) {
  const std::string time = "09 000000000000f83f ";
  EXPECT_EQ(hex(event_record(version_event(1.5))),  // file_version "brain.Event:2"
            fields("1800000000000000 a37f4b22 " + time + "1a 0d 627261696e2e4576656e743a32" +
                   " 2a28646c"));
  EXPECT_EQ(hex(event_record(session_start_event(1.5, 7))),  // step, session_log { status: START }
            fields("0f00000000000000 6d532b09 " + time + "10 07 3a 02 08 01" + " 774771c7"));
  const TaggedScalar loss{"train/loss", 0.25};  // summary { value { tag, simple_value
  EXPECT_EQ(hex(event_record(scalars_event(1.5, 300, {&loss, 1}))),
            fields("2100000000000000 017becf6 " + time +
                   "10 ac02 2a 13 0a 11 0a 0a 747261696e2f6c6f7373 15 0000803e" + " 6557981f"));
  // summary { value { tag, tensor { string, shape [1], "hi" }, metadata { plugin_data { "text"
  EXPECT_EQ(hex(text_event(1.5, 2, "t", "hi")),
            fields(time + "10 02 2a 1d 0a 1b 0a 01 74 42 0c 08 07 12 04 12 02 08 01 42 02 6869" +
                   "4a 08 0a 06 0a 04 74657874"));
}

// A run that is killed after step 3 and goes on from the checkpoint of step 2. The Python test
// reads the same files with TensorBoard's own code.
TEST(EventFile, ARunThatGoesOnStartsAFileOfItsOwn) {
  const char* given = std::getenv("TARSIER_EVENTS_DIR");
  const fs::path folder = given != nullptr ? fs::path(given) : test::fresh_folder("events");
  const auto run = [&](std::int64_t resumed, std::int64_t last, double loss) {
    EventFile file(folder, resumed);
    for (std::int64_t step = resumed + 1; step <= last; ++step) {
      const TaggedScalar value{"train/loss", loss};
      file.add_scalars(step, {&value, 1});
      file.add_text(step, "samples/0", "a **red** circle");
    }
  };
  EventFile nothing(folder, 0);
  EXPECT_TRUE(event_files(folder).empty());
  run(0, 3, 0.5);
  run(2, 4, 0.25);
  const auto files = event_files(folder);
  ASSERT_EQ(files.size(), 2u);
  std::ifstream stream(files[1], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_EQ(hex(bytes.substr(61, 6)), "10033a020801");  // session start at step 3
}

}  // namespace
}  // namespace tarsier
