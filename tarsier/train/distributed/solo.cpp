#include "tarsier/train/distributed/communicator.h"

namespace tarsier {
namespace {

class Solo final : public Communicator {
 public:
  std::int64_t rank() const override { return 0; }
  std::int64_t size() const override { return 1; }
  void all_reduce_sum_(Tensor&) override {}
  void reduce_sum_(Tensor&, std::int64_t) override {}
  void broadcast_(Tensor&, std::int64_t) override {}
  void barrier() override {}
};

}  // namespace

std::unique_ptr<Communicator> make_solo_communicator() { return std::make_unique<Solo>(); }

}  // namespace tarsier
