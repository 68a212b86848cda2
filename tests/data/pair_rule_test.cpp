// Exact rules for pairs: training.md 5.3 and 7.4, with the vectors of section 15.
#include "tarsier/data/pairs/pair_rule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tarsier/base/error.h"
#include "tarsier/data/pairs/choose_pairs.h"

namespace tarsier {
namespace {

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Fraction, ArithmeticAndOrder) {
  EXPECT_EQ(Fraction(6, 20), Fraction(3, 10));
  EXPECT_EQ(Fraction(3, -6), Fraction(-1, 2));
  EXPECT_EQ(Fraction(0, 7), Fraction(0));
  EXPECT_EQ(Fraction(7, 10) - Fraction(4, 10) + (Fraction(7, 10) - Fraction(7, 10)),
            Fraction(3, 10));
  EXPECT_LT(0.7 - 0.4 + (0.7 - 0.7), 0.3) << "what doubles make of it";
  EXPECT_LT(Fraction(1, 3), Fraction(333'333'334, 1'000'000'000));
  EXPECT_GT(Fraction(1, 3), Fraction(333'333'333, 1'000'000'000));
  EXPECT_LT(Fraction(-1, 2), Fraction(-1, 3));
  EXPECT_LT(Fraction(INT64_MAX - 1, INT64_MAX), Fraction(1)) << "products of 128 bits";
  EXPECT_EQ(Fraction(1, 4).text(), "1/4");
  EXPECT_EQ(Fraction(-4, 2).text(), "-2");
  EXPECT_EQ(Fraction(3, 10).value(), 0.3);
  EXPECT_EQ(floor_times(10, Fraction(7, 10)), 7);
  EXPECT_EQ(floor_times(10, Fraction(-1, 20)), -1);
  EXPECT_EQ(floor_times(10, Fraction(-1, 10)), -1);
  EXPECT_EQ(floor_times(-15, Fraction(1, 10)), -2);
  EXPECT_THROW(Fraction(1, 0), InternalError);
  EXPECT_THROW(Fraction(INT64_MAX) + Fraction(1), InternalError);
}

TEST(Fraction, ThePairsOfBoundedSharesNeverOverflow) {
  constexpr std::int64_t kMost = RowCandidates::kMostEvents;
  const Fraction recall = Fraction(kMost - 1, kMost) - Fraction(1, kMost - 1);
  const Fraction precision = Fraction(kMost - 4, kMost - 3) - Fraction(2, kMost - 7);
  EXPECT_GT(recall + precision, Fraction(1));
  EXPECT_LT(recall + precision, Fraction(2));
}

TEST(Fraction, DecimalsAsTyped) {
  EXPECT_EQ(parse_decimal("0.3", "--delta"), Fraction(3, 10));
  EXPECT_EQ(parse_decimal("0.30", "--delta"), Fraction(3, 10));
  EXPECT_EQ(parse_decimal("2", "--delta"), Fraction(2));
  EXPECT_EQ(parse_decimal("123456789.987654321", "--delta"),
            Fraction(123'456'789'987'654'321, 1'000'000'000));
  for (const char* text : {"", ".", "1.", ".5", "-0.3", "+1", "0,3", "1e-3", "0.3 ", "nan",
                           "0.1234567890", "1234567890", "1.2.3"})
    EXPECT_EQ(message_of([&] { parse_decimal(text, "--delta"); }),
              "--delta: '" + std::string(text) +
                  "' is not a decimal number; give one as 0.3, with at most 9 digits behind the "
                  "point");
}

Candidate scored(const std::string& text, EventShare recall, EventShare precision) {
  Candidate candidate;
  candidate.text = text;
  candidate.score = CandidateScore{recall, precision, std::nullopt, "exact", "h"};
  return candidate;
}

Candidate faulty(const std::string& text, EventErrors errors) {
  Candidate candidate;
  candidate.text = text;
  candidate.score = CandidateScore{std::nullopt, std::nullopt, errors, "exact", "h"};
  return candidate;
}

// Hundredths.
std::string verdict(std::int64_t rc, std::int64_t pc, std::int64_t rr, std::int64_t pr,
                    const std::string& delta = "0.3") {
  PairSettings settings;
  settings.delta = parse_decimal(delta, "--delta");
  const auto fault =
      score_fault(scored("a", {rc, 100}, {pc, 100}), scored("b", {rr, 100}, {pr, 100}), settings);
  return fault ? name_of(*fault) : "kept";
}

TEST(PairRule, AutodqVectors) {
  EXPECT_EQ(verdict(60, 70, 40, 50), "kept");
  EXPECT_EQ(verdict(60, 50, 20, 60), "precision_fell");
  EXPECT_EQ(verdict(50, 50, 40, 40), "below_delta");
  EXPECT_EQ(verdict(75, 50, 50, 45), "kept") << "exactly 0.3";
  EXPECT_EQ(verdict(70, 70, 40, 70), "kept") << "exactly 0.3, less in doubles";
  EXPECT_EQ(verdict(80, 60, 60, 50), "kept");
}

TEST(PairRule, AutodqAtItsEdges) {
  EXPECT_EQ(verdict(20, 90, 30, 20), "recall_fell");
  EXPECT_EQ(verdict(20, 20, 30, 30), "recall_fell");
  EXPECT_EQ(verdict(50, 50, 50, 50), "below_delta");
  EXPECT_EQ(verdict(50, 50, 50, 50, "0"), "kept") << "at delta 0 nothing need be gained";
  EXPECT_EQ(verdict(70, 70, 40, 70, "0.300000001"), "below_delta");
  PairSettings settings;
  const auto fault_of = [&](EventShare recall) {
    return score_fault(scored("a", recall, {1, 2}), scored("b", {0, 1}, {1, 2}), settings);
  };
  EXPECT_EQ(fault_of({2999, 10'000}), PairFault::below_delta) << "0.2999";
  EXPECT_EQ(fault_of({3000, 10'000}), std::nullopt);
  EXPECT_EQ(fault_of({3, 10}), std::nullopt);
  settings.delta = parse_decimal("0.29999", "--delta");
  EXPECT_EQ(fault_of({2999, 10'000}), PairFault::below_delta);
  settings.delta = parse_decimal("0.2999", "--delta");
  EXPECT_EQ(fault_of({2999, 10'000}), std::nullopt);
}

TEST(PairRule, ErrorsPerEvent) {
  PairSettings settings;
  settings.rule = PairRule::error;
  const auto fault_of = [&](EventErrors chosen, EventErrors rejected) {
    const auto fault = score_fault(faulty("a", chosen), faulty("b", rejected), settings);
    return fault ? std::string(name_of(*fault)) : "kept";
  };
  EXPECT_EQ(fault_of({1, 0, 0, 20}, {1, 1, 0, 20}), "kept") << "exactly 0.05";
  EXPECT_EQ(fault_of({1, 0, 0, 21}, {1, 1, 0, 21}), "below_gap");
  EXPECT_EQ(fault_of({0, 0, 9, 4}, {4, 0, 6, 4}), "kept") << "rates may be above 1";
  EXPECT_EQ(fault_of({1, 1, 1, 4}, {0, 0, 0, 4}), "below_gap") << "never turned around";
  EXPECT_EQ(fault_of({0, 0, 0, 0}, {0, 0, 1, 0}), "no_events");
  settings.min_gap = parse_decimal("0.5", "--min-gap");
  EXPECT_EQ(fault_of({0, 0, 1, 4}, {1, 1, 1, 4}), "kept");
  EXPECT_EQ(fault_of({0, 0, 2, 4}, {1, 1, 1, 4}), "below_gap");
}

TEST(PairRule, ScoresThatAreMissingOrOfAnotherJudge) {
  PairSettings settings;
  const Candidate good = scored("a", {1, 1}, {1, 1}), bad = scored("b", {0, 1}, {0, 1});
  Candidate unscored = bad;
  unscored.score.reset();
  EXPECT_EQ(score_fault(good, unscored, settings), PairFault::unscored);
  EXPECT_EQ(score_fault(unscored, bad, settings), PairFault::unscored);
  EXPECT_EQ(score_fault(good, faulty("b", {1, 1, 1, 4}), settings), PairFault::unscored)
      << "the other metric alone";
  Candidate other = bad;
  other.score->judge = "llm";
  EXPECT_EQ(score_fault(good, other, settings), PairFault::other_judge);
  other = bad;
  other.score->prompt_hash = "other words";
  EXPECT_EQ(score_fault(good, other, settings), PairFault::other_judge);
  EXPECT_EQ(differences_of(good, other).recall, std::nullopt) << "and they are not compared";
  settings.rule = PairRule::error;
  EXPECT_EQ(score_fault(good, bad, settings), PairFault::unscored);
  settings.filter = false;
  EXPECT_EQ(score_fault(unscored, unscored, settings), std::nullopt);
  settings.source = PairSource::intact;
  EXPECT_EQ(score_fault(good, unscored, settings), PairFault::unscored)
      << "the better one must be known";
}

TEST(PairRule, TextsThatAreNeverPaired) {
  const auto fault_of = [](const std::string& a, const std::string& b,
                           AnswerEnd end = AnswerEnd::stop) {
    Candidate first, second;
    first.text = a;
    second.text = b;
    second.finish = end;
    EXPECT_EQ(text_fault(first, second), text_fault(second, first));
    return text_fault(first, second);
  };
  EXPECT_EQ(fault_of("a", "b"), std::nullopt);
  EXPECT_EQ(fault_of("a", ""), PairFault::empty);
  EXPECT_EQ(fault_of("a", " \n\t"), PairFault::empty);
  EXPECT_EQ(fault_of("a", "b", AnswerEnd::length), PairFault::cut);
  EXPECT_EQ(fault_of("a", "b", AnswerEnd::loop), PairFault::loop);
  EXPECT_EQ(fault_of("a", "a"), PairFault::identical);
  EXPECT_EQ(fault_of("a b", " a b\n"), PairFault::identical);
  EXPECT_EQ(fault_of("a b", "A b"), std::nullopt);
}

RowCandidates row_of(std::vector<Candidate> intact, std::vector<Candidate> corrupted) {
  RowCandidates row;
  row.corruptions = {{Corruption::crop, {1, 2}}};
  row.samples = std::move(intact);
  for (Candidate& candidate : corrupted) {
    candidate.corruption = 0;
    row.samples.push_back(std::move(candidate));
  }
  return row;
}

// "chosen>rejected chosen>rejected".
std::string chosen_of(const RowCandidates& row, const PairSettings& settings) {
  std::string text;
  const PairChoice choice = choose_pairs(row, settings);
  for (const ChosenPair& pair : choice.pairs)
    text += (text.empty() ? "" : " ") + row.samples[pair.chosen].text + ">" +
            row.samples[pair.rejected].text;
  if (text.empty()) {
    const Dropped why = why_no_pair(row, choice, settings);
    return why.reason + ": " + why.detail;
  }
  return text;
}

Candidate tenths(const std::string& text, std::int64_t recall, std::int64_t precision = 5) {
  return scored(text, {recall, 10}, {precision, 10});
}

TEST(ChoosePairs, LargestGainFirstTiesByOrder) {
  PairSettings settings;
  EXPECT_EQ(chosen_of(row_of({tenths("a", 6), tenths("b", 9)}, {tenths("x", 3), tenths("y", 1)}),
                      settings),
            "b>y");
  EXPECT_EQ(chosen_of(row_of({tenths("a", 9), tenths("b", 9)}, {tenths("x", 1), tenths("y", 1)}),
                      settings),
            "a>x");
  EXPECT_EQ(chosen_of(row_of({tenths("a", 9)}, {tenths("x", 1)}), settings), "a>x");
  const PairChoice choice = choose_pairs(row_of({tenths("a b c", 9)}, {tenths("x", 1)}), settings);
  EXPECT_EQ(choice.pairs.at(0).gain, Fraction(4, 5));
  EXPECT_EQ(choice.pairs.at(0).differences.words, 2);
}

TEST(ChoosePairs, NoTextTwiceWhileThereIsAnotherWay) {
  PairSettings settings;
  settings.per_row = 2;
  const RowCandidates row =
      row_of({tenths("a", 9), tenths("b", 8)}, {tenths("x", 1), tenths("y", 2)});
  EXPECT_EQ(chosen_of(row, settings), "a>x b>y") << "not a>y or b>x, which gain more";
  settings.per_row = 3;
  EXPECT_EQ(chosen_of(row, settings), "a>x b>y a>y");
  settings.per_row = 9;
  EXPECT_EQ(chosen_of(row, settings), "a>x b>y a>y b>x");
  EXPECT_EQ(chosen_of(row_of({tenths("a", 9)}, {tenths("x", 1), tenths("y", 2)}), settings),
            "a>x a>y")
      << "no other way";
  EXPECT_EQ(chosen_of(row_of({tenths("a", 9), tenths("a", 9)}, {tenths("x", 1), tenths("x", 1)}),
                      settings),
            "a>x")
      << "the same words once";
}

TEST(ChoosePairs, FromTheIntactVideoTheBetterIsChosen) {
  PairSettings settings;
  settings.source = PairSource::intact;
  EXPECT_EQ(chosen_of(row_of({tenths("a", 2), tenths("b", 9)}, {tenths("x", 0)}), settings), "b>a")
      << "answers of corrupted videos are left out";
  EXPECT_EQ(chosen_of(row_of({tenths("a", 2, 9), tenths("b", 9, 4)}, {}), settings),
            "precision_fell: answers two by two: precision_fell 1");
  EXPECT_EQ(chosen_of(row_of({tenths("a", 5), tenths("b", 5)}, {}), settings),
            "equal: answers two by two: equal 1");
  settings.filter = false;
  EXPECT_EQ(chosen_of(row_of({tenths("a", 2, 9), tenths("b", 10, 4)}, {}), settings), "b>a");
  EXPECT_EQ(chosen_of(row_of({tenths("a", 5), tenths("b", 4)}, {}), settings), "a>b");
  EXPECT_EQ(chosen_of(row_of({tenths("a", 5)}, {tenths("x", 1)}), settings),
            "no_samples: 1 answers from the intact video, at least 2");
  settings.filter = true;
  settings.rule = PairRule::error;
  settings.per_row = 2;
  const RowCandidates row = row_of({faulty("a", {2, 0, 0, 4}), faulty("b", {0, 0, 0, 4}),
                                    faulty("c", {4, 0, 0, 4}), faulty("d", {1, 0, 0, 4})},
                                   {});
  EXPECT_EQ(chosen_of(row, settings), "b>c d>a");
}

TEST(ChoosePairs, WithoutAFilterAsTheyCome) {
  PairSettings settings;
  settings.filter = false;
  settings.per_row = 5;
  std::vector<Candidate> intact(2), corrupted(3);
  intact[0].text = "a";
  intact[1].text = "b";
  corrupted[0].text = "x";
  corrupted[1].text = "y";
  corrupted[2].text = "z";
  EXPECT_EQ(chosen_of(row_of(intact, corrupted), settings), "a>x b>y a>z b>x a>y");
  settings.per_row = 2;
  corrupted[0].finish = AnswerEnd::length;
  EXPECT_EQ(chosen_of(row_of(intact, corrupted), settings), "a>y b>z") << "guards hold";
  EXPECT_EQ(choose_pairs(row_of({tenths("a", 1)}, {tenths("x", 9)}), settings).pairs.at(0).gain,
            std::nullopt)
      << "scores say nothing here";
}

TEST(ChoosePairs, ARowIsDroppedForWhatCameFurthest) {
  const PairSettings settings;
  Candidate cut = tenths("cut", 0);
  cut.finish = AnswerEnd::length;
  const RowCandidates row = row_of(
      {tenths("a", 5)}, {tenths("a", 5), tenths("b", 4), tenths("c", 6), tenths("", 0), cut});
  EXPECT_EQ(chosen_of(row, settings),
            "below_delta: answers two by two: empty 1, cut 1, identical 1, recall_fell 1, "
            "below_delta 1");
  EXPECT_EQ(choose_pairs(row, settings).candidates.size(), 2u) << "those whose texts may be a pair";
  EXPECT_EQ(chosen_of(row_of({tenths("a", 5)}, {cut}), settings), "cut: answers two by two: cut 1");
  EXPECT_EQ(chosen_of(row_of({}, {cut}), settings),
            "no_samples: 0 answers from the intact video and 1 from corrupted ones, at least one "
            "of each");
}

}  // namespace
}  // namespace tarsier
