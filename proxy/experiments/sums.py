"""Sums: what is known of an average from its units, and how sure that makes it.

Requests of one unit are alike, so it is units that count as independent, not requests. Of each
unit there is an `x` (its failures, its tokens) and an `n` (its requests that could have had any);
six sums over units are all that is kept, so a database can add them up. It knows no metric.
"""

from math import sqrt

from msgspec import Struct


class Sums(Struct, frozen=True):
    """Sums over the units that have an `n` above 0."""

    units: int = 0
    n: float = 0.0
    x: float = 0.0
    nn: float = 0.0  # of n squared
    xx: float = 0.0
    xn: float = 0.0  # of x times n

    @property
    def average(self) -> float:
        """The sum of x by the sum of n; ZeroDivisionError where there is no unit."""
        return self.x / self.n

    @property
    def variance(self) -> float:
        """The average's variance between units, where `effective` is above 1.

        The delta method for a ratio of two sums: Deng, Knoblich and Lu, "Applying the Delta Method
        in Metric Analytics", KDD 2018, section 3; made larger by k / (k - 1), as a sample's
        variance is, where k is `effective`: a unit that has much of n draws the average to itself.
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
        """So many units of one size would say as much (Kish, "Survey Sampling", 1965, 11.7).

        Where one unit has most of the requests it is little more than 1, however many there are.
        """
        return self.n * self.n / self.nn

    @property
    def freedom(self) -> float:
        """The degrees of freedom that its variance is known with."""
        return self.effective - 1
