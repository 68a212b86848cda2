#include "tarsier/train/distributed/data_parallel.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// Small tensors travel together, up to this many bytes.
constexpr std::int64_t kBucketBytes = 32 << 20;

std::vector<double> sum_of(Communicator& world, std::vector<double> values) {
  Tensor sum =
      at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kDouble);
  world.all_reduce_sum_(sum);
  return values;
}

// A tensor that is on its way from or to the rank that owns it.
struct Parcel {
  std::int64_t owner;
  Tensor* tensor;
};

// Calls `exchange(joined, owner)` with tensors of one owner and type in a row, then `keep(parcel,
// part)` with the part of the outcome that is its own.
template <class Exchange, class Keep>
void exchange_joined(std::vector<Parcel> parcels, const Exchange& exchange, const Keep& keep) {
  std::stable_sort(parcels.begin(), parcels.end(), [](const Parcel& a, const Parcel& b) {
    return std::pair(a.owner, a.tensor->scalar_type()) <
           std::pair(b.owner, b.tensor->scalar_type());
  });
  for (std::size_t begin = 0, end = 0; begin < parcels.size(); begin = end) {
    const Parcel& first = parcels[begin];
    std::vector<Tensor> flat;
    std::int64_t bytes = 0;
    for (; end < parcels.size(); ++end) {
      const Parcel& next = parcels[end];
      bytes += static_cast<std::int64_t>(next.tensor->nbytes());
      if (next.owner != first.owner || next.tensor->scalar_type() != first.tensor->scalar_type() ||
          (end > begin && bytes > kBucketBytes))
        break;
      flat.push_back(next.tensor->reshape({-1}));
    }
    Tensor joined = at::cat(flat);
    exchange(joined, first.owner);
    std::int64_t at = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const std::int64_t count = parcels[i].tensor->numel();
      keep(parcels[i], joined.narrow(0, at, count).view(parcels[i].tensor->sizes()));
      at += count;
    }
  }
}

}  // namespace

StepTotals total(Communicator& world, const StepData& data, double waited) {
  StepTotals totals;
  for (const Batch& batch : data.micro_batches) {
    totals.target_weight += batch.weight_sum;
    totals.clips += batch.clips();
    totals.tokens += batch.tokens.numel();
    totals.media_tokens += batch.media_rows.numel();
  }
  // Counts are exact in a double; the waits lie behind them, each rank's at its place.
  std::vector<double> sums{totals.target_weight,
                           static_cast<double>(data.micro_batches.size()),
                           static_cast<double>(data.bad.size()),
                           static_cast<double>(totals.clips),
                           static_cast<double>(totals.tokens),
                           static_cast<double>(totals.media_tokens)};
  const auto counts = static_cast<std::ptrdiff_t>(sums.size());
  sums.resize(sums.size() + static_cast<std::size_t>(world.size()));
  sums[static_cast<std::size_t>(counts + world.rank())] = waited;
  sums = sum_of(world, std::move(sums));
  totals.target_weight = sums[0];
  totals.micro_batches = static_cast<std::int64_t>(sums[1]);
  totals.bad = static_cast<std::int64_t>(sums[2]);
  totals.clips = static_cast<std::int64_t>(sums[3]);
  totals.tokens = static_cast<std::int64_t>(sums[4]);
  totals.media_tokens = static_cast<std::int64_t>(sums[5]);
  totals.waited = *std::max_element(sums.begin() + counts, sums.end());
  return totals;
}

StepLosses total(Communicator& world, const StepLosses& losses) {
  auto members = std::bit_cast<MembersOf<StepLosses>>(losses);
  const auto sums = sum_of(world, std::vector<double>(members.begin(), members.end()));
  std::copy(sums.begin(), sums.end(), members.begin());
  return std::bit_cast<StepLosses>(members);
}

double total(Communicator& world, double value) { return sum_of(world, {value})[0]; }

bool any(Communicator& world, bool holds) { return total(world, holds ? 1.0 : 0.0) > 0; }

std::vector<bool> sum_gradients(Communicator& world, Optimizer& optimizer) {
  const at::NoGradGuard no_grad;
  std::vector<Optimizer::Parameter>& parameters = optimizer.parameters();
  std::vector<double> defined;
  for (const Optimizer::Parameter& parameter : parameters)
    defined.push_back(parameter.gradient.defined() ? 1 : 0);
  defined = sum_of(world, std::move(defined));
  std::vector<bool> learned;
  for (const double ranks : defined) learned.push_back(ranks > 0);
  if (world.size() == 1) return learned;
  std::vector<Parcel> parcels;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!learned[i]) continue;
    Tensor& gradient = parameters[i].gradient;
    if (!gradient.defined())
      gradient =
          at::zeros(parameters[i].weight.sizes(), parameters[i].weight.options().dtype(at::kFloat));
    parcels.push_back({parameters[i].owner, &gradient});
  }
  exchange_joined(
      std::move(parcels),
      [&](Tensor& joined, std::int64_t owner) { world.reduce_sum_(joined, owner); },
      [&](const Parcel& parcel, const Tensor& sum) {
        *parcel.tensor = parcel.owner == world.rank() ? sum : Tensor();
      });
  return learned;
}

std::vector<double> gradient_norms(Communicator& world, const Optimizer& optimizer) {
  return sum_of(world, optimizer.gradient_norms());
}

void spread_weights(Communicator& world, Optimizer& optimizer, const std::vector<bool>& chosen) {
  if (world.size() == 1) return;
  const at::NoGradGuard no_grad;
  std::vector<Optimizer::Parameter>& parameters = optimizer.parameters();
  check(chosen.size() == parameters.size(), "every parameter is chosen or not");
  std::vector<Parcel> parcels;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (chosen[i]) parcels.push_back({parameters[i].owner, &parameters[i].weight});
  }
  exchange_joined(
      std::move(parcels),
      [&](Tensor& joined, std::int64_t owner) {
        Tensor bytes = joined.view(at::kByte);
        world.broadcast_(bytes, owner);
      },
      [&](const Parcel& parcel, const Tensor& weight) {
        if (parcel.owner != world.rank()) parcel.tensor->copy_(weight);
      });
}

void spread_weights(Communicator& world, Optimizer& optimizer) {
  spread_weights(world, optimizer, std::vector<bool>(optimizer.parameters().size(), true));
}

}  // namespace tarsier
