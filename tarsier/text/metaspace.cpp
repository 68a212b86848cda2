#include "tarsier/text/metaspace.h"

#include <fmt/format.h>

#include <algorithm>

#include "tarsier/text/known_keys.h"
#include "tarsier/text/replace_rule.h"
#include "tarsier/text/utf8.h"

namespace tarsier {

Metaspace Metaspace::parse(const JsonView& json) {
  require_known_keys(
      json, {"type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"});
  Metaspace metaspace;
  metaspace.replacement = json.at("replacement").as_string();
  const std::string& text = metaspace.replacement;
  if (text.empty() || code_point_at(text, 0).bytes != text.size())
    json.at("replacement").fail("is not one character", "it stands for a space");
  metaspace.split = json.bool_or("split", true);
  const std::string scheme = json.string_or("prepend_scheme", "always");
  if (scheme == "never") {
    metaspace.prefix = Prefix::never;
  } else if (scheme == "first") {
    metaspace.prefix = Prefix::first;
  } else if (scheme != "always") {
    json.at("prepend_scheme")
        .fail(fmt::format("is '{}'", scheme), "first, always and never are supported");
  }
  if (metaspace.prefix != Prefix::never && !json.bool_or("add_prefix_space", true)) {
    json.at("add_prefix_space")
        .fail(fmt::format("is false, and prepend_scheme '{}'", scheme),
              "write the scheme 'never' for no prefix");
  }
  return metaspace;
}

void Metaspace::run(std::string_view utf8, bool at_start,
                    const std::function<void(std::string_view, bool)>& word) const {
  std::string text = ReplaceRule{" ", replacement}.apply(utf8);
  const bool prepends = prefix == Prefix::always || (prefix == Prefix::first && at_start);
  if (prepends && !text.starts_with(replacement)) text.insert(0, replacement);
  if (!split) return word(text, at_start);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(replacement, begin + 1), text.size());
    word(std::string_view(text).substr(begin, end - begin), at_start && begin == 0);
    begin = end;
  }
}

}  // namespace tarsier
