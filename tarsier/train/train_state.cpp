#include "tarsier/train/train_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/safetensors.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

fs::path checkpoints_of(const fs::path& run) { return run / "checkpoints"; }

// Every tensor of the state under one name: the master weight, its moments, its count of updates,
// its average.
template <class Visit>
void visit_state(Optimizer& optimizer, const Visit& visit) {
  for (Optimizer::Parameter& parameter : optimizer.parameters()) {
    visit("weight." + parameter.path, parameter.master);
    visit("mean." + parameter.path, parameter.mean);
    visit("variance." + parameter.path, parameter.variance);
    visit("steps." + parameter.path, parameter.steps);
    if (parameter.average.defined()) visit("average." + parameter.path, parameter.average);
  }
}

// By their step, the oldest first.
std::vector<fs::path> saved_checkpoints(const fs::path& folder) {
  std::vector<fs::path> saved;
  if (!fs::exists(folder)) return saved;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("step-") &&
        entry.path().filename().string().find(".tmp") == std::string::npos)
      saved.push_back(entry.path());
  }
  std::sort(saved.begin(), saved.end());
  return saved;
}

void remove_old(const fs::path& folder, std::int64_t keep) {
  const std::vector<fs::path> saved = saved_checkpoints(folder);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < saved.size(); ++i)
    fs::remove_all(saved[i]);
}

}  // namespace

void save_checkpoint(const fs::path& run, const TrainState& state, Optimizer& optimizer,
                     std::int64_t keep) {
  std::vector<TensorView> views;
  std::int64_t bytes = 1 << 20;
  visit_state(optimizer, [&](const std::string& name, const Tensor& tensor) {
    check(tensor.is_contiguous(), "saved tensors are contiguous");
    const auto size = static_cast<std::size_t>(tensor.nbytes());
    views.push_back({name,
                     DType::f32,
                     tensor.sizes().vec(),
                     {static_cast<const std::byte*>(tensor.const_data_ptr()), size}});
    bytes += static_cast<std::int64_t>(size);
  });
  const nlohmann::json json = {{"step", state.step},
                               {"samples", state.samples},
                               {"waiting", state.waiting},
                               {"skipped", state.skipped},
                               {"skipped_in_row", state.skipped_in_row},
                               {"bad_samples", state.bad_samples},
                               {"good_samples", state.good_samples},
                               {"seconds", state.seconds},
                               {"recipe_hash", state.recipe_hash},
                               {"compute", state.compute}};
  DirectoryCommit folder(checkpoints_of(run) / fmt::format("step-{:08}", state.step), bytes);
  write_safetensors(folder.path() / "state.safetensors", views);
  folder.write("state.json", std::string_view(json.dump(1)));
  folder.commit();
  remove_old(checkpoints_of(run), keep);
}

bool has_checkpoint(const fs::path& run) { return !saved_checkpoints(checkpoints_of(run)).empty(); }

std::optional<std::string> saved_compute(const fs::path& run) {
  const std::vector<fs::path> saved = saved_checkpoints(checkpoints_of(run));
  for (auto folder = saved.rbegin(); folder != saved.rend(); ++folder) {
    std::ifstream stream(*folder / "state.json");
    const nlohmann::json state = nlohmann::json::parse(stream, nullptr, false);
    if (!state.is_object()) continue;  // damaged: loading will tell
    const std::string compute = state.value("compute", "");
    if (compute == "f32" || compute == "bf16") return compute;
  }
  return std::nullopt;
}

std::optional<TrainState> load_checkpoint(const fs::path& run, const std::string& recipe_hash,
                                          Optimizer& optimizer) {
  if (!fs::exists(checkpoints_of(run))) return std::nullopt;
  const std::optional<fs::path> folder = find_latest_complete(checkpoints_of(run));
  if (!folder) return std::nullopt;
  const JsonView json = read_json(*folder / "state.json", JsonOwner::checkpoint);
  TrainState state;
  state.step = json.at("step").as_int(0, INT64_MAX);
  state.samples = static_cast<std::uint64_t>(json.at("samples").as_int(0, INT64_MAX));
  if (const auto waiting = json.find("waiting")) {
    for (const std::int64_t number : waiting->as_ints())
      state.waiting.push_back(static_cast<std::uint64_t>(number));
  }
  state.skipped = json.at("skipped").as_int();
  state.skipped_in_row = json.at("skipped_in_row").as_int();
  state.bad_samples = json.at("bad_samples").as_int();
  state.good_samples = json.at("good_samples").as_int();
  state.seconds = json.at("seconds").as_double();
  state.recipe_hash = json.at("recipe_hash").as_string();
  state.compute = json.string_or("compute", "");
  if (state.recipe_hash != recipe_hash) {
    throw CheckpointError({folder->string(), "was made by another recipe",
                           "use another --out, the same recipe, or --resume never"});
  }
  const SafetensorsFile file(*folder / "state.safetensors");
  const at::NoGradGuard no_grad;
  visit_state(optimizer, [&](const std::string& name, Tensor& tensor) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end() || found->second.dtype != DType::f32 ||
        at::IntArrayRef(found->second.shape) != tensor.sizes()) {
      throw CheckpointError({(*folder / "state.safetensors").string(),
                             fmt::format("{} is missing or of another shape", name),
                             "the model's configuration changed since; use --resume never"});
    }
    std::memcpy(tensor.mutable_data_ptr(), found->second.bytes.data(), found->second.bytes.size());
  });
  for (Optimizer::Parameter& parameter : optimizer.parameters()) {
    if (!parameter.master.is_same(parameter.weight)) parameter.weight.copy_(parameter.master);
  }
  return state;
}

}  // namespace tarsier
