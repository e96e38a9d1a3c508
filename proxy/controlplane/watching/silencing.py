"""Silencing: the silences that last, as this host knows them, and how they are made and ended.

They are kept in the store, so all hosts that share one have the same; each reads them every few
seconds. Where the store does not answer, what was read last holds, each until its end.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from proxy.alerting.notice import Notice
from proxy.alerting.silence import Silence, covering
from proxy.errors import StoreError

EVERY_SECONDS = 3.0  # between two looks at what others have made


class Kept(Protocol):
    """Where silences are kept; it blocks. StoreError where that can't be done."""

    def add(self, silence: Silence) -> Silence:
        """Keep one; return it with its number."""
        ...

    def end(self, number: int, at: float) -> Silence | None:
        """End one; return it as it was. None: there is none that lasts."""
        ...

    def lasting(self, at: float) -> Sequence[Silence]:
        """Return those that are not over."""
        ...


class Silencing:
    """The silences there are; `wall` is seconds since the epoch."""

    def __init__(self, kept: Kept, wall: Callable[[], float]) -> None:
        self._kept = kept
        self._wall = wall
        self._lasting: Sequence[Silence] = ()

    @property
    def lasting(self) -> list[Silence]:
        """The silences that are not over, in the order in which they end."""
        now = self._wall()
        return [each for each in self._lasting if each.ends_at > now]

    def on(self, alert: str, route: str | None, variant: str | None) -> Silence | None:
        """Return the silence on an alert now; None: there is none."""
        return covering(self._lasting, alert, route, variant, self._wall())

    def silenced(self, notice: Notice) -> bool:
        """Return whether nobody is to be told of something now."""
        return self.on(notice.name, notice.route, notice.variant) is not None

    async def add(self, silence: Silence) -> Silence:
        """Keep a silence, which holds at once; return it with its number. StoreError: not kept."""
        made = await asyncio.to_thread(self._kept.add, silence)
        await self.read()
        return made

    async def end(self, number: int) -> Silence | None:
        """End a silence; return it as it was. None: none of this number lasts."""
        found = await asyncio.to_thread(self._kept.end, number, self._wall())
        await self.read()
        return found

    async def read(self) -> None:
        """Read what is kept; where that can't be, what was read before holds."""
        try:
            self._lasting = await asyncio.to_thread(self._kept.lasting, self._wall())
        except StoreError:
            return  # whoever writes there tells of it

    async def run(self) -> None:
        """Keep up with what others make and end, until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(EVERY_SECONDS)
