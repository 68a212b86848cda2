#include "tarsier/train/product_speed.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace tarsier {
namespace {

constexpr int kTries = 3;
constexpr double kLongTry = 0.5;      // seconds; a try that long needs no second
constexpr double kLongEnough = 0.02;  // seconds of a product that shows the full rate
constexpr std::int64_t kFirstSize = 512, kLastSize = 8192;

// The least seconds `work(worker)` takes on all workers at once.
template <class Work>
double best_seconds(Workers& workers, at::Device device, const Work& work) {
  double best = 0;
  for (int i = 0; i <= kTries; ++i) {  // the first one warms up
    const auto begin = std::chrono::steady_clock::now();
    workers.run(workers.count(), [&](std::int64_t worker) {
      const at::NoGradGuard no_grad;
      work(static_cast<std::size_t>(worker));
    });
    if (!device.is_cpu())
      c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = i <= 1 ? seconds : std::min(best, seconds);
    if (seconds > kLongTry) break;
  }
  return best;
}

std::vector<Tensor> for_each_worker(const Workers& workers, at::IntArrayRef shape,
                                    const at::TensorOptions& options) {
  std::vector<Tensor> tensors;
  for (std::int64_t i = 0; i < workers.count(); ++i) tensors.push_back(at::ones(shape, options));
  return tensors;
}

}  // namespace

double linear_speed(at::ScalarType type, std::int64_t rows, std::int64_t inner,
                    std::int64_t columns, Workers& workers, at::Device device) {
  const at::TensorOptions options = at::TensorOptions().dtype(type).device(device);
  const Tensor weight = at::ones({columns, inner}, options);  // shared, as a model's is
  const std::vector<Tensor> x = for_each_worker(workers, {rows, inner}, options);
  const std::vector<Tensor> dy = for_each_worker(workers, {rows, columns}, options);
  const double seconds = best_seconds(workers, device, [&](std::size_t worker) {
    at::mm(x[worker], weight.t());
    at::mm(dy[worker], weight);
    at::mm(dy[worker].t(), x[worker]);
  });
  return 6.0 * static_cast<double>(workers.count() * rows * inner * columns) / seconds;
}

double peak_speed(at::ScalarType type, Workers& workers, at::Device device) {
  const at::TensorOptions options = at::TensorOptions().dtype(type).device(device);
  double best = 0;
  for (std::int64_t size = kFirstSize; size <= kLastSize; size *= 2) {
    const std::vector<Tensor> a = for_each_worker(workers, {size, size}, options), b = a;
    const double seconds =
        best_seconds(workers, device, [&](std::size_t worker) { at::mm(a[worker], b[worker]); });
    const double flops = 2.0 * static_cast<double>(size) * static_cast<double>(size) *
                         static_cast<double>(size * workers.count());
    best = std::max(best, flops / seconds);
    if (seconds > kLongEnough) break;
  }
  return best;
}

}  // namespace tarsier
