#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tarsier/base/json.h"
#include "tarsier/nn/parameters.h"

namespace tarsier {

/// One file of tests/fixtures/towers (tools/fixtures/README.md).
struct TowerFixture {
  JsonView config;
  std::map<std::string, Tensor> weights, inputs, stages;

  explicit TowerFixture(const std::string& name);

  /// Every weight of the tower is in the file in its shape; of the file, only names that begin as
  /// one of `unused` are left over.
  template <class Tower>
  void fill(Tower& tower, const std::vector<std::string>& unused = {}) const {
    const TensorVisitor visitor = filler(unused);
    tower.visit(Scope(visitor));
  }
  /// Within 1e-5 of the stage's largest value, where that is above 1; else within 1e-5.
  void expect(const std::string& stage, const Tensor& actual) const;
  std::int64_t blocks() const;  // stages "block.N"

 private:
  TensorVisitor filler(const std::vector<std::string>& unused) const;
};

/// The names that a tower visits.
template <class Tower>
std::vector<std::string> names_of(Tower& tower) {
  std::vector<std::string> names;
  const TensorVisitor keep = [&](const std::string& name, Tensor&) { names.push_back(name); };
  tower.visit(Scope(keep));
  return names;
}

/// The tower's number of parameters.
template <class Tower>
std::int64_t parameters_of(Tower& tower) {
  std::int64_t count = 0;
  const TensorVisitor add = [&](const std::string&, Tensor& weight) { count += weight.numel(); };
  tower.visit(Scope(add));
  return count;
}

/// Rounds every weight to bf16.
template <class Tower>
void narrow(Tower& tower) {
  const TensorVisitor round = [](const std::string&, Tensor& weight) {
    weight = weight.to(at::kBFloat16);
  };
  tower.visit(Scope(round));
}

/// bf16, and near the f32 result: within `mean` of its mean size, on average.
void expect_near_in_16_bits(const Tensor& half, const Tensor& whole, double mean = 0.03);

/// Makes every weight learn and returns them, in the order of the visit.
template <class Tower>
std::vector<Tensor> learning_weights(Tower& tower) {
  std::vector<Tensor> weights;
  const TensorVisitor keep = [&](const std::string&, Tensor& weight) {
    weights.push_back(weight.requires_grad_(true));
  };
  tower.visit(Scope(keep));
  return weights;
}

/// Gradients of the sum of squares of `output` by `inputs`.
std::vector<Tensor> gradients_of(const Tensor& output, const std::vector<Tensor>& inputs);
/// The same bits, and none of them zeros alone.
void expect_same_gradients(const std::vector<Tensor>& a, const std::vector<Tensor>& b);

/// The text of the CheckpointError that reading `config`, JSON text, ends in.
std::string config_refusal(const std::string& config,
                           const std::function<void(const JsonView&)>& read);

}  // namespace tarsier
