// The text that tools/fixtures/make_nano_tokenizer.py makes a tokenizer of.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "tarsier/synth/languages/table.h"
#include "tarsier/synth/vocabulary.h"

namespace tarsier {
namespace {

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
