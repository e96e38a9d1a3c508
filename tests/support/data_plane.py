"""A whole data plane in the test's own loop: real sockets, real upstreams, no other process.

    async with serving(settings) as turnout:
        reply = await turnout.post("/v1/chat/completions", {...})
        observation = await turnout.observed()

Observations that nobody asked for make the test fail at the end, so that "exactly one" is
checked everywhere.
"""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2
from msgspec import Raw

from proxy.config.settings import DataPlane, UpstreamSettings
from proxy.dataplane.service import Service
from proxy.exchange import Observation
from proxy.http import Edge
from proxy.routing import Route, RoutingTable, Variant
from proxy.upstream import Upstream

PATIENCE = 10.0  # seconds a test waits for what must come


class Counts:
    """The tally of one worker, in plain memory."""

    def __init__(self) -> None:
        self.begun = 0
        self._requests: dict[int, float] = {}
        self._tokens: dict[int, float] = {}

    def started(self) -> None:
        self.begun += 1

    def add_request(self, slot: int, now: float) -> None:
        self._requests[slot] = self.requests(slot, now) + 1

    def add_tokens(self, slot: int, count: int, now: float) -> None:
        self._tokens[slot] = self.tokens(slot, now) + count

    def requests(self, slot: int, now: float) -> float:
        return self._requests.get(slot, 0.0)

    def tokens(self, slot: int, now: float) -> float:
        return self._tokens.get(slot, 0.0)


class Turnout:
    """A running data plane, as a test sees it."""

    def __init__(self, port: int, service: Service, edge: Edge, counts: Counts) -> None:
        self.port = port
        self.service = service
        self.edge = edge
        self.counts = counts
        self._writers: list[asyncio.StreamWriter] = []
        self.offered: asyncio.Queue[Observation] = asyncio.Queue()
        self.client = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False
        )

    async def post(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Send one JSON request and read its whole reply."""
        return await self.client.post(path, json=body, headers=dict(headers or {}))

    async def observed(self) -> Observation:
        """Return the next observation."""
        async with asyncio.timeout(PATIENCE):
            return await self.offered.get()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a raw connection; it is closed at the end at the latest."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        return reader, writer

    async def close_connections(self) -> None:
        """Close every connection that was opened here."""
        await self.client.aclose()
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(
    settings: DataPlane, *, random_bits: Callable[[int], int] = random.getrandbits
) -> AsyncIterator[Turnout]:
    """Run `settings`; at the end nothing may be left over: no connection, no observation."""
    counts = Counts()
    offered: list[Turnout] = []
    service = Service(
        offer=lambda observation: offered[0].offered.put_nowait(observation),  # noqa: PLW0108  # it comes later
        counts=counts,
        clock=time.monotonic,
        wall=time.time,
        random_bits=random_bits,
        upstream=lambda each: Upstream(
            each, workers=settings.workers, clock=time.monotonic, dice=random.random
        ),
    )
    service.adopt(settings)
    edge = Edge(service, limits=settings.limits, deadlines=settings.deadlines)
    listener = socket.create_server(("127.0.0.1", 0))
    turnout = Turnout(listener.getsockname()[1], service, edge, counts)
    offered.append(turnout)
    await edge.serve(listener)
    try:
        yield turnout
    finally:
        await turnout.close_connections()
        edge.stop_accepting()
        await edge.close()
        await service.close()
    unread = [turnout.offered.get_nowait() for _ in range(turnout.offered.qsize())]
    assert not unread, f"observations nobody asked for: {unread}"


def upstream(name: str, port: int, **changes: Any) -> UpstreamSettings:
    """Return an upstream on this machine."""
    given: dict[str, Any] = {"scheme": "http", "host": "127.0.0.1", "retries": 0, **changes}
    return UpstreamSettings(name=name, port=port, **given)


def variant(name: str, on: str, model: str | None = None, **overrides: bytes) -> Variant:
    """Return a variant; `overrides` are members as JSON."""
    members = {member: Raw(value) for member, value in overrides.items()}
    return Variant(name=name, upstream=on, model=model, overrides=members)


def settings_of(*routes: Route, upstreams: list[UpstreamSettings], **changes: Any) -> DataPlane:
    """Return the settings of a worker; `changes` are members of DataPlane, or of its table."""
    members = set(RoutingTable.__struct_fields__)
    table = {name: changes.pop(name) for name in list(changes) if name in members}
    return DataPlane(
        table=RoutingTable(
            version=1, digest="0" * 64, routes={route.name: route for route in routes}, **table
        ),
        upstreams={each.name: each for each in upstreams},
        **changes,
    )
