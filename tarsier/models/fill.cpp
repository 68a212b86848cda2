#include "tarsier/models/fill.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/nn/int8_weight.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

at::ScalarType scalar_type_of(const TensorView& view, const std::string& file) {
  switch (view.dtype) {
    case DType::f32:
      return at::kFloat;
    case DType::bf16:
      return at::kBFloat16;
    case DType::f16:
      return at::kHalf;
    case DType::f64:
      return at::kDouble;
    default:
      throw CheckpointError({file, fmt::format("{} is of type {}", view.name, name_of(view.dtype)),
                             "weights must be F32, BF16, F16 or F64"});
  }
}

std::string likely_cause(const std::string& path) {
  if (path.find("embed_tokens") != std::string::npos || path.find("lm_head") != std::string::npos) {
    return "vocab_size or hidden_size in config.json belongs to another model";
  }
  if (path.find("mlp") != std::string::npos)
    return "intermediate_size, mlp_ratio or a hidden size in config.json belongs to another model";
  if (path.find("_proj") != std::string::npos)
    return "num_attention_heads, num_key_value_heads or hidden_size in config.json belongs to "
           "another model";
  if (path.find("patch_embed") != std::string::npos)
    return "patch_size, in_channels or embed_dim in config.json belongs to another model";
  return "config.json belongs to another model, or the file was changed";
}

Tensor to_tensor(const TensorView& view, const std::shared_ptr<const Checkpoint>& checkpoint,
                 const FillOptions& options) {
  const at::ScalarType stored = scalar_type_of(view, checkpoint->file_of(view.name));
  const auto address = reinterpret_cast<std::uintptr_t>(view.bytes.data());
  Tensor mapped;
  if (address % static_cast<std::uintptr_t>(bytes_of(view.dtype)) == 0) {
    // The mapping is read-only; nothing writes to weights that were not asked for as own memory.
    void* data = const_cast<std::byte*>(view.bytes.data());
    mapped = at::from_blob(
        data, view.shape, [checkpoint](void*) {}, at::TensorOptions().dtype(stored));
    if (stored == options.dtype && options.device.is_cpu() && !options.own_memory) return mapped;
  } else {
    mapped = at::empty(view.shape, at::TensorOptions().dtype(stored));
    std::memcpy(mapped.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  }
  return at::empty(view.shape, at::TensorOptions().dtype(options.dtype).device(options.device))
      .copy_(mapped);
}

bool goes_in_int8(const std::string& path, const Tensor& tensor, const FillOptions& options) {
  return options.in_int8 && tensor.dim() == 2 && options.in_int8(path);
}

// Rounded from what the file has.
Tensor to_int8(const TensorView& view, const std::shared_ptr<const Checkpoint>& checkpoint,
               FillOptions options) {
  options.dtype = scalar_type_of(view, checkpoint->file_of(view.name));
  options.own_memory = false;
  return int8_weight(to_tensor(view, checkpoint, options));
}

// A few names and the count of the rest: a message stays one line.
std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min<std::size_t>(names.size(), 3);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace

void fill_from_checkpoint(const VisitWeights& visit, std::shared_ptr<const Checkpoint> checkpoint,
                          std::span<const Rename> renames, const FillOptions& options,
                          std::span<const std::string> unused) {
  std::map<std::string, const TensorView*> by_path;
  std::vector<std::string> spare;
  for (const auto& [name, view] : checkpoint->tensors()) {
    if (is_ignored_tensor(name)) continue;
    const std::optional<std::string> path = apply_renames(renames, name);
    const auto begins_path = [&](const std::string& start) { return path->starts_with(start); };
    if (!path) {
      spare.push_back(name);
    } else if (std::ranges::any_of(unused, begins_path)) {
      continue;
    } else if (!by_path.emplace(*path, &view).second) {
      throw CheckpointError(
          {checkpoint->file_of(name),
           fmt::format("{} and {} are both {}", name, by_path[*path]->name, *path),
           "remove one of them"});
    }
  }
  std::vector<std::string> missing;
  visit([&](const std::string& path, Tensor& tensor) {
    const auto found = by_path.find(path);
    if (found == by_path.end()) {
      missing.push_back(path);
      return;
    }
    const TensorView& view = *found->second;
    if (at::IntArrayRef(view.shape) != tensor.sizes()) {
      throw CheckpointError({checkpoint->file_of(view.name),
                             fmt::format("{} is {}, expected {}", view.name, shape_text(view.shape),
                                         shape_text(tensor.sizes())),
                             likely_cause(path)});
    }
    tensor = goes_in_int8(path, tensor, options) ? to_int8(view, checkpoint, options)
                                                 : to_tensor(view, checkpoint, options);
    by_path.erase(found);
  });
  const std::string where = checkpoint->files().size() == 1 ? checkpoint->files().front()
                                                            : "model.safetensors.index.json";
  if (!missing.empty()) {
    throw CheckpointError(
        {where,
         fmt::format("{} of the model's tensors missing: {}", missing.size(), listed(missing)),
         "the checkpoint is incomplete, or config.json asks for more layers than it has"});
  }
  for (const auto& [path, view] : by_path) spare.push_back(view->name);
  if (!spare.empty()) {
    throw CheckpointError(
        {where,
         fmt::format("{} tensors that the model has no place for: {}", spare.size(), listed(spare)),
         "config.json belongs to another model"});
  }
}

void fill_randomly(const VisitWeights& visit, std::uint64_t seed, const FillOptions& options) {
  // Layers that add to the residual stream, counted by kind so that each stack is scaled by its own
  // depth.
  const auto residual_kind = [](const std::string& path) -> std::string {
    for (const char* end :
         {"o_proj.weight", "down_proj.weight", "attn.proj.weight", "fc2.weight"}) {
      if (path.ends_with(end)) return end;
    }
    return {};
  };
  std::map<std::string, std::int64_t> depth;
  visit([&](const std::string& path, Tensor&) { ++depth[residual_kind(path)]; });
  visit([&](const std::string& path, Tensor& tensor) {
    Tensor fresh = at::empty(tensor.sizes(), at::TensorOptions().dtype(at::kFloat));
    if (tensor.dim() == 1) {
      fresh.fill_(path.ends_with("weight") ? 1.0 : 0.0);
    } else {
      std::uint64_t hash = 0;
      for (const char c : path) hash = hash * 1099511628211ULL + static_cast<unsigned char>(c);
      Random random({seed, hash});
      const std::string kind = residual_kind(path);
      const double deviation =
          kind.empty() ? 0.02 : 0.02 / std::sqrt(2.0 * static_cast<double>(depth[kind]));
      float* values = fresh.mutable_data_ptr<float>();
      for (std::int64_t i = 0; i < fresh.numel(); ++i)
        values[i] = static_cast<float>(deviation * random.normal());
    }
    tensor = goes_in_int8(path, tensor, options) ? int8_weight(fresh.to(options.device))
                                                 : fresh.to(options.device, options.dtype);
  });
}

}  // namespace tarsier
