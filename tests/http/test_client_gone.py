"""A client that leaves cancels its handler at once, in every window, and leaves nothing."""

import asyncio
import gc
import socket
import struct
from collections.abc import Callable

import pytest

from proxy.http import Reply, Request
from tests.http.house import NO_FIELDS, House, Running
from tests.support.dialogue import PATIENCE
from tests.support.patience import pace

Leave = Callable[[asyncio.StreamWriter], None]


def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


def half_close(writer: asyncio.StreamWriter) -> None:
    writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Windows:
    """A handler that waits in one window of an exchange until it is cancelled."""

    def __init__(self, window: str) -> None:
        self.window = window
        self.there = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, request: Request, reply: Reply) -> None:
        try:
            await self.work(request, reply)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def work(self, request: Request, reply: Reply) -> None:
        if self.window == "during the body":
            self.there.set()
            await request.read(1000)
        await request.read(1000)
        if self.window != "before the head":
            reply.start(200, b"", NO_FIELDS, length=None)
        if self.window == "mid-stream":
            reply.write(b"data")
        self.there.set()
        await asyncio.Event().wait()


class Stuck(Windows):
    """A handler that takes nothing and says nothing."""

    async def work(self, request: Request, reply: Reply) -> None:
        self.there.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("leave", [close, half_close, reset])
@pytest.mark.parametrize(
    "window", ["during the body", "before the head", "before the first byte", "mid-stream"]
)
async def test_the_handler_is_cancelled(house: House, window: str, leave: Leave) -> None:
    handler = Windows(window)
    running = await house.open(handler)
    reader, writer = await running.connect()
    writer.write(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
    writer.write(b"he" if window == "during the body" else b"hello")
    async with asyncio.timeout(PATIENCE):
        await handler.there.wait()
        if window == "mid-stream":
            await reader.readuntil(b"data")
        leave(writer)
        await handler.cancelled.wait()
        await running.edge.wait_idle()
    writer.close()


@pytest.mark.parametrize("leave", [close, half_close, reset])
@pytest.mark.parametrize(
    "unread",
    [
        pytest.param(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n" * 20_000, id="pipelined requests"),
        pytest.param(b"x" * 600_000, id="an upload that nobody takes"),
    ],
)
async def test_a_client_that_is_not_read_is_seen_to_leave_all_the_same(
    house: House, unread: bytes, leave: Leave
) -> None:
    stuck = Stuck("anywhere")
    running = await house.open(stuck)
    _, writer = await running.connect()
    length = len(unread) if unread[:1] == b"x" else 0
    writer.write(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (length * 2))
    writer.write(unread)
    async with asyncio.timeout(PATIENCE):
        await stuck.there.wait()
        leave(writer)
        await stuck.cancelled.wait()
        await running.edge.wait_idle()
    writer.close()


async def test_requests_behind_it_are_never_handled(house: House) -> None:
    handler = Windows("before the head")
    running = await house.open(handler)
    _, writer = await running.connect()
    writer.write(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await handler.there.wait()
        writer.close()
        await running.edge.wait_idle()
    assert [each.path for each in running.guest.requests] == ["/1"]


async def test_a_handler_that_has_answered_may_finish_its_work(house: House) -> None:
    done = asyncio.Event()
    go_on = asyncio.Event()

    async def tidy(request: Request, reply: Reply) -> None:
        reply.send(200, [], b"ok")
        await go_on.wait()
        done.set()

    running = await house.open(tidy)
    reader, writer = await running.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"ok")
    writer.write_eof()
    async with asyncio.timeout(PATIENCE):
        go_on.set()
        await done.wait()
        assert await reader.read() == b""
    writer.close()


async def test_cleaning_up_is_not_cancelled_a_second_time(house: House) -> None:
    there, cleaned = asyncio.Event(), asyncio.Event()

    async def careful(request: Request, reply: Reply) -> None:
        try:
            there.set()
            await asyncio.Event().wait()
        finally:
            await pace(0.02)
            cleaned.set()

    running = await house.open(careful)
    _, writer = await running.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await there.wait()
        writer.close()
        await running.edge.wait_idle()
        await cleaned.wait()


async def leave_at_once(running: Running, asking: bytes) -> None:
    _, writer = await running.connect()
    writer.write(asking)
    await writer.drain()
    writer.close()


async def test_many_cancelled_requests_leave_nothing(house: House) -> None:
    async def forever(request: Request, reply: Reply) -> None:
        await request.read(1000)
        await asyncio.Event().wait()

    running = await house.open(forever)
    whole = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    async with asyncio.timeout(PATIENCE * 3):
        for size in range(0, len(whole) + 1, 3):
            await asyncio.gather(*(leave_at_once(running, whole[:size]) for _ in range(20)))
        await running.edge.wait_idle()
        await asyncio.gather(*running.edge._tasks, return_exceptions=True)
    running.guest.requests.clear()
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Request | Reply)]
    assert running.edge.in_flight == 0
