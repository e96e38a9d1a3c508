"""The courier: the worker's end of the channel.

It keeps a connection to control, for ever: where control is gone it tries again, and the worker
serves on its last settings meanwhile. It hands settings to `adopt` and says so, and empties the
outbox, one batch at a time, each kept until control has taken it. A control that hangs delays
the courier only; the outbox then fills, drops and counts.
"""

import asyncio
import os
from collections.abc import Callable
from typing import NoReturn

from proxy import __version__
from proxy.channel.messages import (
    Acknowledged,
    FromControl,
    Gauges,
    Hello,
    Publication,
    Received,
    Report,
    Spent,
)
from proxy.channel.outbox import BATCH, Outbox
from proxy.channel.wire import Wire
from proxy.config.settings import DataPlane

GATHER_SECONDS = 0.1  # from the first observation that waits until a batch leaves
HEARTBEAT_SECONDS = 1.0  # at most between two reports, so that gauges are fresh
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)  # seconds between attempts to reach control; the last stays


class Courier:
    """One worker's connection to control; `run` it as a task for as long as the worker lives."""

    def __init__(
        self,
        *,
        path: str,
        worker: int,
        outbox: Outbox,
        adopt: Callable[[DataPlane], None],
        heed: Callable[[Spent], None],
        gauges: Callable[[], Gauges],
    ) -> None:
        self._path = path
        self._worker = worker
        self._outbox = outbox
        self._adopt = adopt
        self._heed = heed
        self._gauges = gauges
        self._hurry = asyncio.Event()
        self._answered = asyncio.Event()
        self.settled = asyncio.Event()  # the first settings are in force

    async def run(self) -> NoReturn:
        """Talk to control until cancelled."""
        failures = 0
        while True:
            try:
                wire: Wire[FromControl] = await Wire.dial(self._path, FromControl)
            except OSError:
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                continue
            failures = 0
            try:
                await self._talk(wire)
            finally:
                await wire.close()
            await asyncio.sleep(PAUSES[0])

    async def flush(self, seconds: float) -> bool:
        """Send at once whatever waits; return whether control took it all in time."""
        self._hurry.set()
        try:
            async with asyncio.timeout(seconds):
                await self._outbox.emptied.wait()
        except TimeoutError:
            return False
        return True

    async def _talk(self, wire: Wire[FromControl]) -> None:
        """Say hello, then listen and report until the connection ends."""
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._listen(wire))
                both.create_task(self._report(wire))
        except* ConnectionError:
            pass  # control is gone, or restarts; what it did not take is sent again

    async def _listen(self, wire: Wire[FromControl]) -> None:
        while True:
            message = await wire.receive()
            match message:
                case Publication():
                    settings = message.data_plane()
                    self._adopt(settings)
                    self.settled.set()
                    version = settings.table.version
                    await wire.send(Acknowledged(serial=message.serial, version=version))
                case Received():
                    self._outbox.taken(message.offset)
                    self._answered.set()
                case Spent():
                    self._heed(message)

    async def _report(self, wire: Wire[FromControl]) -> None:
        await wire.send(
            Hello(
                worker=self._worker,
                pid=os.getpid(),
                turnout=__version__,
                fresh=not self.settled.is_set(),
            )
        )
        await self.settled.wait()
        while True:
            self._answered.clear()
            await wire.send(
                Report(
                    offset=self._outbox.offset,
                    observations=self._outbox.batch(),
                    gauges=self._gauges(),
                )
            )
            await self._answered.wait()
            await self._gather()

    async def _gather(self) -> None:
        """Wait until there is something to say: a batch that had time to grow, or gauges."""
        if len(self._outbox) >= BATCH:
            return
        if await within(HEARTBEAT_SECONDS, self._outbox.filled):
            await within(GATHER_SECONDS, self._hurry)


async def within(seconds: float, event: asyncio.Event) -> bool:
    """Return whether `event` is set within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
