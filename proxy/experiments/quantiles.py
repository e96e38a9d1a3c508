"""Quantiles: times that so many exchanges stay within, from how many there are in each bin.

Bins are 9 percent wide, eight to a doubling, from 1 ms to 17 minutes, so a time is known to a few
percent, and to less where many lie in a bin. It does not know what the times are of.
"""

from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from math import ceil, floor, log2, sqrt
from typing import Final

from proxy.experiments.intervals import Interval, student
from proxy.experiments.sums import Sums

TO_A_DOUBLING: Final = 8
LAST: Final = 20 * TO_A_DOUBLING + 1  # from 2**20 ms on


def bin_of(milliseconds: float) -> int:
    """Return the bin of a time; 0 is of less than 1 ms, LAST of all that is longer."""
    if milliseconds < 1:
        return 0
    return min(1 + int(log2(milliseconds) * TO_A_DOUBLING), LAST)


class Histogram:
    """How many times lie in each bin."""

    def __init__(self, bins: Mapping[int, int] | None = None) -> None:
        self._bins = sorted((bins or {}).items())

    @cached_property
    def _ends(self) -> list[int]:
        """The rank of the last time in each bin that has any."""
        return list(accumulate(many for _, many in self._bins))

    @property
    def n(self) -> int:
        """How many times there are."""
        return self._ends[-1] if self._ends else 0

    def quantile(self, share: float) -> float:
        """Return the time that `share` of all stay within, in ms; IndexError: there is none."""
        return self.at(max(1, ceil(share * self.n)))

    def at(self, rank: int) -> float:
        """Return the time of a rank, from 1 to n, as if those in a bin were spread evenly."""
        place, part = self.place(rank)
        number = self._bins[place][0]
        if number == 0:
            return part
        return float(2 ** ((number - 1 + part) / TO_A_DOUBLING))

    def place(self, rank: int) -> tuple[int, float]:
        """Return where in the list of bins a rank is, and which part of its bin lies below it."""
        place = bisect_left(self._ends, rank)
        many = self._bins[place][1]
        return place, (rank - (self._ends[place] - many) - 0.5) / many

    def below(self, share: float) -> tuple[list[int], int, float]:
        """Return the bins below a quantile's, its bin, and which part of that lies below it."""
        place, part = self.place(max(1, ceil(share * self.n)))
        return [number for number, _ in self._bins[:place]], self._bins[place][0], part


def quantile(histogram: Histogram, share: float, sums: Sums) -> Interval | None:
    """Return the interval of a quantile; None: there are too few values for one with two ends.

    `sums` are of the values up to the quantile (x) among all (n), by lot. The interval is
    Woodruff's ("Confidence Intervals for Medians and Other Position Measures", JASA 47, 1952): the
    values between which the share lies, by its variance between lots (Deng, Knoblich and Lu,
    KDD 2018, section 4), which is at least that of independent values.
    """
    n = histogram.n
    reach = student(sums.freedom) * sqrt(max(sums.variance, share * (1 - share) / n))
    low, high = floor(n * (share - reach)), ceil(n * (share + reach)) + 1
    if low < 1 or high > n:
        return None
    return Interval(histogram.quantile(share), histogram.at(low), histogram.at(high))
