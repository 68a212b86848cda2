#include "tarsier/cli/commands.h"
#include "tarsier/cli/training.h"

namespace tarsier {

int run_train_sft(const CommandContext& context, Arguments arguments) {
  return run_training(
      context, arguments, TrainingKind::answers, "train sft",
      "Train a model as a recipe says: supervised fine-tuning, from fresh weights or a model "
      "directory. Interrupt it at any "
      "time; the same command goes on where it was.",
      {"tarsier train sft --recipe recipes/nano_v2.jsonc --out runs/nano",
       "tarsier train sft --recipe my.jsonc --out runs/mine --set stages.0.steps=100",
       "torchrun --nproc-per-node 4 --no-python tarsier train sft --recipe my.jsonc --out "
       "runs/mine"});
}

}  // namespace tarsier
