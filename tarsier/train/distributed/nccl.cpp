#include <ATen/ATen.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <utility>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/distributed/rendezvous.h"

namespace tarsier {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kIdKey[] = "nccl_id";
constexpr std::chrono::microseconds kPoll{50};

void require(ncclResult_t result) {
  if (result != ncclSuccess && result != ncclInProgress)
    throw std::runtime_error(ncclGetErrorString(result));
}

void require(cudaError_t result) {
  if (result != cudaSuccess) throw std::runtime_error(cudaGetErrorString(result));
}

ncclDataType_t type_of(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return ncclFloat32;
    case at::kDouble:
      return ncclFloat64;
    case at::kLong:
      return ncclInt64;
    default:
      throw_broken_promise("ranks add up f32, f64 and i64");
  }
}

class Nccl final : public Communicator {
 public:
  Nccl(const Launch& launch, std::chrono::seconds limit)
      : launch_(launch), limit_(limit), meeting_(launch, limit) {
    require_device();
    try {
      ncclUniqueId id;
      if (launch.rank == 0) {
        require(ncclGetUniqueId(&id));
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(&id);
        meeting_.store()->set(kIdKey, std::vector<std::uint8_t>(bytes, bytes + sizeof id));
      } else {
        const std::vector<std::uint8_t> bytes = meeting_.store()->get(kIdKey);
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(&id));
      }
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;  // a call that cannot go on returns, and the time limit holds
      require(ncclCommInitRankConfig(&group_, static_cast<int>(launch.size), id,
                                     static_cast<int>(launch.rank), &config));
      settle();
      meeting_.met();
    } catch (const std::exception&) {
      if (group_ != nullptr) ncclCommAbort(group_);
      meeting_.throw_not_met();
    }
  }

  // What is unfinished here has failed: a rank that leaves in order has finished all.
  ~Nccl() override {
    if (group_ != nullptr) ncclCommAbort(group_);
  }

  std::int64_t rank() const override { return launch_.rank; }
  std::int64_t size() const override { return launch_.size; }

  void all_reduce_sum_(Tensor& tensor) override {
    on_device(tensor, [&](void* data, std::size_t count) {
      return ncclAllReduce(data, data, count, type_of(tensor), ncclSum, group_, kStream);
    });
  }

  void reduce_sum_(Tensor& tensor, std::int64_t root) override {
    on_device(tensor, [&](void* data, std::size_t count) {
      return ncclReduce(data, data, count, type_of(tensor), ncclSum, static_cast<int>(root), group_,
                        kStream);
    });
  }

  void broadcast_(Tensor& tensor, std::int64_t root) override {
    on_device(tensor, [&](void* data, std::size_t count) {
      return ncclBroadcast(data, data, count * static_cast<std::size_t>(tensor.element_size()),
                           ncclUint8, static_cast<int>(root), group_, kStream);
    });
  }

  void barrier() override {
    Tensor one = at::ones({1});
    all_reduce_sum_(one);
  }

 private:
  // The default stream: what ATen computed before is done, what it computes next comes after.
  static constexpr cudaStream_t kStream = nullptr;

  void require_device() const {
    const cudaError_t result = cudaSetDevice(static_cast<int>(launch_.local_rank));
    if (result != cudaSuccess)
      throw ResourceError(
          {"rank " + std::to_string(launch_.rank),
           "has no GPU " + std::to_string(launch_.local_rank) + ": " + cudaGetErrorString(result),
           "start as many ranks on a machine as it has GPUs"});
  }

  template <class Collective>
  void on_device(Tensor& tensor, const Collective& collective) {
    check(tensor.is_contiguous(), "tensors that ranks exchange are contiguous");
    meeting_.together(
        [&] {
          const at::Device device(at::kCUDA, static_cast<at::DeviceIndex>(launch_.local_rank));
          Tensor there = tensor.to(device);
          require(collective(there.data_ptr(), static_cast<std::size_t>(there.numel())));
          settle();
          if (!there.is_same(tensor)) tensor.copy_(there);
        },
        [this] { ncclCommAbort(std::exchange(group_, nullptr)); });
  }

  // Waits for what was asked of NCCL and the device, at most the time limit.
  void settle() {
    const auto end = Clock::now() + limit_;
    for (;; std::this_thread::sleep_for(kPoll)) {
      ncclResult_t state = ncclSuccess;
      require(ncclCommGetAsyncError(group_, &state));
      require(state);
      if (state == ncclSuccess) {
        const cudaError_t work = cudaStreamQuery(kStream);
        if (work == cudaSuccess) return;
        if (work != cudaErrorNotReady) require(work);
      }
      if (Clock::now() > end) throw std::runtime_error("time limit");
    }
  }

  Launch launch_;
  std::chrono::seconds limit_;
  Rendezvous meeting_;
  ncclComm_t group_ = nullptr;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(const Launch& launch,
                                                     std::chrono::seconds limit) {
  return std::make_unique<Nccl>(launch, limit);
}

}  // namespace tarsier
