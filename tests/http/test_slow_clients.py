"""Deadlines are milliseconds here, so that what must happen happens soon; nothing is timed."""

import asyncio
import socket

from proxy.config.settings import Deadlines, Limits
from proxy.http import Reply, Request
from tests.http.house import NO_FIELDS, Flow, House, echo
from tests.support.dialogue import PATIENCE, talk
from tests.support.patience import pace

LATE = """
    << HTTP/1.1 408 Request Timeout
    << content-length: 0
    << connection: close
    <<
    <.
"""


async def test_a_head_that_does_not_come_in_time_is_answered_408(house: House) -> None:
    running = await house.open(deadlines=Deadlines(head=0.05))
    await talk(running.port, "    >| GET / HTTP/1.1\n" + LATE.removeprefix("\n"))
    assert [each.status for each in running.guest.refused] == [408]


async def test_a_head_that_dribbles_gains_no_time(house: House) -> None:
    running = await house.open(deadlines=Deadlines(head=0.1))
    reader, writer = await running.connect()

    async def dribble() -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
        while True:
            writer.write(b"A: b\r\n")
            await pace(0.01)

    dribbling = asyncio.create_task(dribble())
    async with asyncio.timeout(PATIENCE):
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
    dribbling.cancel()
    writer.close()


async def test_the_second_head_of_a_connection_has_its_deadline_too(house: House) -> None:
    running = await house.open(deadlines=Deadlines(head=0.05))
    await talk(
        running.port,
        """
        >> GET /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 6
        <<
        <| GET /a
        >> GET /b HTTP/1.1
        """
        + LATE.replace("    <", "        <"),
    )


async def test_a_silent_connection_is_closed_without_a_word(house: House) -> None:
    running = await house.open(deadlines=Deadlines(idle=0.05))
    await talk(running.port, "<.")
    assert running.guest.refused == []


async def test_a_kept_connection_is_closed_when_it_is_idle(house: House) -> None:
    running = await house.open(deadlines=Deadlines(idle=0.05))
    await talk(
        running.port,
        """
        >> GET /a HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << content-length: 6
        <<
        <| GET /a
        <.
        """,
    )


async def test_a_body_that_stops_is_answered_408(house: House) -> None:
    running = await house.open(deadlines=Deadlines(body=0.05))
    await talk(
        running.port,
        """
        >> POST /a HTTP/1.1
        >> Host: a
        >> Content-Length: 10
        >>
        >| hello
        """
        + LATE.replace("    <", "        <"),
    )


async def test_a_body_below_the_rate_is_answered_408(house: House) -> None:
    running = await house.open(deadlines=Deadlines(body=0.05, body_rate=100_000))
    reader, writer = await running.connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")

    async def dribble() -> None:
        while True:
            writer.write(b"b" * 10)
            await pace(0.01)

    dribbling = asyncio.create_task(dribble())
    async with asyncio.timeout(PATIENCE):
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
    dribbling.cancel()
    writer.close()


async def test_a_body_above_the_rate_may_take_longer_than_the_grace(house: House) -> None:
    running = await house.open(deadlines=Deadlines(body=0.05, body_rate=10))
    reader, writer = await running.connect()
    writer.write(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
    for _ in range(10):
        writer.write(b"bb")
        await pace(0.02)
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()


async def test_a_body_that_is_asked_for_late_has_its_deadline_from_then(house: House) -> None:
    wanted = asyncio.Event()

    async def late(request: Request, reply: Reply) -> None:
        await wanted.wait()
        await echo(request, reply)

    running = await house.open(late, deadlines=Deadlines(body=0.05))
    reader, writer = await running.connect()
    writer.write(
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    asyncio.get_running_loop().call_later(0.1, wanted.set)
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"hi")
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()


async def deaf_client(port: int) -> socket.socket:
    """Return a connection whose receive buffer is small, so that not reading is felt soon."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(0)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    return sock


async def test_a_client_that_takes_nothing_of_a_stream_is_cut(house: House) -> None:
    ended = asyncio.Event()

    async def endless(request: Request, reply: Reply) -> None:
        go_on = asyncio.Event()
        reply.start(200, b"", NO_FIELDS, length=None)
        reply.on_flow(Flow(go_on.clear, go_on.set))
        go_on.set()
        try:
            while True:
                await go_on.wait()
                reply.write(b"x" * 65536)
                await asyncio.sleep(0)
        finally:
            ended.set()

    running = await house.open(endless, deadlines=Deadlines(send=0.1))
    client = await deaf_client(running.port)
    with client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await ended.wait()


async def test_a_client_that_takes_a_whole_reply_slowly_is_not_cut(house: House) -> None:
    size = 6 * 1024 * 1024

    async def large(request: Request, reply: Reply) -> None:
        reply.send(200, [], b"x" * size, close=True)

    running = await house.open(large, deadlines=Deadlines(send=0.2))
    client = await deaf_client(running.port)
    loop = asyncio.get_running_loop()
    taken = 0
    with client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(PATIENCE * 2):
            while piece := await loop.sock_recv(client, 65536):
                taken += len(piece)
                if taken % 7 == 0:
                    await pace(0.01)
    assert taken > size


async def test_a_client_that_takes_nothing_of_its_last_reply_is_cut(house: House) -> None:
    answered = asyncio.Event()

    async def large(request: Request, reply: Reply) -> None:
        reply.send(200, [], b"x" * (16 * 1024 * 1024))
        answered.set()

    deadlines = Deadlines(send=0.1, idle=0.1)
    running = await house.open(large, deadlines=deadlines, limits=Limits(buffer_bytes=1 << 30))
    client = await deaf_client(running.port)
    with client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await answered.wait()
            await running.edge.wait_idle()
