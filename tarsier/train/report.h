#pragma once

#include <filesystem>

namespace tarsier {

/// Writes RUN/report.html: the curves of metrics.jsonl, the answers of samples.jsonl, recipe.json
/// and machine.json, in one page that opens from disk and needs nothing else. At most a thousand
/// points a curve (means) and sixty steps of answers. InputError when the folder holds no
/// metrics.jsonl or a line of it is not JSON; ResourceError when the disk refuses.
void write_report(const std::filesystem::path& run);

}  // namespace tarsier
