#include "tarsier/train/train_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
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

std::string name_of_step(std::int64_t step) { return fmt::format("step-{:08}", step); }

std::vector<fs::path> saved_in(const fs::path& folder) {
  std::vector<fs::path> saved;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.find(".tmp") == std::string::npos)
      saved.push_back(entry.path());
  }
  std::sort(saved.begin(), saved.end());
  return saved;
}

// All but the newest `keep` up to `step`. Those of later steps go too: the run went on from before
// them because they are damaged, and must neither count as kept nor be tried again.
void remove_old(const fs::path& folder, std::int64_t step, std::int64_t keep) {
  const std::vector<fs::path> saved = saved_in(folder);
  const auto later = std::find_if(saved.begin(), saved.end(), [&](const fs::path& path) {
    return path.filename().string() > name_of_step(step);
  });
  std::for_each(later, saved.end(), remove_whole);
  for (auto old = saved.begin(); old + keep < later; ++old) remove_whole(*old);
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
                               {"skipped", state.skipped},
                               {"skipped_in_row", state.skipped_in_row},
                               {"bad_samples", state.bad_samples},
                               {"good_samples", state.good_samples},
                               {"seconds", state.seconds},
                               {"recipe_hash", state.recipe_hash}};
  DirectoryCommit folder(checkpoints_of(run) / name_of_step(state.step), bytes);
  write_safetensors(folder.path() / "state.safetensors", views);
  folder.write("state.json", std::string_view(json.dump(1)));
  folder.commit();
  remove_old(checkpoints_of(run), state.step, keep);
}

std::optional<TrainState> load_checkpoint(const fs::path& run, const std::string& recipe_hash,
                                          Optimizer& optimizer) {
  if (!fs::exists(checkpoints_of(run))) return std::nullopt;
  const std::optional<fs::path> folder = find_latest_complete(checkpoints_of(run));
  if (!folder && saved_in(checkpoints_of(run)).empty()) return std::nullopt;
  if (!folder)
    throw CheckpointError({checkpoints_of(run).string(), "holds no checkpoint that is whole",
                           "restore one, or start anew with another --out"});
  const JsonView json = read_json(*folder / "state.json", JsonOwner::checkpoint);
  TrainState state;
  state.step = json.at("step").as_int(0, INT64_MAX);
  state.samples = static_cast<std::uint64_t>(json.at("samples").as_int(0, INT64_MAX));
  state.skipped = json.at("skipped").as_int();
  state.skipped_in_row = json.at("skipped_in_row").as_int();
  state.bad_samples = json.at("bad_samples").as_int();
  state.good_samples = json.at("good_samples").as_int();
  state.seconds = json.at("seconds").as_double();
  state.recipe_hash = json.at("recipe_hash").as_string();
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
