#include "tarsier/train/train_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/checkpoint/directory_commit.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/train/distributed/data_parallel.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

fs::path checkpoints_of(const fs::path& run) { return run / "checkpoints"; }

// A tensor of the state under one name: the master weight, its moments, its count of updates, its
// average.
struct StateTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  Tensor* tensor;      // undefined on a rank that does not have it
  std::int64_t owner;  // the rank that has it
  bool everywhere;     // so has every other
};

// In the order of their names, as a file has them.
std::vector<StateTensor> state_of(Optimizer& optimizer) {
  std::vector<StateTensor> all;
  for (Optimizer::Parameter& parameter : optimizer.parameters()) {
    const auto add = [&](const char* part, const std::vector<std::int64_t>& shape, Tensor& tensor,
                         bool everywhere) {
      check(!tensor.defined() || tensor.is_contiguous(), "saved tensors are contiguous");
      all.push_back({part + parameter.path, shape, &tensor, parameter.owner, everywhere});
    };
    const std::vector<std::int64_t> shape = parameter.weight.sizes().vec();
    add("weight.", shape, parameter.master, parameter.weight.scalar_type() == at::kFloat);
    add("mean.", shape, parameter.mean, false);
    add("variance.", shape, parameter.variance, false);
    add("steps.", {}, parameter.steps, false);
    if (parameter.averaged) add("average.", shape, parameter.average, false);
  }
  std::sort(all.begin(), all.end(),
            [](const StateTensor& one, const StateTensor& other) { return one.name < other.name; });
  return all;
}

// Rank 0 gives it to the owner, or the owner to rank 0. Returns it on both.
Tensor pass(Communicator& world, const StateTensor& state, bool to_owner, const Tensor& of_root) {
  const std::int64_t root = to_owner ? 0 : state.owner;
  const std::int64_t receiver = to_owner ? state.owner : 0;
  if (root == receiver) return of_root;
  Tensor tensor = world.rank() == root ? of_root : at::empty(state.shape, at::kFloat);
  world.broadcast_(tensor, root);
  return tensor;
}

Tensor at_rank_zero(Communicator& world, const StateTensor& state) {
  if (state.everywhere) return *state.tensor;
  return pass(world, state, /*to_owner=*/false, *state.tensor);
}

