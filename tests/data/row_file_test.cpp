#include "tarsier/data/rows/row_file.h"

#include <gtest/gtest.h>

#include "tarsier/base/error.h"
#include "tests/data/temporary_folder.h"

namespace tarsier {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

// "<line>:<text>" of each row, then the error, if there is one.
std::string rows_of(const std::string& text) {
  const TemporaryFolder folder;
  std::string all;
  try {
    RowFile file(write_text(folder / "rows.jsonl", text));
    while (const auto row = file.next())
      all += row->where.substr(row->where.rfind(' ') + 1) + ":" + row->text + "|";
  } catch (const InputError& error) {
    all += error.what();
  }
  return all;
}

TEST(RowFile, Lines) {
  EXPECT_EQ(rows_of(""), "");
  EXPECT_EQ(rows_of("\n \r\n"), "");
  EXPECT_EQ(rows_of("{\"a\":1}\n\n{\"b\":2}"), "1:{\"a\":1}|3:{\"b\":2}|");
  EXPECT_EQ(rows_of("{}\r\nnot json\n{}\n"), "1:{}\r|2:not json|3:{}|");
}

TEST(RowFile, AListOfRows) {
  EXPECT_EQ(rows_of("[]"), "");
  EXPECT_EQ(rows_of("\n[\n{\"a\":[1,{}]},\n  {\"b\":\"]}\\\"\"}\n]\n"),
            "3:{\"a\":[1,{}]}|4:{\"b\":\"]}\\\"\"}|");
  EXPECT_EQ(rows_of("[{\"a\":\n2} , 7,\"x\"]"), "1:{\"a\":\n2}|2:7|2:\"x\"|");
  EXPECT_EQ(rows_of("[{},\n{\"a\":1"),
            "1:{}|rows.jsonl line 2: ends inside its list; the file may be cut");
  EXPECT_EQ(rows_of("[{}"), "1:{}|rows.jsonl line 1: ends inside its list; the file may be cut");
  EXPECT_EQ(
      rows_of("[{}]\n{}"),
      "1:{}|rows.jsonl line 2: goes on behind the end of its list; keep one list in the file");
}

TEST(RowFile, NoSuchFile) {
  try {
    RowFile file("/no/such.jsonl");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "/no/such.jsonl: cannot be opened; check the path and its permissions");
  }
}

}  // namespace
}  // namespace tarsier
