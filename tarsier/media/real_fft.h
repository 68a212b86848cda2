#pragma once

#include <array>
#include <complex>
#include <vector>

namespace tarsier {

/// The power spectrum of 400 real samples, four windows at a time so that the compiler can
/// compute them side by side. Const after construction; safe from any thread, each with its own
/// Work.
class PowerSpectrum400 {
 public:
  static constexpr int kSize = 400;
  static constexpr int kBins = kSize / 2 + 1;
  static constexpr int kLanes = 4;
  using Lanes = std::array<double, kLanes>;

  struct Work {
    std::vector<Lanes> samples;           // [kSize]: in
    std::vector<Lanes> power;             // [kBins]: out, |X|^2
    std::vector<Lanes> real, imag;        // [kHalf]
    std::vector<Lanes> next_re, next_im;  // [kHalf]
    Work();
  };

  PowerSpectrum400();
  void compute(Work& work) const;

 private:
  static constexpr int kHalf = kSize / 2;
  using Complex = std::complex<double>;

  /// One pass of Stockham's algorithm, which leaves values in order: transforms of length `radix`.
  void pass(int radix, int stride, const Work& from, std::vector<Lanes>& real,
            std::vector<Lanes>& imag) const;

  std::vector<Complex> turns_;  // [kSize]: exp(-2 pi i k / kSize)
};

}  // namespace tarsier
