#include "tarsier/kernels/segment_attention.h"

namespace tarsier {

// Defined by kernels/cpu/segment_attention.cpp, once for each set.
namespace portable {
extern const SegmentAttentionKernels kSegmentAttention;
}
#ifdef TARSIER_HAS_avx2
namespace avx2 {
extern const SegmentAttentionKernels kSegmentAttention;
}
#endif
#ifdef TARSIER_HAS_avx512
namespace avx512 {
extern const SegmentAttentionKernels kSegmentAttention;
}
#endif

const SegmentAttentionKernels& segment_attention_kernels() {
  return segment_attention_kernels(detected_isa());
}

const SegmentAttentionKernels& segment_attention_kernels(Isa isa) {
#ifdef TARSIER_HAS_avx512
  if (isa == Isa::avx512) return avx512::kSegmentAttention;
#endif
#ifdef TARSIER_HAS_avx2
  if (isa == Isa::avx2) return avx2::kSegmentAttention;
#endif
  static_cast<void>(isa);
  return portable::kSegmentAttention;
}

}  // namespace tarsier
