#include "tarsier/judge/caption_prompts.h"

#include <nlohmann/json.hpp>

#include "tarsier/judge/autodq_prompts.h"

namespace tarsier {
namespace {

constexpr char kRole[] =
    "You compare the caption of a video, which may tell what is seen and what is heard, with the "
    "list of events that really happen in it. You answer in the given form only.";
constexpr char kMeanings[] =
    "Missed: an event of the list that the caption does not mention.\n"
    "Correct: an event of the list that the caption tells as it is.\n"
    "Incorrect: an event of the list that the caption mentions, but with something in it told "
    "wrong.\n"
    "Hallucination: something the caption tells that happens in none of the events and is not a "
    "part of any. A matter of taste or mood is not one.\n"
    "Each event of the list is exactly one of missed, correct and incorrect.\n";
constexpr char kListsForm[] =
    "Count the missed, the incorrect and the hallucinations, and list them, each in a few words. "
    "Answer with these six lines and nothing else, a whole number or a JSON list of strings behind "
    "each colon:\n"
    "Missed: 0\n"
    "Incorrect: 0\n"
    "Hallucination: 0\n"
    "Missed Events: []\n"
    "Incorrect Events: []\n"
    "Hallucination Events: []";
constexpr char kCountsForm[] =
    "Count them. Missed, correct and incorrect must add up to the number of events given above. "
    "Answer with these four lines and nothing else, a whole number behind each colon:\n"
    "Missed: 0\n"
    "Correct: 0\n"
    "Incorrect: 0\n"
    "Hallucination: 0";

JudgeRequest request_for(const std::vector<std::string>& events, const std::string& caption,
                         std::int64_t seed, const char* form) {
  JudgeRequest request;
  request.system = kRole;
  request.user = "The video has " + std::to_string(events.size()) + " events:\n" +
                 nlohmann::json(events).dump() + "\nCaption:\n-----\n" + caption + "\n-----\n" +
                 kMeanings + form;
  request.params.temperature = 0;
  request.params.top_p = 0.1;
  request.params.seed = seed;
  return request;
}

}  // namespace

JudgeRequest caption_lists_request(const std::vector<std::string>& events,
                                   const std::string& caption, std::int64_t seed) {
  return request_for(events, caption, seed, kListsForm);
}

JudgeRequest caption_counts_request(const std::vector<std::string>& events,
                                    const std::string& caption, std::int64_t seed) {
  return request_for(events, caption, seed, kCountsForm);
}

PromptVersion caption_prompt() {
  return prompt_version("caption 1", {caption_lists_request({"<event>"}, "<text>", 0),
                                      caption_counts_request({"<event>"}, "<text>", 0)});
}

}  // namespace tarsier
