#include "tarsier/judge/json_repair.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

std::string literal(const std::string& text) { return parse_literal(text, "answer").raw().dump(); }

TEST(JsonRepair, TakesTheStepsInOrder) {
  for (const auto& [said, repaired] : {
           std::pair{" {\"a\":\n\n 1,\t2} ", "{\"a\": 1, 2}"},
           {"```json\n{\"a\": 1}\n```", "{\"a\": 1}"},
           {"```python\n{\"a\": 1}```", "{\"a\": 1}"},
           {"```\n{\"a\": 1}\n```", "{\"a\": 1}"},
           {"\"a\": [1]", "{\"a\": [1]}"},
           {"{\"a\": [{}]", "{\"a\": [{}]}"},
           {"{\"a\": True, \"b\": False}", "{\"a\": true, \"b\": false}"},
           {"{\"a\": [{} {}{}]}", "{\"a\": [{}, {}, {}]}"},
           {"{\"a\": [{\"b\": 1,}, ], }", "{\"a\": [{\"b\": 1}]}"},
           {"{\"a\": [1,\n]}", "{\"a\": [1]}"},
           {"{\"a\": [Placeholder]}", "{\"a\": null}"},
           {"", "{}"},
       })
    EXPECT_EQ(repair_json(said), repaired) << said;
}

TEST(JsonRepair, LeavesWholeJsonAlone) {
  const std::string whole = R"({"events": [{"event": "a \"b\"", "relationship": "neutral"}]})";
  EXPECT_EQ(repair_json(whole), whole);
}

TEST(JsonRepair, ReadsPythonAndJsonLiterals) {
  EXPECT_EQ(literal(R"({'events': ['a', "b's", 'c "d"',]})"),
            R"({"events":["a","b's","c \"d\""]})");
  EXPECT_EQ(literal(R"([True, False, None, true, null, -1.5e3])"),
            "[true,false,null,true,null,-1500.0]");
  EXPECT_EQ(literal(R"('it\'s \x41 \u00e9 \ud83d\ude00 \U0001F600 \q')"),
            nlohmann::json("it's A \xC3\xA9 \xF0\x9F\x98\x80 \xF0\x9F\x98\x80 \\q").dump());
  EXPECT_EQ(literal("{'a': {'b': [1, [2]]}}"), R"({"a":{"b":[1,[2]]}})");
}

TEST(JsonRepair, RefusesWhatIsNoLiteral) {
  for (const char* text :
       {"", "('a', 'b')", "{'a', 'b'}", "'a' 'b'", "u'a'", "f('a')", "[1] x", "{'a': 1, 'a': 2}",
        "['a", "['a\n']", "['\\ud83d']", "['\\x4']", "['\\N{DASH}']", "['\\777']", "{1: 2}", "['\\",
        "__import__('os')", "1 + 1", "[nan]"})
    EXPECT_THROW(parse_literal(text, "answer"), InputError) << text;
  EXPECT_THROW(parse_literal(std::string(100'000, '['), "answer"), InputError);
  EXPECT_THROW(parse_literal("['\xFF']", "answer"), InputError);
  try {
    parse_literal("{", "judge's answer");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_EQ(error.note.where, "judge's answer");
  }
}

}  // namespace
}  // namespace tarsier
