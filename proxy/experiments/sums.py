"""Sums: what is known of an average from lots of units, and how sure that makes it.

Requests of one unit are alike, so it is units that count as independent, not requests, and so are
lots that chance has put units into. Of each lot there is an `x` (its failures, its tokens) and an
`n` (its requests that could have had any). It knows no metric.
"""

from collections.abc import Iterable
from math import sqrt

from msgspec import Struct


class Sums(Struct, frozen=True):
    """Sums over the lots that have an `n` above 0."""

    lots: int = 0
    n: float = 0.0
    x: float = 0.0
    nn: float = 0.0  # of n squared
    xx: float = 0.0
    xn: float = 0.0  # of x times n
    units: float = 0.0  # in all lots together, as far as they can be told apart

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]], units: float) -> "Sums":
        """Return the sums over lots, each of them an n and an x."""
        there = [(n, x) for n, x in pairs if n > 0]
        return cls(
            lots=len(there),
            n=sum(n for n, _ in there),
            x=sum(x for _, x in there),
            nn=sum(n * n for n, _ in there),
            xx=sum(x * x for _, x in there),
            xn=sum(x * n for n, x in there),
            units=max(units, len(there)),
        )

    @property
    def average(self) -> float:
        """The sum of x by the sum of n; ZeroDivisionError where there is no lot."""
        return self.x / self.n

    @property
    def variance(self) -> float:
        """The average's variance between lots, where `effective` is above 1.

        The delta method for a ratio of two sums: Deng, Knoblich and Lu, "Applying the Delta Method
        in Metric Analytics", KDD 2018, section 3; made larger by k / (k - 1), as a sample's
        variance is, where k is `effective`: a lot that has much of n draws the average to itself.
        """
        average = self.average
        residuals = self.xx - 2 * average * self.xn + average * average * self.nn
        return max(residuals, 0.0) / (self.n * self.n) * self.effective / self.freedom

    @property
    def error(self) -> float:
        """The average's standard error."""
        return sqrt(self.variance)

    @property
    def effective(self) -> float:
        """So many lots of one size would say as much (Kish, "Survey Sampling", 1965, 11.7).

        Where one unit has most of the requests it is little more than 1, however many there are.
        """
        return self.n * self.n / self.nn

    @property
    def freedom(self) -> float:
        """The degrees of freedom that its variance is known with."""
        return self.effective - 1
