#include "tarsier/data/stages/failures.h"

#include <fmt/format.h>

#include "tarsier/base/log.h"

namespace tarsier {

void Failures::add(const ErrorNote& note) {
  ++count_;
  if (first_.size() < kNamed) first_.push_back(note.text());
  log_warning(note.text());
  if (most_ >= 0 && count_ > most_)
    throw InputError({"--max-failures",
                      fmt::format("{} rows failed, at most {} may", count_, most_),
                      "mend them, or allow more, and run the same command again"});
}

void Failures::restore(std::int64_t count, std::vector<std::string> first) {
  count_ = count;
  first_ = std::move(first);
}

}  // namespace tarsier
