#pragma once

#include <span>

#include "tarsier/cli/command.h"

namespace tarsier {

/// Every command, in the order of `tarsier --help`. To add one: its file, its declaration here, its
/// row in commands.cpp, and its golden (tests/cli).
std::span<const Command> commands();

CommandFunction run_ask;
CommandFunction run_chat;
CommandFunction run_data_check;
CommandFunction run_data_convert;
CommandFunction run_data_corrupt;
CommandFunction run_data_filter;
CommandFunction run_data_mix;
CommandFunction run_data_pairs;
CommandFunction run_data_selfsup;
CommandFunction run_data_shard;
CommandFunction run_data_synth;
CommandFunction run_describe;
CommandFunction run_doctor;
CommandFunction run_eval_ablation;
CommandFunction run_eval_autodq;
CommandFunction run_eval_caption_error;
CommandFunction run_eval_world;
CommandFunction run_ground;
CommandFunction run_convert;
CommandFunction run_inspect;
CommandFunction run_limits;
CommandFunction run_models;
CommandFunction run_plan;
CommandFunction run_verify;
CommandFunction run_train_pretrain;
CommandFunction run_train_report;
CommandFunction run_train_sft;
CommandFunction run_train_dpo;
CommandFunction run_train_gdpo;
CommandFunction run_train_mrdpo;
CommandFunction run_data_sample;
CommandFunction run_data_score;
CommandFunction run_version;

}  // namespace tarsier
