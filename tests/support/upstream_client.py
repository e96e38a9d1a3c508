"""Exchanges with an upstream, without the data plane around them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from proxy.config.settings import Timeouts, UpstreamSettings
from proxy.upstream import ResponseHead, Upstream

GET = b"GET /v1/models HTTP/1.1\r\nHost: upstream\r\n\r\n"
TOTAL = 10.0  # seconds


@asynccontextmanager
async def client_of(
    port: int,
    *,
    workers: int = 1,
    host: str = "127.0.0.1",
    scheme: str = "http",
    timeouts: dict[str, float] | None = None,
    **changes: Any,
) -> AsyncIterator[Upstream]:
    """Open an upstream at `port`; afterwards no connection may be left."""
    settings = UpstreamSettings(
        name="scripted",
        scheme=scheme,
        host=host,
        port=port,
        timeouts=Timeouts(**(timeouts or {})),
        **changes,
    )
    clock = asyncio.get_running_loop().time
    upstream = Upstream(settings, workers=workers, clock=clock, dice=random.random)
    try:
        yield upstream
    finally:
        await upstream.close()
        assert upstream.report().open == 0


def post(body: bytes) -> bytes:
    """Return the head of a request with `body`."""
    return b"POST /v1/x HTTP/1.1\r\nHost: upstream\r\nContent-Length: %d\r\n\r\n" % len(body)


async def exchange(
    upstream: Upstream,
    head: bytes = GET,
    body: bytes = b"",
    *,
    total: float = TOTAL,
    sink: Callable[[bytes], None] | None = None,
) -> tuple[ResponseHead, bytes]:
    """Do one exchange; return the reply's head, and its body unless `sink` takes that."""
    pieces: list[bytes] = []
    connection = await upstream.acquire()
    try:
        until = asyncio.get_running_loop().time() + total
        reply = await connection.send(head, body, until=until)
        await connection.relay(sink or pieces.append)
    finally:
        upstream.release(connection)
    return reply, b"".join(pieces)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what the loop's next turns bring."""
    async with asyncio.timeout(5.0):
        while not holds():  # noqa: ASYNC110  # nothing tells of what is looked at here
            await asyncio.sleep(0)
