#include "tarsier/ablation/pool.h"

#include <fmt/format.h>

#include "tarsier/base/atomic_file.h"
#include "tarsier/checkpoint/weights_hash.h"
#include "tarsier/data/pairs/pairs.h"
#include "tarsier/data/stages/parallel.h"
#include "tarsier/models/registry.h"
#include "tarsier/rollout/row_jobs.h"
#include "tarsier/synth/clip_writer.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/text_rows.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

RowJobs jobs_of(const PoolOptions& options) { return {options.workers, options.stop}; }

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
    write_clip_once(clip, clips / name);
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
  const RowJobs jobs = jobs_of(options);
  std::optional<fs::path> rows = write_pool_rows(pool, folder, options);
  if (rows && pool.corrupt)
    rows = run_row_job("corrupt", *rows, folder / "corrupted", pool.corrupt->json(),
                       make_corruption_stage(*pool.corrupt), jobs);
  if (!rows) return std::nullopt;
  SampleSettings sample = pool.sample;
  sample.seed += kSeedStride * options.seed;
  rows = sample_rows({load_model(model), weights_sha256(model), {}, 1}, sample, *rows,
                     folder / "sampled", jobs);
  if (!rows) return std::nullopt;
  return score_rows(exact_judges(Language::english), *rows, folder / "scored", jobs);
}

std::optional<fs::path> choose_pool_pairs(const PoolPairs& pairs, const fs::path& scored,
                                          const fs::path& out, const PoolOptions& options) {
  return run_row_job("pairs", scored, out, pairs.settings.json(), make_pair_stage(pairs.settings),
                     jobs_of(options));
}

}  // namespace tarsier
