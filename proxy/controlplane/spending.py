"""Spending: which budgets are spent, who is told, and what workers are to refuse.

What it sees is added up at once; what others that share the store have spent is read every few
seconds, in a thread. Where the store does not answer, what was last read holds. Without a store,
budgets count from this process's start.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from proxy.alerting import Alert, AlertName
from proxy.channel import Spent
from proxy.errors import StoreError
from proxy.exchange.observation import Observation
from proxy.pricing import Accountant, Budget, Crossing, Standing, day_of
from proxy.store.observations import Counted

EVERY_SECONDS = 2.0  # between two looks at what all have spent, and at the calendar
LONGEST_DAYS = 31  # of a budget's period
MATTERS_SECONDS = 86_400.0  # that a budget came to a level; at most until its period is over


class Kept(Protocol):
    """Where spending is kept; it blocks."""

    def count(self, since: int) -> Counted:
        """Return what was spent from a day on. StoreError: it can't be read."""
        ...


class Spending:
    """The budgets in force. `kept` of None: nothing is; `wall` is seconds since the epoch."""

    def __init__(self, kept: Kept | None, wall: Callable[[], float]) -> None:
        self._kept = kept
        self._wall = wall
        self._accountant = Accountant()
        self._tell: Callable[[Spent], None] = lambda _: None
        self._told = Spent()
        self._known = kept is None  # what there was spent before this process began
        self._begun = self._known  # which of its levels were told then
        self.shown: tuple[Standing, ...] = ()  # a little old, for whoever asks from another thread
        self._adopted = asyncio.Event()

    def adopt(self, budgets: Iterable[Budget]) -> None:
        """Watch these from now on."""
        self._accountant.adopt(budgets)
        self._begin()
        self._adopted.set()
        self._look()

    def tell(self, tell: Callable[[Spent], None]) -> None:
        """Tell what is to be refused, at every change, and now where that is known.

        Workers that were there before this process go by what they were told until then.
        """
        self._tell = tell
        if self._known or self._told != Spent():
            tell(self._told)

    def judge(self, seen: Observation) -> Iterator[Alert]:
        """Add what an exchange cost; yield an alert of each budget that it brings to a level."""
        self._accountant.add(seen)
        if not self._accountant.budgets:
            return
        for crossing in self._accountant.crossed(seen, self._wall()):
            if crossing.standing.stopped:
                self._look()
            yield alert(crossing, seen)

    def standings(self) -> list[Standing]:
        """Return how each budget stands now."""
        return self._accountant.standings(self._wall())

    async def run(self) -> None:
        """Keep up with what others spend, and with the calendar, until cancelled."""
        while True:
            if self._accountant.budgets or not self._known:
                await self.count()
            self._adopted.clear()
            self._accountant.forget(day_of(self._wall()) - LONGEST_DAYS)
            try:
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._adopted.wait()
            except TimeoutError:
                continue

    async def count(self) -> None:
        """Read what all have spent; where it can't be read, what was read before holds."""
        if self._kept is not None:
            since = day_of(self._wall()) - LONGEST_DAYS
            try:
                counted = await asyncio.to_thread(self._kept.count, since)
            except StoreError:
                return  # whoever writes there tells of it
            self._accountant.count(counted.kept, counted.ours)
        self._look(afresh=not self._known)
        self._known = True
        self._begin()

    def _begin(self) -> None:
        """Once budgets and spending are known, leave what was told before as told."""
        if not self._begun and self._known and self._accountant.budgets:
            self._begun = True
            self._accountant.told_before(self._wall())

    def _look(self, *, afresh: bool = False) -> None:
        """Tell what is to be refused, where that has changed or is to be told `afresh`."""
        self.shown = tuple(self.standings())
        spent = spent_of(self.shown)
        if afresh or spent != self._told:
            self._told = spent
            self._tell(spent)


def spent_of(standings: Iterable[Standing]) -> Spent:
    """Return what is to be refused, and until when."""
    stopped = [each for each in standings if each.stopped]
    return Spent(
        routes={each.budget.name: each.ends for each in stopped if each.budget.scope == "route"},
        keys={each.budget.name: each.ends for each in stopped if each.budget.scope == "key"},
    )


def alert(crossing: Crossing, seen: Observation) -> Alert:
    """Return the alert that a budget came to a level, with the exchange that brought it there."""
    standing, budget = crossing.standing, crossing.standing.budget
    at = seen.started_at + seen.latency_ms / 1000.0
    return Alert(
        name=AlertName.BUDGET,
        value=standing.spent,
        threshold=crossing.level * budget.usd,
        at=at,
        observation=seen,
        ends_at=min(standing.ends, at + MATTERS_SECONDS),
        about=f"{crossing.level:.0%} of {budget.scope} {budget.name}'s {budget.usd:g} USD a "
        f"{budget.per}",
    )
