#include "tarsier/text/chat_template.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "tarsier/base/error.h"
#include "tarsier/text/chat_template_source.h"
#include "tests/text/text_fixtures.h"

namespace tarsier {
namespace {

using nlohmann::json;

std::string render(const std::string& source, const json& variables = json::object(),
                   TemplateBudget budget = {}) {
  return ChatTemplate::parse(source, "chat_template.jinja", budget).render(variables);
}

std::string refusal(const std::string& source, const json& variables = json::object()) {
  return message_of<CheckpointError>([&] { render(source, variables); });
}

TEST(ChatTemplate, RendersAsJinja2) {
  const json fixture = read_json_fixture("chat_template.cases.json");
  ASSERT_GT(fixture["cases"].size(), 900u);
  for (const json& row : fixture["cases"]) {
    const auto source = row["template"].get<std::string>();
    const json& variables = row.contains("variables") ? row["variables"] : fixture["variables"];
    try {
      const std::string text = render(source, variables);
      EXPECT_EQ(text, row.value("text", "(an error)")) << source << "\n" << row.value("fails", "");
    } catch (const InputError& error) {
      EXPECT_EQ(error.note.what, row.value("raises", "(no exception raised)")) << source;
    } catch (const CheckpointError& error) {
      EXPECT_TRUE(row.contains("fails")) << source << "\n"
                                         << error.what() << "\nexpected: " << row.value("text", "");
    }
  }
}

TEST(ChatTemplate, NamesWhatIsOutsideTheSubset) {
  const std::pair<const char*, const char*> cases[] = {
      {"\n\n{% macro f() %}{% endmacro %}",
       "chat_template.jinja: line 3: uses the tag 'macro'; chat templates may use for, if, set and "
       "generation"},
      {"{% include 'x' %}", "uses the tag 'include'"},
      {"{% raw %}{% endraw %}", "uses the tag 'raw'"},
      {"{% for i in a %}{% continue %}{% endfor %}", "uses the tag 'continue'"},
      {"{{ a|map('x') }}", "uses the filter 'map'"},
      {"{{ a is callable }}", "uses the test 'callable'"},
      {"{{ strftime_now('%d') }}", "calls the function 'strftime_now'"},
      {"{{ a.popitem() }}", "calls the method 'popitem'"},
      {"{{ a.__class__ }}", "reads the attribute '__class__'"},
      {"{{ 2 ** 3 }}", "uses the operator '**'"},
      {"{{ f(*a) }}", "calls the function 'f'"},
      {"{{ range(*a) }}", "passes arguments with '*'"},
      {"{% set a, b = c %}", "sets several names"},
      {"{% set a %}x{% endset %}", "uses a set block"},
      {"{% for i in a recursive %}{% endfor %}", "uses a recursive for"},
      {"{{ 99999999999999999999 }}", "number too large"},
      {"{{ '\\N{BULLET}' }}", "wrong escape"},
      {"{{ a ? b }}", "unexpected '?'"},
      {"{{ 'x\xFF' }}", "is not UTF-8"},
  };
  for (const auto& [source, message] : cases)
    EXPECT_NE(refusal(source).find(message), std::string::npos) << refusal(source);
  EXPECT_NE(refusal("\n{{ [1] }}").find("line 2: prints a list"), std::string::npos);
  EXPECT_NE(refusal("{{ 'a'['__class__'] }}").find("reads the attribute '__class__'"),
            std::string::npos);
  EXPECT_NE(refusal("{{ 9223372036854775807 + 1 }}").find("beyond 64 bits"), std::string::npos);
  EXPECT_NE(refusal("{{ -9223372036854775807 - 2 }}").find("beyond 64 bits"), std::string::npos);
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) % -1 }}"), "0");
  EXPECT_NE(refusal("{{ (-9223372036854775807 - 1) // -1 }}").find("beyond 64 bits"),
            std::string::npos);
}

TEST(ChatTemplate, HandsOnTheTemplatesOwnWords) {
  EXPECT_EQ(
      message_of<InputError>([] { render("{{ raise_exception('roles must\\nalternate') }}"); }),
      "chat_template.jinja: roles must\\x0aalternate; the chat template refuses these messages");
}

TEST(ChatTemplate, RefusesVariablesThatAreNotText) {
  EXPECT_THROW(render("{{ a }}", {{"a", "\xFF"}}), InputError);
  json deep = 1;
  for (int i = 0; i < 100; ++i) deep = json::array({deep});
  EXPECT_THROW(render("{{ 1 }}", {{"a", deep}}), InputError);
}

