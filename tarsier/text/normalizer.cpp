#include "tarsier/text/normalizer.h"

#include <utility>

#include "tarsier/text/known_keys.h"
#include "tarsier/text/nfc.h"

namespace tarsier {
namespace {

constexpr std::size_t kMaxPrependBytes = 16;
constexpr double kNfcGrowth = 3;  // of UTF-8, by Unicode's own table of worst cases (UAX 15)

void add_steps(const JsonView& json, GrowthBudget& budget, std::vector<NormalizerStep>& steps) {
  const std::string& type = json.at("type").as_string();
  if (type == "NFC") {
    budget.spend(kNfcGrowth, json);
    steps.emplace_back(ComposeNfc{});
  } else if (type == "Prepend") {
    const JsonView text = json.at("prepend");
    if (text.as_string().size() > kMaxPrependBytes)
      text.fail("is over 16 bytes long", "the file is damaged");
    budget.spend(1, json);
    steps.emplace_back(Prepend{text.as_string()});
  } else if (type == "Replace") {
    ReplaceRule rule = ReplaceRule::parse(json);
    budget.spend(rule, json);
    steps.emplace_back(std::move(rule));
  } else if (type == "Sequence") {
    const JsonView list = json.at("normalizers");
    if (!list.is_array()) list.fail("is not an array", "list the steps");
    for (std::int64_t i = 0; i < list.size(); ++i) add_steps(list.at(i), budget, steps);
  } else {
    refuse_type(json, "NFC, Prepend, Replace and Sequence are");
  }
}

std::string run(const ComposeNfc&, std::string_view utf8) { return to_nfc(utf8); }
std::string run(const Prepend& step, std::string_view utf8) {
  return utf8.empty() ? std::string() : step.text + std::string(utf8);
}
std::string run(const ReplaceRule& rule, std::string_view utf8) { return rule.apply(utf8); }

}  // namespace

Normalizer Normalizer::parse(const std::optional<JsonView>& json) {
  std::vector<NormalizerStep> steps;
  GrowthBudget budget;
  if (json) add_steps(*json, budget, steps);
  return Normalizer(std::move(steps));
}

std::string Normalizer::apply(std::string_view utf8) const {
  std::string text(utf8);
  for (const NormalizerStep& step : steps_) {
    text = std::visit([&](const auto& each) { return run(each, text); }, step);
  }
  return text;
}

}  // namespace tarsier
