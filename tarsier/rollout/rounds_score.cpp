#include "tarsier/rollout/rounds_score.h"

#include "tarsier/base/error.h"
#include "tarsier/data/pairs/candidates.h"
#include "tarsier/data/rows/row_file.h"
#include "tarsier/data/rows/row_input.h"

namespace tarsier {
namespace {

double share(const EventShare& events) {
  return static_cast<double>(events.hits) / static_cast<double>(events.total);
}

}  // namespace

RoundScore score_of_rows(const std::filesystem::path& rows) {
  RoundScore score;
  std::int64_t errors = 0, events = 0, shares = 0;
  RowFile file(rows);
  while (const std::optional<RowText> text = file.next()) {
    const Outcome<Row> parsed = parse_row(*text, std::nullopt);
    if (const auto* note = std::get_if<ErrorNote>(&parsed)) throw InputError(*note);
    const RowCandidates row = parse_candidates(std::get<Row>(parsed).record);
    if (row.samples.empty() || !row.samples[0].score) continue;
    const CandidateScore& found = *row.samples[0].score;
    if (found.errors) {
      errors += found.errors->missed + found.errors->incorrect + found.errors->hallucinated;
      events += found.errors->events;
    }
    if (found.recall) {
      score.recall += share(*found.recall);
      score.precision += share(*found.precision);
      ++shares;
    }
    ++score.rows;
  }
  if (events == 0)
    throw InputError({rows.string(), "has no errors per event to compare rounds by",
                      "score the validation rows by both metrics"});
  score.error = static_cast<double>(errors) / static_cast<double>(events);
  if (shares > 0) {
    score.recall /= static_cast<double>(shares);
    score.precision /= static_cast<double>(shares);
  }
  return score;
}

}  // namespace tarsier
