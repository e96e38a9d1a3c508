"""The reception: control's end of the channel, where workers come in and get their settings.

Each worker has one connection. A new process under an old number waits until everything its
predecessor sent was taken; only then are the predecessor's accounts settled, so that what is
counted as lost is exact, and only then does it get settings. New settings go to all that are
here; who comes later gets the last ones at once. What is done with observations is `take`'s
matter; it must not block.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

import structlog
from msgspec.structs import replace

from proxy.channel import Acknowledged, Hello, Ledger, Publication, Received, Report, Spent, Wire
from proxy.channel.messages import FromWorker
from proxy.config.settings import DataPlane
from proxy.controlplane.fleet import Fleet
from proxy.exchange import Observation

Take = Callable[[int, Sequence[Observation]], None]


class Visit:
    """One connection of one process; `over` once it was read to its end."""

    __slots__ = ("over", "pid", "serial", "wire")

    def __init__(self, pid: int, wire: Wire[FromWorker]) -> None:
        self.pid = pid
        self.wire = wire
        self.serial = 0  # of the last publication that it acknowledged
        self.over = asyncio.Event()


class Reception:
    """Serves every worker's connection; `greet` is the server's callback."""

    def __init__(self, *, settings: DataPlane, ledger: Ledger, fleet: Fleet, take: Take) -> None:
        self._ledger = ledger
        self._publication = Publication.of(self._placed(settings))
        self._spent: Spent | None = None  # it was not told yet
        self._fleet = fleet
        self._take = take
        self._visits: dict[int, Visit] = {}  # worker -> its last connection
        self._ended: dict[int, int] = {}  # worker -> the process that last ended
        self._progress = asyncio.Event()  # somebody acknowledged, or ended
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

    async def publish(self, settings: DataPlane, seconds: float) -> dict[int, int | None]:
        """Bring `settings` to every worker; return the processes that are late, by worker.

        Late is who did not acknowledge within `seconds`; None: it has not come here yet. A
        worker without a process is not waited for: it gets these settings when it comes.
        """
        serial = self._publication.serial + 1
        self._publication = Publication.of(self._placed(settings), serial)
        self._fleet.table = settings.table
        self._post(self._publication)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(lambda: not self._late())
        return self._late()

    def tell(self, spent: Spent) -> None:
        """Tell every worker, and those that come, which budgets are spent."""
        self._spent = spent
        self._post(spent)

    async def settled(self, workers: Collection[int], seconds: float) -> None:
        """Wait until these have ended, or acknowledged after all, at most `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(lambda: self._late().keys().isdisjoint(workers))

    @property
    def running(self) -> int:
        """How many workers have a process."""
        return len(self._ledger) - sum(map(self._is_down, range(len(self._ledger))))

    async def ended(self, worker: int, pid: int) -> None:
        """Settle the accounts of a worker whose process is gone, unless another has done so."""
        self._ended[worker] = pid
        self._progress.set()
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
        visit = self._visits[worker] = Visit(hello.pid, wire)
        try:
            if hello.fresh:
                self.settle(worker)
                self._ledger.begin(worker)
            self._fleet.joined(hello)
            wire.post(self._publication)
            if self._spent is not None:
                wire.post(self._spent)
            while True:
                await self._answer(worker, await wire.receive(), visit)
        finally:
            self._fleet.left(worker)
            visit.over.set()

    async def _answer(self, worker: int, message: FromWorker, visit: Visit) -> None:
        match message:
            case Acknowledged():
                visit.serial = message.serial
                self._fleet.acknowledged(worker, message.version)
                self._progress.set()
            case Report():
                self._hand_on(worker, message.observations)
                offset = message.offset + len(message.observations)
                self._ledger.take(worker, offset)
                self._fleet.reported(worker, message.gauges)
                await visit.wire.send(Received(offset=offset))

    def _hand_on(self, worker: int, observations: Sequence[Observation]) -> None:
        """Have observations taken; where that fails, they are not sent again, and so fail again.

        Settings go over the same connection: a bug in a sink may not keep a rollback from workers.
        """
        try:
            self._take(worker, observations)
        except Exception:  # the edge of all batches: one bug ends one
            log = structlog.get_logger()
            log.exception("observations not taken", worker=worker, count=len(observations))

    def _post(self, message: Publication | Spent) -> None:
        for visit in self._visits.values():
            if not visit.over.is_set():
                visit.wire.post(message)  # a peer that does not read must not hold us

    def _placed(self, settings: DataPlane) -> DataPlane:
        """Return `settings` with each client key in its column of the tally."""
        columns = self._ledger.slots(key.name for key in settings.keys)
        keys = tuple(replace(key, slot=columns[key.name]) for key in settings.keys)
        return replace(settings, keys=keys)

    def _late(self) -> dict[int, int | None]:
        """Return who runs and has not acknowledged the last publication: process by worker."""
        workers = [worker for worker in range(len(self._ledger)) if not self._is_down(worker)]
        return {worker: self._pid(worker) for worker in workers if not self._is_up(worker)}

    def _is_up(self, worker: int) -> bool:
        visit = self._visits.get(worker)
        here = visit is not None and not visit.over.is_set()
        return here and visit is not None and visit.serial >= self._publication.serial

    def _is_down(self, worker: int) -> bool:
        return worker in self._ended and self._pid(worker) in (None, self._ended[worker])

    def _pid(self, worker: int) -> int | None:
        visit = self._visits.get(worker)
        return None if visit is None else visit.pid

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._progress.clear()
            await self._progress.wait()
