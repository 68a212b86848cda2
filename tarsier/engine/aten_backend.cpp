#include "tarsier/engine/aten_backend.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "tarsier/base/error.h"
#include "tarsier/tensor/shape.h"

namespace tarsier {
namespace {

std::int64_t length_of(const Prompt& prompt) {
  return static_cast<std::int64_t>(prompt.tokens.size());
}

std::int64_t media_tokens_of(const Prompt& prompt) {
  std::int64_t count = 0;
  for (const MediaSpan& span : prompt.spans) count += span.length;
  return count;
}

/// Puts media tokens over the rows [begin, begin + rows) of the embedded prompt.
void fill_spans_(Tensor& hidden, std::int64_t begin, const Prompt& prompt,
                 const Tensor& media_tokens) {
  const std::int64_t end = begin + hidden.size(0);
  std::int64_t taken = 0;
  for (const MediaSpan& span : prompt.spans) {
    const std::int64_t from = std::max(begin, span.begin),
                       to = std::min(end, span.begin + span.length);
    if (from < to) {
      const Tensor rows = media_tokens.slice(0, taken + from - span.begin, taken + to - span.begin);
      hidden.slice(0, from - begin, to - begin).copy_(rows);
    }
    taken += span.length;
  }
}

}  // namespace

std::int64_t cache_bytes_per_token(const DecoderConfig& config, at::ScalarType dtype) {
  return 2 * config.layers * config.kv_heads * config.head_dim *
         static_cast<std::int64_t>(c10::elementSize(dtype));
}

AtenBackend::AtenBackend(const CausalDecoder& decoder, const AtenBackendOptions& options)
    : decoder_(decoder),
      options_(options),
      bytes_per_token_(
          cache_bytes_per_token(decoder.config(), decoder.embedding_weight().scalar_type())) {
  check(options.prefill_chunk > 0, "a prefill chunk holds a token");
}

bool AtenBackend::has_room_for(std::int64_t tokens) const {
  return tokens <= options_.max_cache_bytes / bytes_per_token_ - held_tokens_;
}

void AtenBackend::check_room(std::int64_t tokens) const {
  if (has_room_for(tokens)) return;
  throw ResourceError(
      {"cache",
       fmt::format(
           "{} tokens need {} MB of keys and values beside {} MB in use; the limit is {} MB",
           tokens, tokens * bytes_per_token_ >> 20, held_tokens_ * bytes_per_token_ >> 20,
           options_.max_cache_bytes >> 20),
       "use fewer frames, fewer pixels or fewer new tokens"});
}

KvCache AtenBackend::make_cache(std::int64_t capacity) const {
  check_room(capacity);
  const DecoderConfig& config = decoder_.config();
  try {
    return KvCache(config.layers, capacity, config.kv_heads, config.head_dim,
                   decoder_.embedding_weight().options());
  } catch (const c10::Error&) {  // the only thing an allocation fails for
    throw ResourceError(
        {"cache",
         fmt::format("no memory for {} MB of keys and values", capacity * bytes_per_token_ >> 20),
         "use fewer frames, fewer pixels or fewer new tokens"});
  }
}

Slot AtenBackend::hold(Sequence sequence) {
  held_tokens_ += sequence.cache.capacity();
  sequences_.emplace(next_slot_, std::move(sequence));
  return next_slot_++;
}

AtenBackend::Sequence& AtenBackend::find(Slot slot) {
  const auto found = sequences_.find(slot);
  check(found != sequences_.end(), "a slot is used between its admission and its release");
  return found->second;
}

Tensor AtenBackend::ids_on_device(const std::vector<std::int64_t>& values) const {
  return at::tensor(values, at::kLong).to(decoder_.device());
}

Tensor AtenBackend::run(std::span<const Run> runs, const Tensor& hidden,
                        const Tensor& positions) const {
  std::vector<std::int64_t> counts;
  for (const Run& each : runs) counts.push_back(each.tokens);
  const auto attend = [&](std::int64_t layer, const Tensor& query, const Tensor& key,
                          const Tensor& value) {
    if (runs.size() == 1)
      return runs[0].sequence->cache.append_and_attend(layer, query, key, value);
    const std::vector<Tensor> q = query.split_with_sizes(counts), k = key.split_with_sizes(counts),
                              v = value.split_with_sizes(counts);
    std::vector<Tensor> outputs;
    outputs.reserve(runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) {
      outputs.push_back(runs[i].sequence->cache.append_and_attend(layer, q[i], k[i], v[i]));
    }
    return at::cat(outputs, 0);
  };
  const Tensor out = decoder_.forward(hidden, positions.to(hidden.device()), attend);
  for (const Run& each : runs) each.sequence->cache.advance(each.tokens);
  return out;
}

Admission AtenBackend::admit(const Prompt& prompt, const Tensor& media_tokens,
                             std::int64_t new_tokens) {
  const std::int64_t length = length_of(prompt), media = media_tokens_of(prompt);
  check(length > 0 && new_tokens >= 0, "a prompt has a token");
  expect_shape(prompt.positions, "positions", {kAny, length});
  if (media > 0) {
    check(media_tokens.defined(), "a prompt with media spans comes with media tokens");
    expect_shape(media_tokens, "media_tokens", {media, decoder_.config().hidden_size});
  }
  Sequence sequence{make_cache(length + new_tokens), prompt.tokens, prompt.next_position,
                    prompt.positions.size(0)};
  const Tensor tokens = ids_on_device(prompt.tokens);
  Tensor last;
  for (std::int64_t begin = 0; begin < length; begin += options_.prefill_chunk) {
    const std::int64_t end = std::min(length, begin + options_.prefill_chunk);
    Tensor hidden = decoder_.embed(tokens.slice(0, begin, end));
    fill_spans_(hidden, begin, prompt, media_tokens);
    const Run only{&sequence, end - begin};
    last = run({&only, 1}, hidden, prompt.positions.slice(1, begin, end))
               .slice(0, end - begin - 1, end - begin);
  }
  const Tensor logits = decoder_.logits(last).squeeze(0);
  return {hold(std::move(sequence)), logits};
}

Tensor AtenBackend::step(std::span<const SlotToken> next) {
  std::vector<Run> runs;
  std::vector<std::int64_t> tokens, positions;
  runs.reserve(next.size());
  for (const SlotToken& each : next) {
    Sequence& sequence = find(each.slot);
    runs.push_back({&sequence, 1});
    tokens.push_back(each.token);
    positions.push_back(sequence.next_position++);
    sequence.tokens.push_back(each.token);
  }
  const std::int64_t axes = runs.at(0).sequence->axes;
  const Tensor rows =
      at::tensor(positions, at::kLong).expand({axes, static_cast<std::int64_t>(next.size())});
  return decoder_.logits(run(runs, decoder_.embed(ids_on_device(tokens)), rows));
}

Slot AtenBackend::fork(Slot prefix, std::int64_t new_tokens) {
  const Sequence& from = find(prefix);
  const std::int64_t capacity = from.cache.length() + new_tokens;
  check_room(capacity);
  return hold({from.cache.copy(capacity), from.tokens, from.next_position, from.axes});
}

Tensor AtenBackend::extend(std::span<const SlotPrompt> rest) {
  std::vector<Run> runs;
  std::vector<std::int64_t> tokens, last_rows;
  std::vector<Tensor> positions;
  for (const SlotPrompt& each : rest) {
    Sequence& sequence = find(each.slot);
    const std::vector<std::int64_t>& all = each.prompt->tokens;
    const std::size_t held = sequence.tokens.size();
    check(held < all.size() &&
              std::equal(sequence.tokens.begin(), sequence.tokens.end(), all.begin()),
          "a slot is extended by a prompt that begins with its tokens");
    check(end_of_media(*each.prompt) <= static_cast<std::int64_t>(held),
          "a slot is extended by text only");
    tokens.insert(tokens.end(), all.begin() + static_cast<std::ptrdiff_t>(held), all.end());
    positions.push_back(each.prompt->positions.slice(1, static_cast<std::int64_t>(held)));
    runs.push_back({&sequence, static_cast<std::int64_t>(all.size() - held)});
    last_rows.push_back(static_cast<std::int64_t>(tokens.size()) - 1);
    sequence.tokens = all;
    sequence.next_position = each.prompt->next_position;
  }
  const Tensor hidden = run(runs, decoder_.embed(ids_on_device(tokens)), at::cat(positions, 1));
  return decoder_.logits(hidden.index_select(0, ids_on_device(last_rows)));
}

void AtenBackend::release(Slot slot) {
  held_tokens_ -= find(slot).cache.capacity();
  sequences_.erase(slot);
}

}  // namespace tarsier
