#include "tarsier/judge/http_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tests/data/temporary_folder.h"
#include "tests/free_port.h"
#include "tests/scripted_server.h"

namespace tarsier {
namespace {

using test::http_answer;
using test::ScriptedServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

std::string completion(const std::string& text) {
  return nlohmann::json{{"choices", {{{"message", {{"role", "assistant"}, {"content", text}}}}}}}
      .dump();
}

HttpJudgeSettings settings_for(const std::string& url) {
  HttpJudgeSettings settings;
  settings.url = url;
  settings.model = "judge-1";
  settings.timeout = 2s;
  settings.pause = 1ms;
  return settings;
}

JudgeRequest question() {
  JudgeRequest request;
  request.system = "Be brief.";
  request.user = "Yes or \"no\"?";
  return request;
}

std::string text(const Outcome<std::string>& answer) {
  const auto* note = std::get_if<ErrorNote>(&answer);
  return note == nullptr ? std::get<std::string>(answer) : "note: " + note->text();
}

std::string ask(const std::string& url, const std::string& key = {}) {
  HttpJudgeSettings settings = settings_for(url);
  settings.key = key;
  return text(HttpJudge(settings).complete(question(), {}));
}

std::string refusal(const std::string& url) {
  try {
    return ask(url);
  } catch (const ConfigError& error) {
    return error.what();
  }
}

class Http : public ::testing::Test {
 protected:
  Http() {
    set_log_sink([this](LogLevel, std::string_view line) { lines_.emplace_back(line); });
  }
  ~Http() override { set_log_sink({}); }
  std::vector<std::string> lines_;
};

TEST_F(Http, AsksAsTheApiWantsIt) {
  ScriptedServer server([](const std::string&) { return http_answer(200, completion("yes")); });
  HttpJudgeSettings settings = settings_for(server.url());
  settings.key = "sk-secret";
  HttpJudge judge(settings);
  EXPECT_EQ(judge.id(), "judge-1 at " + server.url() + "/chat/completions");
  JudgeRequest request = question();
  request.params = {.temperature = 0, .top_p = 0.25, .seed = 2024, .max_tokens = 100};
  EXPECT_EQ(text(judge.complete(request, {})), "yes");
  EXPECT_EQ(text(judge.complete(question(), {})), "yes");
  const std::vector<std::string> requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_THAT(requests[0], AllOf(StartsWith("POST /v1/chat/completions HTTP/1.1\r\n"),
                                 HasSubstr("Authorization: Bearer sk-secret\r\n"),
                                 HasSubstr("Content-Type: application/json\r\n")));
  const auto body = [&](std::size_t i) {
    return nlohmann::json::parse(requests[i].substr(requests[i].find("\r\n\r\n")));
  };
  EXPECT_EQ(body(0), nlohmann::json::parse(R"({"model": "judge-1", "temperature": 0.0,
      "top_p": 0.25, "seed": 2024, "max_tokens": 100, "messages": [
      {"role": "system", "content": "Be brief."},
      {"role": "user", "content": "Yes or \"no\"?"}]})"));
  EXPECT_FALSE(body(1).contains("temperature")) << "left to the API's default";
  EXPECT_FALSE(body(1).contains("seed"));
}

TEST_F(Http, WaitsOutRateLimitsAndTimeOuts) {
  for (const int status : {408, 429, 502, 503, 504}) {
    int asked = 0;
    ScriptedServer server([&](const std::string&) {
      return ++asked < 20 ? http_answer(status, R"({"error": {"message": "slow down"}})")
                          : http_answer(200, completion("yes"));
    });
    EXPECT_EQ(ask(server.url()), "yes");
    EXPECT_EQ(asked, 20);
  }
  EXPECT_EQ(lines_.size(), 25u) << "a line for the 1st, 2nd, 4th, 8th and 16th wait of each";
  EXPECT_THAT(lines_[0], AllOf(HasSubstr("HTTP 408: slow down; asking again in 0.001 s")));

  int asked = 0;
  ScriptedServer silent([&](const std::string&) {
    return ++asked < 2 ? std::string() : http_answer(200, completion("yes"));
  });
  HttpJudgeSettings settings = settings_for(silent.url());
  settings.timeout = 100ms;
  EXPECT_EQ(text(HttpJudge(settings).complete(question(), {})), "yes");
}

TEST_F(Http, OtherFailuresCostAnAttempt) {
  for (const auto& [answer, note] : {
           std::pair{http_answer(400, R"({"error": {"message": "too \u001b[2J long"}})"),
                     "HTTP 400: too \\x1b[2J long"},
           {http_answer(500, "oops"), "HTTP 500: oops"},
           {http_answer(200, "not JSON"), "is not valid JSON at byte"},
           {http_answer(200, "{\"choices\": []}"), "choices: has 0 entries, expected more than 0"},
           {http_answer(200, "{\"choices\": {}}"), "choices: is an object, expected an array"},
           {http_answer(200, "{\"choices\": [{\"message\": {\"content\": null}}]}"),
            "choices[0].message.content: is null, expected a string"},
           {http_answer(200, "{\"choices\": [{\"message\": {\"content\": \"\xFF\"}}]}"),
            "is not valid JSON"},
           {http_answer(200, std::string(200'000, '[')), "is nested more than 64 levels deep"},
           {http_answer(200, std::string(5 << 20, ' ')), "its answer is larger than anything"},
           {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"choices\"", "gives no answer: "},
           {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "note: "},
           {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{", "note: "},
           {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "gives no answer: "},
       }) {
    bool sent = false;
    ScriptedServer server([&](const std::string&) {
      EXPECT_FALSE(std::exchange(sent, true)) << "asked twice";
      return answer;
    });
    EXPECT_THAT(ask(server.url()), AllOf(StartsWith("note: "), HasSubstr(note)));
  }
}

// A server that never stops sending costs the limit's bytes, not memory.
TEST_F(Http, AnswersWithoutAnEndAreCut) {
  ScriptedServer server([](const std::string&) {
    std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 100; ++i) answer += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    return answer;
  });
  EXPECT_THAT(ask(server.url()), HasSubstr("its answer is larger than anything a judge says"));
}

TEST_F(Http, NobodyThere) {
  const std::string url = "http://127.0.0.1:" + std::to_string(test::free_port());
  EXPECT_THAT(ask(url), AllOf(StartsWith("note: " + url + "/v1/chat/completions: gives no answer"),
                              HasSubstr("; is it running?")));
}

TEST_F(Http, WhatStaysRefusedEndsTheRun) {
  for (const int status : {401, 403, 404, 405}) {
    ScriptedServer server([&](const std::string&) {
      return http_answer(status, R"({"error": {"message": "no such model"}})");
    });
    EXPECT_EQ(refusal(server.url()),
              server.url() + "/chat/completions: HTTP " + std::to_string(status) +
                  ": no such model; check the URL, the model's name and the key");
  }
}

TEST_F(Http, TheKeyFollowsNoRedirect) {
  ScriptedServer elsewhere([](const std::string&) { return http_answer(200, completion("mine")); });
  for (const int status : {301, 302, 307, 308}) {
    ScriptedServer server([&](const std::string&) {
      return http_answer(status, "", "Location: " + elsewhere.url() + "/chat/completions\r\n");
    });
    EXPECT_THAT(refusal(server.url()), HasSubstr("a redirect, which is not followed"));
  }
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(Http, TheKeyIsNeverShown) {
  ScriptedServer server([](const std::string&) {
    return http_answer(400, R"({"error": {"message": "bad key e-secret-e"}})");
  });
  EXPECT_THAT(ask(server.url(), "e-secret-e"), HasSubstr("HTTP 400: bad key (the key)"));
  EXPECT_THAT(ask(server.url(), "e"), Not(HasSubstr("secret-e")));
}

TEST_F(Http, NoProxyOfTheEnvironmentSeesAKeyInTheClear) {
  ScriptedServer proxy([](const std::string&) { return http_answer(200, completion("proxy")); });
  ScriptedServer server([](const std::string&) { return http_answer(200, completion("yes")); });
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("all_proxy", proxy.url().c_str(), 1);
  EXPECT_EQ(ask(server.url(), "key"), "yes");
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
  EXPECT_TRUE(proxy.requests().empty());
}

TEST_F(Http, StopsWhileItWaits) {
  ScriptedServer limited([](const std::string&) { return http_answer(429, "later"); });
  ScriptedServer silent([](const std::string&) { return std::string(); });
  for (const std::string& url : {limited.url(), silent.url()}) {
    HttpJudgeSettings settings = settings_for(url);
    settings.pause = settings.timeout = 60s;
    HttpJudge judge(settings);
    std::stop_source stop;
    const auto begin = std::chrono::steady_clock::now();
    std::jthread later([&] {
      std::this_thread::sleep_for(50ms);
      stop.request_stop();
    });
    EXPECT_EQ(text(judge.complete(question(), stop.get_token())), "note: judge: was stopped");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
  }
}

TEST_F(Http, ManyThreadsShareAJudge) {
  ScriptedServer server([](const std::string& request) {
    const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n")));
    return http_answer(200, completion(body["messages"].back()["content"]));
  });
  HttpJudge judge(settings_for(server.url()));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        JudgeRequest request;
        request.user = std::to_string(100 * i + k);
        EXPECT_EQ(text(judge.complete(request, {})), request.user);
      }
    });
  }
}

TEST_F(Http, EndpointsByTheirUrl) {
  for (const auto& [url, endpoint] : {
           std::pair{"http://localhost:8000", "http://localhost:8000/v1/chat/completions"},
           {"http://localhost:8000/", "http://localhost:8000/v1/chat/completions"},
           {"https://api.example.com/v1", "https://api.example.com/v1/chat/completions"},
           {"https://api.example.com/v1/chat/completions",
            "https://api.example.com/v1/chat/completions"},
           {"https://x.example.com/openai/d/?api-version=1",
            "https://x.example.com/openai/d/chat/completions?api-version=1"},
       })
    EXPECT_EQ(chat_endpoint(url), endpoint);
  for (const char* url : {"", "localhost", "file:///etc/passwd", "ftp://x/v1", "http://",
                          "http://key@localhost:1/v1", "http://:key@localhost/v1"})
    EXPECT_THROW(chat_endpoint(url), ConfigError) << url;
  EXPECT_TRUE(is_in_the_clear("http://10.0.0.1/v1"));
  EXPECT_FALSE(is_in_the_clear("https://10.0.0.1/v1"));
  EXPECT_FALSE(is_in_the_clear("http://127.0.0.1:1/v1"));
  EXPECT_FALSE(is_in_the_clear("http://localhost/v1"));
  EXPECT_THROW(HttpJudge(HttpJudgeSettings{.url = "http://localhost", .model = "", .key = ""}),
               ConfigError);
}

TEST_F(Http, AKeyInTheClearIsSaid) {
  HttpJudgeSettings settings = settings_for("http://judge.example.com");
  settings.key = "sk-secret";
  const HttpJudge judge(settings);
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_THAT(lines_[0], AllOf(HasSubstr("the key goes there unencrypted"), Not(HasSubstr("sk-"))));
}

TEST_F(Http, KeysComeFromFilesAndTheEnvironment) {
  const testing::TemporaryFolder folder;
  const auto file = [&](const std::string& text) {
    return testing::write_text(folder / "key", text).string();
  };
  EXPECT_EQ(read_api_key(file("sk-1\nmore\n")), "sk-1");
  EXPECT_EQ(read_api_key(file("sk-1\r\n")), "sk-1");
  for (const char* text : {"", "\n", "sk 1", "sk-1\x01", "sk-\xC3\xA9"})
    EXPECT_THROW(read_api_key(file(text)), ConfigError) << text;
  EXPECT_THROW(read_api_key(folder / "none"), ConfigError);
  ::setenv("TARSIER_TEST_KEY", "sk-2", 1);
  EXPECT_EQ(api_key_of_environment("TARSIER_TEST_KEY"), "sk-2");
  ::setenv("TARSIER_TEST_KEY", "sk-2\r\nX: y", 1);
  try {
    api_key_of_environment("TARSIER_TEST_KEY");
    ADD_FAILURE();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("sk-2")));
  }
  ::unsetenv("TARSIER_TEST_KEY");
  EXPECT_EQ(api_key_of_environment("TARSIER_TEST_KEY"), "");
}

}  // namespace
}  // namespace tarsier
