// What replications can tell: intervals, differences of two policies on common random numbers, how many seeds decide,
// when a comparison may stop early. Pure functions on vectors with one value a replication.
//
// VALUES THAT ARE NOT FINITE (a metric is undefined in a replication) are left out; of pairs, both values. Two vectors
// that belong together must be equally long (replication i of both has the same random numbers), else InternalError.
// WHAT IS UNDEFINED IS NaN: an interval of fewer than two values, everything of none. Values that are all equal give an
// interval of no width. Confidence levels are in (0, 1); intervals are two-sided.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dynasoc {

inline constexpr double kConfidence = 0.95;

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  /// False where an end is undefined.
  bool excludes(double x) const { return x < low || x > high; }
};

/// A mean over replications with what is known of it.
struct Estimate {
  std::size_t n = 0;  ///< values that were defined
  double mean = std::numeric_limits<double>::quiet_NaN();
  double sd = std::numeric_limits<double>::quiet_NaN();  ///< n - 1 in the denominator
  Interval interval;                                     ///< of the mean, by Student's t distribution
};

/// Mean and t interval (Student: The probable error of a mean, Biometrika 6, 1908). Exact for normal values.
Estimate estimate(const std::vector<double>& values, double confidence = kConfidence);

/// a_i - b_i, without the pairs of which one is undefined.
std::vector<double> paired_differences(const std::vector<double>& a, const std::vector<double>& b);

