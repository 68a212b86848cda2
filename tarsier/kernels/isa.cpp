#include "tarsier/kernels/isa.h"

#include <algorithm>
#include <cstdlib>

namespace tarsier {
namespace {

Isa widest_supported() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::portable;
}

Isa asked_for(Isa widest) {
  const char* name = std::getenv("TARSIER_ISA");
  if (name == nullptr) return widest;
  for (const Isa isa : {Isa::portable, Isa::avx2}) {
    if (to_string(isa) == name) return std::min(isa, widest);
  }
  return widest;
}

}  // namespace

Isa detected_isa() {
  static const Isa isa = asked_for(widest_supported());
  return isa;
}

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "";
}

}  // namespace tarsier
