#include "tarsier/train/batch.h"

#include <ATen/ATen.h>

#include <numeric>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

// Grows the packed row one segment at a time.
class Packer {
 public:
  // Returns where the run begins; a run of no tokens makes no segment. `row_before` predicts the
  // run's first token, -1 when nothing does.
  std::int64_t add(const TokenRun& run, std::int64_t parent, std::int64_t row_before) {
    const auto begin = static_cast<std::int64_t>(tokens.size());
    const auto count = static_cast<std::int64_t>(run.tokens.size());
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      tokens.push_back(run.tokens[at]);
      for (std::size_t axis = 0; axis < 3; ++axis)
        positions[axis].push_back(run.positions[axis * static_cast<std::size_t>(count) + at]);
      const std::int64_t row = i == 0 ? row_before : begin + i - 1;
      if (run.labels[at] < 0 || row < 0) continue;
      target_rows.push_back(row);
      labels.push_back(run.labels[at]);
      weights.push_back(run.weights[at]);
    }
    if (count == 0) return begin;
    layout.ends.push_back(begin + count);
    layout.parent.push_back(parent);
    return begin;
  }

  std::vector<std::int64_t> tokens, target_rows, labels, media_rows, marker_rows, event_labels,
      cell_labels;
  std::array<std::vector<std::int64_t>, 3> positions;
  std::vector<float> weights;
  AttentionLayout layout;
};

Tensor to_tensor(const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong); }

std::int64_t rows_of(const Tensor& tensor) { return tensor.defined() ? tensor.size(0) : 0; }

MediaCounts counts_of(const MediaInputs& media) {
  return {rows_of(media.pixels), rows_of(media.grid), rows_of(media.mel),
          static_cast<std::int64_t>(media.layout.size())};
}

// The media of samples one after another; undefined tensors where no sample has any, but for the
// grid, which then has no row.
MediaInputs join_media(std::span<const Sample> samples) {
  std::vector<Tensor> pixels, mel, grid{at::empty({0, 3}, at::kLong)};
  MediaInputs media;
  for (const Sample& sample : samples) {
    if (sample.media.pixels.defined()) pixels.push_back(sample.media.pixels);
    if (sample.media.grid.defined()) grid.push_back(sample.media.grid);
    if (sample.media.mel.defined()) mel.push_back(sample.media.mel);
    media.layout.insert(media.layout.end(), sample.media.layout.begin(), sample.media.layout.end());
  }
  if (!pixels.empty()) media.pixels = at::cat(pixels, 0);
  if (!mel.empty()) media.mel = at::cat(mel, 0);
  media.grid = at::cat(grid, 0);
  return media;
}

}  // namespace

double sum_over(std::span<const double> values, const TargetRange& range) {
  return std::accumulate(values.begin() + range.begin, values.begin() + range.end, 0.0);
}

Batch on_device(Batch batch, at::Device device) {
  for (Tensor* tensor :
       {&batch.media.pixels, &batch.media.mel, &batch.tokens, &batch.positions, &batch.media_rows,
        &batch.target_rows, &batch.labels, &batch.weights, &batch.visible_words, &batch.marker_rows,
        &batch.event_labels, &batch.cell_labels}) {
    if (tensor->defined()) *tensor = tensor->to(device);
  }
  return batch;
}

Batch make_batch(std::span<const Sample> samples, std::int64_t words) {
  check(!samples.empty(), "a batch has a sample");
  Packer packer;
  Batch batch;
  bool words_known = words > 0, events_known = true, cells_known = true;
  for (const Sample& sample : samples) {
    batch.ids.push_back(sample.id);
    const bool shares = !sample.prefix.tokens.empty();
    const auto root = shares ? static_cast<std::int64_t>(packer.layout.ends.size()) : -1;
    const std::int64_t begin = packer.add(sample.prefix, -1, -1);
    const std::int64_t last_row = shares ? packer.layout.ends.back() - 1 : -1;
    for (const std::int64_t row : sample.media_rows) packer.media_rows.push_back(begin + row);
    for (const std::int64_t row : sample.marker_rows) packer.marker_rows.push_back(begin + row);
    for (const EventLabels& event : sample.events) {
      packer.event_labels.insert(packer.event_labels.end(),
                                 {event.kind, event.direction, event.colour, event.shape});
    }
    for (const EventLabels& event : sample.cell_events)
      packer.cell_labels.insert(packer.cell_labels.end(), {event.kind, event.direction});
    cells_known = cells_known && sample.cell_events.size() == sample.media_rows.size();
    words_known = words_known && sample.visible_words.size() == sample.media_rows.size();
    events_known =
        events_known && !sample.events.empty() && sample.events.size() == sample.marker_rows.size();
    BatchSample& placed = batch.samples.emplace_back();
    placed.pair = sample.pair;
    placed.media = counts_of(sample.media);
    for (const TokenRun& branch : sample.branches) {
      const auto first = static_cast<std::int64_t>(packer.labels.size());
      packer.add(branch, root, last_row);
      placed.branches.push_back({first, static_cast<std::int64_t>(packer.labels.size())});
    }
  }
  batch.media = join_media(samples);
  words_known = words_known && !packer.media_rows.empty();
  cells_known = cells_known && !packer.media_rows.empty();
  batch.tokens = to_tensor(packer.tokens);
  batch.positions = at::stack({to_tensor(packer.positions[0]), to_tensor(packer.positions[1]),
                               to_tensor(packer.positions[2])});
  batch.layout = std::move(packer.layout);
  batch.media_rows = to_tensor(packer.media_rows);
  batch.target_rows = to_tensor(packer.target_rows);
  batch.labels = to_tensor(packer.labels);
  batch.weights = at::tensor(packer.weights, at::kFloat);
  for (const float weight : packer.weights) batch.weight_sum += weight;
  if (words_known) {
    batch.visible_words = at::zeros({batch.media_rows.numel(), words}, at::kFloat);
    auto* row = batch.visible_words.mutable_data_ptr<float>();
    for (const Sample& sample : samples) {
      for (const VisibleWords& visible : sample.visible_words) {
        for (const std::int64_t word : visible) row[word] = 1;
        row += words;
      }
    }
  }
  if (events_known) {
    batch.marker_rows = to_tensor(packer.marker_rows);
    batch.event_labels = to_tensor(packer.event_labels).view({-1, 4});
  }
  if (cells_known) batch.cell_labels = to_tensor(packer.cell_labels).view({-1, 2});
  return batch;
}

}  // namespace tarsier
