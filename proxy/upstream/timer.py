"""One timer for all the deadlines of a connection, set once in a while instead of every time.

It knows when its owner wants to be looked at next; it does not know why. Setting and cancelling
a timer for each step of each exchange would cost more than the exchange's own bookkeeping.
"""

import asyncio
from collections.abc import Callable

SHORTEST_WAIT = 0.001  # seconds; the loop's timers have milliseconds


class LazyTimer:
    """Rings no later than every `every` seconds, and asks when it should ring next.

    So a deadline at least `every` away needs no setting at all: the next ring will see it.
    """

    __slots__ = ("_at", "_clock", "_every", "_handle", "_loop", "_ring")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Callable[[], float],
        every: float,
        ring: Callable[[float], float | None],
    ) -> None:
        """`ring` is given the time, acts on what is due, and returns the next deadline or None."""
        self._loop = loop
        self._clock = clock
        self._every = every
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0

    @property
    def running(self) -> bool:
        """Return whether it was started, and not stopped since."""
        return self._handle is not None

    def start(self) -> None:
        """Start to ring."""
        self._set(self._clock(), self._every)

    def by(self, when: float) -> None:
        """Ring at `when` at the latest."""
        if when < self._at and self._handle is not None:
            now = self._clock()
            self._set(now, when - now)

    def stop(self) -> None:
        """Ring no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _set(self, now: float, delay: float) -> None:
        self.stop()
        delay = max(delay, SHORTEST_WAIT)
        self._at = now + delay
        self._handle = self._loop.call_later(delay, self._look)

    def _look(self) -> None:
        now = self._clock()
        deadline = self._ring(now)
        if deadline is not None:
            self._set(now, min(deadline - now, self._every))
