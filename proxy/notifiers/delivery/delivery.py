"""The delivery to one notifier: a loop of its own, so that one that is down delays nobody.

What is not taken is tried again for as long as it matters, with pauses that double up to half a
minute. It knows neither what a notice looks like to its receiver (carriers) nor why it is told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from proxy.alerting.notice import Notice
from proxy.notifiers.delivery.pending import Pending
from proxy.notifiers.delivery.trouble import Trouble

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds, before jitter
LONGEST_AFTER = 300.0  # seconds that a receiver may ask to be left alone
ATTEMPT_SECONDS = 30.0  # for one attempt, whatever it consists of
WAITING = 1000  # notices at most


class Carrier(Protocol):
    """Brings a notice to its receiver, in the receiver's own form."""

    @property
    def where(self) -> str:
        """What of the receiver's address may be shown."""
        ...

    @property
    def refresh_seconds(self) -> float | None:
        """How often the receiver wants to hear that something still fires; None: it trusts us."""
        ...

    async def tell(self, notice: Notice) -> None:
        """Have it taken. Trouble: it was not."""
        ...


class Delivery:
    """Delivers to the notifier `name` once it has a carrier; `run` ends after `close`."""

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], float],  # monotonic seconds
        wall: Callable[[], float],  # seconds since the epoch
        dice: Callable[[], float],  # [0, 1)
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        waiting: int = WAITING,
    ) -> None:
        self.name = name
        self._clock = clock
        self._wall = wall
        self._dice = dice
        self._sleep = sleep
        self._carrier: Carrier | None = None
        self._pending = Pending(waiting)
        self._refreshed = clock()
        self._failures = 0  # in a row
        self._news = asyncio.Event()
        self._moved = asyncio.Event()
        self._ended = asyncio.Event()
        self._scope: asyncio.Timeout | None = None
        self._closing = False
        self._let_go = False

    @property
    def carrier(self) -> Carrier | None:
        """Who brings notices there now; None: it is not configured."""
        return self._carrier

    @property
    def counts(self) -> dict[str, int]:
        """How many notices had which result; none before there was anybody to tell."""
        return {str(each): count for each, count in self._pending.counts.items()}

    @property
    def waiting(self) -> int:
        """How many notices wait."""
        return len(self._pending)

    def adopt(self, carrier: Carrier | None) -> None:
        """Deliver by `carrier` from now on, also what waits; None: nowhere, and it is dropped."""
        self._carrier = carrier
        self._failures = 0
        if carrier is None:
            self._pending.forget()
        self._moved.set()
        self._news.set()

    def take(self, notice: Notice) -> None:
        """Take a notice; never waits."""
        if self._carrier is not None:
            self._pending.add(notice)
            self._news.set()

    def heard(self, notice: Notice) -> None:
        """Take it that the receiver was told of what fires, before this process began."""
        if self._carrier is not None:
            self._pending.heard(notice)

    def let_go(self) -> None:
        """Tell what fires no more afresh: another process does, or lets it run out."""
        self._let_go = True

    async def run(self) -> None:
        """Deliver until closed; to be awaited as a task, once."""
        try:
            async with asyncio.timeout(None) as self._scope:
                while not self._closing or self.waiting:
                    await self._once()
        except TimeoutError:  # closed, and the time given was too short
            self._pending.forget()
        finally:
            self._ended.set()

    async def close(self, seconds: float) -> None:
        """Deliver what waits for at most `seconds`; then `run` ends."""
        self._closing = True
        self._news.set()
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            if self._scope is not None:  # it began
                self._scope.reschedule(asyncio.get_running_loop().time())
                await self._ended.wait()

    async def _once(self) -> None:
        """Do the next thing there is to do, or wait until there is one."""
        carrier = self._carrier
        due = self._refresh_due()
        if carrier is None or (not self.waiting and (due is None or due > self._clock())):
            await self._wait(None if due is None else due - self._clock())
            return
        try:
            if due is not None and due <= self._clock():
                await self._refresh(carrier)
            notice = self._pending.take(self._wall())
            if notice is not None:
                await self._deliver(carrier, notice)
        except Trouble as trouble:
            if self._carrier is carrier:  # else there is another to try at once
                await self._rest(self._pause(carrier, trouble))

    async def _rest(self, seconds: float) -> None:
        """Leave the receiver alone for so long, or until there is another."""
        self._moved.clear()
        waits = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.create_task(self._moved.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _wait(self, seconds: float | None) -> None:
        """Wait for news, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    def _refresh_due(self) -> float | None:
        """Return when what fires is to be told afresh, by the clock; None: never."""
        every = None if self._carrier is None else self._carrier.refresh_seconds
        if every is None or self._let_go or not self._pending.firing:
            return None
        return self._refreshed + every

    async def _refresh(self, carrier: Carrier) -> None:
        """Tell afresh what fires; where that fails, it is time again only after as long."""
        self._refreshed = self._clock()
        for notice in list(self._pending.firing.values()):
            await attempt(carrier, notice)
            self._works(carrier)

    async def _deliver(self, carrier: Carrier, notice: Notice) -> None:
        """Tell one notice. Trouble: it is to be tried again, later."""
        try:
            await attempt(carrier, notice)
        except Trouble as trouble:
            if not trouble.final:
                self._pending.back(notice, unsure=trouble.unsure)
                raise
            self._pending.refused(notice)
            self._say("notification refused", carrier, alert=notice.name, reason=trouble.reason)
        else:
            self._pending.sent(notice)
            self._works(carrier)

    def _works(self, carrier: Carrier) -> None:
        if self._failures:
            self._say("notifier works again", carrier, failures=self._failures)
            self._failures = 0

    def _pause(self, carrier: Carrier, trouble: Trouble) -> float:
        """Return how long to leave it alone, in seconds; say so the first time."""
        if not self._failures:
            self._say("notifier fails", carrier, reason=trouble.reason)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return max(pause * (0.5 + self._dice() / 2), min(trouble.after, LONGEST_AFTER))

    def _say(self, event: str, carrier: Carrier, **facts: object) -> None:
        structlog.get_logger().warning(event, notifier=self.name, host=carrier.where, **facts)


async def attempt(carrier: Carrier, notice: Notice) -> None:
    """Tell a notice within the time that there is. Trouble: it was not taken."""
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            await carrier.tell(notice)
    except TimeoutError:
        raise Trouble("no answer in time", unsure=True) from None
