#include "tarsier/processors/qwen2_5_vl_media.h"

#include "tarsier/processors/timed_blocks.h"

namespace tarsier {
namespace {

constexpr VideoSizing kSizing = VideoSizing::qwen_vl_utils;

/// One run a slice in place of one for all.
void follow_the_clock(std::vector<SeenMedia>& plan, const Conversation& conversation,
                      const Qwen2VlVideoConfig& config, double steps_per_second) {
  const std::vector<const Pictures*> all = pictures_of(conversation);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double known = seconds_per_slice(*all[i], config);
    plan[i].block = timed_picture_block(
        plan[i].modality, plan[i].grid, config.merge_size,
        time_steps(plan[i].grid.time, known > 0 ? known : 1.0, steps_per_second));
  }
}

}  // namespace

double seconds_per_slice(const Pictures& pictures, const Qwen2VlVideoConfig& config) {
  if (pictures.seconds <= 0) return 0;
  const double rate = static_cast<double>(pictures.frames.size()) / pictures.seconds;
  return static_cast<double>(config.temporal_patch_size) / rate;
}

std::vector<SeenMedia> plan_qwen2_5_vl_media(const Conversation& conversation,
                                             const Qwen2VlVideoConfig& config,
                                             double steps_per_second) {
  std::vector<SeenMedia> plan = plan_qwen2_vl_media(conversation, config, kSizing);
  follow_the_clock(plan, conversation, config, steps_per_second);
  return plan;
}

PreparedMedia prepare_qwen2_5_vl_media(const Conversation& conversation,
                                       const Qwen2VlVideoConfig& config, double steps_per_second) {
  PreparedMedia prepared = prepare_qwen2_vl_media(conversation, config, kSizing);
  follow_the_clock(prepared.seen, conversation, config, steps_per_second);
  return prepared;
}

}  // namespace tarsier
