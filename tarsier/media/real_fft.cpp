#include "tarsier/media/real_fft.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace tarsier {
namespace {

constexpr std::array<int, 4> kRadices = {5, 5, 4, 2};  // their product is kHalf
constexpr std::size_t kMostTurns = 25;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

PowerSpectrum400::Work::Work()
    : samples(at(kSize)),
      power(at(kBins)),
      real(at(kHalf)),
      imag(at(kHalf)),
      next_re(at(kHalf)),
      next_im(at(kHalf)) {}

PowerSpectrum400::PowerSpectrum400() {
  for (int k = 0; k < kSize; ++k) {
    const double angle = -2 * std::numbers::pi * k / kSize;
    turns_.emplace_back(std::cos(angle), std::sin(angle));
  }
}

// The values of one transform lie kHalf / radix apart; `stride` is the product of the radices so
// far.
void PowerSpectrum400::pass(int radix, int stride, const Work& from, std::vector<Lanes>& real,
                            std::vector<Lanes>& imag) const {
  const int groups = kHalf / (radix * stride);
  const int turn_step = kSize / (radix * groups);
  std::array<Complex, kMostTurns> turns;  // [radix, radix]: of one group
  for (int group = 0; group < groups; ++group) {
    for (int out = 0; out < radix; ++out) {
      for (int in = 0; in < radix; ++in) {
        // exp(-2 pi i in * out / radix), and the turn of this group's `out`.
        const int turn = in * out * (kSize / radix) + group * out * turn_step;
        turns[at(out * radix + in)] = turns_[at(turn % kSize)];
      }
    }
    for (int offset = 0; offset < stride; ++offset) {
      for (int out = 0; out < radix; ++out) {
        Lanes re{}, im{};
        for (int in = 0; in < radix; ++in) {
          const double c = turns[at(out * radix + in)].real();
          const double s = turns[at(out * radix + in)].imag();
          const std::size_t source = at(offset + stride * (group + groups * in));
          const Lanes& x = from.real[source];
          const Lanes& y = from.imag[source];
          for (std::size_t lane = 0; lane < kLanes; ++lane) {
            re[lane] += x[lane] * c - y[lane] * s;
            im[lane] += x[lane] * s + y[lane] * c;
          }
        }
        const std::size_t target = at(offset + stride * (radix * group + out));
        real[target] = re;
        imag[target] = im;
      }
    }
  }
}

void PowerSpectrum400::compute(Work& work) const {
  // Even samples as real, odd ones as imaginary parts: one complex transform of half the length.
  for (int n = 0; n < kHalf; ++n) {
    work.real[at(n)] = work.samples[at(2 * n)];
    work.imag[at(n)] = work.samples[at(2 * n + 1)];
  }
  int stride = 1;
  for (const int radix : kRadices) {
    pass(radix, stride, work, work.next_re, work.next_im);
    std::swap(work.real, work.next_re);
    std::swap(work.imag, work.next_im);
    stride *= radix;
  }
  for (int k = 0; k < kBins; ++k) {
    const std::size_t a = at(k % kHalf), b = at((kHalf - k) % kHalf);
    const double c = turns_[at(k)].real(), s = turns_[at(k)].imag();
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double even_re = (work.real[a][lane] + work.real[b][lane]) / 2;
      const double even_im = (work.imag[a][lane] - work.imag[b][lane]) / 2;
      const double odd_re = (work.imag[a][lane] + work.imag[b][lane]) / 2;
      const double odd_im = (work.real[b][lane] - work.real[a][lane]) / 2;
      const double re = even_re + odd_re * c - odd_im * s;
      const double im = even_im + odd_re * s + odd_im * c;
      work.power[at(k)][lane] = re * re + im * im;
    }
  }
}

}  // namespace tarsier
