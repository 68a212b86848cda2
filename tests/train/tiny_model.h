#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tarsier::test {

namespace fs = std::filesystem;

/// A fresh folder for one test.
inline fs::path fresh_folder(const std::string& name) {
  const fs::path folder =
      fs::path(::testing::TempDir()) / ("tarsier_train_" + std::to_string(::getpid()) + "_" + name);
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

inline nlohmann::json read(const fs::path& file) {
  std::ifstream stream(file);
  return nlohmann::json::parse(stream);
}

/// The rows of a run's metrics.jsonl.
inline std::vector<nlohmann::json> metrics_of(const fs::path& run) {
  std::vector<nlohmann::json> rows;
  std::ifstream stream(run / "metrics.jsonl");
  for (std::string line; std::getline(stream, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

/// The shipped model's directory without weights and with a network small enough for a test.
inline fs::path make_tiny_model(const fs::path& folder) {
  const fs::path assets = fs::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano";
  for (const char* name :
       {"generation_config.json", "preprocessor_config.json", "processor_config.json",
        "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
    fs::copy_file(assets / name, folder / name, fs::copy_options::overwrite_existing);
  }
  nlohmann::json config = read(assets / "config.json");
  config["text_config"].update(
      {{"hidden_size", 32},
       {"intermediate_size", 48},
       {"num_hidden_layers", 2},
       {"num_attention_heads", 4},
       {"num_key_value_heads", 2},
       {"rope_scaling", {{"type", "mrope"}, {"mrope_section", {2, 1, 1}}}}});
  config["vision_config"].update(
      {{"depth", 1}, {"embed_dim", 16}, {"num_heads", 2}, {"hidden_size", 32}, {"mlp_ratio", 2}});
  std::ofstream(folder / "config.json") << config.dump(1);
  return folder;
}

/// The same of the shipped model that hears.
inline fs::path make_tiny_hearing_model(const fs::path& folder) {
  const fs::path assets = fs::path(TARSIER_SOURCE_DIR) / "assets" / "tarsier-nano-av";
  for (const char* name : {"generation_config.json", "preprocessor_config.json",
                           "processor_config.json", "tokenizer.json", "tokenizer_config.json"}) {
    fs::copy_file(assets / name, folder / name, fs::copy_options::overwrite_existing);
  }
  nlohmann::json config = read(assets / "config.json");
  config.update({{"hidden_size", 32},
                 {"intermediate_size", 48},
                 {"num_hidden_layers", 2},
                 {"num_attention_heads", 4},
                 {"num_key_value_heads", 2},
                 {"rope_scaling", {{"type", "mrope"}, {"mrope_section", {2, 1, 1}}}}});
  config["vision_config"].update({{"depth", 1},
                                  {"hidden_size", 16},
                                  {"intermediate_size", 24},
                                  {"num_heads", 2},
                                  {"out_hidden_size", 32},
                                  {"fullatt_block_indexes", {0}}});
  config["audio_config"].update(
      {{"d_model", 8}, {"encoder_attention_heads", 2}, {"encoder_ffn_dim", 8}});
  config["audio_config"]["qformer_config"].update({{"hidden_size", 16},
                                                   {"num_attention_heads", 2},
                                                   {"intermediate_size", 16},
                                                   {"encoder_width", 8}});
  std::ofstream(folder / "config.json") << config.dump(1);
  return folder;
}

/// A recipe over the synthetic world for make_tiny_model; `edit` changes it before it is written.
template <class Edit>
fs::path write_recipe(const fs::path& folder, const fs::path& model, const Edit& edit) {
  nlohmann::json recipe = {
      {"model", model.string()},
      {"random_weights", 3},
      {"seed", 5},
      {"compute", "f32"},
      {"export_dtype", "f32"},
      {"save_every", 2},
      {"log_every", 1},
      {"stages",
       {{{"name", "words"},
         {"steps", 2},
         {"clips_per_step", 2},
         {"warmup_steps", 1},
         {"train", {"visual.", "model.embed_tokens."}},
         {"objectives", {{"visual_words", 1}}},
         {"data", {{"synth", {{"level", "easy"}, {"questions", 1}}}}}},
        {{"name", "all"},
         {"steps", 4},
         {"clips_per_step", 2},
         {"accumulate", 2},
         {"warmup_steps", 1},
         {"objectives", {{"next_token", 1}, {"visual_words", 0.1}, {"event_probe", 0.5}}},
         {"data",
          {{"synth",
            {{"level", "easy"},
             {"seed", 2},
             {"dense_captions", 1},
             {"interval_captions", 1},
             {"questions", 3},
             {"colour_noise", 0.2},
             {"key_token_weight", 2}}}}}}}}};
  edit(recipe);
  std::ofstream(folder / "recipe.jsonc") << "// a test's recipe\n" << recipe.dump(1);
  return folder / "recipe.jsonc";
}

}  // namespace tarsier::test