std::span<const std::byte> bytes_of(const Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

std::string name_of_step(std::int64_t step) { return fmt::format("step-{:08}", step); }

// By their step, the oldest first.
std::vector<fs::path> saved_checkpoints(const fs::path& folder) {
  std::vector<fs::path> saved;
  if (!fs::exists(folder)) return saved;
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
  const std::vector<fs::path> saved = saved_checkpoints(folder);
  const auto later = std::find_if(saved.begin(), saved.end(), [&](const fs::path& path) {
    return path.filename().string() > name_of_step(step);
  });
  std::for_each(later, saved.end(), remove_whole);
  for (auto old = saved.begin(); old + keep < later; ++old) remove_whole(*old);
}

nlohmann::json json_of(const TrainState& state) {
  return {{"step", state.step},
          {"samples", state.samples},
          {"waiting", state.waiting},
          {"skipped", state.skipped},
          {"skipped_in_row", state.skipped_in_row},
          {"bad_samples", state.bad_samples},
          {"good_samples", state.good_samples},
          {"reward_sum", state.reward_sum},
          {"reward_count", state.reward_count},
          {"seconds", state.seconds},
          {"recipe_hash", state.recipe_hash},
          {"compute", state.compute}};
}

TrainState state_from(const JsonView& json) {
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
  if (json.has("reward_sum")) state.reward_sum = json.at("reward_sum").as_double();
  if (json.has("reward_count")) state.reward_count = json.at("reward_count").as_double();
  state.seconds = json.at("seconds").as_double();
  state.recipe_hash = json.at("recipe_hash").as_string();
  state.compute = json.string_or("compute", "");
  return state;
}

// The newest whole checkpoint, with every tensor the run needs.
struct Saved {
  TrainState state;
  SafetensorsFile file;
};

std::optional<Saved> find_saved(const fs::path& run, const std::string& recipe_hash,
                                std::span<const StateTensor> tensors) {
  if (!fs::exists(checkpoints_of(run))) return std::nullopt;
  const std::optional<fs::path> folder = find_latest_complete(checkpoints_of(run));
  if (!folder && saved_checkpoints(checkpoints_of(run)).empty()) return std::nullopt;
  if (!folder)
    throw CheckpointError({checkpoints_of(run).string(), "holds no checkpoint that is whole",
                           "restore one, or start anew with another --out"});
  TrainState state = state_from(read_json(*folder / "state.json", JsonOwner::checkpoint));
  if (state.recipe_hash != recipe_hash) {
    throw CheckpointError({folder->string(), "was made by another recipe",
                           "use another --out, the same recipe, or --resume never"});
  }
  SafetensorsFile file(*folder / "state.safetensors");
  for (const StateTensor& tensor : tensors) {
    const auto found = file.tensors().find(tensor.name);
    if (found == file.tensors().end() || found->second.dtype != DType::f32 ||
        found->second.shape != tensor.shape) {
      throw CheckpointError({(*folder / "state.safetensors").string(),
                             fmt::format("{} is missing or of another shape", tensor.name),
                             "the model's configuration changed since; use --resume never"});
    }
  }
  return Saved{std::move(state), std::move(file)};
}

// Rank 0's state for every rank; nullopt where it has none.
std::optional<TrainState> spread(Communicator& world, const TrainState* state) {
  std::string text = state == nullptr ? "" : json_of(*state).dump();
  auto size = static_cast<std::int64_t>(text.size());
  Tensor length = at::from_blob(&size, {1}, at::kLong);
  world.broadcast_(length, 0);
  if (size == 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  Tensor bytes = at::from_blob(text.data(), {size}, at::kByte);
  world.broadcast_(bytes, 0);
  return state_from(parse_json(text, "state.json", JsonOwner::checkpoint));
}

}  // namespace

void save_checkpoint(const fs::path& run, const TrainState& state, Optimizer& optimizer,
                     std::int64_t keep, Communicator& world) {
  const std::vector<StateTensor> tensors = state_of(optimizer);
  if (world.rank() != 0) {
    for (const StateTensor& tensor : tensors) at_rank_zero(world, tensor);
    return;
  }
  std::vector<TensorView> views;
  std::int64_t bytes = 1 << 20;
  for (const StateTensor& tensor : tensors) {
    views.push_back({tensor.name, DType::f32, tensor.shape, {}});
    bytes += 4 * c10::multiply_integers(tensor.shape);
  }
  DirectoryCommit folder(checkpoints_of(run) / name_of_step(state.step), bytes);
  std::size_t next = 0;
  Tensor held;
  const auto fetch = [&](const TensorView& view) {
    check(view.name == tensors[next].name, "a state's file has the order of its names");
    held = at_rank_zero(world, tensors[next++]).to(at::kCPU);
    return bytes_of(held);
  };
  write_safetensors(folder.path() / "state.safetensors", views, {}, fetch);
  folder.write("state.json", std::string_view(json_of(state).dump(1)));
  folder.commit();
  remove_old(checkpoints_of(run), state.step, keep);
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
                                          Optimizer& optimizer, Communicator& world) {
  const std::vector<StateTensor> tensors = state_of(optimizer);
  std::optional<Saved> saved;
  if (world.rank() == 0) saved = find_saved(run, recipe_hash, tensors);
  std::optional<TrainState> state = spread(world, saved ? &saved->state : nullptr);
  if (!state) return std::nullopt;
  state->recipe_hash = recipe_hash;
  const at::NoGradGuard no_grad;
  for (const StateTensor& tensor : tensors) {
    Tensor loaded;
    if (saved) {
      const bool in_place = tensor.owner == 0 && tensor.tensor->device().is_cpu();
      loaded = in_place ? *tensor.tensor : at::empty(tensor.shape, at::kFloat);
      const std::span<const std::byte> bytes = saved->file.tensors().at(tensor.name).bytes;
      std::memcpy(loaded.mutable_data_ptr(), bytes.data(), bytes.size());
    }
    loaded = pass(world, tensor, /*to_owner=*/true, loaded);
    if (tensor.owner == world.rank() && !loaded.is_same(*tensor.tensor))
      tensor.tensor->copy_(loaded);
  }
  for (Optimizer::Parameter& parameter : optimizer.parameters()) parameter.refresh_weight();
  spread_weights(world, optimizer);
  return state;
}

}  // namespace tarsier
