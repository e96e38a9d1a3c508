"""Rereading: the configuration is read again when its file changed, or somebody asked by signal.

One reading after the other; what can't be done now is tried again. How it is read and what is
made of it is `reload`'s matter.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from proxy.controlplane.publishing.change import Caller, Reloaded
from proxy.controlplane.publishing.configuration.reading import Reading
from proxy.controlplane.publishing.configuration.watch import watch
from proxy.errors import ChangeError

AGAIN_SECONDS = 10.0  # after which a new file that could not be kept is tried again
SIGNAL = Caller(name="signal", origin="SIGHUP")


class Rereading:
    """Calls `reload` when it is time to; `may` says whether anything may change now.

    `done` is called after each reading that somebody asked for by signal, whatever came of it.
    """

    def __init__(
        self,
        reading: Reading,
        reload: Callable[[Caller], Awaitable[Reloaded]],
        may: Callable[[], bool],
        done: Callable[[], None],
        again: float = AGAIN_SECONDS,
    ) -> None:
        self._reading = reading
        self._reload = reload
        self._may = may
        self._done = done
        self._again = again
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have it read again, whether it changed or not; somebody sent a signal."""
        self._asked.set()

    async def run(self) -> None:
        """Read again whenever it is time, until cancelled."""
        file = self._reading.file
        async with asyncio.TaskGroup() as both:
            both.create_task(self._when_asked())
            if file is not None:
                both.create_task(watch(Path(file), self._stale, self._when_changed))

    async def _when_asked(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._try(SIGNAL)
            self._done()

    def _stale(self) -> bool:
        return self._may() and self._reading.stale()

    async def _when_changed(self) -> None:
        if not await self._try(Caller(name="file", origin=self._reading.name)):
            await asyncio.sleep(self._again)  # it is stale still, so it will be tried again

    async def _try(self, caller: Caller) -> bool:
        try:
            await self._reload(caller)
        except ChangeError as error:
            log = structlog.get_logger()
            log.error("configuration could not be put in force", reason=str(error))  # noqa: TRY400  # no bug: its trace says nothing
            return False
        return True
