#include "tarsier/train/taken_weights.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/models/registry.h"
#include "tarsier/tensor/shape.h"
#include "tarsier/train/optimizer/groups.h"

namespace tarsier {
namespace {

bool is_word_table(const std::string& path) {
  return path == "model.embed_tokens.weight" || path == "lm_head.weight";
}

void copy_rows(const std::string& path, const Tensor& from, Tensor& to) {
  const bool longer = is_word_table(path) && from.dim() == 2 && from.size(0) <= to.size(0) &&
                      from.size(1) == to.size(1);
  if (from.sizes() != to.sizes() && !longer) {
    throw ConfigError({"weights_from",
                       fmt::format("{} is {}, the model's is {}", path, shape_text(from.sizes()),
                                   shape_text(to.sizes())),
                       "take weights of a model of the same sizes, or name fewer"});
  }
  to.slice(0, 0, from.size(0)).copy_(from);
}

void take(VideoLanguageModel& model, const TakenWeights& taken) {
  const auto source = load_model(taken.model, {});
  std::map<std::string, Tensor> known;
  const TensorVisitor remember = [&](const std::string& path, Tensor& tensor) {
    known.emplace(path, tensor);
  };
  source->visit(Scope(remember));
  std::set<std::string> unused(taken.patterns.begin(), taken.patterns.end());
  std::int64_t count = 0;
  const TensorVisitor copy = [&](const std::string& path, Tensor& tensor) {
    const auto found = known.find(path);
    if (found == known.end()) return;
    bool wanted = false;
    for (const std::string& pattern : taken.patterns) {
      if (!begins_with(path, pattern)) continue;
      unused.erase(pattern);
      wanted = true;
    }
    if (!wanted) return;
    copy_rows(path, found->second, tensor);
    ++count;
  };
  model.visit(Scope(copy));
  if (!unused.empty()) {
    throw ConfigError({"weights_from",
                       fmt::format("'{}' is the beginning of no path that {} has too",
                                   *unused.begin(), source->info().name),
                       "use patterns such as model. or model.layers."});
  }
  log_info(fmt::format("{} weights taken from {}", count, source->info().name));
}

}  // namespace

void take_weights(VideoLanguageModel& model, std::span<const TakenWeights> from) {
  const at::NoGradGuard no_grad;
  for (const TakenWeights& taken : from) take(model, taken);
}

}  // namespace tarsier
