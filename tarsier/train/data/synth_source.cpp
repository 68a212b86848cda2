#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "tarsier/base/error.h"
#include "tarsier/base/random.h"
#include "tarsier/synth/claims.h"
#include "tarsier/synth/grid.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/loose_words.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/prompts.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/train/data/question_hints.h"
#include "tarsier/train/data/sample_builder.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/data/world_tokens.h"

namespace tarsier {
namespace {

constexpr std::int64_t kSide = 336;

// How many of something to make when the mean is `mean`: a fraction is a probability.
std::int64_t drawn_count(double mean, Random& random) {
  const double whole = std::floor(mean);
  return static_cast<std::int64_t>(whole) + (random.chance(mean - whole) ? 1 : 0);
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// A question and where it is among the sample's branches.
struct Asked {
  std::size_t branch;
  std::string kind;
  Language language;
};

class SynthSource final : public SampleSource {
 public:
  SynthSource(const VideoLanguageModel& model, const SynthData& data, std::uint64_t recipe_seed,
              std::uint64_t stage_index)
      : model_(model),
        data_(data),
        level_(level_named(data.level)),
        recipe_seed_(recipe_seed),
        stage_index_(stage_index) {
    for (const std::string& name : data.languages) languages_.push_back(language_named(name));
    for (const Language language : languages_) add_colour_tokens(language);
    for (int colour = 0; colour < kColours; ++colour)
      add_word(token_of(word(static_cast<Colour>(colour), Language::english)));
    // One list for every level, so that a run may have several; a tokenizer of the level base alone
    // has no figure.
    for (int shape = 0; shape < kAllShapes; ++shape) {
      const std::string_view name = word(static_cast<Shape>(shape), Language::english);
      if (shape < kShapes || level_.figure_rate > 0 ||
          model_.tokenizer().encode(in_sentence(name, Language::english)).size() == 1)
        add_word(token_of(name));
    }
    for (int size = 0; size < kSizes; ++size)
      add_word(token_of(word(static_cast<ShapeSize>(size), Language::english)));
    for (int background = 0; background < kBackgrounds; ++background)
      add_word(token_of(word(static_cast<Background>(background), Language::english)));
    for (int cell = 0; cell < kCells; ++cell) {
      for (const std::string& place : split_words(place_words(cell, Language::english))) {
        const std::int64_t token = token_of(place);
        if (!word_index_.contains(token)) add_word(token);
        place_tokens_[static_cast<std::size_t>(cell)].push_back(token);
      }
    }
    for (const char* key : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
      key_tokens_.insert(exact_token(key));
    for (const Language language : languages_) {
      key_tokens_.insert(exact_token(question_words(language).yes));
      key_tokens_.insert(exact_token(question_words(language).no));
    }
    if (data_.option_weight + data_.hint_weight > 0)
      hints_.emplace(model_.tokenizer(), languages_, data_.hint_weight, data_.option_weight);
  }

  const std::vector<std::int64_t>& word_tokens() const override { return word_tokens_; }

  Outcome<Sample> sample(std::uint64_t place) const override {
    const std::uint64_t number =
        data_.clips == 0 ? place : place % static_cast<std::uint64_t>(data_.clips);
    const Split split = data_.held_out ? Split::validation : Split::train;
    const Clip clip = make_clip(level_, split, data_.seed, number);
    Random random({recipe_seed_, stage_index_, number});
    const std::vector<double> seconds = sampled_seconds(clip, data_.frames);
    std::vector<Exchange> exchanges;
    const std::size_t captions = add_captions(clip, seconds, random, exchanges);
    const std::vector<Asked> asked = add_questions(clip, seconds, random, exchanges);
    const bool wordless = exchanges.empty();
    if (wordless) add_a_question(clip, seconds, random, exchanges);
    Sample sample =
        build_sample(model_, draw(clip, seconds), exchanges,
                     fmt::format("synth {}/{}/{}/{}", level_.name,
                                 data_.held_out ? "validation" : "train", data_.seed, number));
    if (wordless) sample.branches.clear();
    for (std::size_t i = 0; i < captions; ++i) replace_colours(sample.branches[i], random);
    for (std::size_t i = 0; i < sample.branches.size(); ++i)
      weigh_targets(sample.branches[i], i < captions ? 1 : data_.answer_weight);
    if (hints_) {
      for (const Asked& question : asked)
        hints_->teach(question.kind, question.language, sample.branches[question.branch]);
    }
    label_media_tokens(clip, seconds, sample);
    label_events(clip, seconds, sample);
    label_cell_events(clip, seconds, sample);
    return sample;
  }

 private:
  std::int64_t exact_token(const std::string& text) const {
    return world_token(model_.tokenizer(), text);
  }
  std::int64_t token_of(std::string_view english) const {
    return exact_token(in_sentence(english, Language::english));
  }

  void add_word(std::int64_t token) {
    word_index_[token] = static_cast<std::int64_t>(word_tokens_.size());
    word_tokens_.push_back(token);
  }

  // The colour words of a language, a list for each grammatical form, as they stand in a sentence.
  void add_colour_tokens(Language language) {
    for (const auto& form : table(language).colours) {
      std::vector<std::int64_t> tokens;
      for (const std::string_view colour : form)
        tokens.push_back(exact_token(in_sentence(colour, language)));
      colour_tokens_.push_back(std::move(tokens));
    }
  }

  // Nothing is drawn where there is one language.
  Language any_language(Random& random) const {
    return languages_.size() == 1 ? languages_[0] : random.pick(languages_);
  }

  std::size_t add_captions(const Clip& clip, const std::vector<double>& seconds, Random& random,
                           std::vector<Exchange>& exchanges) const {
    const auto add = [&](double mean, std::string_view Prompts::*prompt, auto say) {
      for (std::int64_t n = drawn_count(mean, random); n > 0; --n) {
        const Language language = any_language(random);
        exchanges.push_back({std::string(prompts(language).*prompt), say(language)});
      }
    };
    add(data_.dense_captions, &Prompts::describe,
        [&](Language language) { return describe(clip, language, random); });
    add(data_.interval_captions, &Prompts::intervals, [&](Language language) {
      return describe_with_intervals(clip, seconds, language, random);
    });
    add(data_.short_captions, &Prompts::brief,
        [&](Language language) { return short_caption(clip, language, random); });
    // These came later: without them a recipe draws what it always drew.
    if (data_.web_captions > 0)
      add(data_.web_captions, &Prompts::caption, [&](Language language) {
        return web_caption(clip, language, random, {.wrong = data_.web_wrong}).text;
      });
    if (data_.commentaries > 0)
      add(data_.commentaries, &Prompts::commentary, [&](Language language) {
        return drifting_commentary(clip, seconds, language, random,
                                   {.seconds = data_.drift_seconds})
            .text;
      });
    if (data_.flawed_captions > 0)
      add(data_.flawed_captions, &Prompts::describe, [&](Language language) {
        return flawed_description(clip, language, random, {data_.omit, data_.invent}).text;
      });
    return exchanges.size();
  }

  // Draws questions without repetition; a probe brings its partner of the other answer. Each
  // language drawn asks its share.
  std::vector<Asked> add_questions(const Clip& clip, const std::vector<double>& seconds,
                                   Random& random, std::vector<Exchange>& exchanges) const {
    std::vector<Asked> asked;
    if (data_.questions == 0) return asked;
    std::vector<std::int64_t> counts(kLanguages.size());
    for (std::int64_t n = 0; n < data_.questions; ++n)
      ++counts[static_cast<std::size_t>(any_language(random))];
    for (const Language language : kLanguages) {
      const std::int64_t count = counts[static_cast<std::size_t>(language)];
      if (count == 0) continue;
      for (const Question& question :
           draw_questions(clip, seconds, language, count, random, data_.question_weights)) {
        asked.push_back({exchanges.size(), question.kind, language});
        exchanges.push_back({question.question, question.answer});
      }
    }
    return asked;
  }

  // A prompt needs a question, also where its answer is not learned.
  void add_a_question(const Clip& clip, const std::vector<double>& seconds, Random& random,
                      std::vector<Exchange>& exchanges) const {
    const std::vector<Question> questions =
        make_questions(clip, seconds, any_language(random), random);
    const Question& question = random.pick(questions);
    exchanges.push_back({question.question, question.answer});
  }

  std::shared_ptr<const Pictures> draw(const Clip& clip, const std::vector<double>& seconds) const {
    auto pictures = std::make_shared<Pictures>();
    Renderer renderer(clip, kSide);
    for (const double at : seconds) {
      pictures->frames.push_back(
          {std::lround(at * kFramesPerSecond), at, kSide, kSide, renderer.render(at)});
    }
    return pictures;
  }

  // A colour word is replaced by one of its own language and form.
  void replace_colours(TokenRun& run, Random& random) const {
    for (std::size_t i = 0; i < run.tokens.size(); ++i) {
      if (run.labels[i] < 0) continue;
      const auto form =
          std::find_if(colour_tokens_.begin(), colour_tokens_.end(), [&](const auto& tokens) {
            return std::find(tokens.begin(), tokens.end(), run.tokens[i]) != tokens.end();
          });
      if (form != colour_tokens_.end() && random.chance(data_.colour_noise))
        run.tokens[i] = random.pick(*form);
    }
  }

  void weigh_targets(TokenRun& run, double weight) const {
    for (std::size_t i = 0; i < run.tokens.size(); ++i) {
      if (run.labels[i] < 0) continue;
      const bool key = key_tokens_.contains(run.labels[i]);
      run.weights[i] = static_cast<float>(key ? weight * data_.key_token_weight : weight);
    }
  }

  // The world's nine cells are mapped onto the grid of media tokens; a token is to name what its
  // cell shows, the background and its own place, which the decoder's rotary positions hardly tell
  // apart at this head size.
  void label_media_tokens(const Clip& clip, const std::vector<double>& seconds,
                          Sample& sample) const {
    const std::int64_t rows = sample.grid[1] / 2,
                       columns = sample.grid[2] / 2;  // media tokens of a frame
    for (const double at : seconds) {
      std::array<VisibleWords, kCells> cells;
      for (const Look& look : looks_at(clip, at)) {
        VisibleWords& words = cells[static_cast<std::size_t>(look.cell)];
        for (const std::string_view text :
             {word(look.colour, Language::english), word(look.shape, Language::english),
              word(look.size, Language::english)}) {
          words.push_back(word_index_.at(token_of(text)));
        }
      }
      const std::int64_t background =
          word_index_.at(token_of(word(background_at(clip, at), Language::english)));
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          const std::size_t cell = cell_at(row, rows, column, columns);
          VisibleWords words = cells[cell];
          words.push_back(background);
          for (const std::int64_t place : place_tokens_[cell])
            words.push_back(word_index_.at(place));
          sample.visible_words.push_back(std::move(words));
        }
      }
    }
  }

  // A frame is labelled with the event under way when it was taken, or that ended since the frame
  // before; of several at once with the one that began last.
  void label_events(const Clip& clip, const std::vector<double>& seconds, Sample& sample) const {
    if (sample.marker_rows.size() != seconds.size()) return;
    sample.events.assign(seconds.size(), EventLabels{});
    for (const Event& event : clip.events) {
      const FrameInterval frames = frame_interval(event, seconds);
      EventLabels labels{static_cast<std::int64_t>(event.kind) + 1,
                         static_cast<std::int64_t>(event.direction), 0, 0};
      if (event.kind != EventKind::cut) {
        labels.colour = static_cast<std::int64_t>(event.actor.colour) + 1;
        labels.shape = static_cast<std::int64_t>(event.actor.shape) + 1;
      }
      for (std::int64_t frame = frames.first + 1; frame <= frames.last; ++frame)
        sample.events[static_cast<std::size_t>(frame)] = labels;
    }
  }

  // The cells an event plays in: where its objects stand before and after it, and a bounce's way;
  // all of them for a cut.
  static std::array<bool, kCells> cells_of(const Event& event) {
    std::array<bool, kCells> cells{};
    if (event.kind == EventKind::cut) {
      cells.fill(true);
      return cells;
    }
    const auto mark = [&](int object, const Look& before) {
      cells[static_cast<std::size_t>(before.cell)] = true;
      cells[static_cast<std::size_t>(look_after(event, object, before).cell)] = true;
    };
    mark(event.object, event.actor);
    if (has_partner(event.kind)) mark(event.other, event.partner);
    if (event.kind == EventKind::bounce) {
      for (auto cell = neighbour(event.actor.cell, event.direction); cell;
           cell = neighbour(*cell, event.direction))
        cells[static_cast<std::size_t>(*cell)] = true;
    }
    return cells;
  }

  void label_cell_events(const Clip& clip, const std::vector<double>& seconds,
                         Sample& sample) const {
    const std::int64_t rows = sample.grid[1] / 2, columns = sample.grid[2] / 2;
    std::vector<std::array<EventLabels, kCells>> frames(seconds.size());
    for (const Event& event : clip.events) {
      const std::array<bool, kCells> cells = cells_of(event);
      const FrameInterval interval = frame_interval(event, seconds);
      for (std::int64_t frame = interval.first + 1; frame <= interval.last; ++frame) {
        for (std::size_t cell = 0; cell < kCells; ++cell) {
          if (!cells[cell]) continue;
          frames[static_cast<std::size_t>(frame)][cell] = {
              static_cast<std::int64_t>(event.kind) + 1, static_cast<std::int64_t>(event.direction),
              0, 0};
        }
      }
    }
    for (const auto& cells : frames) {
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column)
          sample.cell_events.push_back(cells[cell_at(row, rows, column, columns)]);
      }
    }
  }

