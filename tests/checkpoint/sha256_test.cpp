#include "tarsier/checkpoint/sha256.h"

#include <gtest/gtest.h>

#include "tests/checkpoint/files.h"

namespace tarsier {
namespace {

using testing::as_bytes;

// FIPS 180-4 examples.
TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(as_bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesAndFilesEqualTheWhole) {
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += "0123456789abcdef"[i % 16];
  Sha256 pieces;
  pieces.update(as_bytes(text).first(1));
  pieces.update(as_bytes(text).subspan(1));
  const std::filesystem::path path = testing::fresh_folder() / "file";
  testing::write_text(path, text);
  const std::string whole = sha256_hex(as_bytes(text));
  EXPECT_EQ(pieces.finish_hex(), whole);
  EXPECT_EQ(sha256_of_file(path), whole);
  EXPECT_THROW(sha256_of_file(path.parent_path() / "none"), ResourceError);
  EXPECT_THROW(sha256_of_file(path.parent_path()), ResourceError);
}

}  // namespace
}  // namespace tarsier
