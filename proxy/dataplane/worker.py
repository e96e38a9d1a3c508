"""The worker process: from its launch to its last exchange.

    launch -> connect to control -> settings in force -> accept -> ... -> drain -> flush -> end

It ends when the supervisor says so, when somebody sends it SIGTERM, or when its supervisor is
gone; each time by draining. It serves on without control, on its last settings. How requests
are answered is the service's matter, and which service it is, `compose`'s.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

from proxy.channel import Courier, Gauges, Outbox, Tally, Wire
from proxy.channel.lifeline import (
    Accept,
    Drain,
    Ready,
    Retire,
    ToChild,
    WorkerLaunch,
    live,
    show_life,
)
from proxy.channel.settling import settle, shorten_slices
from proxy.config.settings import DataPlane, Tls
from proxy.dataplane.service import Service
from proxy.exchange import Observation
from proxy.http import Edge

FLUSH_SECONDS = 5.0  # at the end, for control to take what waits

Offer = Callable[[Observation], None]
Compose = Callable[[WorkerLaunch, Offer, Tally], Service]


def run_worker(descriptor: int, compose: Compose) -> None:
    """Be a worker until it is over; `descriptor` is the child's end of the lifeline."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to hear
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(live(descriptor, WorkerLaunch, partial(_life, compose)))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loops, or None, asyncio's own, where uvloop is missing."""
    try:
        import uvloop  # noqa: PLC0415  # it is optional
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _life(compose: Compose, launch: WorkerLaunch, lifeline: Wire[ToChild]) -> None:
    await Worker(launch, compose).run(lifeline)


class Worker:
    """One worker's life; `run` it once."""

    def __init__(self, launch: WorkerLaunch, compose: Compose) -> None:
        self._launch = launch
        tally = Tally(launch.tally, launch.worker)
        self._outbox = Outbox(tally.dropped)
        self._service = compose(launch, self._outbox.offer, tally)
        self._courier = Courier(
            path=launch.channel,
            worker=launch.worker,
            outbox=self._outbox,
            adopt=self._adopt,
            heed=self._service.heed,
            gauges=self._gauges,
        )
        self._edge: Edge | None = None
        self._sockets: dict[int, socket.socket] = {}  # the traffic's, all of them
        self._accept = launch.accept
        self._loop = asyncio.get_running_loop()
        self._order: asyncio.Future[Drain] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, lifeline: Wire[ToChild]) -> None:
        """Serve until told to drain, then drain; returns when all is flushed or given up."""
        self._loop.add_signal_handler(signal.SIGTERM, self._terminated)
        async with asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(self._courier.run()),
                tasks.create_task(self._obey(lifeline)),
                tasks.create_task(show_life(lifeline)),
            ]
            if await self._settled():
                await self._open()
                lifeline.post(Ready())
            await self._drain(await self._order)
            for task in background:
                task.cancel()

    async def _obey(self, lifeline: Wire[ToChild]) -> None:
        """Take the supervisor's orders; where it is gone, there is one left."""
        try:
            while True:
                match await lifeline.receive():
                    case Retire():
                        self._retire()
                        if self._timer is not None:
                            self._timer.cancel()
                    case Accept(listeners=listeners):
                        self._accept = listeners
                        self._share()
                    case Drain() as order:
                        self._ordered(order)
        except ConnectionError:
            self._drain_alone()

    def _terminated(self) -> None:
        """Drain, for SIGTERM, unless the supervisor is about to order it."""
        if not self._service.draining:
            self._drain_alone()

    def _drain_alone(self) -> None:
        """Drain with nobody to say when: not ready now, and the order after the grace."""
        self._retire()
        launch = self._launch
        self._timer = self._loop.call_later(
            launch.drain_grace_seconds, self._ordered, Drain(seconds=launch.drain_seconds)
        )

    def _retire(self) -> None:
        """Be not ready, and have clients that keep connections let go of them by themselves."""
        self._service.draining = True
        if self._edge is not None:
            self._edge.drain(patient=True)

    def _ordered(self, order: Drain) -> None:
        if not self._order.done():
            self._order.set_result(order)

    async def _settled(self) -> bool:
        """Wait for the first settings; False: the order to end came before."""
        settled = asyncio.ensure_future(self._courier.settled.wait())
        either: list[asyncio.Future[Any]] = [settled, self._order]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        settled.cancel()
        return self._courier.settled.is_set()

    async def _open(self) -> None:
        settings = self._service.plane.settings
        edge = Edge(self._service, limits=settings.limits, deadlines=settings.deadlines)
        tls = None if self._launch.tls is None else tls_context(self._launch.tls)
        for descriptor in self._launch.listeners:
            self._sockets[descriptor] = sock = socket.socket(fileno=descriptor)
            await edge.serve(sock, tls)
        self._edge = edge
        self._adopt(self._service.plane.settings)  # they may have changed meanwhile
        self._share()
        settle()
        shorten_slices()

    def _adopt(self, settings: DataPlane) -> None:
        """Put `settings` in force: no exchange begins on older ones once this returns."""
        self._service.adopt(settings)
        if self._edge is not None:
            self._edge.adopt(settings.limits, settings.deadlines)

    def _share(self) -> None:
        """Accept on our share of the traffic sockets."""
        if self._edge is not None:
            self._edge.accept_on([self._sockets[each] for each in self._accept])

    async def _drain(self, order: Drain) -> None:
        """End: no more connections, then no exchanges, then no observations."""
        edge = self._edge
        if edge is not None:
            edge.stop_accepting(last=order.last)
            edge.drain(patient=order.patient)
            try:
                async with asyncio.timeout(order.seconds):
                    await edge.wait_idle()
            except TimeoutError:
                self._service.cutting = True
            await edge.close()
        await self._service.shadows.close()
        await self._courier.flush(FLUSH_SECONDS)
        await self._service.close()

    def _gauges(self) -> Gauges:
        edge = self._edge
        upstreams = self._service.plane.upstreams.values()
        return Gauges(
            in_flight=0 if edge is None else edge.in_flight,
            connections=0 if edge is None else edge.connections,
            shed=0 if edge is None else edge.shed,
            upstreams=tuple(upstream.report() for upstream in upstreams),
            shadows=self._service.shadows.report(),
        )


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Return the server's side of TLS, 1.2 at least, for HTTP/1.1."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # not every build's default
    context.set_alpn_protocols(["http/1.1"])
    return context
