"""The reception: control's end of the channel, where workers come in.

Each worker has one connection. A new process under an old number waits until everything its
predecessor sent was taken; only then are the predecessor's accounts settled, so that what is
counted as lost is exact, and only then does it get settings. What is done with observations is
`take`'s matter; it must not block.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from proxy.channel import Acknowledged, Hello, Ledger, Publication, Received, Report, Wire
from proxy.channel.messages import FromWorker
from proxy.config.settings import DataPlane
from proxy.controlplane.fleet import Fleet
from proxy.exchange import Observation

Take = Callable[[int, Sequence[Observation]], None]


class Visit:
    """One connection of one process; `over` once it was read to its end."""

    __slots__ = ("over", "pid")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.over = asyncio.Event()


class Reception:
    """Serves every worker's connection; `greet` is the server's callback."""

    def __init__(self, *, settings: DataPlane, ledger: Ledger, fleet: Fleet, take: Take) -> None:
        self._publication = Publication.of(settings)
        self._ledger = ledger
        self._fleet = fleet
        self._take = take
        self._visits: dict[int, Visit] = {}  # worker -> its last connection
        self._calls = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        self._calls += 1
        self._quiet.clear()
        wire: Wire[FromWorker] = Wire(reader, writer, FromWorker)
        try:
            hello = await wire.receive()
            if isinstance(hello, Hello) and hello.worker < len(self._ledger):
                await self._serve(hello, wire)
        except ConnectionError:
            pass  # the worker ended, or comes again
        finally:
            self._calls -= 1
            if not self._calls:
                self._quiet.set()
            await wire.close()

    async def ended(self, worker: int, pid: int) -> None:
        """Settle the accounts of a worker whose process is gone, unless another has done so."""
        visit = self._visits.get(worker)
        if visit is not None:
            if visit.pid != pid:
                return  # its successor is here already: its hello settled them
            await visit.over.wait()
        if self._visits.get(worker) is visit:
            self.settle(worker)

    def settle(self, worker: int) -> None:
        """Count as lost, and say so, what a process that is gone left open."""
        lost = self._ledger.settle(worker)
        if lost:
            log = structlog.get_logger()
            log.warning("observations died with a worker", worker=worker, lost=lost)

    async def quiet(self) -> None:
        """Wait until no worker is connected, and all that they sent was taken."""
        await self._quiet.wait()

    async def _serve(self, hello: Hello, wire: Wire[FromWorker]) -> None:
        worker = hello.worker
        before = self._visits.get(worker)
        if before is not None:
            await before.over.wait()
        visit = self._visits[worker] = Visit(hello.pid)
        try:
            if hello.fresh:
                self.settle(worker)
                self._ledger.begin(worker)
            self._fleet.joined(hello)
            await wire.send(self._publication)
            while True:
                await self._answer(worker, await wire.receive(), wire)
        finally:
            self._fleet.left(worker)
            visit.over.set()

    async def _answer(self, worker: int, message: FromWorker, wire: Wire[FromWorker]) -> None:
        match message:
            case Acknowledged():
                self._fleet.acknowledged(worker, message.version)
            case Report():
                self._take(worker, message.observations)
                offset = message.offset + len(message.observations)
                self._ledger.take(worker, offset)
                self._fleet.reported(worker, message.gauges)
                await wire.send(Received(offset=offset))
