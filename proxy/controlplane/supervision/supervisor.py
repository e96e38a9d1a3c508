"""The supervisor: owns the sockets, starts the others, keeps them alive, ends them in order.

    start     sockets, the tally, the channel's socket; then control and the workers
    run       restart what dies; the sockets and the tally outlive every other process
    drain     workers first: not ready, grace, no new connections, finish; then control

It does no work of its own, so that there is little in it that can fail. What the children do is
theirs; `commands` says how they are started.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from proxy.channel import create_memory
from proxy.channel.courier import within
from proxy.channel.lifeline import (
    ControlLaunch,
    Drain,
    Finish,
    Retire,
    WorkerEnded,
    WorkerLaunch,
)
from proxy.channel.tally import SLOTS
from proxy.config.settings import Settings
from proxy.controlplane.supervision.child import Child
from proxy.controlplane.supervision.host import (
    available_cpus,
    listen,
    private_socket,
    raise_open_files,
)
from proxy.errors import StartError

PATIENCE_SECONDS = 10.0  # of a person who watches a start
WORKER_MARGIN = 10.0  # seconds beyond its drain that a worker has to flush and end
CONTROL_SECONDS = 20.0  # for control to flush and end
FORCED = 130  # exit code: it was told twice
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # read, not bound: what to type
FORCED_SECONDS = 1.0  # for control, when it all is to end at once


class Commands(Struct, frozen=True, kw_only=True):
    """How the children are started; the number of an open file is added: their lifeline."""

    control: Sequence[str]
    worker: Sequence[str]


class Sockets:
    """What outlives every child: the listening sockets, the channel's, and the tally."""

    def __init__(self, settings: Settings) -> None:
        with contextlib.ExitStack() as undo:
            count = settings.workers
            self.traffic = listen(settings.listen_host, settings.listen_port, count)
            for sock in self.traffic:
                undo.callback(sock.close)
            (self.admin,) = listen(settings.admin_host, settings.admin_port)
            undo.callback(self.admin.close)
            folder, self.channel = private_socket(count + 8)
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            undo.callback(self.channel.close)
            self.tally = create_memory(count, slots(settings))
            undo.callback(os.close, self.tally)
            self._undo = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def close_traffic(self) -> None:
        """Take no connection any more, as far as it depends on this process."""
        for sock in self.traffic:
            sock.close()


def slots(settings: Settings) -> int:
    """Return how many client keys the tally needs room for."""
    return max(SLOTS, *(2 * (key.slot + 1) for key in settings.data_plane.keys), 0)


