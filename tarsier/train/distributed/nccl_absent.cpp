#include "tarsier/base/error.h"
#include "tarsier/train/distributed/communicator.h"

namespace tarsier {

std::unique_ptr<Communicator> make_nccl_communicator(const Launch&, std::chrono::seconds) {
  throw ConfigError({"ranks", "on GPUs need NCCL, which this program was built without",
                     "configure with -DTARSIER_NCCL=ON, or train on CPUs"});
}

}  // namespace tarsier
