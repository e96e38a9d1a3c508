"""A sliding window: the sum of what came lately, in steps, with a few examples of it.

It moves on by a sixtieth of its length, and forgets the oldest sixtieth at once: what it holds is
of the last `seconds`, less a sixtieth at most. Memory is bounded: one sum and a few examples a
step, however much comes. The caller passes the time in, in seconds on a clock that never goes
back.
"""

from collections import deque
from collections.abc import Sequence
from heapq import nlargest
from typing import Final, Generic, TypeVar

from proxy.alerting.windows.figures.sums import Sum

STEPS: Final = 60
EXAMPLES: Final = 3

S = TypeVar("S", bound=Sum)
Example = tuple[float, str]  # how telling it is, and its request's id


class Step(Generic[S]):
    """What came in one step of the time."""

    __slots__ = ("examples", "number", "sum")

    def __init__(self, number: int, empty: S) -> None:
        self.number = number
        self.sum = empty
        self.examples: list[Example] = []


class Sliding(Generic[S]):
    """The last `seconds` of one figure; `make` returns an empty sum."""

    def __init__(self, seconds: float, make: "type[S]") -> None:
        self.seconds = seconds
        self._make = make
        self._steps: deque[Step[S]] = deque()
        self._sum = make()

    def add(self, values: Sequence[float], now: float, examples: Sequence[Example] = ()) -> None:
        """Add values that came now, with what may be shown of them."""
        number = self._number(now)
        if not self._steps or self._steps[-1].number != number:
            self._forget(number)
            self._steps.append(Step(number, self._make()))
        step, new = self._steps[-1], self._make(values)
        step.sum.more(new)
        self._sum.more(new)
        if examples:
            step.examples = most_telling([*step.examples, *examples])

    def sum(self, now: float) -> S:
        """Return what the window holds now; not to be kept."""
        self._forget(self._number(now))
        return self._sum

    def examples(self) -> list[str]:
        """Return the ids of the most telling requests in it, the most telling first."""
        every = [each for step in self._steps for each in step.examples]
        return [request_id for _, request_id in most_telling(every)]

    def _number(self, now: float) -> int:
        return int(now * STEPS / self.seconds)

    def _forget(self, number: int) -> None:
        while self._steps and self._steps[0].number <= number - STEPS:
            self._sum.less(self._steps.popleft().sum)


def most_telling(examples: list[Example]) -> list[Example]:
    """Return a few of them, the most telling first."""
    return nlargest(EXAMPLES, examples)
