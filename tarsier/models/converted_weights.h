#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tarsier/checkpoint/foreign_weights.h"
#include "tarsier/checkpoint/safetensors.h"
#include "tarsier/models/adapter_file.h"

namespace tarsier {

/// One tensor to write, and how it comes from what was read.
struct ConvertedWeight {
  StridedTensor source;
  std::string file;                // it was read from
  std::vector<LoraDelta> changes;  // added in f32, in this order
  Tensor replacement;              // takes the place of `source`; usually undefined
  DType dtype;                     // written
};

/// By the name it is written under.
using ConvertedWeights = std::map<std::string, ConvertedWeight>;

ConvertedWeights plan_weights(const ForeignWeights& weights);

/// Turns the names of a model that PEFT wrapped into its own, and its LoRA pairs into changes, with
/// scale alpha / rank. Returns how many. CheckpointError when there are pairs and no `alpha`, or
/// half of one.
std::int64_t unwrap_peft(ConvertedWeights& weights, std::optional<double> alpha);

/// Adds an adapter's changes and puts its replaced tensors in place. Names fit as they are, or by
/// the layouts of checkpoint/rename.h. CheckpointError naming the first that does not fit, or whose
/// shape differs.
void add_adapter(ConvertedWeights& weights, const Adapter& adapter);

/// Takes away `lm_head.weight` where it is the same memory as the embedding. Its name, or "".
std::string drop_tied_head(ConvertedWeights& weights);

/// Floating-point weights will be written in `dtype`.
void cast_weights(ConvertedWeights& weights, DType dtype);

/// The finished tensor, contiguous on the CPU. CheckpointError when a finite value does not fit the
/// type.
Tensor finished_weight(const std::string& name, const ConvertedWeight& weight);

/// Whether the stored bytes are the written ones.
bool is_unchanged(const ConvertedWeight& weight);

}  // namespace tarsier
