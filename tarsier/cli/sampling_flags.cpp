#include "tarsier/cli/sampling_flags.h"

#include <CLI/CLI.hpp>

namespace tarsier {

void add_sampling_flags(CLI::App& app, SamplingParams& params) {
  app.add_option("--max-new-tokens", params.max_new_tokens,
                 "Longest answer; without it 512, or what the model has room for")
      ->type_name("N");
  app.add_option("--temperature", params.temperature,
                 "0, the default, always takes the likeliest token")
      ->type_name("T");
  app.add_option("--top-p", params.top_p, "Draw from the likeliest tokens that make up this share")
      ->type_name("P");
  app.add_option("--top-k", params.top_k, "Draw from this many likeliest tokens; 0 is all")
      ->type_name("K");
  app.add_option("--repetition-penalty", params.repetition_penalty,
                 "Above 1 makes repeats less likely; without it, as the model says")
      ->type_name("R");
  app.add_option("--seed", params.seed, "Of the draws, when the temperature is above 0")
      ->type_name("N");
  app.add_flag("--keep-loops", params.keep_loops,
               "Let an answer that only repeats itself go on; without it, it ends there");
  app.add_option("--stop", params.stop, "Text that ends the answer; may be given several times")
      ->type_name("TEXT")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
}

}  // namespace tarsier
