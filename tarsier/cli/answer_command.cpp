#include "tarsier/cli/answer_command.h"

#include <CLI/CLI.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/cli/answer_row.h"
#include "tarsier/cli/sampling_flags.h"

namespace tarsier {

void add_answer_flags(CLI::App& app, AnswerFlags& flags) {
  add_output_flags(app, flags.output);
  app.add_flag("--tokens", flags.tokens, "Add the generated token_ids to --json");
  add_model_flags(app, flags.model);
  add_clip_flags(app, flags.clip);
  app.add_option("--max-pixels", flags.max_pixels,
                 "Most pixels of a frame after resizing; without it, the model's own")
      ->type_name("N");
  add_sampling_flags(app, flags.sampling);
}

void check_answer_flags(const AnswerFlags& flags) {
  check_sampling(flags.sampling);
  if (flags.tokens && !flags.output.json)
    throw ConfigError({"--tokens", "adds to --json, which is not given", "give both"});
}

void announce_clip(const AnswerFlags& flags, const MediaClip& clip, const SeenMedia& seen,
                   const ModelInfo& model, Notice& notice) {
  if (!flags.clip.show_frames.empty()) write_contact_sheet(flags.clip.show_frames, clip, seen);
  log_info(saw_line(clip, seen, model));
  notice.say_for(model, clip.info);
}

double Stopwatch::seconds() const {
  return to_milliseconds(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count());
}

}  // namespace tarsier