/// Interval of the mean by the bootstrap: BCa (Efron: Better bootstrap confidence intervals, JASA 82, 1987), which is
/// right to second order where the plain percentile interval is to first: it moves with the skewness that rare, long
/// stalls give a metric, for the cost of a closed-form jackknife. With few replications (below some 15) any bootstrap
/// of a mean is too narrow: prefer `estimate`. Deterministic: the same values give the same interval. Allocates twice,
/// whatever `resamples`.
Interval bootstrap_mean(const std::vector<double>& values, double confidence = kConfidence,
                        std::size_t resamples = 10'000);

/// mean(a) / mean(b) - 1 of pairs, with the interval of Fieller (Some problems in interval estimation, J. R. Stat. Soc.
/// B 16, 1954): exact for jointly normal pairs, and it uses that they are correlated. Where the t interval of mean(b)
/// holds 0 the ratio has no finite interval: its ends are NaN. `mean` is NaN where mean(b) is 0; `sd` is not given.
Estimate relative_difference(const std::vector<double>& a, const std::vector<double>& b,
                             double confidence = kConfidence);

/// How often `a` is smaller than `b`.
struct Superiority {
  std::size_t n = 0;
  double share = std::numeric_limits<double>::quiet_NaN();  ///< of the replications; ties count half
  /// Of the share, by Jeffreys' prior (Brown, Cai, DasGupta: Interval estimation for a binomial proportion, Stat. Sci.
  /// 16, 2001, who recommend it or Wilson's for few trials): quantiles of Beta(wins + 1/2, losses + 1/2), 0 and 1 at
  /// the ends.
  Interval interval;
  /// That the mean of a is below the mean of b, given the data: the Student posterior under the reference prior
  /// (Jeffreys: Theory of probability, 1961). With no variance 0, 1, or 1/2 where the means are equal.
  double mean_is_lower = std::numeric_limits<double>::quiet_NaN();
};
/// Of a metric of which less is better; exchange the arguments for the others.
Superiority superiority(const std::vector<double>& a, const std::vector<double>& b, double confidence = kConfidence);

/// Two-sided p-value of the paired t test, mean difference 0. NaN for fewer than two values; 1 or 0 where all are
/// equal, to zero or to something else.
double paired_p_value(const std::vector<double>& differences);

/// p-values adjusted for being looked at together: what is below alpha afterwards can be claimed with a chance of at
/// most alpha that any of the claims is wrong, whatever the dependence (Holm: A simple sequentially rejective multiple
/// test procedure, Scand. J. Stat. 6, 1979). In the order of the argument; NaN stays NaN and counts as no test.
std::vector<double> holm(const std::vector<double>& p_values);

/// Whether the replications so far decide the sign of the mean difference, and how many would.
struct SeedsNeeded {
  enum class State : std::uint8_t {
    decided,      ///< the t interval excludes 0 already
    more,         ///< it would with `total` replications, did mean and variance stay what they are
    undecidable,  ///< the mean difference is 0, or more than `most` would be needed, or fewer than two are there
    exact,        ///< all differences are the same, and not 0: seeds change nothing
  };
  State state = State::undecidable;
  std::int64_t total = 0;  ///< decided: those there are; undecidable, exact: 0
  std::int64_t more = 0;   ///< total less those there are
};
/// The least n with t(n - 1) sd / sqrt(n) < |mean|. A plan, not a test: who adds seeds until the interval excludes 0
/// finds a difference sooner or later where there is none. For that there is `sequential_test`.
SeedsNeeded seeds_needed(const std::vector<double>& differences, double confidence = kConfidence,
                         std::int64_t most = 100'000);

/// A comparison that may be looked at after every replication and stopped as soon as it is decided.
struct Sequential {
  std::size_t n = 0;
  double e_value = 1;          ///< at n: evidence against a mean difference of 0
  double largest = 1;          ///< at any look up to n
  double p_value = 1;          ///< 1 / largest, at most 1: valid at any time
  bool decided = false;        ///< largest >= 1 / alpha
  std::size_t decided_at = 0;  ///< replications that were enough; 0 = undecided
  Interval interval;           ///< for the mean difference, at n; of a sequence that holds it at all n with 1 - alpha
};
/// An e-process for normal differences of unknown variance: the likelihood ratio of their scale-free part with a normal
/// prior of variance g on mean/sd, against 0. With t the t statistic and nu = n - 1,
///   e(n) = (1 + n g)^(-1/2) ((1 + t^2/nu) / (1 + t^2/(nu (1 + n g))))^(n/2),
/// the Bayes factor of Goenen, Johnson, Lu, Westfall (The Bayesian two-sample t test, Am. Stat. 59, 2005). Under a mean
/// of 0 it is a martingale that starts at 1 whatever the variance (Lai: On confidence sequences, Ann. Stat. 4, 1976;
/// Perez-Ortiz, Lardy, de Heide, Gruenwald: E-statistics, group invariance and anytime-valid testing, Ann. Stat. 52,
/// 2024), so that by Ville's inequality it ever exceeds 1 / alpha with a chance of at most alpha: stop whenever you
/// like. The confidence sequence is the set of means that this test does not reject at n (Wang, Ramdas: Anytime-valid
/// t-tests and confidence sequences for Gaussian means with unknown variance, Sequential Analysis 44, 2025); for small
/// n it is the whole line. g = 1 looks for differences of about one standard deviation, which common random numbers
/// make of small ones; other g cost some replications, never the error. Differences that are symmetric about 0 with
/// heavy tails make t smaller and the test more careful. For skewed ones it does not hold: with 200 looks it errs in 5
/// % of comparisons at a skewness of 1, in 13 % at 2 (an exponential). Then ask `sequential_sign_test`.
Sequential sequential_test(const std::vector<double>& differences, double alpha = 1 - kConfidence, double g = 1);

/// The same of the question which of two is better in more replications, whatever the distribution of the differences:
/// against a chance of 1/2 that one is below 0. Ties say nothing and are left out. The likelihood ratio of w values
/// below 0 and l above, mixed over Jeffreys' prior,
///   e(n) = 2^n B(w + 1/2, l + 1/2) / B(1/2, 1/2),
/// is a martingale (Robbins: Statistical methods related to the law of the iterated logarithm, Ann. Math. Stat. 41,
/// 1970); `interval` is the confidence sequence of the chance that a difference is below 0.
Sequential sequential_sign_test(const std::vector<double>& differences, double alpha = 1 - kConfidence);

}  // namespace dynasoc
