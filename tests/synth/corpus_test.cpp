// The texts that tools/fixtures/make_nano_tokenizer.py and extend_nano_tokenizer.py make tokenizers
// of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

// A tokenizer made of it must come out the same: FNV-1a of every text.
TEST(Corpus, OfTheSilentLevelsStaysTheSame) {
  std::uint64_t value = 0xcbf29ce484222325ULL;
  for (const Language language : kLanguages) {
    for (const std::string& text : corpus(language)) {
      for (const char c : text + "\n")
        value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
  }
  EXPECT_EQ(value, 1441690869257508545u);
}

TEST(Corpus, HoldsTheWordsOfSoundsWhereAskedFor) {
  std::ofstream file;  // TARSIER_SOUND_CORPUS=FILE writes the text
  if (const char* name = std::getenv("TARSIER_SOUND_CORPUS")) file.open(name, std::ios::binary);
  std::set<std::string> written;
  for (const Language language : kLanguages) {
    const std::vector<std::string> silent = corpus(language), all = corpus(language, true);
    ASSERT_LT(silent.size(), all.size());
    EXPECT_TRUE(std::equal(silent.begin(), silent.end(), all.begin()));
    std::string text;
    for (const std::string& line : all) {
      if (written.insert(line).second) file << line << "\n";
    }
    for (std::size_t i = silent.size(); i < all.size(); ++i) {
      text += all[i];
      const bool cut = !table(language).particles.empty();
      EXPECT_TRUE(!cut || all[i].size() <= 12 || all[i].starts_with("<frame: ")) << all[i];
    }
    for (const std::string_view name : table(language).sounds.names)
      EXPECT_NE(text.find(name), std::string::npos) << name;
  }
}

TEST(Corpus, HoldsEveryWordOfEveryLanguage) {
  std::ofstream file;  // TARSIER_CORPUS=FILE writes the text, for a new tokenizer
  if (const char* name = std::getenv("TARSIER_CORPUS")) file.open(name, std::ios::binary);
  for (const Language language : kLanguages) {
    const LanguageTable& words = table(language);
    std::string all;
    std::set<std::string> seen;
    for (const std::string& text : corpus(language)) {
      all += text + "\n";
      if (seen.insert(text).second) file << text << "\n";
    }
    const auto expect = [&](const auto& list) {
      for (const std::string_view word : list)
        EXPECT_NE(all.find(word), std::string::npos) << words.name << ": " << word;
    };
    expect(words.shapes);
    expect(words.sizes[0]);
    for (const auto& form : words.colours) expect(form);
    expect(words.backgrounds);
    expect(words.directions);
    expect(words.edges);
    expect(words.counts);
    expect(words.at_places);
    if (words.particles.empty()) continue;
    for (const std::string& piece : seen)  // no long unknown rest
      EXPECT_TRUE(piece.size() <= 12 || piece.starts_with("<frame: ")) << piece;
  }
  EXPECT_TRUE(!file.is_open() || file.good());
}

}  // namespace
}  // namespace tarsier
