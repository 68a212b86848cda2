// Any bytes as an answer about time either are refused with an error that names the model, or give
// events inside the part looked at, which both kinds of subtitles hold.
#include <cstdlib>
#include <string_view>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/grounding/subtitles.h"
#include "tarsier/grounding/timed_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<double> frames = {2, 3, 5, 6.5, 9.75};
  const tarsier::ClipClock clock{frames, 1.5, 10};
  for (const char* query : {"", "a dog barks"}) {
    try {
      const tarsier::TimedAnswer answer = tarsier::read_timed_answer({text, "model"}, clock, query);
      for (const tarsier::TimedEvent& event : answer.events) {
        if (!(clock.start <= event.when.start && event.when.start <= event.when.end &&
              event.when.end <= clock.end))
          std::abort();
      }
      const double step = tarsier::sampling_step(clock);
      const std::string srt = tarsier::srt_of(answer.events, step, clock.end, "clip");
      if (srt.empty() != answer.events.empty()) std::abort();
      if (!tarsier::vtt_of(answer.events, step, clock.end, "clip").starts_with("WEBVTT\n"))
        std::abort();
    } catch (const tarsier::CheckpointError& error) {
      if (error.note.where != "model") std::abort();
    }
  }
  return 0;
}