def supervise(settings: Settings, commands: Commands, say: Callable[[str], None]) -> int:
    """Run turnout until it is told to end; return the exit code, or raise StartError.

    No workers stand for one for each CPU that there is. `say` takes a line for the person who
    started it. 0: all ended in good order.
    """
    raise_open_files()
    settings = counted(settings)
    with Sockets(settings) as sockets:
        return asyncio.run(Supervisor(settings, commands, sockets, say).run())


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
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._sockets = sockets
        self._say = say
        self._restarts = {"control": 0, "worker": 0}
        self._news: asyncio.Queue[signal.Signals | StartError] = asyncio.Queue()
        self._control = self._make_control(commands.control)
        self._workers = [self._make_worker(commands.worker, n) for n in range(settings.workers)]

    async def run(self) -> int:
        """Start everything, wait for a signal, end everything; return the exit code."""
        with self._hearing():
            async with asyncio.TaskGroup() as tasks:
                kept = [tasks.create_task(self._keep(child)) for child in self._all]
                starting = tasks.create_task(self._start())
                news = await self._news.get()
                starting.cancel()
                status = 0
                if isinstance(news, signal.Signals):
                    status = await self._end(news, kept[0], kept[1:])
                for child in self._all:
                    child.kill()
        if isinstance(news, StartError):
            raise news
        return status

    async def _keep(self, child: Child) -> None:
        try:
            await child.keep()
        except StartError as error:
            self._news.put_nowait(error)

    @property
    def _all(self) -> list[Child]:
        return [self._control, *self._workers]

    async def _start(self) -> None:
        """Wait until everything is at work, and say where."""
        for child in self._all:
            while not await within(PATIENCE_SECONDS, child.ready):
                self._say(f"still waiting for the {child.name} process to start")
        sockets = self._sockets
        for line in whereabouts(self._settings, sockets.traffic[0], sockets.admin):
            self._say(line)

    async def _end(
        self,
        order: signal.Signals,
        control: asyncio.Task[None],
        workers: Sequence[asyncio.Task[None]],
    ) -> int:
        """Drain the workers, then end control; another signal cuts it short."""
        draining = asyncio.create_task(self._drain(order, control, workers))
        impatient = asyncio.create_task(self._news.get())
        await asyncio.wait([draining, impatient], return_when=asyncio.FIRST_COMPLETED)
        impatient.cancel()
        if draining.done():
            return draining.result()
        draining.cancel()
        self._say("ending at once")
        for worker in self._workers:
            worker.kill()
        await asyncio.wait(workers)
        await self._finish(control, FORCED_SECONDS)
        return FORCED

    async def _drain(
        self,
        order: signal.Signals,
        control: asyncio.Task[None],
        workers: Sequence[asyncio.Task[None]],
    ) -> int:
        settings = self._settings
        grace = 0.0 if order is signal.SIGINT else settings.drain_grace_seconds
        self._say(f"draining: up to {grace + settings.drain_seconds:g} s; once more ends it now")
        for worker in self._workers:
            worker.retire(Retire())
        await asyncio.sleep(grace)
        self._sockets.close_traffic()  # first: what came after a worker's last look would be lost
        for worker in self._workers:
            worker.retire(Drain(seconds=settings.drain_seconds))
        _, late = await asyncio.wait(workers, timeout=settings.drain_seconds + WORKER_MARGIN)
        for worker, task in zip(self._workers, workers, strict=True):
            if task in late:
                worker.kill()
        await asyncio.wait(workers)
        await self._finish(control, CONTROL_SECONDS)
        return 0

    async def _finish(self, control: asyncio.Task[None], seconds: float) -> None:
        self._control.retire(Finish())
        await asyncio.wait([control], timeout=seconds)
        self._control.kill()

    def _make_control(self, command: Sequence[str]) -> Child:
        sockets = self._sockets

        def launch() -> ControlLaunch:
            return ControlLaunch.of(
                self._settings,
                channel=sockets.channel.getsockname(),
                listener=sockets.channel.fileno(),
                admin=sockets.admin.fileno(),
                tally=sockets.tally,
                restarts=dict(self._restarts),
            )

        def restarting(_: int, why: str) -> None:
            self._restarts["control"] += 1
            self._say(why)

        files = [sockets.channel.fileno(), sockets.admin.fileno(), sockets.tally]
        return Child("control", command, launch=launch, files=files, restarting=restarting)

    def _make_worker(self, command: Sequence[str], number: int) -> Child:
        settings, sockets = self._settings, self._sockets
        listener = sockets.traffic[number].fileno()

        def launch() -> WorkerLaunch:
            return WorkerLaunch(
                worker=number,
                workers=settings.workers,
                listener=listener,
                tally=sockets.tally,
                channel=sockets.channel.getsockname(),
                tls=settings.tls,
                drain_grace_seconds=settings.drain_grace_seconds,
                drain_seconds=settings.drain_seconds,
            )

        def restarting(pid: int, why: str) -> None:
            self._restarts["worker"] += 1
            news = WorkerEnded(worker=number, pid=pid, restarts=dict(self._restarts))
            self._control.tell(news)
            self._say(why)

        return Child(
            f"worker {number}",
            command,
            launch=launch,
            files=[listener, sockets.tally],
            restarting=restarting,
        )

    @contextlib.contextmanager
    def _hearing(self) -> Iterator[None]:
        """Hear signals as items of a queue."""
        loop = asyncio.get_running_loop()
        for heard in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(heard, self._news.put_nowait, heard)
        loop.add_signal_handler(
            signal.SIGHUP, self._say, "SIGHUP: the configuration is not read again while running"
        )
        try:
            yield
        finally:
            for heard in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(heard)


def whereabouts(settings: Settings, traffic: socket.socket, admin: socket.socket) -> list[str]:
    """Return the lines that say where turnout listens, and who may reach that."""
    scheme = "http" if settings.tls is None else "https"
    plane = settings.data_plane
    everywhere = traffic.getsockname()[0] in WILDCARDS
    lines = [
        f"traffic on {url(scheme, traffic)}/v1" + (" (on all interfaces)" if everywhere else ""),
        f"administration on {url('http', admin)}",
    ]
    lent = [each.name for each in plane.upstreams.values() if each.api_key is not None]
    if everywhere and lent and not plane.keys:
        lines.append(
            f"warning: whoever reaches this port can spend the api_key of {', '.join(lent)}. "
            "Listen on 127.0.0.1 (--listen 127.0.0.1:8000), or configure client keys (keys:)."
        )
    return lines


def url(scheme: str, sock: socket.socket) -> str:
    """Return the address that `sock` listens on, as a person would type it."""
    host, port = sock.getsockname()[:2]
    host = WILDCARDS.get(host, f"[{host}]" if ":" in host else host)
    return f"{scheme}://{host}:{port}"
