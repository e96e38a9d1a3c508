"""Sums: what is kept of the values of a window. They add up, and what was added comes off again.

    Total   how many there were, and how much they come to
    Sketch  how many there were of about each size, so that a quantile can be read

A quantile read off a sketch is within 1 % of the value that a sorted list would give: buckets grow
by a constant factor, after Masson, Rim and Lee, "DDSketch: A Fast and Fully-Mergeable Quantile
Sketch with Relative-Error Guarantees", PVLDB 12, 2019. Values below 1 count as 1, those above a
day of milliseconds as that, so a sketch has at most 915 buckets.
"""

from collections import Counter
from collections.abc import Sequence
from math import ceil, log
from typing import Final, Protocol, Self

EXACT: Final = 0.01  # relative error of a quantile
GROWTH: Final = (1 + EXACT) / (1 - EXACT)
STEP: Final = log(GROWTH)
LOWEST, HIGHEST = 1.0, 86_400_000.0


class Sum(Protocol):
    """What values came to; made of none, or of some."""

    n: int  # how many

    def __init__(self, values: Sequence[float] = ()) -> None: ...

    def more(self, come: Self) -> None:
        """Add what other values came to."""
        ...

    def less(self, gone: Self) -> None:
        """Take off what was added."""
        ...


class Total:
    """How much values come to; of things that happened or not, 1 or 0, how many did."""

    __slots__ = ("n", "total")

    def __init__(self, values: Sequence[float] = ()) -> None:
        self.n = len(values)
        self.total = float(sum(values))

    def more(self, come: "Total") -> None:
        """Add what other values came to."""
        self.n += come.n
        self.total += come.total

    def less(self, gone: "Total") -> None:
        """Take off what was added."""
        self.n -= gone.n
        self.total = self.total - gone.total if self.n else 0.0


class Sketch:
    """How many values there are of about each size."""

    __slots__ = ("_buckets", "n")

    def __init__(self, values: Sequence[float] = ()) -> None:
        self.n = len(values)
        self._buckets = Counter(map(bucket, values))

    def more(self, come: "Sketch") -> None:
        """Add what other values came to."""
        self.n += come.n
        self._buckets.update(come._buckets)  # noqa: SLF001  # one of its own kind

    def less(self, gone: "Sketch") -> None:
        """Take off what was added."""
        self.n -= gone.n
        for number, count in gone._buckets.items():  # noqa: SLF001  # one of its own kind
            left = self._buckets[number] - count
            if left:
                self._buckets[number] = left
            else:
                del self._buckets[number]

    def at(self, rank: int) -> float:
        """Return about the value that so many do not exceed, from 1 to `n`."""
        seen = 0
        for number in sorted(self._buckets):
            seen += self._buckets[number]
            if seen >= rank:
                return float(2 * GROWTH**number / (GROWTH + 1))
        raise ValueError(f"there are {self.n} values and no rank {rank}")

    def quantile(self, share: float) -> float:
        """Return about the smallest value that at least this `share` of them do not exceed."""
        return self.at(ceil(share * self.n))


def bucket(value: float) -> int:
    """Return the number of a value's bucket."""
    return ceil(log(min(max(value, LOWEST), HIGHEST)) / STEP)
