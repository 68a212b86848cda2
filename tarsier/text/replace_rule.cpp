#include "tarsier/text/replace_rule.h"

#include <algorithm>

#include "tarsier/text/known_keys.h"

namespace tarsier {

ReplaceRule ReplaceRule::parse(const JsonView& json) {
  require_known_keys(json, {"type", "pattern", "content"});
  const JsonView pattern = json.at("pattern");
  if (pattern.has("Regex"))
    pattern.at("Regex").fail("is a regular expression", "only String is supported");
  ReplaceRule rule{pattern.at("String").as_string(), json.at("content").as_string()};
  if (rule.from.empty()) pattern.at("String").fail("is empty", "give the string to replace");
  return rule;
}

std::string ReplaceRule::apply(std::string_view utf8) const {
  std::string text;
  text.reserve(utf8.size());
  std::size_t done = 0;
  for (std::size_t at = utf8.find(from); at != std::string_view::npos; at = utf8.find(from, done)) {
    text.append(utf8, done, at - done).append(to);
    done = at + from.size();
  }
  return text.append(utf8, done);
}

void GrowthBudget::spend(double factor, const JsonView& stage) {
  left_ /= std::max(factor, 1.0);
  --stages_left_;
  if (left_ < 1)
    stage.fail("and the stages before it make a text over 64 times as long", "the file is damaged");
  if (stages_left_ < 0) stage.fail("is one of over 16 stages", "the file is damaged");
}

void GrowthBudget::spend(const ReplaceRule& rule, const JsonView& stage) {
  spend(static_cast<double>(rule.to.size()) / static_cast<double>(rule.from.size()), stage);
}

}  // namespace tarsier
