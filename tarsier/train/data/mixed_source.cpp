#include "tarsier/train/data/mixed_source.h"

#include <algorithm>
#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"

namespace tarsier {
namespace {

constexpr std::uint64_t kBlock = 256;

class MixedSource final : public SampleSource {
 public:
  MixedSource(std::vector<std::unique_ptr<SampleSource>> sources,
              const std::vector<double>& weights, std::uint64_t seed, std::uint64_t stage_index)
      : sources_(std::move(sources)), seed_(seed), stage_index_(stage_index) {
    check(!sources_.empty() && weights.size() == sources_.size(), "each source has a weight");
    double all = 0, up_to = 0;
    for (const double weight : weights) all += weight;
    for (const double weight : weights) ends_.push_back((up_to += weight) / all);
    ends_.back() = 1;
    for (const auto& source : sources_) {
      if (source->word_tokens().empty()) continue;
      check(word_tokens_.empty() || word_tokens_ == source->word_tokens(),
            "the sources of a mix have one list of words");
      word_tokens_ = source->word_tokens();
    }
  }

  const std::vector<std::int64_t>& word_tokens() const override { return word_tokens_; }

  Outcome<Sample> sample(std::uint64_t number) const override {
    const std::uint64_t begin = number / kBlock * kBlock;
    std::vector<std::size_t> block;  // the source at each place
    for (std::size_t i = 0; i < sources_.size(); ++i)
      block.insert(block.end(), given(i, begin + kBlock) - given(i, begin), i);
    Random random({seed_, stage_index_, 0x313c, begin});
    random.shuffle(block);
    const auto place = static_cast<std::ptrdiff_t>(number - begin);
    const std::size_t source = block[static_cast<std::size_t>(place)];
    const auto before = std::count(block.begin(), block.begin() + place, source);
    return sources_[source]->sample(given(source, begin) + static_cast<std::uint64_t>(before));
  }

 private:
  // How many of the first `samples` are of a source. They add up to all, whatever the rounding.
  std::uint64_t given(std::size_t source, std::uint64_t samples) const {
    const auto up_to = [&](double share) {
      return static_cast<std::uint64_t>(std::floor(share * static_cast<double>(samples) + 0.5));
    };
    return up_to(ends_[source]) - (source == 0 ? 0 : up_to(ends_[source - 1]));
  }

  std::vector<std::unique_ptr<SampleSource>> sources_;
  std::vector<double> ends_;  // the sources' shares, added up
  std::vector<std::int64_t> word_tokens_;
  std::uint64_t seed_, stage_index_;
};

}  // namespace

std::unique_ptr<SampleSource> make_mixed_source(std::vector<std::unique_ptr<SampleSource>> sources,
                                                std::vector<double> weights, std::uint64_t seed,
                                                std::uint64_t stage_index) {
  return std::make_unique<MixedSource>(std::move(sources), weights, seed, stage_index);
}

}  // namespace tarsier
