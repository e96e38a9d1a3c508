"""Folding: repeats of one alert within a window are told once, with a count.

The first alert of a kind (name, route, variant, what it is about) is told at once and opens a
window. What follows within it is counted; when the window ends, the repeats are told as one and
the next window opens. A window without repeats closes. Pure: the caller passes the time in, in
seconds on one clock, and asks `due` when `next_due` has come.
"""

from msgspec import Struct

from proxy.alerting.alert import Alert
from proxy.alerting.notice import EXAMPLES

Kind = tuple[str, str | None, str | None, str | None]


class Folded(Struct, frozen=True, kw_only=True):
    """`count` alerts of one kind told as one; `alert` is the latest of them."""

    alert: Alert
    count: int
    first_at: float  # seconds since the epoch
    last_at: float
    request_ids: tuple[str, ...]  # of the latest few


class Window(Struct, kw_only=True):
    """The time in which repeats of one kind are gathered, and what was gathered."""

    ends: float
    repeats: Folded | None = None


class Folding:
    """The open windows of all kinds; each lasts `seconds`, as they stood when it was opened."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._windows: dict[Kind, Window] = {}

    def add(self, alert: Alert, now: float) -> Folded | None:
        """Return what is to be told now; None: it is kept for the end of its window."""
        kind = (alert.name, alert.route, alert.variant, alert.about)
        window = self._windows.get(kind)
        if window is None:
            self._windows[kind] = Window(ends=now + self.seconds)
            return single(alert)
        window.repeats = joined(window.repeats, alert)
        return None

    def due(self, now: float) -> list[Folded]:
        """Return the repeats whose windows ended by `now`."""
        told: list[Folded] = []
        for kind, window in list(self._windows.items()):
            if window.ends > now:
                continue
            if window.repeats is None:
                del self._windows[kind]
            else:
                told.append(window.repeats)
                self._windows[kind] = Window(ends=now + self.seconds)
        return told

    def next_due(self) -> float | None:
        """Return when the next window ends; None: no window is open."""
        return min((window.ends for window in self._windows.values()), default=None)

    def rest(self) -> list[Folded]:
        """Return all repeats not told yet and close every window: nothing follows."""
        told = [window.repeats for window in self._windows.values() if window.repeats]
        self._windows.clear()
        return told


def single(alert: Alert) -> Folded:
    """Return one alert as a folded one of one."""
    ids = (alert.observation.request_id,)
    return Folded(alert=alert, count=1, first_at=alert.at, last_at=alert.at, request_ids=ids)


def joined(folded: Folded | None, alert: Alert) -> Folded:
    """Return `folded` with `alert` added as its latest."""
    if folded is None:
        return single(alert)
    return Folded(
        alert=alert,
        count=folded.count + 1,
        first_at=folded.first_at,
        last_at=alert.at,
        request_ids=(*folded.request_ids, alert.observation.request_id)[-EXAMPLES:],
    )
