"""Pending: what one notifier is still to be told, and what it believes to fire.

Of each thing only the newest word waits, so what waits is bounded by how many things there are,
and however long a notifier was away, it is told how things stand now: what fires, and that what
it was told of is over. No clock and no loop: the caller passes the time in.
"""

from typing import Literal

from proxy.alerting.notice import Notice, State, joined

Result = Literal["sent", "failed", "dropped", "superseded"]
RESULTS: tuple[Result, ...] = ("sent", "failed", "dropped", "superseded")


class Pending:
    """At most `limit` notices that wait, and one that is under way.

    `counts`: sent; failed (refused, or over before it could be sent); dropped (there was no room,
    or nobody to send it to); superseded (newer word of the same thing took its place).
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[str, Notice] = {}  # by key, in the order in which they are sent
        self._under_way: Notice | None = None
        self.firing: dict[str, Notice] = {}  # it was told of it, and not of its end; by key
        self.counts: dict[Result, int] = dict.fromkeys(RESULTS, 0)

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self, notice: Notice) -> None:
        """Take a notice; it takes the place of one that waits for the same thing."""
        older = self._waiting.get(notice.key)
        if older is not None:
            self.counts["superseded"] += 1
            notice = joined(older, notice)
        self._put(notice)

    def heard(self, notice: Notice) -> None:
        """Take it that it was told of what fires, before this process began."""
        self._believed(notice)

    def take(self, now: float) -> Notice | None:
        """Return what to send next, to be answered for by one of the next three."""
        while self._waiting:
            notice = self._waiting.pop(next(iter(self._waiting)))
            if not notice.over(now):
                self._under_way = notice
                return notice
            self.counts["failed"] += 1
        return None

    def sent(self, notice: Notice) -> None:
        """Note that it was taken."""
        if self._arrived(notice):
            self.counts["sent"] += 1
            self._believed(notice)

    def refused(self, notice: Notice) -> None:
        """Note that it never will be."""
        if self._arrived(notice):
            self.counts["failed"] += 1
            if notice.state is State.RESOLVED:
                self.firing.pop(notice.key, None)
            newer = self._waiting.get(notice.key)
            if newer is not None:
                self._put(newer)

    def back(self, notice: Notice, *, unsure: bool) -> None:
        """Let it wait again, behind the others: it was not taken, or nobody knows (`unsure`)."""
        if not self._arrived(notice):
            return
        if unsure and notice.state is State.FIRING:
            self._believed(notice)
        newer = self._waiting.pop(notice.key, None)
        if newer is not None:
            self.counts["superseded"] += 1
            notice = joined(notice, newer)
        self._put(notice)

    def forget(self) -> None:
        """Drop all: there is nobody to send it to, or no more time."""
        self.counts["dropped"] += len(self._waiting) + (self._under_way is not None)
        self._waiting.clear()
        self._under_way = None
        self.firing.clear()

    def _arrived(self, notice: Notice) -> bool:
        """Return whether `notice` is under way, which it is no longer."""
        expected = self._under_way is notice
        if expected:
            self._under_way = None
        return expected

    def _believed(self, notice: Notice) -> None:
        if notice.state is State.RESOLVED:
            self.firing.pop(notice.key, None)
        elif not notice.passing:
            self.firing[notice.key] = notice

    def _put(self, notice: Notice) -> None:
        """Let it wait, in the place of another of its key, if it is worth telling."""
        if self._pointless(notice):
            self._waiting.pop(notice.key, None)
        elif notice.key in self._waiting or self._room():
            self._waiting[notice.key] = notice

    def _pointless(self, notice: Notice) -> bool:
        """Return whether it is the end of something that nobody there has heard of."""
        if notice.state is State.FIRING or notice.key in self.firing:
            return False
        return self._under_way is None or self._under_way.key != notice.key

    def _room(self) -> bool:
        """Return whether there is room for one more; what passes makes room for what lasts."""
        if len(self._waiting) < self._limit:
            return True
        self.counts["dropped"] += 1
        passing = next((key for key, each in self._waiting.items() if each.passing), None)
        if passing is None:
            return False
        del self._waiting[passing]
        return True
