#include <ATen/ATen.h>

#include <csignal>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/train/distributed/communicator.h"
#include "tarsier/train/distributed/rendezvous.h"

namespace tarsier {
namespace {

class Gloo final : public Communicator {
 public:
  Gloo(const Launch& launch, std::chrono::seconds limit)
      : launch_(launch), meeting_(launch, limit) {
    // A peer that is gone is an error of the call, not the end of this process.
    std::signal(SIGPIPE, SIG_IGN);
    try {
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
          meeting_.store(), static_cast<int>(launch.rank), static_cast<int>(launch.size),
          c10d::ProcessGroupGloo::Options::create_default(limit));
      meeting_.met();
    } catch (const std::exception&) {
      meeting_.throw_not_met();
    }
  }

  std::int64_t rank() const override { return launch_.rank; }
  std::int64_t size() const override { return launch_.size; }

  void all_reduce_sum_(Tensor& tensor) override {
    std::vector<at::Tensor> tensors{contiguous(tensor)};
    together([&] { group_->allreduce(tensors)->wait(); });
  }

  void reduce_sum_(Tensor& tensor, std::int64_t root) override {
    std::vector<at::Tensor> tensors{contiguous(tensor)};
    c10d::ReduceOptions options;
    options.rootRank = root;
    together([&] { group_->reduce(tensors, options)->wait(); });
  }

  void broadcast_(Tensor& tensor, std::int64_t root) override {
    std::vector<at::Tensor> tensors{contiguous(tensor)};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    together([&] { group_->broadcast(tensors, options)->wait(); });
  }

  void barrier() override {
    together([&] { group_->barrier()->wait(); });
  }

 private:
  static const Tensor& contiguous(const Tensor& tensor) {
    check(tensor.is_contiguous(), "tensors that ranks exchange are contiguous");
    return tensor;
  }

  // The group's abort() does nothing; its end closes the connections, and a rank that waits for
  // this one alone learns of the failure too.
  template <class Collective>
  void together(const Collective& collective) {
    meeting_.together(collective, [this] { group_.reset(); });
  }

  Launch launch_;
  Rendezvous meeting_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::unique_ptr<Communicator> make_gloo_communicator(const Launch& launch,
                                                     std::chrono::seconds limit) {
  return std::make_unique<Gloo>(launch, limit);
}

}  // namespace tarsier
