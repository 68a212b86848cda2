#include "tarsier/train/distributed/communicator.h"

namespace tarsier {

std::unique_ptr<Communicator> join_ranks(const std::optional<Launch>& launch, at::Device device,
                                         std::chrono::seconds limit) {
  if (!launch || launch->size == 1) return make_solo_communicator();
  return device.is_cuda() ? make_nccl_communicator(*launch, limit)
                          : make_gloo_communicator(*launch, limit);
}

}  // namespace tarsier
