import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from proxy.config.settings import Deadlines, Limits
from proxy.http import Reply, Request
from tests.http.house import NO_FIELDS, House, Refused, Running, echo
from tests.support.certificates import make_certificates
from tests.support.dialogue import PATIENCE, play, talk
from tests.support.open_files import out_of_files
from tests.support.patience import until

GET = """
    >> GET /a HTTP/1.1
    >> Host: a
    >>
    << HTTP/1.1 200 OK
    << content-length: 6
    <<
    <| GET /a
"""


class Gate:
    """A handler that waits at a gate, then echoes."""

    def __init__(self) -> None:
        self.there = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, request: Request, reply: Reply) -> None:
        self.there.set()
        await self.open.wait()
        await echo(request, reply)


async def test_replies_do_not_wait_for_an_acknowledgement(house: House) -> None:
    """TCP_NODELAY, also on a socket whose protocol number is not known (handed over)."""
    found: list[int] = []

    async def look(request: Request, reply: Reply) -> None:
        (connection,) = running.edge._open
        theirs = connection._transport.get_extra_info("socket")
        with socket.socket(fileno=socket.dup(theirs.fileno())) as sock:
            found.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await echo(request, reply)

    running = await house.open(look)
    await talk(running.port, GET)
    assert len(found) == 1
    assert found[0]


