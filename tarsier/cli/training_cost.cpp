#include "tarsier/cli/training_cost.h"

#include <algorithm>
#include <vector>

namespace tarsier {
namespace {

constexpr std::int64_t kReal = 4;  // f32: moments, sums of gradients, logits
constexpr std::int64_t kStepsAhead =
    5;  // prepared, being prepared, and the one at work (train/prefetch)

/// One stretch of a micro-batch's graph, in the order of its forward.
struct Part {
  std::int64_t kept = 0;     // activations, from its forward to its backward
  std::int64_t weights = 0;  // values of weights whose gradient its backward makes
  std::int64_t work = 0;     // besides, while it runs
  std::int64_t again = 0;    // activations that recomputing makes anew, while its backward runs
  std::int64_t stays = 0;    // gradients that its forward makes already
};

std::int64_t inner_width(const Qwen2VlVitConfig& v) {
  return static_cast<std::int64_t>(static_cast<double>(v.embed_dim) * v.mlp_ratio);
}

// Values that a block's backward needs. f32: inputs of norms and products, rotated queries and keys
// beside the whole qkv (a part of it is the values), attention's output, both sides of the
// activation. 16 bits: attention and rotation go through f32, the activation is two ATen
// operations.
std::int64_t block_bytes(const Qwen2VlVitConfig& v, std::int64_t element) {
  const std::int64_t e = v.embed_dim, inner = inner_width(v);
  return element == kReal ? kReal * (10 * e + 2 * inner) : 26 * e + 6 * inner;
}

// The same of a decoder layer: 6 h + 2 h_kv + 3 f values in f32. In 16 bits a norm keeps its f32
// input too, and SwiGLU its inner product.
std::int64_t layer_bytes(const DecoderConfig& d, std::int64_t element) {
  const std::int64_t h = d.hidden_size, q = d.heads * d.head_dim, kv = d.kv_heads * d.head_dim,
                     f = d.intermediate_size;
  return element == kReal ? kReal * (4 * h + 2 * q + 2 * kv + 3 * f + d.heads + 2)
                          : 16 * h + 10 * q + 8 * kv + 8 * f + kReal * (d.heads + 2);
}

std::int64_t block_weights(const Qwen2VlVitConfig& v) {
  const std::int64_t e = v.embed_dim, inner = inner_width(v);
  return 4 * e * e + 2 * e * inner + 9 * e + inner;
}

std::int64_t layer_weights(const DecoderConfig& d) {
  const std::int64_t h = d.hidden_size, q = d.heads * d.head_dim, kv = d.kv_heads * d.head_dim;
  return 2 * h * q + 2 * h * kv + 3 * h * d.intermediate_size + 2 * h + q + 2 * kv;
}

std::vector<Part> parts_of(const TrainingShape& s) {
  const Qwen2VlVitConfig& v = s.vision;
  const DecoderConfig& d = s.decoder;
  const std::int64_t element = s.element_bytes, e = v.embed_dim, h = d.hidden_size;
  const std::int64_t patches = s.clips * s.patches, merged = v.merge_size * v.merge_size;
  const std::int64_t tokens = s.clips * (s.prompt_tokens + s.answer_tokens);
  const std::int64_t targets = s.clips * s.target_tokens;
  const auto repeated = [&](Part part, std::int64_t count, std::int64_t input,
                            std::vector<Part>& parts) {
    if (s.recompute) {
      part.again = part.kept;
      part.kept = input;
    }
    parts.insert(parts.end(), static_cast<std::size_t>(count), part);
  };
  std::vector<Part> parts;
  // 16-bit products read pixels of their own type.
  const std::int64_t narrow_pixels = element == kReal ? 0 : patches * v.patch_values() * element;
  parts.push_back({narrow_pixels, v.patch_values() * e, patches * e * element});
  repeated({patches * block_bytes(v, element), block_weights(v),
            patches * (2 * inner_width(v) + 2 * e) * element},
           v.depth, patches * e * element, parts);
  const std::int64_t joined = e * merged;  // of four patches
  parts.push_back({patches * (2 * e + 2 * e) * element,
                   joined * joined + joined * h + 2 * e + joined + h, patches * e * element});
  // The table's rows, with the media tokens in their places. A tied table has a gradient by then.
  const std::int64_t table = d.vocab_size * h;
  parts.push_back(
      {0, d.tied_head ? 0 : table, 2 * tokens * h * element + (d.tied_head ? table * element : 0)});
  repeated({tokens * layer_bytes(d, element), layer_weights(d),
            tokens * (3 * d.intermediate_size + 2 * h) * element},
           d.layers, tokens * h * element, parts);
  // The loss makes the gradients of its rows and, in f32, of the head in its forward.
  const std::int64_t norm = element == kReal ? h * kReal : h * (kReal + element);
  Part loss{tokens * norm + targets * h * element, h, tokens * h * element};
  if (element == kReal) {
    loss.stays = table * kReal;
  } else {
    loss.kept += table * kReal;
    loss.weights += table;
  }
  parts.push_back(loss);
  return parts;
}

std::int64_t logits_bytes(const TrainingShape& s) {
  const std::int64_t rows = std::min(s.logit_chunk, s.clips * s.target_tokens);
  // Logits and their logarithms; 16-bit products besides give and take their own type.
  return rows * s.decoder.vocab_size *
         (2 * kReal + (s.element_bytes == kReal ? 0 : 2 * s.element_bytes));
}

// The most that one micro-batch holds: its forward up to the loss, or some place of its backward.
std::int64_t batch_peak(const TrainingShape& s) {
  const std::vector<Part> parts = parts_of(s);
  std::int64_t held = 0, peak = 0;
  for (const Part& part : parts) {
    peak = std::max(peak, held + std::max(part.kept, part.again) + part.work);
    held += part.kept + part.stays;
  }
  peak = std::max(peak, held + logits_bytes(s));
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    held += part->weights * s.element_bytes;
    peak = std::max(peak, held + part->again + part->work);
    held -= part->kept;
  }
  return peak;
}

// Muon's polynomial on the largest matrix of each worker: the momentum ahead, two iterates, and
// three squares of the short side.
std::int64_t update_work(const TrainingShape& s) {
  const std::int64_t h = s.decoder.hidden_size, f = s.decoder.intermediate_size;
  const std::int64_t matrix = h * f, side = std::min(h, f);
  return kReal * (s.rule == UpdateRule::muon ? s.workers * (4 * matrix + 2 * side * side) : matrix);
}

}  // namespace

