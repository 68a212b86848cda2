#include "tarsier/data/mix/mix_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"

namespace tarsier {

MixOrder::MixOrder(std::vector<MixSource> sources, std::uint64_t seed)
    : sources_(std::move(sources)),
      seed_(seed),
      planned_(sources_.size(), 0),
      drawn_(sources_.size(), 0),
      permutations_(sources_.size()) {
  if (sources_.empty()) throw ConfigError({"--source", "none given", "name at least one file"});
  for (const MixSource& source : sources_) {
    if (source.rows <= 0) throw ConfigError({"--source", "has no rows", "leave empty files out"});
    if (source.rows > UINT32_MAX)
      throw ConfigError({"--source", "has over 4,294,967,295 rows", "split the file"});
    if (!(source.weight > 0) || !std::isfinite(source.weight))
      throw ConfigError(
          {"--source", fmt::format("has the weight {}", source.weight), "give a positive number"});
    total_weight_ += source.weight;
    total_rows_ += source.rows;
  }
}

// Largest remainders: each source up to its whole share so far, what is left to those furthest
// behind.
void MixOrder::begin_block() {
  const std::int64_t end =
      std::min(position_ + kBlock, (position_ / total_rows_ + 1) * total_rows_);
  std::vector<double> behind(sources_.size());
  std::vector<std::int64_t> count(sources_.size(), 0);
  std::int64_t left = end - position_;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const double share = static_cast<double>(end) * (sources_[i].weight / total_weight_);
    count[i] = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(share)) - planned_[i],
                                        0, left);
    left -= count[i];
    behind[i] = share - static_cast<double>(planned_[i] + count[i]);
  }
  std::vector<std::size_t> order(sources_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return behind[a] > behind[b]; });
  for (std::size_t i = 0; left > 0; i = (i + 1) % order.size(), --left) ++count[order[i]];
  block_.clear();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    planned_[i] += count[i];
    block_.insert(block_.end(), static_cast<std::size_t>(count[i]), static_cast<std::uint32_t>(i));
  }
  Random random({seed_, 0xb10c, static_cast<std::uint64_t>(position_)});
  random.shuffle(block_);
  block_begin_ = position_;
}

std::size_t MixOrder::draw_source() {
  if (position_ - block_begin_ == static_cast<std::int64_t>(block_.size())) begin_block();
  const std::size_t source = block_[static_cast<std::size_t>(position_ - block_begin_)];
  ++position_;
  return source;
}

MixPick MixOrder::next() {
  const std::size_t source = draw_source();
  const std::int64_t number = drawn_[source]++, rows = sources_[source].rows;
  MixPick pick{source, number / rows, 0};
  Permutation& permutation = permutations_[source];
  if (permutation.epoch != pick.epoch) {
    permutation.epoch = pick.epoch;
    permutation.order.resize(static_cast<std::size_t>(rows));
    std::iota(permutation.order.begin(), permutation.order.end(), 0u);
    Random random({seed_, source, static_cast<std::uint64_t>(pick.epoch)});
    random.shuffle(permutation.order);
  }
  pick.row = permutation.order[static_cast<std::size_t>(number % rows)];
  return pick;
}

void MixOrder::skip(std::int64_t count) {
  for (; count > 0; --count) ++drawn_[draw_source()];
}

std::vector<std::size_t> balance_batches(std::span<const double> costs, std::size_t batch) {
  check(batch > 0, "a batch holds at least one row");
  const std::size_t full = costs.size() / batch;
  std::vector<std::size_t> order(full * batch);  // rows behind the last full batch keep their place
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  std::vector<std::vector<std::size_t>> batches(full);
  std::vector<double> sums(full, 0);
  for (const std::size_t row : order) {
    std::size_t cheapest = full;
    for (std::size_t i = 0; i < full; ++i) {
      if (batches[i].size() < batch && (cheapest == full || sums[i] < sums[cheapest])) cheapest = i;
    }
    batches[cheapest].push_back(row);
    sums[cheapest] += costs[row];
  }
  std::vector<std::size_t> balanced;
  for (const auto& rows : batches) balanced.insert(balanced.end(), rows.begin(), rows.end());
  for (std::size_t i = full * batch; i < costs.size(); ++i) balanced.push_back(i);
  return balanced;
}

}  // namespace tarsier
