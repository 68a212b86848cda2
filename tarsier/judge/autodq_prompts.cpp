#include "tarsier/judge/autodq_prompts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "tarsier/checkpoint/sha256.h"

namespace tarsier {
namespace {

constexpr char kExtractRole[] =
    "You list what happens in videos, working from written descriptions. You answer with data "
    "only.";
constexpr char kExtractRules[] =
    "Read the description of a video between the lines of dashes and list its key events, ten at "
    "most.\n"
    "Rules for an event:\n"
    "1. Something is done or moves. How things look or where they are is not an event.\n"
    "2. It is one single happening: if it can be split into two, list two.\n"
    "3. It is one sentence of at most ten words: who or what, the verb, and the object if there is "
    "one. Leave out looks that are not needed to tell who is meant.\n"
    "4. Put the noun where the description has a pronoun.\n"
    "5. A cut to another scene and a movement of the camera are not events.\n"
    "6. No event is listed twice.\n";
constexpr char kExtractForm[] =
    "Answer with a dictionary whose only key is \"events\" and whose value is the list of the "
    "sentences, as in {\"events\": [\"The man opens the door.\", \"The dog runs out.\"]}. If "
    "nothing "
    "happens the list is empty. Write nothing before or after the dictionary.";

constexpr char kLabelRole[] =
    "You check statements against the description of a video. You answer with JSON only.";
constexpr char kLabelRules[] =
    "Below are the description of a video and a JSON list of events. Decide for every event how "
    "the "
    "description relates to it:\n"
    "- entailment: from the description it follows that the event happens;\n"
    "- contradiction: something in the description rules the event out;\n"
    "- neutral: neither of the two.\n";
constexpr char kLabelForm[] =
    "Answer with one JSON object of this form, with one entry for each event, in the order of the "
    "list:\n"
    "{\"events\": [{\"event\": \"the event, copied\", \"relationship\": \"entailment, neutral or "
    "contradiction\", \"reason\": \"why, in a few words\"}]}\n"
    "Write nothing before or after the object.";

std::string between_dashes(const std::string& text) { return "-----\n" + text + "\n-----\n"; }

}  // namespace

JudgeRequest extraction_request(const std::string& text) {
  std::string quoted = text;
  std::replace(quoted.begin(), quoted.end(), '"', '\'');
  JudgeRequest request;
  request.system = kExtractRole;
  request.user = kExtractRules + between_dashes(quoted) + kExtractForm;
  return request;
}

JudgeRequest label_request(const std::vector<std::string>& events, const std::string& premise) {
  JudgeRequest request;
  request.system = kLabelRole;
  request.user = kLabelRules + std::string("Description:\n") + between_dashes(premise) +
                 "Events: " + nlohmann::json(events).dump() + "\n" + kLabelForm;
  return request;
}

PromptVersion autodq_prompt() {
  return prompt_version("autodq 1",
                        {extraction_request("<text>"), label_request({"<event>"}, "<text>")});
}

PromptVersion prompt_version(const std::string& name, const std::vector<JudgeRequest>& requests) {
  std::string words = name;
  for (const JudgeRequest& request : requests) words += "\n" + request.system + "\n" + request.user;
  return {name, sha256_hex(std::as_bytes(std::span(words)))};
}

}  // namespace tarsier
