#include "tarsier/checkpoint/rename.h"

namespace tarsier {
namespace {

std::string with_prefix(std::string_view name, std::string_view old_prefix,
                        std::string_view new_prefix) {
  return std::string(new_prefix) + std::string(name.substr(old_prefix.size()));
}

}  // namespace

std::optional<std::string> apply_renames(std::span<const Rename> rules, std::string_view name) {
  for (const Rename& rule : rules) {
    if (name.starts_with(rule.from)) return with_prefix(name, rule.from, rule.to);
  }
  return std::nullopt;
}

std::optional<std::string> invert_renames(std::span<const Rename> rules, std::string_view name) {
  for (const Rename& rule : rules) {
    if (name.starts_with(rule.to)) return with_prefix(name, rule.to, rule.from);
  }
  return std::nullopt;
}

bool is_ignored_tensor(std::string_view name) {
  return name.ends_with("rotary_emb.inv_freq") || name.ends_with("embeddings.position_ids");
}

}  // namespace tarsier
