#include "parity_case.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/models/registry.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

JsonView read_case(const std::string& name) {
  return read_json(parity_fixtures() / name / "case.json", JsonOwner::input);
}

/// The picture formula of tools/fixtures/README.md.
Frame make_frame(std::int64_t f, Size size, std::int64_t seed) {
  Frame frame{f, static_cast<double>(f), size.height, size.width, {}};
  frame.rgb.reserve(static_cast<std::size_t>(size.height * size.width * 3));
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        const std::int64_t value = x * (3 + 2 * c) + y * (5 - c) + f * (11 + 6 * c) +
                                   ((x / 5 + y / 7 + f) % 3) * 60 + seed * 37;
        frame.rgb.push_back(static_cast<std::uint8_t>(value % 256));
      }
    }
  }
  return frame;
}

/// The sound formula of tools/fixtures/README.md.
std::shared_ptr<const Sound> make_sound(std::int64_t samples, std::int64_t seed) {
  if (samples == 0) return nullptr;
  Sound sound;
  for (std::int64_t i = 0; i < samples; ++i) {
    const std::int64_t saw = (i * (7 + 2 * seed + 3 * ((i / 8000) % 5))) % 399 - 199;
    sound.samples.push_back(static_cast<float>(saw * (1 + (i / 4000) % 7)) / 8192);
  }
  return std::make_shared<const Sound>(std::move(sound));
}

/// That of the cases of LlavaQwen.
std::shared_ptr<const Sound> make_llava_sound(std::int64_t samples, std::int64_t seed) {
  Sound sound;
  for (std::int64_t n = 0; n < samples; ++n) {
    const std::int64_t value = (n * (7 + seed) + n / 97 * 31 + seed * 37) % 2048 - 1024;
    sound.samples.push_back(static_cast<float>(value) / 2048);
  }
  return std::make_shared<const Sound>(std::move(sound));
}

std::shared_ptr<const Pictures> make_pictures(const JsonView& media) {
  Pictures pictures;
  const std::string kind = media.at("kind").as_string();
  pictures.modality = kind == "image"   ? Modality::image
                      : kind == "audio" ? Modality::audio
                                        : Modality::video;
  pictures.seconds = media.double_or("seconds", 0);
  pictures.sound = make_sound(media.int_or("samples", 0), media.at("picture_seed").as_int());
  if (const auto sound = media.find("sound"))
    pictures.sound = make_llava_sound(sound->at("samples").as_int(), sound->at("seed").as_int());
  const Size size{media.at("height").as_int(), media.at("width").as_int()};
  for (std::int64_t f = 0; f < media.at("frames").as_int(); ++f) {
    pictures.frames.push_back(make_frame(f, size, media.at("picture_seed").as_int()));
  }
  return std::make_shared<const Pictures>(std::move(pictures));
}

Conversation make_conversation(const JsonView& run) {
  Conversation conversation;
  std::int64_t media = 0;
  const JsonView messages = run.at("messages");
  for (std::int64_t i = 0; i < messages.size(); ++i) {
    Message message{messages.at(i).at("role").as_string(), {}};
    const JsonView content = messages.at(i).at("content");
    for (std::int64_t j = 0; j < content.size(); ++j) {
      const JsonView item = content.at(j);
      if (item.at("type").as_string() == "text") {
        message.parts.push_back({item.at("text").as_string(), nullptr});
      } else {
        message.parts.push_back({{}, make_pictures(run.at("media").at(media++))});
      }
    }
    conversation.push_back(std::move(message));
  }
  return conversation;
}

Tensor to_tensor(const TensorView& view) {
  check(view.dtype == DType::f32 || view.dtype == DType::i64, "fixtures hold f32 and i64");
  const Tensor tensor = at::empty(view.shape, view.dtype == DType::f32 ? at::kFloat : at::kLong);
  std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor;
}

