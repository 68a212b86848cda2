#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/base/random.h"
#include "tarsier/data/check/check.h"
#include "tarsier/data/rows/row_file.h"
#include "tarsier/train/data/pair_rows.h"
#include "tarsier/train/data/row_conversation.h"
#include "tarsier/train/data/sample_builder.h"
#include "tarsier/train/data/source.h"

namespace tarsier {
namespace {

constexpr std::int64_t kFaultsNamed = 20;  // before training; later each is named when it is drawn

// What the checks of `data check` find in a row, less what only its media or a person can tell.
std::optional<ErrorNote> fault_in(const Row& row, const std::optional<PairRules>& pairs) {
  const Record& record = row.record;
  if (record.preference && !pairs)
    return ErrorNote{record.where, "is a preference between two answers",
                     "leave chosen and rejected out, or give the row to preference training"};
  const CheckSettings settings{.look_for_media = false,
                               .max_tokens = std::numeric_limits<double>::infinity()};
  for (const Problem& problem : problems_of(row, settings)) {
    if (problem.kind != "markers" && problem.kind != "marker_gap") return problem.note;
  }
  if (record.preference) return fault_in_pair(row, *pairs);
  bool learns = false;
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    const Turn& turn = record.turns[i];
    if (turn.role != Role::assistant) continue;
    learns = learns || !turn.masked;
    if (text_of(turn).empty())  // data check lets the gold of evaluation rows pass
      return ErrorNote{fmt::format("{}: turns[{}]", record.where, i), "has an empty answer",
                       "remove the row or give it an answer"};
  }
  if (!learns) return ErrorNote{record.where, "has no answer to learn", "remove the row"};
  return std::nullopt;
}

// What only makes sense with the turns before it.
std::optional<ErrorNote> bound_turn_in(const Record& record) {
  bool asked = false;
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    const Turn& turn = record.turns[i];
    const bool shows = std::any_of(turn.parts.begin(), turn.parts.end(),
                                   [](const TurnPart& part) { return part.media.has_value(); });
    if ((asked && shows) || turn.masked)
      return ErrorNote{fmt::format("{}: turns[{}]", record.where, i),
                       turn.masked ? "is context for the turns behind it"
                                   : "shows media behind the first question",
                       "leave out \"apart\""};
    asked = asked || turn.role == Role::user;
  }
  return std::nullopt;
}

struct TrainingRow {
  Row row;
  std::optional<ErrorNote> fault;  // of a malformed row
};

class JsonlSource final : public SampleSource {
 public:
  JsonlSource(const VideoLanguageModel& model, const JsonlData& data, std::uint64_t recipe_seed,
              std::uint64_t stage_index, double max_bad, std::optional<PairRules> pairs)
      : model_(model),
        name_(data.file.filename().string()),
        media_{model.sampling(), data.frames, model.info().hears},
        apart_(data.apart),
        recipe_seed_(recipe_seed),
        stage_index_(stage_index),
        pairs_(std::move(pairs)) {
    try {
      RowFile file(data.file);
      while (const std::optional<RowText> text = file.next()) rows_.push_back(read_row(*text));
    } catch (const InputError& error) {  // the recipe names it
      throw ConfigError(error.note);
    }
    if (rows_.empty()) throw ConfigError({data.file.string(), "has no rows", "give at least one"});
    refuse_many_faults(max_bad);
  }

  const std::vector<std::int64_t>& word_tokens() const override { return no_words_; }

  Outcome<Sample> sample(std::uint64_t number) const override {
    const auto& [row, fault] = rows_[row_of(number)];
    if (fault) return *fault;
    const std::string& id = row.record.where;
    try {
      const Conversation conversation = row_conversation(row, media_);
      if (row.record.preference) return pair_of(row, conversation);
      return apart_ ? build_siblings(model_, apart(conversation), id)
                    : build_conversation(model_, conversation, context_of(row.record), id);
    } catch (const InputError& error) {
      return ErrorNote{id, error.what(), "mend or remove the row"};
    } catch (const ConfigError& error) {
      return ErrorNote{id, error.what(), "mend or remove the row"};
    }
  }

