#include "tarsier/cli/commands.h"

namespace tarsier {
namespace {

constexpr Command kCommands[] = {
    {"describe", "a description of a video or an image", run_describe},
    {"ask", "answers to questions about a video or an image", run_ask},
    {"chat", "a conversation about videos and images", run_chat},
    {"ground", "when things happen in a video", run_ground},
    {"plan", "memory and arithmetic a clip would need", run_plan},
    {"train pretrain", "pre-train a model from a recipe", run_train_pretrain},
    {"train sft", "train a model from a recipe", run_train_sft},
    {"train dpo", "train a model on pairs of answers", run_train_dpo},
    {"train gdpo", "train a model on pairs of answers and true ones", run_train_gdpo},
    {"train mrdpo", "train a model in rounds on its own answers", run_train_mrdpo},
    {"train report", "draw a training run as one page", run_train_report},
    {"eval world", "score a model on the moving-shapes world, exactly", run_eval_world},
    {"eval autodq", "score descriptions by AutoDQ: events told, and told rightly", run_eval_autodq},
    {"eval caption-error", "score captions by events missed, told wrong and made up",
     run_eval_caption_error},
    {"eval ablation", "train a paper's variants in the small and print the table",
     run_eval_ablation},
    {"data synth", "write clips of the moving-shapes world with their truth", run_data_synth},
    {"data check", "what is wrong with rows of training data", run_data_check},
    {"data convert", "rows of training data in another shape", run_data_convert},
    {"data filter", "the rows of training data that break no rule", run_data_filter},
    {"data selfsup", "tasks made of videos without their words", run_data_selfsup},
    {"data corrupt", "frames of each video out of order, cut or thinned", run_data_corrupt},
    {"data sample", "a model's own answers to the questions of rows", run_data_sample},
    {"data score", "the answers of data sample against each row's truth", run_data_score},
    {"data pairs", "preferences made of a model's own answers with their scores", run_data_pairs},
    {"data mix", "rows of several files in one order, each with its share", run_data_mix},
    {"data shard", "rows with their media in webdataset tars", run_data_shard},
    {"models", "what each family of models can see, hear and say", run_models},
    {"convert", "weights of torch.save, or with an adapter merged, as a safetensors model",
     run_convert},
    {"inspect", "what a model directory holds: settings, parameters, tensors", run_inspect},
    {"verify", "check that a model directory is whole", run_verify},
    {"limits", "the limits in force", run_limits},
    {"doctor", "versions, machine and folders: what a bug report needs", run_doctor},
    {"version", "what this build is", run_version},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace tarsier
