"""Backpressure both ways: what is kept between a fast end and a slow one is bounded."""

import asyncio

import pytest

from proxy.config.settings import Limits
from proxy.errors import Refusal
from proxy.http import Reply, Request
from tests.http.house import NO_FIELDS, Flow, House
from tests.support.dialogue import PATIENCE
from tests.support.patience import eventually

MIB = 1024 * 1024


async def pour(writer: asyncio.StreamWriter, poured: list[int], size: int) -> None:
    piece = b"x" * 65536
    for _ in range(size // len(piece)):
        writer.write(piece)
        await writer.drain()
        poured.append(len(piece))


async def settled(poured: list[int]) -> int:
    """Return how much was poured once that stands still, for some looks in a row."""
    seen: list[int] = []

    async def look() -> list[int]:
        seen.append(len(poured))
        return seen[-5:]

    await eventually(look, lambda last: len(last) == 5 and len(set(last)) == 1)
    return sum(poured)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_nobody_takes_stays_with_the_client(
    house: House, *, chunked: bool
) -> None:
    go_on = asyncio.Event()
    got = bytearray()

    async def slow(request: Request, reply: Reply) -> None:
        await go_on.wait()
        async for piece in request.stream(100 * MIB):
            got.extend(piece)
        reply.send(200, [], b"")

    running = await house.open(slow, limits=Limits(buffer_bytes=65536))
    reader, writer = await running.connect()
    poured: list[int] = []
    size = 32 * MIB
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % framing)
    if chunked:
        writer.write(b"%x\r\n" % size)
    pouring = asyncio.create_task(pour(writer, poured, size))
    async with asyncio.timeout(PATIENCE):
        assert await settled(poured) < 24 * MIB, "the kernel's buffers, and not much more"
        (request,) = running.guest.requests
        assert request.received <= 65536 + 256 * 1024, "the bound, and one read of the loop"
        go_on.set()
        await pouring
        if chunked:
            writer.write(b"\r\n0\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    assert len(got) == size
    writer.close()


async def test_a_body_read_whole_is_not_held_up(house: House) -> None:
    async def whole(request: Request, reply: Reply) -> None:
        body = await request.read(8 * MIB)
        reply.send(200, [], b"%d" % len(body))

    running = await house.open(whole, limits=Limits(buffer_bytes=65536))
    reader, writer = await running.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (8 * MIB))
    writer.write(b"x" * (8 * MIB))
    async with asyncio.timeout(PATIENCE):
        assert (await reader.readuntil(b"8388608")).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()


async def test_requests_piled_up_behind_a_slow_one_stay_with_the_client(house: House) -> None:
    go_on = asyncio.Event()

    async def slow(request: Request, reply: Reply) -> None:
        await go_on.wait()
        reply.send(200, [], b"")

    running = await house.open(slow)
    reader, writer = await running.connect()
    each = b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 8000 + b"\r\n\r\n"
    count = 2000
    poured: list[int] = []

    async def pile() -> None:
        for _ in range(count):
            writer.write(each)
            await writer.drain()
            poured.append(len(each))

    piling = asyncio.create_task(pile())
    async with asyncio.timeout(PATIENCE):
        assert await settled(poured) < count * len(each)
        go_on.set()
        for _ in range(count):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        await piling
    assert len(running.guest.requests) == count
    writer.close()


async def test_a_slow_client_pauses_who_writes_to_it(house: House) -> None:
    paused, resumed = asyncio.Event(), asyncio.Event()

    async def stream(request: Request, reply: Reply) -> None:
        reply.start(200, b"", NO_FIELDS, length=None)
        reply.on_flow(Flow(paused.set, resumed.set))
        while not paused.is_set():
            reply.write(b"x" * 65536)
            await asyncio.sleep(0)
        await resumed.wait()
        reply.finish()

    running = await house.open(stream)
    reader, writer = await running.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await paused.wait()
        assert not resumed.is_set()
        assert (await reader.read()).endswith(b"0\r\n\r\n")
    assert resumed.is_set()
    writer.close()


async def test_who_joins_late_hears_that_the_client_is_slow(house: House) -> None:
    heard: list[str] = []

    async def stream(request: Request, reply: Reply) -> None:
        reply.start(200, b"", NO_FIELDS, length=None)
        reply.write(b"x" * (32 * MIB))
        reply.on_flow(Flow(lambda: heard.append("pause"), lambda: heard.append("resume")))
        reply.finish()

    running = await house.open(stream)
    reader, writer = await running.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        assert len(await reader.read()) > 32 * MIB
    assert heard == ["pause"]
    writer.close()


async def test_a_client_that_does_not_read_is_not_answered_further(house: House) -> None:
    async def large(request: Request, reply: Reply) -> None:
        reply.send(200, [], b"x" * (16 * MIB))

    running = await house.open(large)
    reader, writer = await running.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
    async with asyncio.timeout(PATIENCE):
        await reader.readexactly(100)
        assert len(running.guest.requests) == 1
        total = 100
        while total < 3 * 16 * MIB:
            total += len(await reader.read(1 << 20))
    assert len(running.guest.requests) == 3
    writer.close()


async def test_a_streamed_body_beyond_its_limit_is_refused(house: House) -> None:
    async def bounded(request: Request, reply: Reply) -> None:
        with pytest.raises(Refusal) as refused:
            async for _ in request.stream(1000):
                pass
        reply.send(refused.value.status, [], b"", close=True)

    running = await house.open(bounded)
    reader, writer = await running.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(b"3e9\r\n" + b"x" * 1001)
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()
