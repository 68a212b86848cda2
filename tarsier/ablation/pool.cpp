#include "tarsier/ablation/pool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tarsier/base/atomic_file.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/data/pairs/pairs.h"
#include "tarsier/data/stages/parallel.h"
#include "tarsier/judge/exact_caption_judge.h"
#include "tarsier/judge/exact_event_judge.h"
#include "tarsier/models/registry.h"
#include "tarsier/rollout/score_rows.h"
#include "tarsier/synth/clip_writer.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/text_rows.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeedStride = 1'000'000;  // as plan.cpp's: no two seeds share a clip

// Whole from the first moment it has its name.
void write_whole(const Clip& clip, const fs::path& file) {
  if (fs::exists(file)) return;
  const fs::path beside =
      file.parent_path() / fmt::format(".{}.{}", ::getpid(), file.filename().string());
  write_clip(clip, beside);
  fs::rename(beside, file);
}

std::optional<fs::path> run_stage(const std::string& name, const fs::path& rows,
                                  const fs::path& out, const std::string& settings,
                                  const RowStage& stage, const PoolOptions& options) {
  StageJob job;
  job.name = name;
  job.inputs = {rows};
  job.out = out;
  job.settings = settings;
  job.workers = options.workers;
  const StageReport report = run_row_stage(job, stage, options.stop);
  if (report.stopped) return std::nullopt;
  log_info(fmt::format("{}: {} rows, {} written, {} failed", name, report.rows, report.written,
                       report.failed));
  return out / "rows.jsonl";
}

}  // namespace

std::optional<fs::path> write_pool_rows(const AnswerPool& pool, const fs::path& folder,
                                        const PoolOptions& options) {
  const fs::path clips = folder / "clips", rows = clips / "rows.jsonl";
  if (fs::exists(rows)) return rows;
  fs::create_directories(clips);
  const Level& level = level_named(options.level);
  TextRowSettings texts;
  texts.kinds = {TextKind::flawed};
  texts.flaws = pool.flaws;
  std::vector<std::string> lines(static_cast<std::size_t>(pool.clips));
  in_parallel(lines.size(), options.workers, options.stop, [&](std::size_t i) {
    const Clip clip =
        make_clip(level, Split::train, pool.clip_seed + kSeedStride * options.seed, i);
    const std::string name = fmt::format("{:06}.mp4", i);
    write_whole(clip, clips / name);
    lines[i] = text_rows(clip, name, level.frames, texts).at(0);
  });
  if (options.stop.stop_requested()) return std::nullopt;
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  write_file_atomically(rows, text);
  return rows;
}

std::optional<fs::path> answer_pool(const AnswerPool& pool, const fs::path& model,
                                    const fs::path& folder, const PoolOptions& options) {
  std::optional<fs::path> rows = write_pool_rows(pool, folder, options);
  if (rows && pool.corrupt)
    rows = run_stage("corrupt", *rows, folder / "corrupted", pool.corrupt->json(),
                     make_corruption_stage(*pool.corrupt), options);
  if (!rows) return std::nullopt;
  SampleSettings sample = pool.sample;
  sample.seed += kSeedStride * options.seed;
  const AnsweringModel answering{load_model(model), weights_sha256(model), {}, 1};
  rows =
      run_stage("sample", *rows, folder / "sampled",
                fmt::format(R"({{"model":"{}","settings":{}}})", answering.weights, sample.json()),
                make_sample_stage(answering, sample), options);
  if (!rows) return std::nullopt;
  ScoreJudges judges;
  judges.events = std::make_shared<ExactEventJudge>(Language::english);
  judges.captions = std::make_shared<ExactCaptionJudge>(Language::english);
  return run_stage("score", *rows, folder / "scored", judges.json(),
                   make_score_stage(judges, options.stop), options);
}

std::optional<fs::path> choose_pool_pairs(const PoolPairs& pairs, const fs::path& scored,
                                          const fs::path& out, const PoolOptions& options) {
  return run_stage("pairs", scored, out, pairs.settings.json(), make_pair_stage(pairs.settings),
                   options);
}

}  // namespace tarsier
