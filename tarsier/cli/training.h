#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "tarsier/cli/command.h"
#include "tarsier/train/trainer.h"

namespace tarsier {

/// What the recipes of a command train: answers, pairs of answers, or pairs beside true answers.
enum class TrainingKind { answers, dpo, gdpo };

/// Tells how a training in `out` ended, and gives the exit code. Of several ranks one leads.
int end_training(TrainOutcome outcome, const std::filesystem::path& out, bool leads = true);

/// Trains by a recipe, for the commands that do (product.md 1): they have the same flags. Name,
/// summary and examples are those of the help. ConfigError where the recipe is of another kind.
int run_training(const CommandContext& context, Arguments arguments, TrainingKind kind,
                 std::string_view name, std::string_view summary,
                 std::initializer_list<std::string_view> examples);

}  // namespace tarsier
