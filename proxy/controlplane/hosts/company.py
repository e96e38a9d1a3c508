"""The company: this host and those that share its store, as each last told of itself.

Where the store is no shared one, this host is alone, and nothing is told to anybody. It knows
neither what a version is nor when it is time to tell.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from msgspec.structs import replace

from proxy.rollout.spread import Host, Reach, State, reach, state

REACH_SECONDS = 5.0  # for the other hosts to put a version in force; it takes milliseconds
TROUBLED_SECONDS = 0.5  # more for hosts in trouble: the version may be their way out of it
TWICE = 2  # tellings in a row after which somebody else's under our name is no predecessor's


class Shared(Protocol):
    """Where hosts tell of themselves; all but `news` blocks, StoreError where that can't be."""

    def report(self, host: Host) -> Sequence[Host]:
        """Write down what a host tells of itself; return all as they were before, by name."""
        ...

    def leave(self, host: Host) -> None:
        """Forget a host."""
        ...

    def news(self) -> AsyncGenerator[None, None]:
        """Yield once it listens, then whenever a host published, or put a version in force."""
        ...


class Company:
    """The hosts; `clock` is monotonic seconds. One thread writes, any may read."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.name = name
        self.shared: Shared | None = None  # None: this host is alone
        self.trouble = ""  # what is wrong with this host's name
        self._clock = clock
        self._own: Host | None = None
        self._others: list[Host] = []
        self._seen = 0.0  # when they were read
        self._strangers = 0  # tellings in a row that were not ours, under our name
        self._told = asyncio.Event()
        self._turn = threading.Lock()  # held while the store hears of this host
        self._left = False
        self.due = asyncio.Event()  # it is time to tell the others

    def moved(self) -> None:
        """Have the others told at once: this host has another version in force."""
        self.due.set()

    async def tell(self, own: Host) -> None:
        """Tell the others of this host, and hear of them; StoreError: that can't be done."""
        self._own = own
        if self.shared is None:
            return
        found = await asyncio.to_thread(self._report, self.shared, own)
        self._meet([each for each in found if each.name == own.name], own)
        self._others = [each for each in found if each.name != own.name]
        self._seen = self._clock()
        self._told.set()

    async def leave(self) -> None:
        """Let the others forget this host; StoreError: that can't be done."""
        if self.shared is not None and self._own is not None:
            await asyncio.to_thread(self._leave, self.shared, self._own)

    @property
    def others(self) -> list[Host]:
        """The other hosts, by name, silent for longer since they could be asked for last."""
        since = self._clock() - self._seen
        return [replace(each, unseen=each.unseen + since) for each in self._others]

    def counts(self) -> dict[str, int]:
        """Return how many hosts there are by how they stand to the newest version of any."""
        known = [*([self._own] if self._own else []), *self.others]
        newest = max((each.version for each in known), default=0)
        found = dict.fromkeys(map(str, State), 0)
        for each in known:
            found[state(each, newest)] += 1
        return found

    async def reached(self, version: int) -> Reach | None:
        """Wait, but not for long, for `version` on the other hosts; None: this one is alone."""
        if self.shared is None:
            return None
        began = self._clock()
        await self._follow(version, REACH_SECONDS, able=True)
        await self._follow(version, TROUBLED_SECONDS, able=False)
        return reach(self.others, version, 1000 * (self._clock() - began))

    async def _follow(self, version: int, seconds: float, *, able: bool) -> None:
        """Wait for hosts that are behind, only the `able` ones maybe; who is late is told."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._behind(version, able=able):
                    self._told.clear()
                    await self._told.wait()

    def _behind(self, version: int, *, able: bool) -> bool:
        late = [each for each in self.others if state(each, version) is State.BEHIND]
        return any(not (able and each.trouble) for each in late)

    def _report(self, shared: Shared, own: Host) -> Sequence[Host]:
        with self._turn:  # whoever told us was cancelled, maybe, and then we left
            return () if self._left else shared.report(own)

    def _leave(self, shared: Shared, own: Host) -> None:
        with self._turn:
            self._left = True
            shared.leave(own)

    def _meet(self, ours: Sequence[Host], own: Host) -> None:
        """Find out whether another host goes by the same name."""
        stranger = any(each.started_at != own.started_at for each in ours)
        self._strangers = self._strangers + 1 if stranger else 0
        before, self.trouble = self.trouble, ""
        if self._strangers >= TWICE:
            self.trouble = (
                f"two turnouts on this store are called {self.name}; "
                "give each a name of its own with host: in its file"
            )
        if self.trouble and not before:
            structlog.get_logger().warning("two hosts have one name", host=self.name)
