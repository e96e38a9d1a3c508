"""The supervisor: owns the sockets, starts the others, keeps them alive, ends them in order.

    start     the data directory, sockets, the tally; then control and the workers
    run       restart what dies; the sockets and the tally outlive every other process
    upgrade   a successor on the same sockets; once it is at work, drain
    drain     workers first: not ready, grace, no new connections, finish; then control

It does no work of its own, so that there is little in it that can fail. What its children are
told of each other is `children`'s matter.
"""

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from msgspec.structs import replace

from proxy.channel.courier import within
from proxy.channel.lifeline import Drain, Finish, Reload, Retire
from proxy.config.settings import Settings
from proxy.controlplane.supervision.child import Child
from proxy.controlplane.supervision.children import Children, Commands
from proxy.controlplane.supervision.holdings import directory
from proxy.controlplane.supervision.holdings.sockets import Sockets, unheeded, whereabouts
from proxy.controlplane.supervision.holdings.succession import (
    Estate,
    Successor,
    announce,
    inherited,
)
from proxy.controlplane.supervision.holdings.systemd import ServiceManager, activated
from proxy.controlplane.supervision.host import available_cpus, raise_open_files
from proxy.errors import StartError

PATIENCE_SECONDS = 10.0  # of a person who watches a start
SUCCESSOR_SECONDS = 60.0  # for a successor to get ready
WORKER_MARGIN = 10.0  # seconds beyond its drain that a worker has to flush and end
CONTROL_SECONDS = 20.0  # for control to flush and end
FORCED = 130  # exit code: it was told twice
FORCED_SECONDS = 1.0  # for control, when it all is to end at once


def supervise(settings: Settings, commands: Commands, say: Callable[[str], None]) -> int:
    """Run turnout until it is told to end; return the exit code, or raise StartError.

    No workers stand for one for each CPU that there is. `say` takes a line for the person who
    started it. 0: all ended in good order, or a successor is at work.
    """
    raise_open_files()
    os.umask(0o077)  # what is kept holds previews and names, which are nobody else's to read
    settings = counted(settings)
    estate = inherited(os.environ)
    with (
        directory.hold(settings.data_dir, None if estate is None else estate.lock) as lock,
        Sockets(settings, estate, activated(os.environ)) as sockets,
    ):
        supervisor = Supervisor(settings, commands, sockets, lock, say)
        return asyncio.run(supervisor.run(estate))


def counted(settings: Settings) -> Settings:
    """Return settings that say how many workers there are."""
    if settings.workers:
        return settings
    cpus = available_cpus()
    plane = replace(settings.data_plane, workers=cpus)
    return replace(settings, workers=cpus, data_plane=plane)


