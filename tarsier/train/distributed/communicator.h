#pragma once

#include <c10/core/Device.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "tarsier/tensor/tensor.h"
#include "tarsier/train/distributed/launch.h"

namespace tarsier {

/// What the ranks of one run say to each other. Every rank makes the same calls in the same order,
/// with contiguous tensors of one shape and type: f32, f64 or i64 where they are added up, any
/// where they are spread. The same calls give the same bits, on every rank. One thread. When a rank
/// dies or hangs, the others get a ResourceError that names it, within the time limit.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual std::int64_t rank() const = 0;
  virtual std::int64_t size() const = 0;
  /// Every rank's tensor becomes the sum of all.
  virtual void all_reduce_sum_(Tensor& tensor) = 0;
  /// The tensor of `root` becomes the sum of all; the others' mean nothing afterwards.
  virtual void reduce_sum_(Tensor& tensor, std::int64_t root) = 0;
  /// Every rank's tensor becomes that of `root`.
  virtual void broadcast_(Tensor& tensor, std::int64_t root) = 0;
  /// Returns when every rank has called it.
  virtual void barrier() = 0;
};

/// One rank alone: every call is done at once.
std::unique_ptr<Communicator> make_solo_communicator();

/// Ranks on CPUs, over TCP (c10d's Gloo). Returns when all have met; ResourceError when they do not
/// within `limit`. Sets SIGPIPE to be ignored, process-wide.
std::unique_ptr<Communicator> make_gloo_communicator(const Launch& launch,
                                                     std::chrono::seconds limit);

/// Ranks on GPUs, over NCCL: rank r on the device with its local number. Tensors on the CPU go
/// there and back. Errors as Gloo's; ConfigError in a build without NCCL (TARSIER_NCCL).
std::unique_ptr<Communicator> make_nccl_communicator(const Launch& launch,
                                                     std::chrono::seconds limit);

/// The ranks that train on `device`'s kind: solo without a launcher or with one rank, NCCL on GPUs,
/// else Gloo.
std::unique_ptr<Communicator> join_ranks(const std::optional<Launch>& launch, at::Device device,
                                         std::chrono::seconds limit);

}  // namespace tarsier
