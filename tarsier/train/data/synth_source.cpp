#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "tarsier/base/random.h"
#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/loose_words.h"
#include "tarsier/synth/phrasing.h"
#include "tarsier/synth/prompts.h"
#include "tarsier/synth/questions.h"
#include "tarsier/synth/raster.h"
#include "tarsier/synth/scene.h"
#include "tarsier/synth/soundtrack.h"
#include "tarsier/synth/timeline.h"
#include "tarsier/synth/vocabulary.h"
#include "tarsier/text/tokenizer.h"
#include "tarsier/train/data/question_hints.h"
#include "tarsier/train/data/sample_builder.h"
#include "tarsier/train/data/source.h"
#include "tarsier/train/data/world_labels.h"
#include "tarsier/train/data/world_tokens.h"

namespace tarsier {
namespace {

constexpr std::int64_t kSide = 336;

// How many of something to make when the mean is `mean`: a fraction is a probability.
std::int64_t drawn_count(double mean, Random& random) {
  const double whole = std::floor(mean);
  return static_cast<std::int64_t>(whole) + (random.chance(mean - whole) ? 1 : 0);
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
        labels_(model.tokenizer(), level_),
        recipe_seed_(recipe_seed),
        stage_index_(stage_index) {
    for (const std::string& name : data.languages) languages_.push_back(language_named(name));
    for (const Language language : languages_) add_colour_tokens(language);
    for (const char* key : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
      key_tokens_.insert(exact_token(key));
    for (const Language language : languages_) {
      key_tokens_.insert(exact_token(question_words(language).yes));
      key_tokens_.insert(exact_token(question_words(language).no));
    }
    if (data_.option_weight + data_.hint_weight > 0)
      hints_.emplace(model_.tokenizer(), languages_, data_.hint_weight, data_.option_weight);
  }

  const std::vector<std::int64_t>& word_tokens() const override { return labels_.word_tokens(); }

  Outcome<Sample> sample(std::uint64_t place) const override {
    const std::uint64_t number =
        data_.clips == 0 ? place : place % static_cast<std::uint64_t>(data_.clips);
    const Split split = data_.held_out ? Split::validation : Split::train;
    const Clip clip = make_clip(level_, split, data_.seed, number);
    Random random({recipe_seed_, stage_index_, number});
    const std::vector<double> seconds = seconds_seen(clip);
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
    labels_.add(clip, seconds, sample);
    return sample;
  }

 private:
  std::int64_t exact_token(const std::string& text) const {
    return world_token(model_.tokenizer(), text);
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

  // As the model itself chooses frames of the clip's file, but for Tarsier2: its rule rounds halves
  // otherwise, and recipes draw what they always drew.
  std::vector<double> seconds_seen(const Clip& clip) const {
    const SamplingRule& rule = model_.sampling();
    if (rule.kind == SamplingRule::Kind::tarsier2) return sampled_seconds(clip, data_.frames);
    VideoInfo info;
    info.frames = frame_count(clip);
    info.seconds = clip.seconds;
    info.frames_per_second = kFramesPerSecond;
    std::vector<double> all;
    for (std::int64_t i = 0; i < info.frames; ++i)
      all.push_back(static_cast<double>(i) / kFramesPerSecond);
    return choose_frames(rule, info, all, {.frames = data_.frames}).seconds;
  }

  std::shared_ptr<const Pictures> draw(const Clip& clip, const std::vector<double>& seconds) const {
    auto pictures = std::make_shared<Pictures>();
    pictures->seconds = clip.seconds;
    Renderer renderer(clip, kSide);
    for (const double at : seconds) {
      pictures->frames.push_back(
          {std::lround(at * kFramesPerSecond), at, kSide, kSide, renderer.render(at)});
    }
    if (model_.info().hears && !clip.sounds.empty())
      pictures->sound = std::make_shared<const Sound>(Sound{soundtrack(clip)});
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

  const VideoLanguageModel& model_;
  SynthData data_;
  const Level& level_;
  WorldLabels labels_;
  std::uint64_t recipe_seed_, stage_index_;
  std::vector<Language> languages_;
  std::vector<std::vector<std::int64_t>> colour_tokens_;  // by language and grammatical form
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
