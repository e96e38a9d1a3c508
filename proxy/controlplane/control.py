"""The control process: takes what workers report, publishes, and answers administration.

It lives as long as there is a worker: it ends when the supervisor says that all are gone, or,
where the supervisor was killed, when the last of them has left. What becomes of observations,
what metrics look like and where versions are kept is `compose`'s matter.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from starlette.types import ASGIApp

from proxy.channel import Ledger, Wire
from proxy.channel.lifeline import (
    ControlLaunch,
    Finish,
    Ready,
    Reload,
    Retire,
    Stage,
    Succession,
    ToChild,
    WorkerEnded,
    live,
    show_life,
)
from proxy.channel.settling import settle
from proxy.config.settings import Settings
from proxy.controlplane.admin.administration import Rendered, administration
from proxy.controlplane.admin.comparing.answering import Compares
from proxy.controlplane.admin.entrance.address import announced
from proxy.controlplane.admin.entrance.server import serve
from proxy.controlplane.admin.entrance.tokens import Tokens
from proxy.controlplane.admin.lately import Lately
from proxy.controlplane.admin.notifying.answering import Notifiers
from proxy.controlplane.admin.record.costs import Kept
from proxy.controlplane.admin.record.looking import Observations
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.hosts.company import Company
from proxy.controlplane.hosts.following import Following
from proxy.controlplane.publishing.beginning import begin, first
from proxy.controlplane.publishing.configuration.reading import Reading
from proxy.controlplane.publishing.configuration.rereading import Rereading
from proxy.controlplane.publishing.configuration.standing import Standing
from proxy.controlplane.publishing.delivery import Delivery
from proxy.controlplane.publishing.history import History, Versions
from proxy.controlplane.publishing.publisher import Publisher
from proxy.controlplane.reception import Reception
from proxy.controlplane.spending import Spending
from proxy.controlplane.watching.silencing import Silencing
from proxy.controlplane.watching.watching import Watching
from proxy.errors import TurnoutError
from proxy.exchange import Observation

TOKEN_BYTES = 32  # of randomness in the token that is made here
LAST_WORDS_SECONDS = 2.0  # for what ended workers had sent to be read
ORPHAN_MARGIN = 30.0  # beyond the workers' own drain, when the supervisor is gone


class Record(Protocol):
    """What control keeps of the exchanges and of the routing."""

    @property
    def versions(self) -> Versions:
        """The store of versions and audit log."""
        ...

    @property
    def observations(self) -> Observations | None:
        """Where exchanges are found again; None: they are not stored."""
        ...

    @property
    def compares(self) -> Compares | None:
        """Where they are added up by variant; None: they are not stored."""
        ...

    @property
    def lately(self) -> Lately:
        """The alerts of the last minutes."""
        ...

    @property
    def watching(self) -> Watching:
        """Alerts over windows."""
        ...

    @property
    def silencing(self) -> Silencing:
        """Of which alerts nobody is told."""
        ...

    @property
    def notifiers(self) -> Notifiers:
        """Who is told of alerts."""
        ...

    @property
    def spending(self) -> Spending:
        """What was spent of the budgets."""
        ...

    @property
    def spent(self) -> Kept | None:
        """Where spending is on record; None: it is not."""
        ...

    def take(self, worker: int, observations: Sequence[Observation]) -> None:
        """Take observations; must not block."""
        ...

    def adopt(self, settings: Settings) -> None:
        """Do as `settings` say from now on."""
        ...

    def render(self) -> Rendered:
        """Return the metrics as they stand; called in a thread of its own."""
        ...


Compose = Callable[[Settings, Fleet, Standing, Company], AbstractAsyncContextManager[Record]]


def run_control(
    descriptor: int,
    compose: Compose,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Be control until it is over; `descriptor` is the child's end of the lifeline."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # it ends after the workers, however they end
    failures: list[str] = []
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(live(descriptor, ControlLaunch, partial(_life, compose)))
    except* TurnoutError as group:
        failures = [str(error) for error in group.exceptions]
    if failures:
        sys.exit("turnout: control can't start: " + "; ".join(failures))


async def _life(compose: Compose, launch: ControlLaunch, lifeline: Wire[ToChild]) -> None:
    await Control(launch, lifeline).run(compose)


class Control:
    """The control process' life; `run` it once."""

    def __init__(self, launch: ControlLaunch, lifeline: Wire[ToChild]) -> None:
        self._launch = launch
        self._lifeline = lifeline
        self._launched = launched = launch.read()
        self._ledger = Ledger(launch.tally)
        self._fleet = Fleet(self._ledger, launched.data_plane.table, launch.restarts)
        self._reading = Reading(
            launched.origin, os.environ, launched.data_dir, room=self._ledger.room
        )
        self._standing = Standing(self._reading.name)
        self._company = Company(launched.host or socket.gethostname(), time.monotonic)
        self._following = Following(self._company, self._fleet, time.time)

    async def run(self, compose: Compose) -> None:
        """Serve until there is nobody left to serve, then flush."""
        async with compose(self._launched, self._fleet, self._standing, self._company) as record:
            if self._launch.succession == "done":
                record.watching.rest()
            reception, publisher, tokens = await self._begin(record)
            rereading = Rereading(
                self._reading,
                publisher.reload,
                lambda: not publisher.held,
                lambda: self._lifeline.post(Ready()),
            )
            channel = socket.socket(fileno=self._launch.listener)
            server = await asyncio.start_unix_server(reception.greet, sock=channel)
            following = self._following.run(publisher)
            async with background(show_life(self._lifeline), rereading.run(), following):
                async with AsyncExitStack() as door:
                    if self._launch.succession != "done":
                        app = self._administration(record, publisher, tokens)
                        admin = socket.socket(fileno=self._launch.admin)
                        await door.enter_async_context(serve(app, admin))
                        folder = Path(self._launched.data_dir)
                        door.enter_context(announced(folder, admin, lambda: publisher.held))
                    settle()
                    self._lifeline.post(Ready())
                    await self._obey(reception, publisher, rereading, record.watching, door)
                await publisher.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await reception.quiet()
            server.close()
            for worker in range(len(self._ledger)):
                reception.settle(worker)

    async def _begin(self, record: Record) -> tuple[Reception, Publisher, Tokens]:
        """Find out what is to be in force, for this process and for workers that come."""
        launched, reading, history = self._launched, self._reading, History(record.versions)
        found = await asyncio.to_thread(first, reading)
        alone = self._launch.succession == "none"
        began = await begin(found, reading, history, launched, time.time(), alone=alone)
        plane = began.in_force.settings.data_plane
        self._fleet.table = plane.table
        reception = Reception(
            settings=plane, ledger=self._ledger, fleet=self._fleet, take=record.take
        )
        tokens = Tokens(Path(launched.data_dir), partial(secrets.token_urlsafe, TOKEN_BYTES))

        def adopt(settings: Settings) -> None:
            record.adopt(settings)
            tokens.adopt(settings.admin_tokens)

        publisher = Publisher(
            began,
            history=history,
            reading=reading,
            standing=self._standing,
            launched=launched,
            push=Delivery(reception, self._lifeline.post, time.monotonic).push,
            others=self._company,
            adopt=adopt,
            clock=time.monotonic,
            wall=time.time,
        )
        await publisher.open()
        await record.silencing.read()
        await record.spending.count()  # before any worker comes, which would serve meanwhile
        record.spending.tell(reception.tell)
        await self._follow(publisher, self._launch.succession)
        return reception, publisher, tokens

    def _administration(self, record: Record, publisher: Publisher, tokens: Tokens) -> ASGIApp:
        return administration(
            names=(self._launched.admin_host, *self._launched.admin_names),
            tokens=tokens,
            fleet=self._fleet,
            render=record.render,
            publisher=publisher,
            hosts=lambda: (self._following.own(publisher), self._company.others),
            history=record.versions,
            observations=record.observations,
            compares=record.compares,
            notifiers=record.notifiers,
            lately=record.lately,
            watching=record.watching,
            silencing=record.silencing,
            spending=record.spending,
            spent=record.spent,
            clock=time.time,
        )

    async def _obey(
        self,
        reception: Reception,
        publisher: Publisher,
        rereading: Rereading,
        watching: Watching,
        door: AsyncExitStack,
    ) -> None:
        """Return when it is time to end; the `door` for administration may close before."""
        try:
            while True:
                match await self._lifeline.receive():
                    case Finish():
                        return
                    case WorkerEnded() as news:
                        self._fleet.restarts = news.restarts
                        await reception.ended(news.worker, news.pid)
                    case Reload():
                        rereading.ask()
                    case Retire():
                        watching.rest()
                    case Succession(stage=stage):
                        await self._follow(publisher, stage)
                        if stage == "done":
                            await door.aclose()
        except ConnectionError:
            await self._outlive(reception)

    async def _follow(self, publisher: Publisher, stage: Stage) -> None:
        """Leave changes to a turnout that takes over, or take them again."""
        if stage != "none":
            publisher.hold("another turnout takes over")
        elif publisher.held:
            await publisher.release()

    async def _outlive(self, reception: Reception) -> None:
        """Stay until the workers have drained, then tidy up after a supervisor that is gone."""
        settings = self._launched
        longest = settings.drain_grace_seconds + settings.drain_seconds + ORPHAN_MARGIN
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await reception.quiet()
        shutil.rmtree(Path(self._launch.channel).parent, ignore_errors=True)


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Do `work` for the length of the block."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(each) for each in work]
        yield
        for task in started:
            task.cancel()
