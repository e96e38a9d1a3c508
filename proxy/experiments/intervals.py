"""Intervals: between which values an average, a rate, or the difference of two of a kind may lie.

Each holds the true value in 95 of 100 cases, for a window that was chosen beforehand. How often
they really do is shown by simulation: docs/comparing.md.
"""

from math import isclose, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from proxy.experiments.sums import Sums

CONFIDENCE: Final = 0.95
ROUNDING: Final = 1e-9  # of two averages of the same: they are sums in different orders
NORMAL: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Interval(NamedTuple):
    """A value, and from where to where the true one may lie."""

    value: float
    low: float
    high: float


def student(freedom: float) -> float:
    """Return how many standard errors an interval reaches, for 3 degrees of freedom and more.

    Fisher's and Cornish's expansion of Student's t: Abramowitz and Stegun, "Handbook of
    Mathematical Functions", 26.7.5; right to 0.004 at 3 degrees, to 0.0003 from 5 on.
    """
    z = NORMAL
    square = z * z
    terms = (
        (square + 1) / 4,
        ((5 * square + 16) * square + 3) / 96,
        (((3 * square + 19) * square + 17) * square - 15) / 384,
        ((((79 * square + 776) * square + 1482) * square - 1920) * square - 945) / 92160,
    )
    return z * (1 + sum(term / freedom**power for power, term in enumerate(terms, 1)))


def mean(sums: Sums) -> Interval:
    """Return the interval of an average without bounds of its own: tokens, dollars a request."""
    reach = student(sums.freedom) * sums.error
    return Interval(sums.average, sums.average - reach, sums.average + reach)


def mean_difference(baseline: Sums, candidate: Sums) -> Interval:
    """Return the interval of the difference of two means.

    Its degrees of freedom are Satterthwaite's ("An Approximate Distribution of Estimates of
    Variance Components", Biometrics Bulletin 2, 1946).
    """
    first, second = baseline.variance, candidate.variance
    total = first + second
    parts = first * first / baseline.freedom + second * second / candidate.freedom
    reach = student(total * total / parts) * sqrt(total) if parts else 0.0
    before, after = baseline.average, candidate.average
    value = 0.0 if isclose(before, after, rel_tol=ROUNDING) else after - before
    return Interval(value, value - reach, value + reach)


def rate_difference(baseline: Sums, candidate: Sums) -> Interval:
    """Return the interval of the difference of two rates: shares of requests.

    Newcombe's, of two score intervals, with as many requests as would say as much if they were
    independent (Dean and Pagano, "Evaluating Confidence Interval Methods for Binomial Proportions
    in Clustered Surveys", JSSAM 3, 2015), and t for z, as that number is itself an estimate (Korn
    and Graubard, Survey Methodology 24, 1998).
    """
    sizes = _independent(baseline, candidate)
    return difference(score(baseline, sizes[0]), score(candidate, sizes[1]))


def score(sums: Sums, size: float) -> Interval:
    """Return the interval of a rate that is known as well as by `size` independent requests.

    Wilson's score interval: "Probable Inference", JASA 22, 1927.
    """
    share, square = sums.average, student(sums.freedom) ** 2
    middle = share + square / (2 * size)
    spread = max(share * (1 - share), 0.0) + square / (4 * size)
    reach = sqrt(square * spread / size)
    low, high = (middle - reach) / (1 + square / size), (middle + reach) / (1 + square / size)
    return Interval(share, max(0.0, min(low, share)), min(1.0, max(high, share)))


def _independent(*sides: Sums) -> list[float]:
    """Return how many independent requests would say as much, on each side.

    So many fewer as the variance between lots is larger than that of requests which chance alone
    lets fail (the design effect); of both sides together, or its own where that is more: a side
    whose few failures are all of units that send little looks surer than it is. No side gains by
    lots that differ less than by chance. Where nothing or all failed on both sides nobody knows
    how alike a unit's requests are, and each unit counts once, if all send alike.
    """
    chances = [side.average * (1 - side.average) / side.n for side in sides]
    if sum(chances) <= 0:
        return [side.effective * side.units / side.lots for side in sides]
    shared = max(1.0, sum(side.variance for side in sides) / sum(chances))
    own = [
        side.variance / chance if chance > 0 else 1.0
        for side, chance in zip(sides, chances, strict=True)
    ]
    return [side.n / max(shared, effect) for side, effect in zip(sides, own, strict=True)]


def difference(baseline: Interval, candidate: Interval) -> Interval:
    """Return the interval of the difference of two independent values from their own.

    Newcombe's hybrid of score intervals ("Interval Estimation for the Difference Between
    Independent Proportions", Statistics in Medicine 17, 1998, method 10), which holds for others
    too: Zou and Donner, Statistics in Medicine 27, 2008 (MOVER).
    """
    value = candidate.value - baseline.value
    down = sqrt((candidate.value - candidate.low) ** 2 + (baseline.high - baseline.value) ** 2)
    up = sqrt((candidate.high - candidate.value) ** 2 + (baseline.value - baseline.low) ** 2)
    return Interval(value, value - down, value + up)
