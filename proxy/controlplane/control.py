"""The control process: takes what workers report, and answers administration.

It lives as long as there is a worker: it ends when the supervisor says that all are gone, or,
where the supervisor was killed, when the last of them has left. What becomes of observations,
and what metrics look like, is `compose`'s matter.
"""

import asyncio
import contextlib
import shutil
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from proxy.channel import Ledger, Wire
from proxy.channel.lifeline import (
    ControlLaunch,
    Finish,
    Ready,
    Succession,
    ToChild,
    WorkerEnded,
    child_end,
    show_life,
)
from proxy.config.settings import Settings
from proxy.controlplane.admin.api import Rendered, administration, serve
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.reception import Reception
from proxy.exchange import Observation

LAST_WORDS_SECONDS = 2.0  # for what ended workers had sent to be read
ORPHAN_MARGIN = 30.0  # beyond the workers' own drain, when the supervisor is gone


class Record(Protocol):
    """What control keeps of the exchanges."""

    def take(self, worker: int, observations: Sequence[Observation]) -> None:
        """Take observations; must not block."""
        ...

    def render(self) -> Rendered:
        """Return the metrics as they stand; called in a thread of its own."""
        ...


Compose = Callable[[Settings, Fleet], AbstractAsyncContextManager[Record]]


def run_control(
    descriptor: int,
    compose: Compose,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Be control until it is over; `descriptor` is the child's end of the lifeline."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # it ends after the workers, however they end
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_main(descriptor, compose))


async def _main(descriptor: int, compose: Compose) -> None:
    lifeline = await child_end(descriptor)
    try:
        launch = await lifeline.receive()
    except ConnectionError:  # the supervisor was gone before there was anything to do
        return
    if not isinstance(launch, ControlLaunch):
        raise TypeError("control was launched as something else")
    await Control(launch).run(lifeline, compose)
    await lifeline.close()


class Control:
    """The control process' life; `run` it once."""

    def __init__(self, launch: ControlLaunch) -> None:
        self._launch = launch
        self._settings = launch.read()
        self._ledger = Ledger(launch.tally)
        self._fleet = Fleet(self._ledger, self._settings.data_plane.table, launch.restarts)

    async def run(self, lifeline: Wire[ToChild], compose: Compose) -> None:
        """Serve until there is nobody left to serve, then flush."""
        launch, settings = self._launch, self._settings
        async with compose(settings, self._fleet) as record:
            reception = Reception(
                settings=settings.data_plane,
                ledger=self._ledger,
                fleet=self._fleet,
                take=record.take,
            )
            channel = socket.socket(fileno=launch.listener)
            server = await asyncio.start_unix_server(reception.greet, sock=channel)
            app = administration(self._fleet, record.render, settings.admin_host)
            async with contextlib.AsyncExitStack() as door:
                if launch.succession != "done":
                    await door.enter_async_context(serve(app, socket.socket(fileno=launch.admin)))
                lifeline.post(Ready())
                living = asyncio.create_task(show_life(lifeline))
                await self._obey(lifeline, reception, door)
                living.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await reception.quiet()
            server.close()
            for worker in range(len(self._ledger)):
                reception.settle(worker)

    async def _obey(
        self,
        lifeline: Wire[ToChild],
        reception: Reception,
        door: contextlib.AsyncExitStack,
    ) -> None:
        """Return when it is time to end; the `door` for administration may close before."""
        try:
            while True:
                match await lifeline.receive():
                    case Finish():
                        return
                    case WorkerEnded() as news:
                        self._fleet.restarts = news.restarts
                        await reception.ended(news.worker, news.pid)
                    case Succession(stage="done"):
                        await door.aclose()
        except ConnectionError:
            await self._outlive(reception)

    async def _outlive(self, reception: Reception) -> None:
        """Stay until the workers have drained, then tidy up after a supervisor that is gone."""
        settings = self._settings
        longest = settings.drain_grace_seconds + settings.drain_seconds + ORPHAN_MARGIN
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await reception.quiet()
        shutil.rmtree(Path(self._launch.channel).parent, ignore_errors=True)
