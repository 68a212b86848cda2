#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "tarsier/base/error.h"
#include "tarsier/train/distributed/communicator.h"

namespace tarsier {
namespace {

// How long the store, which is on rank 0's machine, may take to say how far the others are.
constexpr std::chrono::seconds kAskLimit{5};
// Between a collective that broke and the question who broke it: the others' last words arrive.
constexpr std::chrono::milliseconds kGrace{500};
// How long rank 0 stays after a failure: the store is its own, and the others have yet to ask.
constexpr std::chrono::seconds kStay{3};

class Gloo final : public Communicator {
 public:
  Gloo(const Launch& launch, std::chrono::seconds limit) : launch_(launch), limit_(limit) {
    // A peer that is gone is an error of the call, not the end of this process.
    std::signal(SIGPIPE, SIG_IGN);
    try {
      c10d::TCPStoreOptions options;
      options.port = static_cast<std::uint16_t>(launch.port);
      options.isServer = launch.rank == 0;
      options.numWorkers = static_cast<std::size_t>(launch.size);
      options.timeout = limit;
      store_ = c10::make_intrusive<c10d::TCPStore>(launch.host, options);
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
          store_, static_cast<int>(launch.rank), static_cast<int>(launch.size),
          c10d::ProcessGroupGloo::Options::create_default(limit));
      store_->setTimeout(kAskLimit);
    } catch (const std::exception&) {
      throw ResourceError({fmt::format("rank {}", launch.rank),
                           fmt::format("did not meet the other {} ranks at {}:{} within {} s",
                                       launch.size - 1, launch.host, launch.port, limit.count()),
                           "check that all of them started, and that the port is free and open"});
    }
  }

  std::int64_t rank() const override { return launch_.rank; }
  std::int64_t size() const override { return launch_.size; }

  void all_reduce_sum_(Tensor& tensor) override {
    check(tensor.is_contiguous(), "a reduced tensor is contiguous");
    together([&] {
      std::vector<at::Tensor> tensors{tensor};
      group_->allreduce(tensors)->wait();
    });
  }

  void broadcast_(Tensor& tensor, std::int64_t root) override {
    check(tensor.is_contiguous(), "a broadcast tensor is contiguous");
    together([&] {
      std::vector<at::Tensor> tensors{tensor};
      c10d::BroadcastOptions options;
      options.rootRank = root;
      group_->broadcast(tensors, options)->wait();
    });
  }

  void barrier() override {
    together([&] { group_->barrier()->wait(); });
  }

 private:
  static std::string key_of(std::int64_t rank) { return fmt::format("tarsier/calls/{}", rank); }

  template <class Collective>
  void together(const Collective& collective) {
    ++calls_;
    try {
      const std::string text = std::to_string(calls_);
      store_->set(key_of(launch_.rank), std::vector<std::uint8_t>(text.begin(), text.end()));
      collective();
    } catch (const std::exception&) {
      throw_culprit();
    }
  }

  // How many calls a rank has come to.
  std::int64_t calls_of(std::int64_t rank) {
    if (!store_->check({key_of(rank)})) return 0;
    const std::vector<std::uint8_t> text = store_->get(key_of(rank));
    return std::stoll(std::string(text.begin(), text.end()));
  }

  // A rank that died or hangs has come to fewer calls than those who wait for it.
  [[noreturn]] void throw_culprit() {
    std::this_thread::sleep_for(kGrace);
    std::string names;
    try {
      std::int64_t fewest = calls_;
      std::vector<std::int64_t> calls(static_cast<std::size_t>(launch_.size));
      for (std::int64_t rank = 0; rank < launch_.size; ++rank) {
        calls[static_cast<std::size_t>(rank)] = calls_of(rank);
        fewest = std::min(fewest, calls[static_cast<std::size_t>(rank)]);
      }
      for (std::int64_t rank = 0; rank < launch_.size; ++rank) {
        if (rank != launch_.rank && calls[static_cast<std::size_t>(rank)] == fewest)
          names += (names.empty() ? "rank " : ", rank ") + std::to_string(rank);
      }
    } catch (const std::exception&) {
      names = "rank 0";  // the store is there, and gone with it
    }
    if (launch_.rank == 0) std::this_thread::sleep_for(kStay);
    throw ResourceError(
        {names,
         fmt::format("stopped answering rank {} (time limit {} s)", launch_.rank, limit_.count()),
         "look at its log; the same command goes on from the newest checkpoint"});
  }

  Launch launch_;
  std::chrono::seconds limit_;
  std::int64_t calls_ = 0;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::unique_ptr<Communicator> make_gloo_communicator(const Launch& launch,
                                                     std::chrono::seconds limit) {
  return std::make_unique<Gloo>(launch, limit);
}

}  // namespace tarsier