async def test_a_connection_too_many_is_told_to_come_back(house: House) -> None:
    running = await house.open(limits=Limits(connections=2))
    kept = [await running.connect() for _ in range(2)]
    for reader, writer in kept:
        await play(reader, writer, GET)
    reader, writer = await running.connect()
    writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        reply = await reader.read()
    assert reply.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"connection: close\r\n" in reply
    silent, quiet = await running.connect()
    async with asyncio.timeout(PATIENCE):
        assert (await silent.read()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert running.guest.refused == [Refused(503, "GET", b"/a"), Refused(503, "", b"")]
    writer.close()
    quiet.close()
    kept[0][1].close()
    await until(lambda: running.edge.connections == 1)
    await talk(running.port, GET)
    kept[1][1].close()


async def test_limits_and_deadlines_that_change_hold_for_what_comes_next(house: House) -> None:
    running = await house.open(limits=Limits(connections=1))
    kept = await running.connect()
    await play(*kept, GET)

    running.edge.adopt(Limits(connections=2, header_count=1), Deadlines(idle=5.0))

    other = await running.connect()
    await play(*other, GET)
    await play(*kept, GET)
    kept[1].write(b"GET /a HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        reply = await kept[0].read()
    assert reply.startswith(b"HTTP/1.1 431 ")
    for _, writer in (kept, other):
        writer.close()


async def test_far_too_many_connections_are_turned_away_at_the_door(house: House) -> None:
    gate = Gate()
    running = await house.open(gate, limits=Limits(connections=1))
    async with asyncio.timeout(PATIENCE):
        connections = [await running.connect() for _ in range(80)]
        for _, writer in connections:
            writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        gate.open.set()
        lines = [await reader.readline() for reader, _ in connections]
    assert lines[0] == b"HTTP/1.1 200 OK\r\n"
    assert running.edge.shed == 80 - 65
    for _, writer in connections:
        writer.close()


async def test_it_recovers_when_files_run_out(house: House) -> None:
    running = await house.open()
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", running.port)) as client:  # not accepted yet
        client.settimeout(0)
        with out_of_files():
            async with asyncio.timeout(PATIENCE):
                reply = await loop.sock_recv(client, 1000)
        assert reply.startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n")
    assert running.edge.shed == 1
    await talk(running.port, GET)


async def test_drain_closes_the_idle_and_lets_the_busy_finish(house: House) -> None:
    gate = Gate()
    gate.open.set()
    running = await house.open(gate)
    idle, busy = await running.connect(), await running.connect()
    await play(*idle, GET)
    gate.open.clear()
    gate.there.clear()
    busy[1].write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await gate.there.wait()
        running.edge.drain()
        assert await idle[0].read() == b""
        gate.open.set()
        reply = await busy[0].read()
        assert b"connection: close\r\n" in reply
        assert reply.endswith(b"GET /a")
        await running.edge.wait_idle()
    for _, writer in (idle, busy):
        writer.close()


async def test_a_stream_that_began_before_the_drain_is_not_cut_by_it(house: House) -> None:
    go_on = asyncio.Event()

    async def stream(request: Request, reply: Reply) -> None:
        reply.start(200, b"", NO_FIELDS, length=None)
        reply.write(b"one")
        await go_on.wait()
        reply.write(b"two")
        reply.finish()

    running = await house.open(stream)
    reader, writer = await running.connect()
    writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b"one\r\n")
        running.edge.drain()
        go_on.set()
        assert await reader.read() == b"3\r\ntwo\r\n0\r\n\r\n"
    writer.close()


async def test_a_fresh_connection_may_still_ask_once_while_draining(house: House) -> None:
    running = await house.open()
    before = await running.connect()
    await until(lambda: running.edge.connections == 1)
    async with asyncio.timeout(PATIENCE):
        running.edge.drain()
        after = await running.connect()
        for reader, writer in (before, after):
            writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"connection: close\r\n" in await reader.read()
            writer.close()
        await running.edge.wait_idle()


async def test_a_patient_drain_closes_nothing_that_a_client_may_still_use(house: House) -> None:
    go_on = asyncio.Event()

    async def stream(request: Request, reply: Reply) -> None:
        reply.start(200, b"", NO_FIELDS, length=None)
        reply.write(b"one")
        await go_on.wait()
        reply.finish()

    running = await house.open(stream)
    fresh, busy = await running.connect(), await running.connect()
    async with asyncio.timeout(PATIENCE):
        busy[1].write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"connection: close" not in await busy[0].readuntil(b"one\r\n")
        running.edge.drain(patient=True)
        go_on.set()
        await busy[0].readuntil(b"0\r\n\r\n")
        for reader, writer in (fresh, busy):  # each was promised to stay, so it gets one more
            writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"connection: close\r\n" in await reader.read()
            writer.close()
        await running.edge.wait_idle()


async def test_a_socket_can_rest_and_be_accepted_on_again(house: House) -> None:
    running = await house.open()
    one = socket.create_server(("127.0.0.1", 0))
    await running.edge.serve(one)
    (other,) = running.edge._listeners.keys() - {one}
    running.edge.accept_on([other])
    reader, writer = await asyncio.open_connection(*one.getsockname())
    await talk(running.port, GET)
    await until(lambda: running.edge.connections == 0)  # so the one that waits is not taken
    running.edge.accept_on([one])
    await play(reader, writer, GET)
    writer.close()


async def test_a_stopped_edge_takes_what_waited_and_nothing_more(house: House) -> None:
    running = await house.open()
    waiting = socket.create_connection(("127.0.0.1", running.port))  # the loop did not run yet
    running.edge.stop_accepting()
    with pytest.raises(ConnectionRefusedError):
        await running.connect()
    reader, writer = await asyncio.open_connection(sock=waiting)
    await play(reader, writer, GET)
    writer.close()


async def test_close_cuts_and_cancels_what_is_left(house: House) -> None:
    gate = Gate()
    running = await house.open(gate)
    idle, busy = await running.connect(), await running.connect()
    busy[1].write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await gate.there.wait()
        assert running.edge.in_flight == 1
        await running.edge.close()
        assert await busy[0].read() == b""
    for _, writer in (idle, busy):
        writer.close()


async def test_a_bug_in_the_service_ends_one_exchange(house: House) -> None:
    async def broken(request: Request, reply: Reply) -> None:
        if request.path == "/late":
            reply.start(200, b"", NO_FIELDS, length=None)
            reply.write(b"data")
        if request.path != "/silent":
            raise LookupError("a bug")

    running = await house.open(broken)
    for path in ("early", "silent"):
        await talk(
            running.port,
            f"""
            >> GET /{path} HTTP/1.1
            >> Host: a
            >>
            << HTTP/1.1 500 Internal Server Error
            << content-length: 0
            << connection: close
            <<
            <.
            """,
        )
    await talk(
        running.port,
        r"""
        >> GET /late HTTP/1.1
        >> Host: a
        >>
        << HTTP/1.1 200 OK
        << transfer-encoding: chunked
        <<
        <| 4\r\ndata\r\n
        <.
        """,
    )
    assert [type(each) for each in house.crashes] == [LookupError, LookupError]
    house.crashes.clear()


async def test_a_bug_in_a_refusal_is_survived(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await house.open()

    def broken(*_: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(running.guest, "refuse", broken)
    await talk(
        running.port,
        """
        >> GET /late HTTP/1.1
        >>
        << HTTP/1.1 500 Internal Server Error
        << content-length: 0
        << connection: close
        <<
        <.
        """,
    )
    assert [type(each) for each in house.crashes] == [LookupError]
    house.crashes.clear()


async def test_a_cut_reply_without_length_or_chunks_ends_in_a_reset(house: House) -> None:
    seen = asyncio.Event()

    async def cut(request: Request, reply: Reply) -> None:
        reply.start(200, b"", NO_FIELDS, length=None)
        reply.write(b"data")
        await seen.wait()
        reply.abort()

    running = await house.open(cut)
    reader, writer = await running.connect()
    writer.write(b"GET /a HTTP/1.0\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b"data")
        seen.set()
        with pytest.raises(ConnectionResetError):
            await reader.read()
    writer.close()


async def test_the_same_over_tls(house: House, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    gate = Gate()
    gate.open.set()
    running = await house.open(gate, tls=certificates.server_context())

    reader, writer = await secure(running, certificates.ca_file)
    await play(reader, writer, GET)
    await play(reader, writer, GET)
    writer.write(b"GET /a HTTP/1.1\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
    writer.close()
    await writer.wait_closed()

    gate.open.clear()
    gate.there.clear()
    _, writer = await secure(running, certificates.ca_file)
    writer.write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        await gate.there.wait()
        writer.transport.abort()
        await running.edge.wait_idle()


async def secure(
    running: Running, ca_file: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a TLS connection."""
    context = ssl.create_default_context(cafile=ca_file)
    return await asyncio.open_connection(
        "127.0.0.1", running.port, ssl=context, server_hostname="localhost"
    )


async def test_who_does_not_speak_tls_is_dropped(house: House, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    running = await house.open(tls=certificates.server_context(), deadlines=Deadlines(head=0.1))
    plain, silent = await running.connect(), await running.connect()
    plain[1].write(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        for reader, writer in (plain, silent):
            await reader.read()
            writer.close()
        await running.edge.wait_idle()
    assert running.guest.requests == []