class Supervisor:
    """The parent of all; `run` it once."""

    def __init__(
        self,
        settings: Settings,
        commands: Commands,
        sockets: Sockets,
        lock: io.FileIO,
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._sockets = sockets
        self._lock = lock
        self._say = say
        self._manager = ServiceManager(os.environ.get("NOTIFY_SOCKET"))
        self._asked = asyncio.Event()  # for a successor
        self._news: asyncio.Queue[signal.Signals | StartError | Successor] = asyncio.Queue()
        self._reloading = False  # and the service manager waits to hear that it is done
        self._children = Children(settings, commands, sockets, say, self._reloaded)

    async def run(self, estate: Estate | None = None) -> int:
        """Start everything, wait for what ends it, end everything; return the exit code.

        `estate`: there is a predecessor that waits to hear that everything is at work.
        """
        with self._hearing():
            async with asyncio.TaskGroup() as tasks:
                kept = [tasks.create_task(self._keep(child)) for child in self._children]
                starting = tasks.create_task(self._start(estate))
                upgrade = tasks.create_task(self._upgrade(starting))
                news = await self._news.get()
                starting.cancel()
                upgrade.cancel()
                status = 0
                if not isinstance(news, StartError):
                    status = await self._end(news, kept[0], kept[1:])
                for child in self._children:
                    child.kill()
        if isinstance(news, StartError):
            raise news
        return status

    async def _keep(self, child: Child) -> None:
        try:
            await child.keep()
        except StartError as error:
            self._news.put_nowait(error)

    async def _start(self, estate: Estate | None) -> None:
        """Wait until everything is at work, and say where."""
        for child in self._children:
            while not await within(PATIENCE_SECONDS, child.ready):
                self._say(f"still waiting for the {child.name} process to start")
        where = self._settings, self._sockets.traffic, self._sockets.admin
        inherited_ones = [] if estate is None or self._sockets.lent else unheeded(*where)
        for line in [*whereabouts(*where), *inherited_ones]:
            self._say(line)
        if estate is None:
            self._manager.ready()
        else:
            announce(estate)

    # Upgrade

    async def _upgrade(self, starting: asyncio.Task[None]) -> None:
        """Start a successor whenever somebody asks for one, until one is at work."""
        await starting
        while True:
            await self._asked.wait()
            self._manager.reloading()
            self._children.succession("begun")
            successor = await self._successor()
            if successor is not None:
                self._news.put_nowait(successor)
                return
            self._children.succession("none")
            self._manager.ready()
            self._say("there is no successor: this process serves on as before")
            self._asked.clear()

    async def _successor(self) -> Successor | None:
        """Return a successor that is at work; where it does not get there it is ended: None."""
        try:
            successor = Successor(self._estate())
        except OSError as error:
            self._say(f"a successor can't be started: {error}")
            return None
        self._say(f"starting a successor, process {successor.pid}")
        ready = False
        try:
            ready = await successor.ready(SUCCESSOR_SECONDS)
        finally:
            if not ready:
                await successor.end()
        return successor if ready else None

    def _estate(self) -> Estate:
        sockets = self._sockets
        return Estate(
            predecessor=os.getpid(),
            traffic=tuple(sock.fileno() for sock in sockets.traffic),
            admin=sockets.admin.fileno(),
            lent=sockets.lent,
            lock=self._lock.fileno(),
        )

    def _hand_over(self, successor: Successor) -> None:
        """Leave everything that is shared to the successor."""
        self._children.succession("done")
        self._manager.succeeded(successor.pid)
        self._lock.close()
        self._sockets.admin.close()
        self._say(f"process {successor.pid} serves now")

    # End

    async def _end(
        self,
        order: signal.Signals | Successor,
        control: asyncio.Task[None],
        workers: Sequence[asyncio.Task[None]],
    ) -> int:
        """Drain the workers, then end control; another signal cuts it short."""
        draining = asyncio.create_task(self._drain(order, control, workers))
        impatient = asyncio.create_task(self._signalled(2 if isinstance(order, Successor) else 1))
        await asyncio.wait([draining, impatient], return_when=asyncio.FIRST_COMPLETED)
        impatient.cancel()
        if draining.done():
            return draining.result()
        draining.cancel()
        self._say("ending at once")
        for worker in self._children.workers:
            worker.kill()
        await asyncio.wait(workers)
        await self._finish(control, FORCED_SECONDS)
        return FORCED

    async def _signalled(self, times: int) -> None:
        """Wait for so many signals; one that drains for a successor need not be told once more."""
        while times:
            times -= isinstance(await self._news.get(), signal.Signals)

    async def _drain(
        self,
        order: signal.Signals | Successor,
        control: asyncio.Task[None],
        workers: Sequence[asyncio.Task[None]],
    ) -> int:
        settings = self._settings
        if isinstance(order, Successor):
            self._hand_over(order)
            grace, drain = 0.0, Drain(seconds=settings.drain_seconds, last=False, patient=True)
        else:
            self._manager.stopping()
            grace = 0.0 if order is signal.SIGINT else settings.drain_grace_seconds
            drain = Drain(seconds=settings.drain_seconds, last=not self._sockets.lent)
            for worker in self._children.workers:
                worker.retire(Retire())
        self._children.control.tell(Retire())
        self._say(f"draining: up to {grace + drain.seconds:g} s; once more ends it now")
        await asyncio.sleep(grace)
        self._sockets.close_traffic()  # first: what came after a worker's last look would be lost
        for worker in self._children.workers:
            worker.retire(drain)
        _, late = await asyncio.wait(workers, timeout=drain.seconds + WORKER_MARGIN)
        for worker, task in zip(self._children.workers, workers, strict=True):
            if task in late:
                worker.kill()
        await asyncio.wait(workers)
        await self._finish(control, CONTROL_SECONDS)
        return 0

    async def _finish(self, control: asyncio.Task[None], seconds: float) -> None:
        self._children.control.retire(Finish())
        await asyncio.wait([control], timeout=seconds)
        self._children.control.kill()

    # Signals

    @contextlib.contextmanager
    def _hearing(self) -> Iterator[None]:
        """Hear signals: those that end it as news, the others at once."""
        loop = asyncio.get_running_loop()
        heard: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGTERM: partial(self._news.put_nowait, signal.SIGTERM),
            signal.SIGINT: partial(self._news.put_nowait, signal.SIGINT),
            signal.SIGHUP: self._reload,
            signal.SIGUSR2: self._ask,
        }
        for each, what in heard.items():
            loop.add_signal_handler(each, what)
        try:
            yield
        finally:
            for each in heard:
                loop.remove_signal_handler(each)

    def _reload(self) -> None:
        self._manager.reloading()
        self._say("SIGHUP: reading the configuration again; the log says what came of it")
        self._reloading = True
        self._children.control.tell(Reload())

    def _reloaded(self) -> None:
        """Tell that a reload is over: control has judged the file, or was started anew with it."""
        if self._reloading:
            self._reloading = False
            self._manager.ready()

    def _ask(self) -> None:
        if os.getpid() == 1:
            self._say("SIGUSR2: no successor, for the container ends with this process")
        else:
            self._asked.set()