// Of processor time; the factor allows for slow builds and crowded machines, an idle one stays
// under 50 ms.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kMostSeconds = 10.0;
#else
constexpr double kMostSeconds = 0.2;
#endif

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Every abuse ends in an error, soon.
TEST(ChatTemplate, AbuseEndsInAnError) {
  const auto repeat = [](const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  const std::string loop = "{% for i in range(100000) %}", end = "{% endfor %}";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nested loops", loop + loop + loop + "x" + end + end + end},
      {"loops of names", loop + loop + "{{ i }}{{ loop.index }}" + end + end},
      {"empty loops", loop + loop + end + end},
      {"doubling", "{% set ns = namespace(s='x') %}" + loop + "{% set ns.s = ns.s + ns.s %}" + end},
      {"doubling by ~",
       "{% set ns = namespace(s='x') %}" + loop + "{% set ns.s = ns.s ~ ns.s %}" + end},
      {"doubling a list",
       "{% set ns = namespace(s=[1]) %}" + loop + "{% set ns.s = ns.s + ns.s %}" + end},
      {"repeating", "{{ 'x' * 9223372036854775807 }}"},
      {"repeating a list", "{{ ([1] * 9223372036854775807)|length }}"},
      {"long output",
       loop + loop +
           "{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' "
           "}}" +
           end + end},
      {"growing nesting",
       "{% set ns = namespace(s=[]) %}" + loop + "{% set ns.s = [ns.s] %}" + end},
      {"growing dicts",
       "{% set ns = namespace(s={}) %}" + loop + "{% set ns.s = {'a': ns.s} %}" + end},
      {"a namespace in itself", "{% set ns = namespace() %}{% set ns.x = ns %}"},
      {"a namespace in a list", "{% set ns = namespace() %}{% set ns.x = [ns] %}"},
      {"range", "{{ range(9223372036854775807)|length }}"},
      {"replace", "{% set s = 'a' * 1000000 %}" + loop +
                      "{{ s|replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') }}" + end},
      {"split", "{% set s = ' a' * 1000000 %}" + loop + "{% set t = s.split() %}" + end},
      {"search",
       "{% set s = 'a' * 1000000 %}{% set n = 'a' * 500000 + 'b' %}" + loop + "{{ n in s }}" + end},
      {"index", "{% set s = 'a' * 1000000 %}" + loop + "{{ s[-1] }}" + end},
      {"slices", "{% set s = 'a' * 1000000 %}" + loop + "{{ s[::-1] }}" + end},
      {"comparing",
       "{% set s = [1] * 100000 %}{% set u = [1] * 100000 %}" + loop + "{{ s == u }}" + end},
      {"tojson", "{% set s = [1] * 100000 %}" + loop + "{{ s|tojson }}" + end},
      {"indent", "{{ [[[[[[1]]]]]]|tojson(indent=9223372036854775807) }}" + loop +
                     "{{ [[[1]]]|tojson(indent=64) }}" + loop + end + end},
      {"parentheses", "{{ " + repeat("(", 125000) + "1" + repeat(")", 125000) + " }}"},
      {"brackets", "{{ " + repeat("[", 100000) + "1" + repeat("]", 100000) + " }}"},
      {"signs", "{{ " + repeat("-", 250000) + "1 }}"},
      {"not", "{{ " + repeat("not ", 62500) + "1 }}"},
      {"attributes", "{{ a" + repeat(".a", 125000) + " }}"},
      {"filters", "{{ a" + repeat("|trim", 50000) + " }}"},
      {"inline if", "{{ 1" + repeat(" if 1 else 1", 20833) + " }}"},
      {"inline if alone", "{{ 1" + repeat(" if 1", 50000) + " }}"},
      {"blocks", repeat("{% if 1 %}", 25000)},
      {"loops in loops", repeat("{% for i in a %}", 15625)},
      {"comments", repeat("{#", 125000)},
      {"tags", repeat("{{", 125000)},
      {"size", repeat("xxxxxxxx", 200000)},
  };
  for (const auto& [name, source] : cases) {
    const double start = processor_seconds();
    const std::string message = refusal(source);
    const double seconds = processor_seconds() - start;
    EXPECT_NE(message, "no error") << name;
    EXPECT_LT(message.size(), 400u) << name;
    EXPECT_LT(seconds, kMostSeconds) << name << ": " << message;
    RecordProperty(name + " (microseconds)", static_cast<int>(seconds * 1e6));
  }
}

