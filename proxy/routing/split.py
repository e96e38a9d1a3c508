"""The split: a unit's number, and which variant's stretch of numbers it falls into.

A unit hashes to a number of 53 bits; the numbers are laid out in half-open segments, one a
variant. Everything is integers and exact fractions, so no number falls into a gap and a variant
of weight 0 gets none. It knows no routes, no requests and no dice.

The layout. The baseline (the first variant) takes the middle, whatever the candidates leave.
The first candidate grows from 0 upward, the second from the top downward, the third on top of
the first, the fourth below the second, and so on by turns. A candidate of weight 0 keeps its
turn; where one is taken out of the list, those behind it have other turns and other units. (That
no layout by names and weights alone could avoid that and still keep what stands here of two
candidates is shown in docs/changing.md.) What follows from that when weights change:

- Raising one candidate, the other weights as they are or the baseline lowered instead: nobody
  is ever moved out of it. However many candidates there are, its new segment holds its old one.
- One candidate: units only ever move between the baseline and the candidate.
- Two candidates: raising one at the baseline's expense (the total stays) moves units only from
  the baseline into it, and nobody else.
- Three and more: the same holds for the last one on either side. Raising one that others are
  stacked on shifts those along: it takes units from its neighbour, which takes as many from
  the next and at last from the baseline. No stateless layout can avoid that for all of them.
- Where the total changes too, every other candidate's share shrinks or grows with it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import NamedTuple

BITS = 53  # as many as a float holds exactly, and JavaScript's and SQL's numbers too
BUCKETS = 1 << BITS


class Segment(NamedTuple):
    """The buckets from `start` up to, not including, `end` are those of `variants[variant]`."""

    variant: int
    start: int
    end: int


def prefix(salt: str) -> bytes:
    """Return what stands before a unit when it is hashed; no two (salt, unit) join alike."""
    encoded = salt.encode("utf-8", "surrogatepass")
    return b"%d:%s:" % (len(encoded), encoded)


def salted(before: bytes, unit: str) -> int:
    """Return the bucket of `unit` for a salt given by its `prefix`: 0 <= bucket < BUCKETS."""
    digest = blake2b(before + unit.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) >> (64 - BITS)


def bucket(salt: str, unit: str) -> int:
    """Return the number of 53 bits that `unit` has under `salt`."""
    return salted(prefix(salt), unit)


class Split:
    """The segments of one route; `weights` are finite, not negative, and not all 0."""

    __slots__ = ("_ends", "segments")

    def __init__(self, weights: Sequence[float]) -> None:
        self.segments = tuple(part for part in _lay_out(weights) if part.start < part.end)
        self._ends = [part.end for part in self.segments[:-1]]

    def segment(self, number: int) -> Segment:
        """Return the segment that bucket `number` falls into."""
        return self.segments[bisect_right(self._ends, number)]

    def variant(self, number: int) -> int:
        """Return the index of the variant that bucket `number` belongs to."""
        return self.segments[bisect_right(self._ends, number)].variant


def _lay_out(weights: Sequence[float]) -> list[Segment]:
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact, Fraction())
    if total <= 0 or min(exact) < 0:
        raise ValueError("weights must not be negative, and one of them must be above 0")
    low, high = Fraction(), total
    below, above = [], []
    for variant in range(1, len(exact)):
        share = exact[variant]
        if variant % 2:
            below.append(_segment(variant, low, low + share, total))
            low += share
        else:
            above.append(_segment(variant, high - share, high, total))
            high -= share
    return [*below, _segment(0, low, high, total), *reversed(above)]


def _segment(variant: int, start: Fraction, end: Fraction, total: Fraction) -> Segment:
    # The same exact fraction is always rounded to the same bucket, so neighbours meet.
    return Segment(variant, int(start * BUCKETS / total), int(end * BUCKETS / total))
