#include "tarsier/cli/commands.h"
#include "tarsier/cli/training.h"

namespace tarsier {

int run_train_pretrain(const CommandContext& context, Arguments arguments) {
  return run_training(
      context, arguments, TrainingKind::answers, "train pretrain",
      "Pre-train a model as a recipe says. Engine and flags are those of train sft; what differs "
      "is "
      "the recipe. Interrupt it at any time; the same command goes on where it was.",
      {"tarsier train pretrain --recipe recipes/tarsier2_pretrain.jsonc --out runs/pretrain --set "
       "stages.0.data.jsonl.file=/data/rows.jsonl"});
}

}  // namespace tarsier
