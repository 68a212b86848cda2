#include "tarsier/train/data/mixed_source.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <variant>

namespace tarsier {
namespace {

// Gives its name and the number it was asked for.
class Counting final : public SampleSource {
 public:
  explicit Counting(std::string name) : name_(std::move(name)) {}
  Outcome<Sample> sample(std::uint64_t number) const override {
    Sample sample;
    sample.id = name_ + " " + std::to_string(number);
    return sample;
  }
  const std::vector<std::int64_t>& word_tokens() const override { return none_; }

 private:
  std::string name_;
  std::vector<std::int64_t> none_;
};

std::unique_ptr<SampleSource> mixed(std::vector<double> weights, std::uint64_t seed = 1) {
  std::vector<std::unique_ptr<SampleSource>> sources;
  for (std::size_t i = 0; i < weights.size(); ++i)
    sources.push_back(std::make_unique<Counting>(std::string(1, static_cast<char>('a' + i))));
  return make_mixed_source(std::move(sources), std::move(weights), seed, 2);
}

std::string id_of(const SampleSource& source, std::uint64_t number) {
  return std::get<Sample>(source.sample(number)).id;
}

TEST(MixedSource, GivesEachSourceItsShareAndItsOwnOrderWithoutAGap) {
  const auto source = mixed({6, 3, 1});
  std::map<char, std::uint64_t> given;
  for (std::uint64_t number = 0; number < 2560; ++number) {
    const std::string id = id_of(*source, number);
    EXPECT_EQ(id.substr(2), std::to_string(given[id[0]]++));
    if ((number + 1) % 256 != 0) continue;
    const auto all = static_cast<double>(number + 1);
    EXPECT_NEAR(static_cast<double>(given['a']), 0.6 * all, 1);
    EXPECT_NEAR(static_cast<double>(given['b']), 0.3 * all, 1);
    EXPECT_NEAR(static_cast<double>(given['c']), 0.1 * all, 1);
  }
}

TEST(MixedSource, IsAFunctionOfTheNumberAndDrawnFromTheSeed) {
  const auto source = mixed({1, 1}), again = mixed({1, 1}), other = mixed({1, 1}, 2);
  std::string order, other_order;
  for (std::uint64_t number = 600; number-- > 0;) {  // backwards
    EXPECT_EQ(id_of(*source, number), id_of(*again, number));
    order += id_of(*source, number)[0];
    other_order += id_of(*other, number)[0];
  }
  EXPECT_NE(order, other_order);
  EXPECT_NE(order.find("aa"), std::string::npos) << "drawn, not in turns";
}

TEST(MixedSource, LeastShareIsNeverNegative) {
  const auto source = mixed({1, 126, 1});
  std::map<char, int> given;
  for (std::uint64_t number = 0; number < 256 * 20; ++number) ++given[id_of(*source, number)[0]];
  EXPECT_EQ(given['a'], 40);
  EXPECT_EQ(given['c'], 40);
}

}  // namespace
}  // namespace tarsier
