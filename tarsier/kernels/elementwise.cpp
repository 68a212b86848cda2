#include "tarsier/kernels/elementwise.h"

namespace tarsier {

// Defined by kernels/cpu/elementwise.cpp, once for each set.
namespace portable {
extern const ElementwiseKernels kElementwise;
}
#ifdef TARSIER_HAS_avx2
namespace avx2 {
extern const ElementwiseKernels kElementwise;
}
#endif
#ifdef TARSIER_HAS_avx512
namespace avx512 {
extern const ElementwiseKernels kElementwise;
}
#endif

const ElementwiseKernels& elementwise_kernels() { return elementwise_kernels(detected_isa()); }

const ElementwiseKernels& elementwise_kernels(Isa isa) {
#ifdef TARSIER_HAS_avx512
  if (isa == Isa::avx512) return avx512::kElementwise;
#endif
#ifdef TARSIER_HAS_avx2
  if (isa == Isa::avx2) return avx2::kElementwise;
#endif
  static_cast<void>(isa);
  return portable::kElementwise;
}

}  // namespace tarsier