TrainingMemory training_memory(const TrainingShape& s) {
  TrainingMemory memory;
  const bool narrow = s.element_bytes != kReal;
  memory.weights = s.parameters * s.element_bytes;
  memory.master = narrow ? s.parameters * kReal : 0;
  memory.moments = 2 * s.parameters * kReal;
  memory.averages = s.averages ? s.parameters * kReal : 0;
  const std::int64_t clip_pixels = s.patches * s.vision.patch_values() * kReal;
  memory.pixels = kStepsAhead * s.accumulate * s.clips * clip_pixels;

  const std::int64_t workers = std::min(s.workers, s.accumulate);
  const bool several_rounds = s.accumulate > workers;
  // The sum is a tensor of its own unless it is the first f32 gradients themselves.
  const std::int64_t sum = several_rounds || narrow ? s.parameters * kReal : 0;
  memory.gradients = workers * s.parameters * s.element_bytes + sum;

  const std::int64_t tokens = s.clips * (s.prompt_tokens + s.answer_tokens);
  const std::int64_t patches = s.clips * s.patches;
  memory.decoder_layer = tokens * (s.recompute ? s.decoder.hidden_size * s.element_bytes
                                               : layer_bytes(s.decoder, s.element_bytes));
  memory.vision_block = patches * (s.recompute ? s.vision.embed_dim * s.element_bytes
                                               : block_bytes(s.vision, s.element_bytes));
  for (const Part& part : parts_of(s)) memory.activations += part.kept;
  memory.activations *= workers;
  memory.logits = workers * logits_bytes(s);

  const std::int64_t fixed =
      memory.weights + memory.master + memory.moments + memory.averages + memory.pixels;
  const std::int64_t learning =
      workers * batch_peak(s) + (several_rounds ? s.parameters * kReal : 0);
  memory.peak =
      fixed + std::max({learning, memory.gradients, s.parameters * kReal + update_work(s)});
  return memory;
}

double training_flops(const TrainingShape& s, double vision_forward, double decoder_forward) {
  const double passes = s.recompute ? 4 : 3;
  const auto clips = static_cast<double>(s.clips * s.accumulate);
  const double head = 3 * 2 * static_cast<double>(s.target_tokens) *
                      static_cast<double>(s.decoder.vocab_size * s.decoder.hidden_size);
  return clips * (passes * (vision_forward + decoder_forward) + head);
}

}  // namespace tarsier