TEST(ChatTemplate, LongChainsAreNotDeep) {
  std::string sum = "{{ 0", text = "{{ 'a'", either = "{{ false";
  for (int i = 0; i < 5000; ++i) {
    sum += " + 1";
    text += " ~ 'a'";
    either += " or false";
  }
  EXPECT_EQ(render(sum + " }}"), "5000");
  EXPECT_EQ(render(text + " }}"), std::string(5001, 'a'));
  EXPECT_EQ(render(either + " }}"), "False");
}

TEST(ChatTemplate, BudgetsAreSettable) {
  EXPECT_THROW(render("{% for i in range(100) %}x{% endfor %}", json::object(), {.steps = 50}),
               CheckpointError);
  EXPECT_THROW(render("xxxxxxxxxxx", json::object(), {.output_bytes = 10}), CheckpointError);
  EXPECT_THROW(render("{{ ((1)) }}", json::object(), {.depth = 3}), CheckpointError);
  // A video of 12,480 tokens, counted out one by one, stays far inside.
  EXPECT_EQ(
      render("{% for i in range(n) %}{{ '<|image_pad|>' }}{% endfor %}", {{"n", 12480}}).size(),
      12480u * 13);
}

TEST(ChatTemplate, IsReusable) {
  const auto one = ChatTemplate::parse(
      "{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{{ x }}", "t");
  EXPECT_EQ(one.render({{"x", "a"}}), "1a");
  EXPECT_EQ(one.render({{"x", "b"}}), "1b");
  EXPECT_EQ(one.name(), "t");
}

class TemplateFiles : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string rendered() const {
    return find_chat_template(folder_).chat_template.render({{"messages", json::array()}});
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("tarsier-templates-" + std::to_string(::getpid()));
};

TEST_F(TemplateFiles, TheFirstOfTheOrderWins) {
  const json talk = {{"messages", json::array({{{"role", "user"}, {"content", "hi"}}})},
                     {"add_generation_prompt", true}};
  FoundChatTemplate found = find_chat_template(folder_);
  EXPECT_TRUE(found.is_built_in);
  EXPECT_EQ(found.origin, "built-in: Qwen2-VL");
  EXPECT_EQ(found.chat_template.render(talk),
            "<|im_start|>system\nYou are a helpful "
            "assistant.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");

  write("tokenizer_config.json", R"({"chat_template": null})");
  EXPECT_TRUE(find_chat_template(folder_).is_built_in);
  write("tokenizer_config.json", R"({"chat_template": "config"})");
  EXPECT_EQ(rendered(), "config");
  EXPECT_EQ(find_chat_template(folder_).origin, "tokenizer_config.json: chat_template");
  write(
      "tokenizer_config.json",
      R"({"chat_template": [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]})");
  EXPECT_EQ(rendered(), "d");
  EXPECT_EQ(find_chat_template(folder_).origin, "tokenizer_config.json: chat_template (default)");
  write("chat_template.json", R"({"chat_template": "json"})");
  EXPECT_EQ(rendered(), "json");
  write("chat_template.jinja", "jinja");
  EXPECT_EQ(rendered(), "jinja");
  EXPECT_EQ(find_chat_template(folder_).origin, "chat_template.jinja");
  EXPECT_FALSE(find_chat_template(folder_).is_built_in);
}

TEST_F(TemplateFiles, ABrokenOneIsNotPassedOver) {
  const auto refused = [&] {
    return message_of<CheckpointError>([&] { find_chat_template(folder_); });
  };
  write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "r"}]})");
  EXPECT_EQ(refused(),
            "tokenizer_config.json: chat_template: has no template named 'default'; name one of "
            "them 'default'");
  write("tokenizer_config.json", R"({"chat_template": 3})");
  EXPECT_NE(refused().find("chat_template: is neither"), std::string::npos);
  write("chat_template.json", "{");
  EXPECT_EQ(refused().substr(0, 18), "chat_template.json");
  write("chat_template.jinja", "{% if %}");
  EXPECT_EQ(refused().substr(0, 27), "chat_template.jinja: line 1");
  write("chat_template.jinja", std::string((256 << 10) + 1, 'x'));
  EXPECT_NE(refused().find("cannot be read whole"), std::string::npos);
}

// The text the fixtures are made with is the one we build in.
TEST(ChatTemplate, BuiltInTextIsThePublishedOne) {
  EXPECT_EQ(
      read_json_fixture("chat_template.cases.json")["cases"][0]["template"].get<std::string>(),
      kQwen2VlChatTemplate);
}

}  // namespace
}  // namespace tarsier
