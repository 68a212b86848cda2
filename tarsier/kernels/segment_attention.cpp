#include "tarsier/kernels/segment_attention.h"

namespace tarsier {

// Defined by kernels/cpu/segment_attention.cpp, once for each set.
namespace portable {
extern const SegmentAttentionKernels segment_attention;
}
#ifdef TARSIER_HAS_avx2
namespace avx2 {
extern const SegmentAttentionKernels segment_attention;
}
#endif
#ifdef TARSIER_HAS_avx512
namespace avx512 {
extern const SegmentAttentionKernels segment_attention;
}
#endif

const SegmentAttentionKernels& segment_attention_kernels() {
  return segment_attention_kernels(detected_isa());
}

const SegmentAttentionKernels& segment_attention_kernels(Isa isa) {
#ifdef TARSIER_HAS_avx512
  if (isa == Isa::avx512) return avx512::segment_attention;
#endif
#ifdef TARSIER_HAS_avx2
  if (isa == Isa::avx2) return avx2::segment_attention;
#endif
  static_cast<void>(isa);
  return portable::segment_attention;
}

}  // namespace tarsier
