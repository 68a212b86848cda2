#include "tarsier/models/capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tarsier/base/error.h"

namespace tarsier {
namespace {

using testing::StrEq;
using testing::ThrowsMessage;

Conversation with(std::initializer_list<Modality> media) {
  Message message{"user", {}};
  for (const Modality modality : media) {
    message.parts.push_back(
        {{}, std::make_shared<const Pictures>(Pictures{modality, {Frame{}}, 0, {}})});
  }
  message.parts.push_back({"what?", nullptr});
  return {message};
}

TEST(Capabilities, EveryFamilyTakesWords) {
  for (const Capabilities& family : capabilities()) {
    EXPECT_NO_THROW(check_capable(family, with({}))) << family.family;
    EXPECT_EQ(&capabilities_of(family.family), &family);
    EXPECT_FALSE(family.languages.empty()) << family.family;
  }
}

TEST(Capabilities, WhatAFamilyCannotTakeIsRefused) {
  const Capabilities videos_only{.family = "x", .title = "X", .videos = true};
  EXPECT_NO_THROW(check_capable(videos_only, with({Modality::video})));
  const auto refusal = [&](std::initializer_list<Modality> media, const char* what) {
    EXPECT_THAT([&] { check_capable(videos_only, with(media)); },
                ThrowsMessage<InputError>(StrEq(what)));
  };
  refusal({Modality::image},
          "prompt: holds an image, which X does not take; see `tarsier models` for what each "
          "family takes");
  refusal({Modality::audio},
          "prompt: holds sound, which X does not take; see `tarsier models` for what each family "
          "takes");
  refusal({Modality::video, Modality::video},
          "prompt: holds 2 images and videos, X takes one; ask about one at a time");
}

TEST(Capabilities, AFamilyWithoutARowIsOurBug) {
  EXPECT_THROW(capabilities_of("nobody"), InternalError);
}

}  // namespace
}  // namespace tarsier
