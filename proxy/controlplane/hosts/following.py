"""Following: what others publish gets in force here, and they hear how far this host is.

News makes it quick; a look every few seconds makes it sure. Where the store can't be reached,
this host goes on as it is, and catches up once it can. Where the store is not shared there is
only the look: another process may have written into the file.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Protocol

import structlog
from msgspec.structs import replace

from proxy import __version__
from proxy.controlplane.fleet import Fleet, on_table
from proxy.controlplane.hosts.company import Company, Shared
from proxy.errors import ChangeError, StoreError
from proxy.rollout import Version
from proxy.rollout.spread import Host

LOOK_SECONDS = 2.0  # between looks for what others published, where nothing was heard
TELL_SECONDS = 3.0  # between tellings of this host, where nothing changed
AGAIN_SECONDS = 1.0  # after which it is tried again to listen
LEAVE_SECONDS = 2.0
CUT_OFF = "it can't reach the store: no change can be made here, others stand as last heard of"


class Standing(Protocol):
    """How well this host is off."""

    @property
    def misfit(self) -> str:
        """Why the newest version is not in force here; empty: it is."""
        ...


class Publishing(Protocol):
    """Whoever puts in force what others have published."""

    @property
    def current(self) -> Version:
        """The version in force."""
        ...

    @property
    def held(self) -> bool:
        """Whether another turnout takes over, and speaks for this host."""
        ...

    @property
    def standing(self) -> Standing:
        """How well this host is off."""
        ...

    async def catch_up(self) -> None:
        """Put in force what others have published; ChangeError: it can't be done now."""
        ...


class Following:
    """Follows what others publish; `wall` is seconds since the epoch."""

    def __init__(self, company: Company, fleet: Fleet, wall: Callable[[], float]) -> None:
        self._company = company
        self._fleet = fleet
        self._started_at = wall()
        self._look = asyncio.Event()
        self._reachable = True

    async def run(self, publishing: Publishing) -> None:
        """Follow until cancelled, then leave."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(publishing))
                tasks.create_task(self._tell_all(publishing))
                if self._company.shared is not None:
                    tasks.create_task(self._listen(self._company.shared))
        finally:
            await self._leave()  # a successor, where there is one, goes by the name from now on

    def own(self, publishing: Publishing) -> Host:
        """Return this host as it is, for who asks it."""
        host = self._told(publishing)
        return host if self._reachable else replace(host, trouble=host.trouble or CUT_OFF)

    def _told(self, publishing: Publishing) -> Host:
        """Return this host as others are told: who hears of it knows that the store is there."""
        workers, version = self._fleet.workers.values(), publishing.current.number
        return Host(
            name=self._company.name,
            started_at=self._started_at,
            version=version,
            workers=len(workers),
            in_force=on_table(workers, version),
            release=__version__,
            trouble=publishing.standing.misfit or self._company.trouble,
        )

    async def _listen(self, shared: Shared) -> None:
        while True:
            with suppress(StoreError):
                async with aclosing(shared.news()) as news:
                    async for _ in news:
                        self._look.set()
                        self._company.due.set()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self, publishing: Publishing) -> None:
        while True:
            with suppress(ChangeError):  # the store can't be read: whoever tells of us says so
                await publishing.catch_up()
            await due(self._look, LOOK_SECONDS)

    async def _tell_all(self, publishing: Publishing) -> None:
        while True:
            if not publishing.held:
                await self._try_to_tell(self._told(publishing))
            await due(self._company.due, TELL_SECONDS)

    async def _try_to_tell(self, own: Host) -> None:
        log = structlog.get_logger()
        try:
            await self._company.tell(own)
        except StoreError as error:
            if self._reachable:
                log.warning("other hosts can't be reached", reason=str(error))
            self._reachable = False
        else:
            if not self._reachable:
                log.info("other hosts are reached again")
            self._reachable = True

    async def _leave(self) -> None:
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._company.leave()


async def due(event: asyncio.Event, seconds: float) -> None:
    """Wait for `event`, but not for longer than `seconds`; it is to be set anew."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    event.clear()
