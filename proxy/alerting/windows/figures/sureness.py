"""Sureness: how much worse one side is than another at least, so that small numbers don't shout.

Of each side a limit is taken that its true value is beyond in one of 100 cases: of a rate Wilson's
score limits ("Probable Inference, the Law of Succession, and Statistical Inference", JASA 22,
1927), of a quantile two of the values in order, for how many lie below it is binomial (David and
Nagaraja, "Order Statistics", 3rd edition, 2003, section 7.1; here with the normal limits of that
number). What is reported is the candidate's lower limit over the baseline's upper one.
"""

from math import ceil, floor, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from proxy.alerting.windows.figures.sums import Sketch, Total

SURE: Final = 0.99
Z: Final = NormalDist().inv_cdf(SURE)
SHARE: Final = 0.95  # of the quantiles that are compared


class Limits(NamedTuple):
    """What a value surely is between; None: too little is known."""

    value: float
    low: float | None
    high: float | None


def limits(found: Total | Sketch) -> Limits:
    """Return the limits of what is compared of values: their rate, or their 95th percentile."""
    return quantile(found) if isinstance(found, Sketch) else rate(found)


def rate(total: Total) -> Limits:
    """Return the limits of the share of things that happened; of one at least."""
    n, share, square = total.n, total.total / total.n, Z * Z
    middle = share + square / (2 * n)
    reach = Z * sqrt(max(share * (1 - share), 0.0) / n + square / (4 * n * n))
    scale = 1 + square / n
    return Limits(share, max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale))


def quantile(sketch: Sketch) -> Limits:
    """Return the limits of the 95th percentile of values; of one at least."""
    middle, reach = sketch.n * SHARE, Z * sqrt(sketch.n * SHARE * (1 - SHARE))
    low, high = floor(middle - reach), ceil(middle + reach) + 1
    return Limits(
        sketch.quantile(SHARE),
        sketch.at(low) if low >= 1 else None,
        sketch.at(high) if high <= sketch.n else None,
    )


def times_worse(baseline: Limits, candidate: Limits) -> float:
    """Return how many times the baseline's value the candidate's is at least; 0: who knows."""
    if candidate.low is None or not baseline.high:
        return 0.0
    return candidate.low / baseline.high
