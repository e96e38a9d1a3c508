"""Sending a body in pieces: framing, backpressure, and every way in which it can end early."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from proxy.errors import UpstreamTimeout
from proxy.exchange import ErrorCode
from tests.support.scripted_upstream import plain_reply, scripted_upstream
from tests.support.upstream_client import client_of, post


def soon(seconds: float = 10.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def pieces(*parts: bytes, last: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if last is not None:
        await last.wait()


PIECEWISE = b"POST /v1/files HTTP/1.1\r\nHost: u\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_body_in_pieces_is_sent_chunked_or_as_it_is() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        for head_, chunked in ((PIECEWISE, True), (post(b"hello"), False)):
            connection = await client.acquire()
            parts = pieces(b"he", b"", b"llo")
            await connection.send(head_, parts, chunked=chunked, until=soon())
            await connection.relay(lambda _: None)
            client.release(connection)
            assert (await server.request()).body == b"hello"
        assert len(server.connections) == 1


async def test_a_large_body_in_pieces_waits_for_the_upstream_to_take_it() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        connection = await client.acquire()
        parts = pieces(*[b"x" * 100_000] * 100)
        await connection.send(PIECEWISE, parts, chunked=True, until=soon())
        client.release(connection)
        assert len((await server.request()).body) == 10_000_000


async def test_a_reply_before_the_body_was_sent_ends_the_sending() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.read_bodies = False
        server.will(plain_reply(b"too large", 413))
        connection = await client.acquire()
        never = pieces(b"he", last=asyncio.Event())
        reply = await connection.send(PIECEWISE, never, chunked=True, until=soon())
        assert reply.status == 413
        taken: list[bytes] = []
        await connection.relay(taken.append)
        assert taken == [b"too large"]
        client.release(connection)
        assert client.report().open == 0


async def test_a_failing_body_is_raised_as_it_is() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"he"
        raise LookupError("the client is gone")

    async with scripted_upstream() as server, client_of(server.port) as client:
        connection = await client.acquire()
        with pytest.raises(LookupError):
            await connection.send(PIECEWISE, broken(), chunked=True, until=soon())
        client.release(connection)
        assert client.report().open == 0


async def test_cancelling_in_the_middle_of_a_body_ends_its_reading_too() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            yield b"he"
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with scripted_upstream() as server, client_of(server.port) as client:
        connection = await client.acquire()
        sending = asyncio.ensure_future(
            connection.send(PIECEWISE, endless(), chunked=True, until=soon())
        )
        await begun.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert ended.is_set()
        client.release(connection)
        await server.all_closed()


async def test_waiting_for_the_clients_pieces_is_not_the_upstreams_silence() -> None:
    limits = {"first_byte": 0.2, "between_bytes": 0.2}
    async with scripted_upstream() as server, client_of(server.port, timeouts=limits) as client:
        more = asyncio.Event()
        connection = await client.acquire()
        sending = asyncio.ensure_future(
            connection.send(PIECEWISE, pieces(b"he", last=more), chunked=True, until=soon())
        )
        done, _ = await asyncio.wait([sending], timeout=0.5)
        assert not done
        more.set()
        assert (await sending).status == 200
        client.release(connection)


@pytest.mark.parametrize("whole", [True, False])
async def test_an_upstream_that_takes_no_more_of_the_body_misses_its_deadline(whole: bool) -> None:  # noqa: FBT001  # pytest's
    body = b"x" * 20_000_000
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # the system accepts, and nobody reads
        port = deaf.getsockname()[1]
        await takes_too_long(port, body if whole else pieces(body))


async def takes_too_long(port: int, body: bytes | AsyncIterator[bytes]) -> None:
    async with client_of(port, timeouts={"first_byte": 0.3}) as client:
        connection = await client.acquire()
        with pytest.raises(UpstreamTimeout) as failure:
            await connection.send(PIECEWISE, body, until=soon())
        assert failure.value.code == ErrorCode.PROVIDER_FIRST_BYTE_TIMEOUT
        client.release(connection)