  // The cell of the world that lies under the middle of a media token.
  static std::size_t cell_at(std::int64_t row, std::int64_t rows, std::int64_t column,
                             std::int64_t columns) {
    return static_cast<std::size_t>((2 * row + 1) * 3 / (2 * rows) * 3 +
                                    (2 * column + 1) * 3 / (2 * columns));
  }

  const VideoLanguageModel& model_;
  SynthData data_;
  const Level& level_;
  std::uint64_t recipe_seed_, stage_index_;
  std::vector<Language> languages_;
  std::vector<std::int64_t> word_tokens_;
  std::vector<std::vector<std::int64_t>> colour_tokens_;  // by language and grammatical form
  std::array<std::vector<std::int64_t>, kCells> place_tokens_;
  std::map<std::int64_t, std::int64_t> word_index_;  // token -> place in word_tokens_
  std::set<std::int64_t> key_tokens_;
  std::optional<QuestionHints> hints_;  // where the recipe asks for any
};

}  // namespace

std::unique_ptr<SampleSource> make_synth_source(const VideoLanguageModel& model,
                                                const SynthData& data, std::uint64_t recipe_seed,
                                                std::uint64_t stage_index) {
  return std::make_unique<SynthSource>(model, data, recipe_seed, stage_index);
}

}  // namespace tarsier
