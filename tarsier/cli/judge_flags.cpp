#include "tarsier/cli/judge_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <filesystem>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/model_session.h"
#include "tarsier/data/stages/parallel.h"
#include "tarsier/eval/local_judge.h"
#include "tarsier/judge/cached_judge.h"
#include "tarsier/judge/http_judge.h"
#include "tarsier/synth/languages/table.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr char kOfAModel[] = "is for a judge that is a model, and --judge is exact";

void refuse_if(bool given, const char* flag, const char* what) {
  if (given) throw ConfigError({flag, what, "leave it out"});
}

std::shared_ptr<ChatJudge> http_judge(const JudgeFlags& flags) {
  HttpJudgeSettings settings;
  settings.url = flags.judge;
  settings.model = flags.model;
  settings.key = flags.key_file.empty() ? api_key_of_environment(kJudgeKeyVariable)
                                        : read_api_key(flags.key_file);
  return std::make_shared<HttpJudge>(std::move(settings));
}

std::shared_ptr<ChatJudge> local_judge(const JudgeFlags& flags) {
  ModelFlags model;
  model.model = flags.model;
  model.device = flags.device.value_or(model.device);
  model.dtype = flags.dtype.value_or("");
  const ModelSession session = open_session(model);
  const std::string& which = session.revision.empty() ? session.directory : session.revision;
  return std::make_shared<LocalJudge>(
      session.model,
      fmt::format("local {} {} {}", session.model->info().name, session.model->info().dtype, which),
      session.backend_options);
}

}  // namespace

void add_judge_choice(CLI::App& app, JudgeFlags& flags) {
  app.add_option(
         "--judge", flags.judge,
         "exact (texts about moving shapes), local (a model directory) or the URL of an API "
         "of OpenAI's shape")
      ->required()
      ->type_name("exact|local|URL");
  app.add_option("--judge-model", flags.model,
                 "The model's name at the URL; of local, its directory")
      ->type_name("NAME");
  app.add_option("--judge-key-file", flags.key_file,
                 fmt::format("File with the API's key; without it, the variable {}, if it is set",
                             kJudgeKeyVariable))
      ->type_name("FILE");
  app.add_option("--cache", flags.cache,
                 "Folder that keeps the judge's answers, so that the same command goes on where it "
                 "was stopped")
      ->type_name("DIR");
  app.add_flag("--offline", flags.offline, "Ask nothing: every answer comes from --cache");
  app.add_option("--language", flags.language,
                 fmt::format("Of the texts, for the exact judge: {}; without it, english",
                             language_names()))
      ->type_name("NAME");
  app.add_option("--judge-device", flags.device, "Of the local judge: cpu, cuda or cuda:N")
      ->type_name("DEVICE");
  app.add_option("--judge-dtype", flags.dtype, "Of the local judge: f32, bf16 or f16")
      ->type_name("TYPE");
}

void add_judge_flags(CLI::App& app, JudgeFlags& flags) {
  add_output_flags(app, flags.output);
  add_judge_choice(app, flags);
  app.add_option("--workers", flags.workers, "Questions at a time")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1024}))
      ->type_name("N");
  app.add_option("--out", flags.out, "Folder for scores.json and items.jsonl")->type_name("DIR");
}

void check_judge_flags(const JudgeFlags& flags) {
  const bool local = flags.judge == "local", url = flags.judge.find("://") != std::string::npos;
  if (!flags.exact() && !local && !url)
    throw ConfigError({"--judge", fmt::format("'{}' is no judge", flags.judge),
                       "use exact, local or a URL such as http://localhost:8000/v1"});
  if (flags.exact()) {
    refuse_if(!flags.model.empty(), "--judge-model", kOfAModel);
    refuse_if(!flags.cache.empty(), "--cache", kOfAModel);
    refuse_if(flags.offline, "--offline", kOfAModel);
    judge_language(flags);
  } else {
    refuse_if(flags.language.has_value(), "--language", "is the exact judge's");
    if (flags.model.empty())
      throw ConfigError({"--judge-model", "missing",
                         local ? "give the directory of a model that can judge"
                               : "give the name of the model at the URL"});
  }
  refuse_if(!url && !flags.key_file.empty(), "--judge-key-file", "is for a judge at a URL");
  refuse_if(!local && flags.device.has_value(), "--judge-device", "is the local judge's");
  refuse_if(!local && flags.dtype.has_value(), "--judge-dtype", "is the local judge's");
  if (flags.offline && flags.cache.empty())
    throw ConfigError({"--offline", "has no answers to take", "give their folder by --cache"});
}

Language judge_language(const JudgeFlags& flags) {
  return language_named(flags.language.value_or("english"));
}

std::shared_ptr<ChatJudge> open_judge(const JudgeFlags& flags) {
  std::shared_ptr<ChatJudge> judge =
      flags.judge == "local" ? local_judge(flags) : http_judge(flags);
  if (flags.cache.empty()) return judge;
  return std::make_shared<CachedJudge>(std::move(judge), flags.cache,
                                       flags.offline ? CacheUse::offline : CacheUse::ask_missing);
}

ForEach over_workers(const JudgeFlags& flags, std::stop_token stop) {
  return [workers = static_cast<int>(flags.workers), stop = std::move(stop)](
             std::size_t count, const std::function<void(std::size_t)>& work) {
    in_parallel(count, workers, stop, work);
  };
}

std::function<void()> progress_of(std::size_t total, const char* what) {
  const auto done = std::make_shared<std::atomic<std::size_t>>(0);
  return [=] {
    const std::size_t now = ++*done;
    if (now % 50 == 0) log_info(fmt::format("{} of {} {}", now, total, what));
  };
}

int end_evaluation(const JudgeFlags& flags, const EvaluationEnd& end) {
  if (!flags.out.empty()) {
    const fs::path folder = flags.out;
    fs::create_directories(folder);
    std::string lines;
    for (const std::string& item : end.items) lines += item + "\n";
    write_file_atomically(folder / "items.jsonl", lines);
    write_file_atomically(folder / "scores.json", end.scores + "\n");
  }
  print_answer(flags.output.json ? end.scores + "\n" : end.text);
  if (end.failed > 0)
    log_warning(fmt::format("{} of {} failed and are in no score{}", end.failed, end.items.size(),
                            flags.out.empty() ? "; --json or --out names them" : ""));
  return end.failed > 0 ? kExitSomeFailed : kExitOk;
}

int end_stopped(const JudgeFlags& flags) {
  log_info(flags.cache.empty() ? "stopped; with --cache, the same command would go on from here"
                               : "stopped; the same command goes on from here");
  return flags.cache.empty() ? kExitOk : kExitTryAgain;
}

}  // namespace tarsier
