#include <fmt/format.h>

#include <fstream>

#include "tarsier/base/error.h"
#include "tarsier/base/json.h"
#include "tarsier/base/log.h"
#include "tarsier/base/random.h"
#include "tarsier/train/data/sample_builder.h"
#include "tarsier/train/data/source.h"

namespace tarsier {
namespace {

struct Row {
  std::filesystem::path media;
  bool image = false;
  FrameRequest window;
  std::vector<Exchange> exchanges;
  std::int64_t line = 0;
  std::optional<ErrorNote> fault = {};  // of a malformed row, which has nothing else
};

// What other formats write where media goes, and the tokens that stand for media in the prompt:
// text with them comes from a row that was not converted.
constexpr std::string_view kMediaMarks[] = {"<video>",       "<image>",          "<|video_pad|>",
                                            "<|image_pad|>", "<|vision_start|>", "<|vision_end|>"};

constexpr std::int64_t kFaultsNamed = 20;  // before training; later each is named when it is drawn

void refuse_media_marks(const std::string& text, const JsonView& message) {
  for (const std::string_view mark : kMediaMarks) {
    if (text.find(mark) != std::string::npos)
      message.fail(fmt::format("has the media mark {} in its text", mark),
                   "name media as items of the content; `tarsier data convert` does");
  }
}

// One row of Tarsier's format (product.md 8): the media item stands in the first user turn; each
// user turn is followed by the assistant's. Turns after the first are questions of their own about
// the same video.
Row parse_row(const JsonView& json, const std::filesystem::path& folder) {
  Row row;
  const JsonView messages = json.at("messages");
  Exchange exchange;
  for (std::int64_t i = 0; i < messages.size(); ++i) {
    const JsonView message = messages.at(i);
    const std::string role = message.at("role").as_string();
    const std::string expected = i % 2 == 0 ? "user" : "assistant";
    if (role != expected)
      message.at("role").fail(fmt::format("is '{}', expected '{}'", role, expected),
                              "turns alternate, the user's first");
    std::string text;
    const JsonView content = message.at("content");
    if (content.is_string()) {
      text = content.as_string();
    } else {
      for (std::int64_t k = 0; k < content.size(); ++k) {
        const JsonView item = content.at(k);
        const std::string type = item.at("type").as_string();
        if (type == "text") {
          text += item.at("text").as_string();
        } else if ((type == "video" || type == "image") && row.media.empty()) {
          const JsonView media = item.at(type);
          row.media = folder / media.at(type + "_file").as_string();
          row.image = type == "image";
          if (media.has("start_time")) row.window.start = media.at("start_time").as_double();
          if (media.has("end_time")) row.window.end = media.at("end_time").as_double();
        } else {
          item.at("type").fail(fmt::format("is '{}'", type),
                               "use text, and one video or image a row");
        }
      }
    }
    refuse_media_marks(text, message);
    if (i % 2 == 0) {
      exchange.question = text;
    } else {
      if (text.empty()) message.fail("has an empty answer", "remove the row or give it an answer");
      exchange.answer = text;
      row.exchanges.push_back(exchange);
    }
  }
  if (row.media.empty()) json.fail("names no video or image", "give the first user turn one");
  if (row.exchanges.empty() || messages.size() % 2 != 0)
    messages.fail("does not end with an answer", "end with the assistant's turn");
  return row;
}

class JsonlSource final : public SampleSource {
 public:
  JsonlSource(const VideoLanguageModel& model, const JsonlData& data, std::uint64_t recipe_seed,
              std::uint64_t stage_index, double max_bad)
      : model_(model),
        name_(data.file.filename().string()),
        frames_(data.frames),
        recipe_seed_(recipe_seed),
        stage_index_(stage_index) {
    std::ifstream stream(data.file);
    if (!stream)
      throw ConfigError({data.file.string(), "cannot be opened", "check the path in the recipe"});
    std::int64_t number = 0;
    for (std::string line; std::getline(stream, line);) {
      ++number;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      rows_.push_back(read_row(line, number, data.file.parent_path()));
    }
    if (rows_.empty()) throw ConfigError({data.file.string(), "has no rows", "give at least one"});
    refuse_many_faults(max_bad);
  }

  const std::vector<std::int64_t>& word_tokens() const override { return no_words_; }

  Outcome<Sample> sample(std::uint64_t number) const override {
    const Row& row = rows_[row_of(number)];
    if (row.fault) return *row.fault;
    const std::string id = fmt::format("{} line {}", name_, row.line);
    try {
      VideoReader reader(row.media);
      FrameRequest request = row.window;
      if (!row.image) request.frames = frames_;
      const FrameChoice choice =
          choose_frames(model_.sampling(), reader.info(), reader.frame_seconds(), request);
      auto pictures = std::make_shared<Pictures>();
      pictures->modality = row.image ? Modality::image : Modality::video;
      pictures->frames = reader.read(choice.indices);
      return build_sample(model_, std::move(pictures), row.exchanges, id);
    } catch (const InputError& error) {
      return ErrorNote{id, error.what(), "mend or remove the row"};
    } catch (const ConfigError& error) {
      return ErrorNote{id, error.what(), "mend or remove the row"};
    }
  }

 private:
  Row read_row(const std::string& line, std::int64_t number,
               const std::filesystem::path& folder) const {
    Row row;
    try {
      row = parse_row(parse_json(line, fmt::format("{} line {}", name_, number), JsonOwner::config),
                      folder);
    } catch (const ConfigError& error) {
      row.fault = error.note;
    }
    row.line = number;
    return row;
  }

  void refuse_many_faults(double max_bad) const {
    std::int64_t faults = 0;
    const ErrorNote* first = nullptr;
    for (const Row& row : rows_) {
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
    std::vector<std::size_t> order(rows_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    Random random({recipe_seed_, stage_index_, epoch});
    random.shuffle(order);
    return order[number % rows_.size()];
  }

  const VideoLanguageModel& model_;
  std::string name_;
  std::optional<std::int64_t> frames_;
  std::uint64_t recipe_seed_, stage_index_;
  std::vector<Row> rows_;
  std::vector<std::int64_t> no_words_;
};

}  // namespace

std::unique_ptr<SampleSource> make_jsonl_source(const VideoLanguageModel& model,
                                                const JsonlData& data, std::uint64_t recipe_seed,
                                                std::uint64_t stage_index, double max_bad) {
  return std::make_unique<JsonlSource>(model, data, recipe_seed, stage_index, max_bad);
}

}  // namespace tarsier
