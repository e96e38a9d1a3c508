"""Telling: the one way from an alert to those who are told.

Alerts on single exchanges are folded; what fires over windows is told when it begins, again every
so often, and when it is over. What a person silenced is told to nobody; if it still fires when the
silence is over, it is told then. How a notice gets to its receiver is the notifiers' business.
"""

import asyncio
from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from proxy.alerting import Alert, Folded, Folding, Notice, State, noticed
from proxy.alerting.notice import told_as
from proxy.config.settings import Notify

LOOK_SECONDS = 5.0  # between two looks at whether what is silenced still is


class Notifiers(Protocol):
    """Those who are told."""

    @property
    def there(self) -> bool:
        """Whether there are any."""
        ...

    def adopt(self, notify: Notify, firing: Iterable[Notice]) -> None:
        """Tell those from now on; who is new is told what is `firing`."""
        ...

    def take(self, notice: Notice) -> None:
        """Take a notice for all; never waits."""
        ...

    def heard(self, notice: Notice) -> None:
        """Take it that all were told of what fires, before this process began."""
        ...

    def let_go(self) -> None:
        """Leave it to others to keep up what fires."""
        ...


class Firing(Struct, kw_only=True):
    """What fires, how often that was told, and when it is to be told next, by the clock."""

    notice: Notice
    times: int = 0
    due: float


class Telling:
    """Tells `notifiers`; `run` does what is due later. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        notifiers: Notifiers,
        *,
        clock: Callable[[], float],
        silenced: Callable[[Notice], bool] = lambda _: False,
    ) -> None:
        self._notifiers = notifiers
        self._clock = clock
        self._silenced = silenced
        self._settings = Notify()
        self._folding = Folding(self._settings.fold_seconds)
        self._firing: dict[str, Firing] = {}
        self._news = asyncio.Event()

    def adopt(self, notify: Notify) -> None:
        """Tell as `notify` says from now on."""
        self._settings = notify
        self._folding.seconds = notify.fold_seconds
        told = [
            self._worded(each.notice, each.times) for each in self._firing.values() if each.times
        ]
        self._notifiers.adopt(notify, told)
        for each in self._firing.values():
            each.due = min(each.due, self._clock() + self._repeat)
        self._news.set()

    def alert(self, alert: Alert) -> None:
        """Take an alert on a single exchange; never waits."""
        if not self._notifiers.there:
            return
        first = self._folding.add(bare(alert), self._clock())
        if first is not None:
            self._tell_folded(first)
        self._news.set()  # also for a repeat: its window's end may be the next thing due

    def notice(self, notice: Notice) -> None:
        """Take word of what fires over a window, or no longer does; never waits.

        Of what fires already, it is remembered for when that is told again.
        """
        before = self._firing.get(notice.key)
        if notice.state is State.RESOLVED:
            self._firing.pop(notice.key, None)
            self._notifiers.take(self._worded(notice, 1))
        elif before is not None and before.notice.first_at == notice.first_at:
            before.notice = notice
        else:
            self._firing[notice.key] = Firing(notice=notice, due=self._clock())
            self._look()
        self._news.set()

    def resume(self, notice: Notice) -> None:
        """Take it that what fires was told before this process began, unless it is silenced."""
        if not self._silenced(notice):
            self._notifiers.heard(self._worded(notice, 1))

    def let_go(self) -> None:
        """Leave it to others to tell again what fires; single exchanges are still told."""
        self._firing.clear()
        self._notifiers.let_go()

    def end(self) -> None:
        """Tell the repeats that wait: nothing follows."""
        for folded in self._folding.rest():
            self._tell_folded(folded)

    async def run(self) -> None:
        """Tell what comes due, for ever; to be awaited as a task."""
        while True:
            for folded in self._folding.due(self._clock()):
                self._tell_folded(folded)
            self._look()
            await self._wait()

    async def _wait(self) -> None:
        """Wait for news, at most until something is due."""
        try:
            async with asyncio.timeout(self._pause()):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    def _pause(self) -> float | None:
        """Return in how many seconds something is due; None: nothing is."""
        now = self._clock()
        folds = self._folding.next_due()
        dues = [] if folds is None else [max(0.0, folds - now)]
        # What is due now is silenced, for it would have been told.
        dues += [
            each.due - now if each.due > now else LOOK_SECONDS for each in self._firing.values()
        ]
        first = min(dues, default=inf)
        return None if first == inf else first

    def _look(self) -> None:
        """Tell what fires and is due, unless it is silenced."""
        now = self._clock()
        for each in self._firing.values():
            if each.due <= now and not self._silenced(each.notice):
                each.times += 1
                each.due = now + self._repeat
                self._notifiers.take(self._worded(each.notice, each.times))

    @property
    def _repeat(self) -> float:
        return self._settings.repeat_seconds or inf

    def _tell_folded(self, folded: Folded) -> None:
        notice = noticed(folded, self._folding.seconds)
        if not self._silenced(notice):
            self._notifiers.take(self._worded(notice, 1))

    def _worded(self, notice: Notice, times: int) -> Notice:
        return told_as(notice, times=times, runbooks=self._settings.runbooks)


def bare(alert: Alert) -> Alert:
    """Return `alert` without the bodies of its exchange: nobody is told them, and it may wait."""
    if alert.observation.bodies is None:
        return alert
    return replace(alert, observation=replace(alert.observation, bodies=None))
