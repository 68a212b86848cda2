#include "tarsier/train/data/row_conversation.h"

namespace tarsier {

Conversation row_conversation(const Row& row, const RowMediaSettings& settings) {
  Conversation conversation;
  for (const Turn& turn : row.record.turns) {
    Message message{name_of(turn.role), {}};
    for (const TurnPart& part : turn.parts) {
      if (part.media) {
        message.parts.push_back(
            {"", read_row_media(row.record.media[*part.media], row.folder, settings)});
      } else if (!part.text.empty()) {
        message.parts.push_back({part.text, nullptr});
      }
    }
    conversation.push_back(std::move(message));
  }
  return conversation;
}

}  // namespace tarsier
