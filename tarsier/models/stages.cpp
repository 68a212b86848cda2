#include "tarsier/models/stages.h"

#include <fmt/format.h>

#include <utility>

namespace tarsier {

BlockSink block_stages(const StageSink& sink, std::string tower, std::string input) {
  if (!sink) return {};
  return [&sink, tower = std::move(tower), input = std::move(input)](std::int64_t block,
                                                                     const Tensor& x) {
    sink(block == 0 ? fmt::format("{}.{}", tower, input)
                    : fmt::format("{}.block.{}", tower, block - 1),
         x);
  };
}

}  // namespace tarsier
