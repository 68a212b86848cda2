#include "tarsier/base/json.h"

#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Json, NamesFileAndPath) {
  const JsonView json =
      parse_json(R"({"text_config": {"hidden_size": "x"}})", "config.json", JsonOwner::checkpoint);
  EXPECT_EQ(message_of([&] { json.at("text_config").at("hidden_size").as_int(); }),
            "config.json: text_config.hidden_size: is a string, expected an integer; give a whole "
            "number");
  EXPECT_EQ(message_of([&] { json.at("text_config").at("vocab"); }),
            "config.json: text_config.vocab: is missing; the file may be cut or of another kind");
  EXPECT_THROW(json.at("x"), CheckpointError);
}

TEST(Json, RefusesDuplicateKeysDepthAndTrailingText) {
  EXPECT_EQ(message_of([] { parse_json(R"({"a":1,"b":{"c":1,"c":2}})", "f", JsonOwner::config); }),
            "f: has the key 'c' twice; keep one of them");
  EXPECT_THROW(parse_json(std::string(100, '['), "f", JsonOwner::config), ConfigError);
  EXPECT_THROW(parse_json("{} x", "f", JsonOwner::input), InputError);
  EXPECT_THROW(parse_json("", "f", JsonOwner::input), InputError);
  EXPECT_THROW(parse_json(std::string_view("{}\0x", 4), "f", JsonOwner::input), InputError);
  EXPECT_THROW(parse_json("[1e999]", "f", JsonOwner::input), InputError);
}

TEST(Json, SameKeyInTwoObjectsIsFine) {
  EXPECT_EQ(parse_json(R"([{"a":1},{"a":2}])", "f", JsonOwner::config).at(1).at("a").as_int(), 2);
}

TEST(Json, ReadsJsonc) {
  const JsonView json = parse_json("{\"a\": [1, 2, /* x, */ ], // , }\n \"b\": \",]\",}", "r.jsonc",
                                   JsonOwner::config, true);
  EXPECT_EQ(json.at("a").as_ints(), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(json.at("b").as_string(), ",]");
}

TEST(Json, DefaultsOnlyWhenAbsentOrNull) {
  const JsonView json = parse_json(R"({"a": null, "b": "7"})", "f", JsonOwner::config);
  EXPECT_EQ(json.int_or("a", 3), 3);
  EXPECT_THROW(json.int_or("b", 3), ConfigError);
}

TEST(Json, LargeUnsignedIsRefused) {
  EXPECT_THROW(parse_json("[18446744073709551615]", "f", JsonOwner::config).at(0).as_int(),
               ConfigError);
}

}  // namespace
}  // namespace tarsier
