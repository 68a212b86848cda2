#pragma once

#include <span>

#include "tarsier/models/video_language_model.h"
#include "tarsier/train/data/sample.h"

namespace tarsier {

/// A question to answer, or an instruction with the text it asks for.
struct Exchange {
  std::string question, answer;
};

/// Prepares one video with several exchanges about it: each a conversation of its own.
/// InputError when an exchange does not fit or has an empty answer.
Sample build_sample(const VideoLanguageModel& model, std::shared_ptr<const Pictures> pictures,
                    std::span<const Exchange> exchanges, std::string id);

/// Prepares conversations that open alike, up to the end of their last picture, or words alone.
/// Each is tokenised whole by the model's own template; the common opening becomes the prefix,
/// once, and the rest a branch. The last message of each is the answer that is learned. InputError
/// when one does not fit or opens otherwise.
Sample build_siblings(const VideoLanguageModel& model, std::span<const Conversation> conversations,
                      std::string id);

/// Prepares a pair: conversations that are alike up to their last answers, the chosen one, the
/// rejected one and, where there is a third, the true one. All before the answers is the prefix,
/// once; each answer is a branch of its own. InputError when one does not fit.
Sample build_pair(const VideoLanguageModel& model, std::span<const Conversation> conversations,
                  std::string id);

/// Prepares one conversation of any number of turns and pictures, or words alone: the prefix is
/// what comes before the end of its last picture, the rest its one branch. Each answer is learned,
/// but those of `context` (by message) are only read. The last message is an answer. InputError
/// when it does not fit, or teaches nothing.
Sample build_conversation(const VideoLanguageModel& model, const Conversation& conversation,
                          const std::vector<bool>& context, std::string id);

}  // namespace tarsier
