"""Ranks: quantiles of many values, from some of them that were taken in order.

A database puts the values in order and hands out each so-many-th; so a quantile of millions is
known to a ten-thousandth of them. It does not know what the values are of.
"""

from bisect import bisect_left, bisect_right
from math import ceil, floor, sqrt

from msgspec import Struct

from proxy.experiments.intervals import Interval, student
from proxy.experiments.sums import Sums

KEPT = 10_000  # values of a sketch, about


class Sketch(Struct, frozen=True):
    """Values in order, each with its rank among all `n`; the first and the last are there."""

    n: int = 0
    ranks: tuple[int, ...] = ()
    values: tuple[float, ...] = ()

    def quantile(self, share: float) -> float:
        """Return the least value that at least `share` of all reach; IndexError: there is none."""
        return self.values[bisect_left(self.ranks, max(1, ceil(share * self.n)))]

    def below(self, rank: int) -> float | None:
        """Return the value of a rank, or of the next below that is known; None: there is none."""
        place = bisect_right(self.ranks, rank)
        return self.values[place - 1] if place else None

    def above(self, rank: int) -> float | None:
        """Return the value of a rank, or of the next above that is known; None: there is none."""
        place = bisect_left(self.ranks, rank)
        return self.values[place] if place < len(self.ranks) else None


def step(n: int) -> int:
    """Return the distance of the ranks that a sketch of `n` values keeps."""
    return max(1, ceil(n / KEPT))


def quantile(sketch: Sketch, share: float, sums: Sums) -> Interval | None:
    """Return the interval of a quantile; None: there are too few values for one with two ends.

    `sums` are of the values up to the quantile (x) among all (n), by unit. The interval is
    Woodruff's ("Confidence Intervals for Medians and Other Position Measures", JASA 47, 1952): the
    values between which the share lies, by its variance between units (Deng, Knoblich and Lu,
    KDD 2018, section 4), which is at least that of independent values.
    """
    least = share * (1 - share) / sketch.n
    reach = student(sums.freedom) * sqrt(max(sums.variance, least))
    low = sketch.below(floor(sketch.n * (share - reach)))
    high = sketch.above(ceil(sketch.n * (share + reach)) + 1)
    if low is None or high is None:
        return None
    return Interval(sketch.quantile(share), low, high)
