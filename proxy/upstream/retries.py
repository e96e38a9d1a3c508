"""When a request may be tried again: a budget and a back-off, both pure.

The caller says what time it is (seconds, monotonic) and throws the dice. Knows nothing of
requests but their number. The budget keeps retries from becoming the storm that they were
meant to ride out.
"""

from collections.abc import Callable

WINDOW_SECONDS = 10  # the budget looks back this far
FREE_RETRIES = 3  # in a window, however few the requests: without them one request has no retry
FIRST_DELAY = 0.05  # seconds; doubled with each attempt
LONGEST_DELAY = 2.0
LONGEST_RETRY_AFTER = 5.0  # a client is not kept waiting longer than this for a retry


class RetryBudget:
    """Retries as a share of the requests of the last `WINDOW_SECONDS`, in cells of a second."""

    __slots__ = (
        "_cell",
        "_free",
        "_requests",
        "_retries",
        "_share",
        "_sum_requests",
        "_sum_retries",
    )

    def __init__(self, share: float) -> None:
        """Allow `share` retries a request; 0: none at all."""
        self._share = share
        self._free = FREE_RETRIES if share > 0 else 0
        self._requests = [0] * WINDOW_SECONDS
        self._retries = [0] * WINDOW_SECONDS
        self._sum_requests = 0
        self._sum_retries = 0
        self._cell = 0

    def request(self, now: float) -> None:
        """Count a request, whether it is a first attempt or a retry that was allowed."""
        cell = int(now)
        if cell != self._cell:
            self._turn(cell)
        self._requests[cell % WINDOW_SECONDS] += 1
        self._sum_requests += 1

    def allow(self, now: float) -> bool:
        """Count and allow a retry, or not: retries <= max(free ones, share x first attempts)."""
        cell = int(now)
        if cell != self._cell:
            self._turn(cell)
        first_attempts = self._sum_requests - self._sum_retries
        if self._sum_retries + 1 > max(self._free, self._share * first_attempts):
            return False
        self._retries[cell % WINDOW_SECONDS] += 1
        self._sum_retries += 1
        return True

    def _turn(self, cell: int) -> None:
        """Forget the cells that have left the window."""
        for stale in range(max(self._cell + 1, cell - WINDOW_SECONDS + 1), cell + 1):
            index = stale % WINDOW_SECONDS
            self._sum_requests -= self._requests[index]
            self._sum_retries -= self._retries[index]
            self._requests[index] = self._retries[index] = 0
        self._cell = cell


def backoff(attempt: int, dice: Callable[[], float], retry_after: float | None) -> float | None:
    """Return the seconds to wait after the `attempt`th attempt (from 1); None: do not try again.

    Exponential with jitter over its upper half, so that those who failed together do not come
    back together; never shorter than what the upstream asked for by Retry-After.
    """
    delay = min(FIRST_DELAY * 2.0 ** (attempt - 1), LONGEST_DELAY)
    jittered = delay * (0.5 + 0.5 * dice())
    if retry_after is None:
        return jittered
    if retry_after > LONGEST_RETRY_AFTER:
        return None
    return retry_after + jittered
