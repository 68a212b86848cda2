#pragma once

#include <filesystem>

namespace tarsier {

/// Copies a model directory's settings and tokenizer, whichever of the known files there are, but
/// no weights. `shown_as` is the folder that messages name in place of `to`, which may be
/// temporary. ResourceError when the disk refuses.
void copy_model_files(const std::filesystem::path& from, const std::filesystem::path& to,
                      const std::filesystem::path& shown_as);

}  // namespace tarsier
