// The evaluations with a judge, from outside: the exact judge, and a model played by a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/run_tarsier.h"
#include "tests/data/temporary_folder.h"
#include "tests/scripted_server.h"

namespace tarsier {
namespace {

using test::http_answer;
using test::ScriptedServer;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::read_text;
using testing::write_text;
using Json = nlohmann::json;

std::string row(int idx, const std::string& reference, const std::string& prediction,
                const Json& extra = Json::object(), const std::string& source = "world/a") {
  return Json{{"messages",
               {{{"role", "user"}, {"content", {{{"type", "text"}, {"text", "Describe."}}}}},
                {{"role", "assistant"},
                 {"content",
                  {{{"type", "text"}, {"text", prediction}, {"reference", reference}}}}}}},
              {"dataset", source},
              {"idx", idx},
              {"extra_info", extra}}
             .dump() +
         "\n";
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from) + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

/// Plays a judge: a text's events are its sentences, a sentence is entailed by a text it stands in,
/// and about texts with "cursed" in them it has nothing to say. Of captions it misses what does not
/// stand in them.
std::string judge_like_a_model(const std::string& request) {
  const Json body = Json::parse(request.substr(request.find("\r\n\r\n")));
  const std::string user = body["messages"].back()["content"];
  const std::string text = between(user, "-----\n", "\n-----");
  std::string answer;
  if (user.find("cursed") != std::string::npos) {
    answer = "I would rather not.";
  } else if (user.find("Missed Events:") != std::string::npos) {
    Json missed = Json::array();
    for (const std::string event : Json::parse(between(user, "events:\n", "\n"))) {
      if (text.find(event) == std::string::npos) missed.push_back(event);
    }
    answer = "Missed: " + std::to_string(missed.size()) +
             "\nIncorrect: 0\nHallucination: 1\nMissed Events: " + missed.dump() +
             "\nIncorrect Events: []\nHallucination Events: ['x']";
  } else if (user.find("\nEvents: ") != std::string::npos) {
    Json labels = Json::array();
    for (const std::string event : Json::parse(between(user, "\nEvents: ", "\n")))
      labels.push_back(
          {{"event", event},
           {"relationship", text.find(event) == std::string::npos ? "neutral" : "Entailment"}});
    answer = "```json\n" + Json{{"events", labels}}.dump() + "\n```";
  } else {
    Json events = Json::array();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t stop = std::min(text.find(". ", at), text.size());
      events.push_back(text.substr(at, stop - at));
      at = stop + 2;
    }
    answer = Json{{"events", events}}.dump();
  }
  return http_answer(200, Json{{"choices", {{{"message", {{"content", answer}}}}}}}.dump());
}

class JudgeCommands : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (scratch_.path() / name).string(); }

  void expect_refusal(std::vector<std::string> arguments, int exit_code, const std::string& line) {
    arguments.insert(arguments.begin(), "eval");
    const ProgramResult result = run_tarsier(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << line;
    EXPECT_EQ(result.err, line + "\n");
    EXPECT_EQ(result.out, "");
  }

  std::vector<Json> items() const {
    std::vector<Json> lines;
    std::ifstream stream(at("out/items.jsonl"));
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  ScratchFolder scratch_;
};

TEST_F(JudgeCommands, HelpOfEach) {
  for (const char* name : {"autodq", "caption-error"}) {
    const ProgramResult result = run_tarsier({"eval", name, "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    expect_golden(std::string("help-eval-") + name, result.out);
  }
}

TEST_F(JudgeCommands, RefuseWhatCannotBe) {
  const std::string rows = at("rows.jsonl");
  write_text(rows, row(1, "The red circle jumps.", "It rains."));
  const auto refuse = [&](std::vector<std::string> flags, int exit_code, const std::string& line) {
    flags.insert(flags.begin(), {"autodq", "--predictions", rows});
    expect_refusal(flags, exit_code, line);
  };
  refuse({}, 2, "--judge: missing; see `tarsier eval autodq --help`");
  refuse({"--judge", "gpt"}, 2,
         "--judge: 'gpt' is no judge; use exact, local or a URL such as http://localhost:8000/v1");
  refuse({"--judge", "ftp://x", "--judge-model", "m"}, 2,
         "ftp://x: is not a URL of http or https; give a URL such as http://localhost:8000/v1");
  refuse({"--judge", "http://x"}, 2,
         "--judge-model: missing; give the name of the model at the URL");
  refuse({"--judge", "local"}, 2,
         "--judge-model: missing; give the directory of a model that can judge");
  refuse({"--judge", "exact", "--cache", at("c")}, 2,
         "--cache: is for a judge that is a model, and --judge is exact; leave it out");
  refuse({"--judge", "http://x", "--judge-model", "m", "--offline"}, 2,
         "--offline: has no answers to take; give their folder by --cache");
  refuse({"--judge", "http://x", "--judge-model", "m", "--language", "english"}, 2,
         "--language: is the exact judge's; leave it out");
  refuse({"--judge", "exact", "--judge-device", "cpu"}, 2,
         "--judge-device: is the local judge's; leave it out");
  refuse({"--judge", "http://x", "--judge-model", "m", "--judge-key-file", at("none")}, 2,
         at("none") + ": cannot be opened; check the path and its permissions");
  refuse({"--judge", "exact", "--benchmark", "DREAM"}, 5,
         "--predictions: there is no row to judge; check --benchmark");
  expect_refusal({"caption-error", "--predictions", rows, "--judge", "exact"}, 5,
                 "rows.jsonl line 1: has no extra_info.events; give the events by --events, or in "
                 "each row");
  expect_refusal({"caption-error", "--predictions", rows, "--events", rows, "--judge", "exact"}, 5,
                 "rows.jsonl line 1: video: is missing; the file may be cut or of another kind");
  write_text(rows, row(1, "The red circle jumps.", "It rains.", {{"events", {"x"}}}));
  expect_refusal({"caption-error", "--predictions", rows, "--judge", "exact", "--trials", "2"}, 2,
                 "--trials: is 2; give an odd number: the trial with the median error is reported");
  write_text(rows, "{\"dataset\": \"D\"}\n");
  refuse({"--judge", "exact"}, 5,
         "rows.jsonl line 1: messages: is missing; the file may be cut or of another kind");
}

TEST_F(JudgeCommands, AutoDqExactly) {
  write_text(at("a.jsonl"), row(1, "The red circle jumps. The blue star spins.",
                                "The red circle hops. The blue star grows. It rains.") +
                                row(2, "The red circle jumps.", "The red circle jumps."));
  write_text(at("b.jsonl"),
             row(1, "x", "The green ring shrinks.",
                 {{"events", {"the green ring shrinks"}}, {"n_subjects", 1}}, "world/b") +
                 row(2, "A dog barks.", "A dog barks.", {{"events", {"A dog barks."}}}, "world/b") +
                 row(3, "The red circle jumps.", "<error>", Json::object(), "world/b") +
                 row(1, "again", "again"));
  const std::vector<std::string> command = {
      "eval",    "autodq", "--predictions", at("a.jsonl"), "--predictions", at("b.jsonl"),
      "--judge", "exact",  "--out",         at("out"),     "--json"};
  const ProgramResult result = run_tarsier(command);
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.err,
            "warning: 1 rows left out: an earlier one has the same dataset and idx\n"
            "warning: 2 of 5 failed and are in no score\n");
  const Json scores = Json::parse(result.out);
  EXPECT_EQ(read_text(at("out/scores.json")), result.out);
  EXPECT_EQ(scores.at("judge"), "exact, english");
  EXPECT_EQ(scores.at("n_total"), 5);
  EXPECT_EQ(scores.at("n_valid"), 3);
  EXPECT_EQ(scores.at("n_failed"), 2);
  EXPECT_EQ(scores.at("duplicates"), 1);
  EXPECT_EQ(scores.at("sentences"), 5);
  EXPECT_EQ(scores.at("unparsed"), 1);
  EXPECT_EQ(scores.at("rows").at(0).at("recall"), 0.75);
  EXPECT_EQ(scores.at("rows").at(0).at("precision"), 0.75);
  EXPECT_EQ(scores.at("rows").at(1).at("recall"), 1.0);
  EXPECT_EQ(scores.at("rows").at(2).at("recall"), 0.875);
  EXPECT_TRUE(scores.contains("rows_failed_generations_as_0"));
  EXPECT_EQ(scores.at("complexity").at("subjects").at("<=1").at("success"), 1);
  EXPECT_EQ(scores.at("failures").at(0).at("key"), "world/b_2");
  EXPECT_THAT(scores.at("failures").at(0).at("error").get<std::string>(),
              HasSubstr("'A dog barks.' is no event of the moving-shapes world"));
  EXPECT_THAT(scores.at("failures").at(1).at("error").get<std::string>(),
              HasSubstr("its generation failed"));
  const std::vector<Json> lines = items();
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0].at("recall"), Json({1, 2}));
  EXPECT_EQ(lines[0].at("precision"), Json({1, 2}));
  EXPECT_EQ(lines[0].at("events_pred").at(0),
            Json({{"event", "The red circle jumps."}, {"relationship", "entailment"}}));
  EXPECT_EQ(lines[3].at("status"), "failed");

  const ProgramResult text = run_tarsier({"eval", "autodq", "--predictions", at("a.jsonl"),
                                          "--judge", "exact", "--benchmark", "world"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(text.out,
            "AutoDQ by exact, english, prompt moving-shapes grammar\n"
            "Task    | F1 Score | Action Recall | Action Precision | Success | Failed\n"
            "world/a |    0.750 |         0.750 |            0.750 |       2 |      0\n"
            "OVERALL |    0.750 |         0.750 |            0.750 |       2 |      0\n");
}

TEST_F(JudgeCommands, AutoDqByAModelGoesOnFromItsCache) {
  ScriptedServer server(judge_like_a_model);
  write_text(at("rows.jsonl"),
             row(1, "A dog runs. A dog barks. A cat sleeps", "A Dog Runs. A cat sings") +
                 row(2, "It rains", "It rains", {{"events", {"it rains"}}}) +
                 row(3, "A cursed day", "It rains"));
  const std::vector<std::string> command = {
      "eval",          "autodq", "--predictions", at("rows.jsonl"), "--judge", server.url(),
      "--judge-model", "m",      "--cache",       at("cache"),      "--out",   at("out"),
      "--json"};
  ::setenv("TARSIER_JUDGE_KEY", "sk-test", 1);
  const ProgramResult result = run_tarsier(command);
  ::unsetenv("TARSIER_JUDGE_KEY");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  const Json scores = Json::parse(result.out);
  EXPECT_EQ(scores.at("judge"), "m at " + server.url() + "/chat/completions");
  EXPECT_EQ(scores.at("prompt"), "autodq 1");
  EXPECT_EQ(scores.at("prompt_sha256").get<std::string>().size(), 64u);
  EXPECT_EQ(scores.at("n_valid"), 2);
  EXPECT_DOUBLE_EQ(scores.at("rows").at(0).at("recall"), (1.0 / 3 + 1) / 2);
  EXPECT_DOUBLE_EQ(scores.at("rows").at(0).at("precision"), (0.5 + 1) / 2);
  EXPECT_THAT(scores.at("failures").at(0).at("error").get<std::string>(),
              HasSubstr("gave no usable answer in 10 attempts"));
  const std::size_t asked = server.requests().size();
  EXPECT_EQ(asked, 4u + 2 + 10) << "row 2 has the same question on both sides";
  EXPECT_THAT(server.requests(), Each(HasSubstr("Authorization: Bearer sk-test\r\n")));

  std::vector<std::string> offline = command;
  offline.emplace_back("--offline");
  EXPECT_EQ(run_tarsier(offline).out, result.out);
  EXPECT_EQ(run_tarsier(command).out, result.out) << "nothing is asked twice";
  EXPECT_EQ(server.requests().size(), asked);

  // What a killed run had not asked is asked; what it had is not.
  const std::string log = read_text(at("cache/answers.jsonl"));
  write_text(at("cache/answers.jsonl"), log.substr(0, log.size() * 2 / 3));
  EXPECT_EQ(run_tarsier(offline).exit_code, 3);
  const ProgramResult again = run_tarsier(command);
  EXPECT_EQ(again.out, result.out);
  EXPECT_GT(server.requests().size(), asked);
  EXPECT_LT(server.requests().size(), 2 * asked);
}

TEST_F(JudgeCommands, OfflineNamesTheMissingAnswer) {
  write_text(at("rows.jsonl"), row(1, "A", "B"));
  const ProgramResult result = run_tarsier({"eval", "autodq", "--predictions", at("rows.jsonl"),
                                            "--judge", "http://127.0.0.1:9", "--judge-model", "m",
                                            "--cache", at("cache"), "--offline", "--json"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(Json::parse(result.out).at("failures").at(0).at("error").get<std::string>(),
              AllOf(HasSubstr(at("cache") + ": holds no answer "),
                    HasSubstr(" of m at http://127.0.0.1:9/v1/chat/completions; run once without "
                              "--offline")));
}

TEST_F(JudgeCommands, ARefusedKeyEndsTheRun) {
  ScriptedServer server([](const std::string&) { return http_answer(401, "no"); });
  write_text(at("rows.jsonl"), row(1, "A", "B"));
  write_text(at("key"), "sk-wrong\n");
  const ProgramResult result =
      run_tarsier({"eval", "autodq", "--predictions", at("rows.jsonl"), "--judge", server.url(),
                   "--judge-model", "m", "--judge-key-file", at("key")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, server.url() +
                            "/chat/completions: HTTP 401: no; check the URL, the model's name and "
                            "the key\n");
  EXPECT_THAT(server.requests(), Each(HasSubstr("Bearer sk-wrong\r\n")));
}

TEST_F(JudgeCommands, CaptionErrorsExactly) {
  write_text(at("events.json"),
             Json{{{"video", "0.mp4"}, {"events", {"the red circle jumps", "the blue star spins"}}},
                  {{"video", "1.mp4"}, {"events", {"the red circle grows"}}},
                  {{"video", "2.mp4"}, {"events", {"the red circle grows"}}}}
                 .dump());
  write_text(at("captions.json"),
             Json{{{"id", {"0.mp4"}},
                   {"pred", {"The red circle hops. The red circle hops. The ring is red."}}},
                  {{"id", {"1.mp4"}}, {"pred", "The red circle grows.<|im_end|>"}},
                  {{"id", {"1.mp4"}}, {"pred", "again"}}}
                 .dump());
  const std::vector<std::string> command = {
      "eval",     "caption-error",   "--predictions", at("captions.json"),
      "--events", at("events.json"), "--judge",       "exact",
      "--out",    at("out"),         "--json"};
  const ProgramResult result = run_tarsier(command);
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.err,
            "warning: 1 predictions left out: an earlier one is of the same video\n"
            "warning: 1 of 3 failed and are in no score\n");
  const Json scores = Json::parse(result.out);
  EXPECT_EQ(scores.at("counts"),
            Json({{"events", 3}, {"missed", 1}, {"incorrect", 0}, {"hallucination", 1}}));
  EXPECT_DOUBLE_EQ(scores.at("error"), 2.0 / 3);
  EXPECT_EQ(scores.at("n_without_prediction"), 1);
  EXPECT_EQ(scores.at("n_failed"), 0);
  EXPECT_EQ(scores.at("trials").size(), 1u);
  EXPECT_EQ(scores.at("failures").at(0).at("id"), "2.mp4");
  const std::vector<Json> lines = items();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].at("missed_events"), Json::array({"the blue star spins"}));
  EXPECT_EQ(lines[2].at("status"), "no_prediction");

  write_text(at("captions.json"), Json{{{"id", "9.mp4"}, {"pred", "x"}}}.dump());
  expect_refusal({command.begin() + 1, command.end()}, 5,
                 "captions.json line 1: id: '9.mp4' has no events; check that --events is of the "
                 "same videos");
}

TEST_F(JudgeCommands, CaptionErrorsByAModel) {
  ScriptedServer server(judge_like_a_model);
  write_text(at("rows.jsonl"),
             row(1, "", "A dog runs", {{"events", {"A dog runs", "A dog barks"}}}) +
                 row(2, "", "cursed", {{"events", {"A cat sleeps"}}}));
  const std::vector<std::string> command = {
      "eval",    "caption-error", "--predictions", at("rows.jsonl"),
      "--judge", server.url(),    "--judge-model", "m",
      "--cache", at("cache"),     "--trials",      "3"};
  const ProgramResult result = run_tarsier(command);
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(server.requests().size(), 3u * (2 + 8 + 3));
  EXPECT_THAT(result.out, AllOf(HasSubstr("prompt caption 1 "), HasSubstr(", trial 2 of 3\n"),
                                HasSubstr("\n 50.0 |  50.0 |  100.0 |")));
  EXPECT_THAT(result.out, Not(HasSubstr("nan")));
  EXPECT_EQ(run_tarsier(command).out, result.out);
  EXPECT_EQ(server.requests().size(), 39u);
}

TEST_F(JudgeCommands, StopsWithItsAnswersKept) {
  ScriptedServer server([](const std::string&) { return http_answer(429, "later"); });
  write_text(at("rows.jsonl"), row(1, "A", "B"));
  RunningTarsier running({"eval", "autodq", "--predictions", at("rows.jsonl"), "--judge",
                          server.url(), "--judge-model", "m", "--cache", at("cache")});
  while (running.err().find("asking again in 5 s") == std::string::npos && running.is_running())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  running.send(SIGTERM);
  const ProgramResult result = running.wait();
  EXPECT_EQ(result.exit_code, 75);
  EXPECT_THAT(result.err, AllOf(HasSubstr("HTTP 429: later; asking again in 5 s\n"),
                                HasSubstr("stopped; the same command goes on from here\n")));
  EXPECT_EQ(result.out, "");
}

}  // namespace
}  // namespace tarsier
