#pragma once

#include <string_view>

namespace tarsier {

/// The instruction sets kernels are built for, slowest first. Every source of `kernels/cpu` is
/// compiled once for each, with TARSIER_ISA naming the namespace its functions land in
/// (`tarsier::portable`, `tarsier::avx2`, `tarsier::avx512`).
enum class Isa { portable, avx2, avx512 };

/// The widest set this machine runs, found once. TARSIER_ISA=portable|avx2 in the environment
/// lowers it (to compare, or to find a wrong kernel); it never raises it.
Isa detected_isa();
std::string_view to_string(Isa isa);

}  // namespace tarsier
