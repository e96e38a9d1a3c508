"""Alerts of the last minutes, counted by rule, route and variant, for whoever asks how it goes.

The counters of `/metrics` go on for ever; these look back a few minutes and no further.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from proxy.alerting import Alert

SECONDS = 300.0  # how far back
STEP = 10.0  # alerts are forgotten this many seconds' worth at a time


class Kind(NamedTuple):
    """What alerts are counted by."""

    alert: str
    route: str | None
    variant: str | None


class Seen(NamedTuple):
    """How often a kind was raised, and when last, in seconds since the epoch."""

    times: int
    last: float


class Lately:
    """Counts alerts; `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._steps: deque[tuple[float, dict[Kind, Seen]]] = deque()  # by when each began

    def alert(self, alert: Alert) -> None:
        """Count an alert."""
        now = self._clock()
        self._forget(now)
        if not self._steps or now - self._steps[-1][0] >= STEP:
            self._steps.append((now, {}))
        counts = self._steps[-1][1]
        kind = Kind(alert.name, alert.route, alert.variant)
        before = counts.get(kind, Seen(0, 0.0))
        counts[kind] = Seen(before.times + 1, max(before.last, alert.at))

    def counts(self) -> list[tuple[Kind, Seen]]:
        """Return what was raised within the last `SECONDS`, the most frequent first."""
        self._forget(self._clock())
        sums: dict[Kind, Seen] = {}
        for _, counts in self._steps:
            for kind, seen in counts.items():
                before = sums.get(kind, Seen(0, 0.0))
                sums[kind] = Seen(before.times + seen.times, max(before.last, seen.last))
        return sorted(sums.items(), key=lambda item: (-item[1].times, str(item[0])))

    def _forget(self, now: float) -> None:
        while self._steps and now - self._steps[0][0] >= SECONDS:
            self._steps.popleft()