void read_stages(const JsonView& json, const SafetensorsFile& file, ParityRun& run) {
  for (const auto& [name, view] : file.tensors()) {
    if (!name.starts_with(run.name + "/")) continue;
    const std::string stage = name.substr(run.name.size() + 1);
    Expected expected{to_tensor(view), view.shape};
    if (const auto sampled = json.at("tensors").find(stage)) {
      expected.shape = sampled->at("shape").as_ints();
      expected.stride = sampled->at("stride").as_int();
      expected.sum = sampled->at("sum").as_double();
      expected.abs_sum = sampled->at("abs_sum").as_double();
    }
    run.stages.emplace(stage, std::move(expected));
  }
}

/// What the checkpoint itself says it was saved by.
bool is_saved_by_transformers_5(const fs::path& directory) {
  const JsonView config = read_json(directory / "config.json", JsonOwner::checkpoint);
  return config.string_or("transformers_version", "").starts_with("5.");
}

ParityRun read_run(const JsonView& json, const SafetensorsFile& expected, bool transformers_5) {
  ParityRun run;
  run.name = json.at("name").as_string();
  run.conversation = make_conversation(json);
  const JsonView media = json.at("media");
  for (std::int64_t i = 0; i < media.size(); ++i) {
    const auto grid = media.at(i).at("grid").as_ints();
    run.grids.push_back({grid.at(0), grid.at(1), grid.at(2)});
    run.tokens.push_back(media.at(i).int_or("tokens", run.grids.back().media_tokens(2)));
    const JsonView resized = media.at(i).at("resized");
    run.resized.emplace_back();
    for (std::int64_t j = 0; j < resized.size(); ++j) {
      const auto size = resized.at(j).as_ints();
      run.resized.back().push_back({size.at(0), size.at(1)});
    }
  }
  run.prompt = json.at("prompt").as_string();
  run.rule = transformers_5 && json.has("transformers_5") ? "transformers_5." : "";
  const JsonView by_rule = run.rule.empty() ? json : json.at("transformers_5");
  run.next_position = by_rule.at("next_position").as_int();
  run.greedy_tokens = by_rule.at("greedy_tokens").as_ints();
  run.greedy_text = json.at("greedy_text").as_string();
  read_stages(json, expected, run);
  return run;
}

}  // namespace

fs::path parity_fixtures() {
  const char* elsewhere = std::getenv("TARSIER_PARITY_FIXTURES");
  return elsewhere != nullptr ? fs::path(elsewhere)
                              : fs::path(TARSIER_SOURCE_DIR) / "tests" / "fixtures" / "models";
}

std::vector<std::string> parity_case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(parity_fixtures())) {
    if (fs::exists(entry.path() / "case.json")) names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

const ParityCase& parity_case(const std::string& name) {
  static std::map<std::string, ParityCase> cases;
  const auto found = cases.find(name);
  if (found != cases.end()) return found->second;
  ParityCase result;
  result.directory = parity_fixtures() / name;
  const SafetensorsFile expected(result.directory / "expected.safetensors");
  const JsonView document = read_case(name);
  if (const auto left_out = document.find("left_out")) {
    for (const std::string& run : left_out->keys())
      result.left_out.emplace(run, left_out->at(run).as_string());
  }
  const JsonView runs = document.at("runs");
  for (std::int64_t i = 0; i < runs.size(); ++i) {
    result.runs.push_back(
        read_run(runs.at(i), expected, is_saved_by_transformers_5(result.directory)));
  }
  return cases.emplace(name, std::move(result)).first->second;
}

const VideoLanguageModel& parity_model(const std::string& case_name) {
  static std::string loaded;
  static std::shared_ptr<VideoLanguageModel> model;
  if (loaded != case_name) {
    LoadOptions options;
    options.dtype = at::kFloat;
    model = load_model(parity_fixtures() / case_name, options);
    loaded = case_name;
  }
  return *model;
}

}  // namespace tarsier
