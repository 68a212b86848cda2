// Damaged checkpoints of a run (reliability T4).
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tarsier/base/error.h"
#include "tarsier/base/log.h"
#include "tarsier/base/random.h"
#include "tarsier/checkpoint/manifest.h"
#include "tarsier/train/learner.h"
#include "tarsier/train/run_setup.h"
#include "tarsier/train/stage_sources.h"
#include "tarsier/train/train_state.h"
#include "tarsier/train/trainer.h"
#include "tests/train/tiny_model.h"

namespace tarsier {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int kFlips = 200;

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// A finished run with its checkpoints of steps 4 and 6, and what they are loaded into.
class DamagedCheckpoint : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { shared_ = new Shared; }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view line) { log_ += std::string(line) + "\n"; });
    fs::remove_all(run());
    fs::create_directories(run());
    fs::copy(shared_->folder / "run" / "checkpoints", run() / "checkpoints",
             fs::copy_options::recursive);
  }
  void TearDown() override { set_log_sink({}); }

  fs::path run() const { return shared_->folder / "damaged"; }
  fs::path newest() const { return run() / "checkpoints" / "step-00000006"; }
  fs::path previous() const { return run() / "checkpoints" / "step-00000004"; }

  std::optional<TrainState> load() {
    log_.clear();
    return load_checkpoint(run(), shared_->recipe.hash, shared_->learner.optimizer());
  }

  // The previous one is loaded, and the warning names the file and why.
  void expect_fallback(const std::string& file) {
    const std::optional<TrainState> state = load();
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->step, 4);
    EXPECT_THAT(log_, HasSubstr((newest() / file).string() + (file.empty() ? "" : ": ")));
    EXPECT_THAT(log_, HasSubstr("; trying an older checkpoint"));
  }

  struct Shared {
    fs::path folder = test::fresh_folder("damaged_checkpoint");
    Recipe recipe = read_recipe(
        test::write_recipe(folder, test::make_tiny_model(folder), [](nlohmann::json&) {}));
    bool finished = train(recipe, {folder / "run"}) == TrainOutcome::finished;
    std::shared_ptr<VideoLanguageModel> model = load_trainable(recipe);
    StageSources sources{*model, recipe};
    Learner learner{model, sources.word_tokens()};
  };
  static Shared* shared_;
  std::string log_;
};

DamagedCheckpoint::Shared* DamagedCheckpoint::shared_ = nullptr;

TEST_F(DamagedCheckpoint, TheSoundOneIsLoadedWithoutAWarning) {
  ASSERT_TRUE(shared_->finished);
  const std::optional<TrainState> state = load();
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->step, 6);
  EXPECT_EQ(log_, "");
}

TEST_F(DamagedCheckpoint, EveryFlippedBitOfTheWeightsAndTheStateIsNoticed) {
  Random random({4, 1});
  for (const char* name : {"state.safetensors", "state.json"}) {
    const std::string sound = bytes_of(newest() / name);
    for (int i = 0; i < kFlips; ++i) {
      std::string damaged = sound;
      const auto bit = static_cast<std::size_t>(
          random.integer(0, 8 * static_cast<std::int64_t>(sound.size()) - 1));
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      write_bytes(newest() / name, damaged);
      SCOPED_TRACE(fmt::format("{} bit {}", name, bit));
      expect_fallback(name);
    }
    write_bytes(newest() / name, sound);
  }
}

// A manifest damaged in a name or a hash speaks of other files than are there: the warning names
// one in the same folder.
TEST_F(DamagedCheckpoint, EveryFlippedBitOfTheManifestIsNoticed) {
  Random random({4, 2});
  const std::string sound = bytes_of(newest() / kManifestName);
  for (int i = 0; i < kFlips; ++i) {
    std::string damaged = sound;
    const auto bit = static_cast<std::size_t>(
        random.integer(0, 8 * static_cast<std::int64_t>(sound.size() - 1) - 1));
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write_bytes(newest() / kManifestName, damaged);
    SCOPED_TRACE(fmt::format("bit {}", bit));
    expect_fallback("");
  }
}

TEST_F(DamagedCheckpoint, CutAndMissingFilesAreNamed) {
  for (const char* name : {"state.safetensors", "state.json", kManifestName}) {
    SCOPED_TRACE(name);
    const std::string sound = bytes_of(newest() / name);
    for (const std::size_t left :
         {std::size_t{0}, std::size_t{1}, sound.size() / 2, sound.size() - 2}) {
      write_bytes(newest() / name, sound.substr(0, left));
      SCOPED_TRACE(left);
      expect_fallback(name == std::string(kManifestName) ? "" : name);
      EXPECT_THAT(log_, HasSubstr(name));
    }
    fs::remove(newest() / name);
    expect_fallback(name);
    EXPECT_THAT(log_, HasSubstr(std::string(name) + ": is missing"));
    write_bytes(newest() / name, sound);
  }
}

TEST_F(DamagedCheckpoint, TheWeightsThatAreUsedAreThoseOfThePreviousOne) {
  fs::remove(newest() / "state.json");
  ASSERT_EQ(load()->step, 4);
  const auto total = [&] {
    double sum = 0;
    for (const Optimizer::Parameter& parameter : shared_->learner.optimizer().parameters())
      sum += parameter.master.sum().item<double>() + parameter.mean.sum().item<double>();
    return sum;
  };
  const double fallen_back = total();
  fs::remove_all(newest());
  ASSERT_EQ(load()->step, 4);
  EXPECT_EQ(log_, "");
  EXPECT_EQ(total(), fallen_back);
}

// A run whose every checkpoint is damaged has lost something: it does not start anew by itself.
TEST_F(DamagedCheckpoint, AllOfThemIsAnError) {
  fs::remove(newest() / "state.json");
  fs::remove(previous() / "state.json");
  try {
    load();
    FAIL() << "nothing was whole";
  } catch (const CheckpointError& error) {
    EXPECT_EQ(std::string(error.what()),
              (run() / "checkpoints").string() +
                  ": holds no checkpoint that is whole; restore one, or start anew with another "
                  "--out");
  }
  EXPECT_THAT(log_, HasSubstr((newest() / "state.json").string()));
  EXPECT_THAT(log_, HasSubstr((previous() / "state.json").string()));
}

// With one to keep, a damaged checkpoint of a later step is not that one.
TEST_F(DamagedCheckpoint, DoesNotCountAsKept) {
  fs::remove(newest() / "state.json");
  TrainState state = *load();
  state.step = 5;
  save_checkpoint(run(), state, shared_->learner.optimizer(), 1);
  EXPECT_FALSE(fs::exists(newest()));
  EXPECT_FALSE(fs::exists(previous()));
  EXPECT_EQ(load()->step, 5);
  EXPECT_EQ(log_, "");
}

}  // namespace
}  // namespace tarsier
