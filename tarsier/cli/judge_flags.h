#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tarsier/cli/command_line.h"
#include "tarsier/judge/autodq_report.h"
#include "tarsier/judge/caption_error.h"
#include "tarsier/judge/chat_judge.h"
#include "tarsier/synth/world.h"

namespace CLI {
class App;
}

namespace tarsier {

/// The environment variable that may hold the key of a judge's API.
inline constexpr char kJudgeKeyVariable[] = "TARSIER_JUDGE_KEY";

/// Flags that the evaluations with a judge share.
struct JudgeFlags {
  OutputFlags output;
  std::string judge;     // "exact", "local" or a URL
  std::string model;     // of a URL: the model's name there; of "local": a model directory
  std::string key_file;  // a file with the API's key; empty: kJudgeKeyVariable
  std::string cache;     // folder of the answers; empty: none are kept
  bool offline = false;
  std::int64_t workers = 64;
  std::optional<std::string> language;       // of the exact judge
  std::optional<std::string> device, dtype;  // of the local one
  std::string out;

  bool exact() const { return judge == "exact"; }
};

/// Which judge, its key and its cache: all but how it is asked and what comes out.
void add_judge_choice(CLI::App& app, JudgeFlags& flags);
/// The same, --json and the like, --workers and --out.
void add_judge_flags(CLI::App& app, JudgeFlags& flags);
/// ConfigError for flags that contradict each other.
void check_judge_flags(const JudgeFlags& flags);

/// The language the exact judge reads. ConfigError for a name that is none.
Language judge_language(const JudgeFlags& flags);
/// The model judge that the flags name, behind its cache. ConfigError; CheckpointError for a local
/// model.
std::shared_ptr<ChatJudge> open_judge(const JudgeFlags& flags);

/// As score_captions wants it, over the flags' workers. `stop` leaves the rest undone.
ForEach over_workers(const JudgeFlags& flags, std::stop_token stop);
/// Counts items and says so every 50.
std::function<void()> progress_of(std::size_t total, const char* what);

/// What an evaluation came to.
struct EvaluationEnd {
  std::string scores;              // JSON
  std::string text;                // for people
  std::vector<std::string> items;  // JSON lines
  std::int64_t failed = 0;
};
/// Writes items.jsonl and scores.json to --out, prints, and gives the exit code.
int end_evaluation(const JudgeFlags& flags, const EvaluationEnd& end);
/// The same for one that was stopped.
int end_stopped(const JudgeFlags& flags);

}  // namespace tarsier
