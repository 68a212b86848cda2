#include "tarsier/cli/commands.h"
#include "tarsier/cli/training.h"

namespace tarsier {

int run_train_dpo(const CommandContext& context, Arguments arguments) {
  return run_training(
      context, arguments, TrainingKind::dpo, "train dpo",
      "Train a model on pairs of answers, one preferred to the other, as a recipe says: DPO and "
      "the "
      "losses like it. Both answers share one encoding of their video; the model that the recipe "
      "begins with is the reference, and is asked about each pair once. Interrupt it at any time; "
      "the same command goes on where it was.",
      {"tarsier train dpo --recipe recipes/tarsier2_dpo.jsonc --out runs/dpo --set "
       "stages.0.data.jsonl.file=/data/pairs.jsonl",
       "tarsier train dpo --recipe my.jsonc --out runs/mine --set stages.0.preference.beta=0.2"});
}

int run_train_gdpo(const CommandContext& context, Arguments arguments) {
  return run_training(
      context, arguments, TrainingKind::gdpo, "train gdpo",
      "Train a model on pairs of answers and, beside each pair, on the true answer: DPO with a "
      "share of next-token loss, as video-SALMONN 2. Video, chosen, rejected and true answer are "
      "one pass. Interrupt it at any time; the same command goes on where it was.",
      {"tarsier train gdpo --recipe recipes/salmonn2_gdpo.jsonc --out runs/gdpo --set "
       "stages.0.data.jsonl.file=/data/pairs.jsonl"});
}

}  // namespace tarsier