 private:
  // The conversation ends with the true answer, or with a turn of no words.
  Sample pair_of(const Row& row, const Conversation& conversation) const {
    check_pair_media(row);
    const auto answered = [&](const std::string& text) {
      Conversation other = conversation;
      other.back().parts = {Part{text, nullptr}};
      return other;
    };
    std::vector<Conversation> answers{answered(row.record.preference->chosen),
                                      answered(row.record.preference->rejected)};
    if (pairs_->truth) answers.push_back(conversation);
    Sample sample = build_pair(model_, answers, row.record.where);
    sample.pair->reference = given_reference(row);
    return sample;
  }

  TrainingRow read_row(const RowText& text) const {
    Outcome<Row> parsed = parse_row(text, std::nullopt);
    if (auto* note = std::get_if<ErrorNote>(&parsed)) return {{}, std::move(*note)};
    Row& row = std::get<Row>(parsed);
    std::optional<ErrorNote> fault = fault_in(row, pairs_);
    if (apart_ && !fault) fault = bound_turn_in(row.record);
    return {std::move(row), std::move(fault)};
  }

  // The first question's media with each question and its answer.
  static std::vector<Conversation> apart(const Conversation& conversation) {
    const std::size_t first = conversation[0].role == "system" ? 1 : 0;
    const Conversation system(conversation.begin(),
                              conversation.begin() + static_cast<std::ptrdiff_t>(first));
    std::vector<Part> media;
    for (const Part& part : conversation[first].parts) {
      if (part.pictures) media.push_back(part);
    }
    std::vector<Conversation> all;
    for (std::size_t i = first; i + 1 < conversation.size(); i += 2) {
      Message question{"user", media};
      for (const Part& part : conversation[i].parts) {
        if (!part.pictures) question.parts.push_back(part);
      }
      all.push_back(system);
      all.back().push_back(std::move(question));
      all.back().push_back(conversation[i + 1]);
    }
    return all;
  }

  static std::vector<bool> context_of(const Record& record) {
    std::vector<bool> context;
    for (const Turn& turn : record.turns) context.push_back(turn.masked);
    return context;
  }

  void refuse_many_faults(double max_bad) const {
    std::int64_t faults = 0;
    const ErrorNote* first = nullptr;
    for (const TrainingRow& row : rows_) {
      if (!row.fault) continue;
      if (faults++ < kFaultsNamed) log_warning(row.fault->text());
      if (first == nullptr) first = &*row.fault;
    }
    if (faults > kFaultsNamed)
      log_warning(fmt::format("{}: {} more rows are malformed", name_, faults - kFaultsNamed));
    if (static_cast<double>(faults) > max_bad * static_cast<double>(rows_.size()))
      throw ConfigError(*first);
  }

  std::size_t row_of(std::uint64_t number) const {
    const std::uint64_t epoch = number / rows_.size();
    const std::lock_guard lock(order_mutex_);
    if (order_.empty() || epoch != ordered_epoch_) {
      order_.resize(rows_.size());
      std::iota(order_.begin(), order_.end(), std::size_t{0});
      Random({recipe_seed_, stage_index_, epoch}).shuffle(order_);
      ordered_epoch_ = epoch;
    }
    return order_[number % rows_.size()];
  }

  const VideoLanguageModel& model_;
  std::string name_;
  RowMediaSettings media_;
  bool apart_;
  std::uint64_t recipe_seed_, stage_index_;
  std::optional<PairRules> pairs_;
  std::vector<TrainingRow> rows_;
  std::vector<std::int64_t> no_words_;
  mutable std::mutex order_mutex_;  // of one epoch's order, made when it is first asked for
  mutable std::vector<std::size_t> order_;
  mutable std::uint64_t ordered_epoch_ = 0;
};

}  // namespace

std::unique_ptr<SampleSource> make_jsonl_source(const VideoLanguageModel& model,
                                                const JsonlData& data, std::uint64_t recipe_seed,
                                                std::uint64_t stage_index, double max_bad,
                                                const std::optional<PairRules>& pairs) {
  return std::make_unique<JsonlSource>(model, data, recipe_seed, stage_index, max_bad, pairs);
}

}  // namespace tarsier
