#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tarsier/tensor/tensor.h"
#include "tarsier/tensor/workers.h"

namespace tarsier {

/// How the matrices inside the layers are updated; embeddings, norms and biases always follow
/// AdamW.
enum class UpdateRule { adamw, muon };

struct OptimizerSettings {
  double rate = 1e-3, weight_decay = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  UpdateRule rule = UpdateRule::adamw;
  bool decay_vectors = false;  // norms and biases decay too
};

/// The weights that can learn, with what an update needs: f32 gradients, moments and, for 16-bit
/// weights, a master copy. Where several ranks train one model, each keeps the moments, averages
/// and 16-bit weights' masters of the parameters it owns, and those alone.
class Optimizer {
 public:
  struct Parameter {
    std::string path;
    Tensor weight;  // the model's own; 16-bit ones are refreshed from `master` after each step
    Tensor master;  // f32; the same tensor as `weight` when that is f32
    Tensor mean, variance;               // f32, moments of the gradient; Muon uses `mean` alone
    Tensor steps;                        // f32 scalar: updates so far
    std::int64_t owner = 0;              // the rank that updates it
    bool owned = true;                   // by this rank; else master (of 16-bit weights), mean,
                                         // variance, steps and average are undefined
    bool averaged = false;               // its owner keeps an average
    Tensor gradient;                     // f32, undefined until one is added
    Tensor average;                      // f32, of `master` over time; undefined where none is kept
    bool is_layer_matrix;                // 2-D and neither an embedding nor a head
    std::string group;                   // for the logs; groups.h
    double rate = 1;                     // times the settings'
    std::optional<double> weight_decay;  // in place of the settings'

    /// A 16-bit weight takes its master's value, where this rank has one. Without gradient mode.
    void refresh_weight();
    /// The decay of a step: none for norms and biases, unless the settings say so.
    double decay(const OptimizerSettings& settings) const {
      if (weight.dim() < 2 && !settings.decay_vectors) return 0;
      return weight_decay.value_or(settings.weight_decay);
    }
  };

  void add(std::string path, const Tensor& weight, std::int64_t owner = 0, bool owned = true);
  /// Adds one gradient for each parameter, in their order; undefined ones add nothing. Sums are f32
  /// and taken in the order of calls.
  void add_gradients(const std::vector<Tensor>& gradients);
  /// Applies the gradients scaled by `scale` to every parameter that has one, and clears them. A
  /// parameter of another rank has none by then.
  void step(const OptimizerSettings& settings, double scale, Workers& workers);
  /// L2 norm of each parameter's gradient, 0 where there is none.
  std::vector<double> gradient_norms() const;
  void clear_gradients();
  void reset_moments();

  std::vector<Parameter>& parameters() { return parameters_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
};

/// L2 norm of vectors together, from that of each.
double joint_norm(std::span<const double> norms);

}  // namespace tarsier
