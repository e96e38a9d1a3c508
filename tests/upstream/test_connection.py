"""What an exchange may rely on, and how each fault of the upstream is told."""

import asyncio
from collections.abc import Awaitable

import pytest

from proxy.errors import (
    ConnectFailure,
    StaleConnection,
    UpstreamCut,
    UpstreamFailure,
    UpstreamTimeout,
)
from proxy.exchange import ErrorCode
from proxy.upstream.connection import HELD_BYTES, STALE_SECONDS
from tests.support.certificates import Certificates
from tests.support.scripted_upstream import (
    FIN,
    HALF_CLOSE,
    HANG,
    RESET,
    Act,
    Steps,
    chat_events,
    chunk,
    cut,
    head,
    json_reply,
    plain_reply,
    recut,
    scripted_upstream,
    stream_reply,
)
from tests.support.upstream_client import GET, client_of, exchange, post, until

CHUNKED = head(headers=[("Transfer-Encoding", "chunked")])
EVENTS = chat_events("Grüße", " 😀", "!", usage=True)


def soon(seconds: float = 10.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_a_request_arrives_byte_for_byte_and_its_reply_comes_back() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will(json_reply({"ok": True}))
        reply, body = await exchange(client, post(b"hello"), b"hello")
        seen = await server.request()
    assert (reply.status, reply.reason) == (200, b"OK")
    assert body == b'{"ok": true}'
    assert (seen.head, seen.body) == (post(b"hello"), b"hello")


async def test_a_connection_serves_one_exchange_after_another() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will(
            plain_reply(b"1"), stream_reply(*EVENTS), plain_reply(b"3", 204), plain_reply(b"4")
        )
        server.will([head(204, "No Content")])
        bodies = [(await exchange(client))[1] for _ in range(3)]
        assert bodies == [b"1", b"".join(EVENTS), b""]
        assert len(server.connections) == 1


async def test_a_large_body_arrives_whole() -> None:
    body = bytes(range(256)) * 40_000
    async with scripted_upstream() as server, client_of(server.port) as client:
        connection = await client.acquire()
        await connection.send(post(body), body, until=soon())
        assert connection.sent_at is not None
        client.release(connection)
        assert (await server.request()).body == body


@pytest.mark.parametrize("size", [1, 2, 7, 4096])
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
async def test_a_streams_bytes_are_handed_on_unchanged(size: int, end: bytes) -> None:
    pieces = recut([b"\xef\xbb\xbf", *chat_events("Grüße", "😀", end=end)], size)
    async with scripted_upstream() as server, client_of(server.port) as client:
        for chunked in (True, False):
            server.will(stream_reply(*pieces, chunked=chunked))
            assert (await exchange(client))[1] == b"".join(pieces)


async def test_each_read_is_handed_over_once_and_at_once() -> None:
    taken: asyncio.Queue[bytes] = asyncio.Queue()
    go_on = asyncio.Event()
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will([CHUNKED, chunk(b"a") + chunk(b"b"), go_on, chunk(b"c"), b"0\r\n\r\n"])
        connection = await client.acquire()
        await connection.send(GET, b"", until=soon())
        async with asyncio.TaskGroup() as group:
            group.create_task(connection.relay(taken.put_nowait))
            assert await taken.get() == b"ab"
            go_on.set()
            assert await taken.get() == b"c"
        client.release(connection)
        assert taken.empty()


async def test_times_are_stamped_in_their_order() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        connection = await client.acquire()
        assert connection.sent_at is None
        before = asyncio.get_running_loop().time()
        await connection.send(GET, b"", until=soon())
        await connection.relay(lambda _: None)
        client.release(connection)
        stamps = [connection.sent_at, connection.first_byte_at, connection.last_byte_at]
        times = [stamp for stamp in stamps if stamp is not None]
        assert len(times) == 3
        assert [before, *times] == sorted([before, *times])


async def test_interim_replies_are_skipped_and_do_not_stop_the_clock() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will([b"HTTP/1.1 100 Continue\r\n\r\n", *plain_reply(b"hi")])
        assert (await exchange(client))[1] == b"hi"
    limits = {"first_byte": 0.15}
    async with scripted_upstream() as server, client_of(server.port, timeouts=limits) as client:
        server.will([b"HTTP/1.1 103 Early Hints\r\n\r\n", HANG])
        with pytest.raises(UpstreamTimeout) as failure:
            await exchange(client)
        assert failure.value.code == ErrorCode.PROVIDER_FIRST_BYTE_TIMEOUT


async def test_a_head_request_has_no_body_and_keeps_the_connection() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will([head(headers=[("Content-Length", "5")])], plain_reply(b"next"))
        connection = await client.acquire()
        await connection.send(GET.replace(b"GET", b"HEAD"), b"", until=soon())
        assert connection.length == 5
        body: list[bytes] = []
        await connection.relay(body.append)
        assert body == []
        client.release(connection)
        assert (await exchange(client))[1] == b"next"
        assert len(server.connections) == 1


@pytest.mark.parametrize(
    "steps",
    [
        plain_reply(b"hi", headers=[("Connection", "close")]),
        [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
        [b"HTTP/1.1 200 OK\r\n\r\n", b"hi", FIN],
        [b"HTTP/1.0 200 OK\r\n\r\nhi", HALF_CLOSE],
        [*plain_reply(b"hi"), b"surplus"],
        [plain_reply(b"hi")[0] + b"surplus"],  # type: ignore[operator]
    ],
)
async def test_a_reply_after_which_no_other_can_follow_ends_its_connection(steps: Steps) -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will(steps)
        assert (await exchange(client))[1] == b"hi"
        await server.all_closed()
        assert client.report().open == 0
        await exchange(client)
        assert len(server.connections) == 2


# Faults.


async def fault(steps: Steps, *, total: float = 10.0, **limits: float) -> UpstreamFailure:
    """Return the failure that `steps` cause on a connection's first exchange."""
    async with scripted_upstream() as server, client_of(server.port, timeouts=limits) as client:
        server.will(steps)
        with pytest.raises(UpstreamFailure) as failure:
            await exchange(client, total=total)
        assert client.report().open == 0
        await server.all_closed()
        assert client.report().idle == 0
        return failure.value


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([HANG], ErrorCode.PROVIDER_FIRST_BYTE_TIMEOUT),
        ([b"HTTP/1.1 2", HANG], ErrorCode.PROVIDER_IDLE_TIMEOUT),
        ([CHUNKED, chunk(b"data: 1\n\n"), HANG], ErrorCode.PROVIDER_IDLE_TIMEOUT),
        ([CHUNKED, chunk(b"data: 1\n\n") + b"5\r\nab", HANG], ErrorCode.PROVIDER_IDLE_TIMEOUT),
        ([CHUNKED, HANG], ErrorCode.PROVIDER_IDLE_TIMEOUT),
    ],
)
async def test_each_silence_has_its_own_deadline_and_reason(steps: Steps, code: str) -> None:
    limits = {"first_byte": 0.3, "between_bytes": 0.3}
    limits["first_byte" if code == ErrorCode.PROVIDER_IDLE_TIMEOUT else "between_bytes"] = 10.0
    before = asyncio.get_running_loop().time()
    failure = await fault(steps, **limits)
    took = asyncio.get_running_loop().time() - before
    assert isinstance(failure, UpstreamTimeout)
    assert failure.code == code
    assert 0.29 <= took < 0.6


@pytest.mark.parametrize("steps", [[HANG], [CHUNKED, chunk(b"x"), HANG]])
async def test_the_whole_exchange_has_a_deadline(steps: Steps) -> None:
    failure = await fault(steps, total=0.2)
    assert isinstance(failure, UpstreamTimeout)
    assert failure.code == ErrorCode.PROVIDER_TOTAL_TIMEOUT


@pytest.mark.parametrize("act", [FIN, RESET, HALF_CLOSE])
@pytest.mark.parametrize(
    "steps",
    [
        [],
        [b"HTTP/1.1 200"],
        cut(plain_reply(b"hello"), 40),
        cut(stream_reply(*EVENTS), 300),
        stream_reply(*EVENTS)[:-1],
    ],
    ids=["nothing", "part of a head", "short body", "mid-chunk", "no terminator"],
)
async def test_a_reply_that_breaks_off_is_cut(steps: Steps, act: Act) -> None:
    failure = await fault([*(step for step in steps if isinstance(step, bytes)), act])
    assert isinstance(failure, UpstreamCut)
    assert failure.code == ErrorCode.PROVIDER_CUT


async def test_a_stream_cut_at_any_byte_hands_on_what_came_and_no_end() -> None:
    steps = stream_reply(b"data: 1\n\n", b"data: [DONE]\n\n")
    size = sum(len(step) for step in steps if isinstance(step, bytes))
    whole = b"data: 1\n\ndata: [DONE]\n\n"
    async with scripted_upstream() as server, client_of(server.port, eject_after=0) as client:
        for at in range(size):
            server.will(cut(steps, at))
            taken: list[bytes] = []
            with pytest.raises(UpstreamCut):
                await exchange(client, sink=taken.append)
            assert whole.startswith(b"".join(taken))
            assert client.report().open == 0


@pytest.mark.parametrize(
    "steps",
    [
        [b"garbage\r\n\r\n"],
        [b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"],
        [head(headers=[("X", "y" * 70_000)])],
        [head(headers=[("X", "y")] * 201)],
        [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, HANG],
    ],
)
async def test_what_is_no_reply_is_a_bad_reply(steps: Steps) -> None:
    failure = await fault(steps)
    assert type(failure) is UpstreamFailure
    assert failure.code == ErrorCode.PROVIDER_BAD_REPLY


async def test_a_body_that_the_end_of_the_connection_ends_is_not_ended_by_a_reset() -> None:
    assert isinstance(await fault([b"HTTP/1.1 200 OK\r\n\r\nhalf", RESET]), UpstreamCut)


@pytest.mark.asyncio(loop_factories=["uvloop"])  # asyncio's own TLS does not tell the two apart
async def test_over_tls_such_an_end_must_be_announced(certificates: Certificates) -> None:
    async with (
        scripted_upstream(certificates.server_context()) as server,
        client_of(server.port, scheme="https", ca_file=certificates.ca_file) as client,
    ):
        server.will([b"HTTP/1.1 200 OK\r\n\r\nwhole", FIN], [b"HTTP/1.1 200 OK\r\n\r\nhalf"])
        assert (await exchange(client))[1] == b"whole"
        connection = await client.acquire()
        await connection.send(GET, b"", until=soon())
        server.connections[1].close()  # a FIN that TLS did not announce: anyone could send it
        with pytest.raises(UpstreamCut):
            await connection.relay(lambda _: None)
        client.release(connection)


async def test_a_body_whose_framing_breaks_is_cut_with_that_reason() -> None:
    failure = await fault([CHUNKED, chunk(b"fine"), b"zzz\r\n"])
    assert isinstance(failure, UpstreamCut)
    assert failure.code == ErrorCode.PROVIDER_BAD_REPLY


# Kept connections that have gone stale.


@pytest.mark.parametrize("act", [FIN, RESET])
async def test_a_kept_connection_closed_before_any_byte_is_stale(act: Act) -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will(plain_reply(b"1"), [act])
        await exchange(client)
        connection = await client.acquire()
        assert connection.reused
        with pytest.raises(StaleConnection):
            await connection.send(GET, b"", until=soon())
        client.release(connection)
        again = await client.acquire()
        assert not again.reused
        client.release(again)


async def test_a_kept_connection_that_broke_after_some_of_the_reply_is_not_stale() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will(plain_reply(b"1"), [b"H", FIN])
        await exchange(client)
        with pytest.raises(UpstreamCut):
            await exchange(client)


async def test_a_kept_connection_closed_late_is_not_stale_for_the_request_was_read() -> None:
    now = 0.0
    async with scripted_upstream() as server, client_of(server.port) as client:
        die = asyncio.Event()
        server.will(plain_reply(b"1"), [die, FIN])
        await exchange(client)
        connection = await client.acquire()
        now = asyncio.get_running_loop().time()
        connection._clock = lambda: now
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(refused(connection.send(GET, b"", until=now + 10)))
            await server.request()
            await server.request()
            now += STALE_SECONDS
            die.set()
            assert isinstance(await sending, UpstreamCut)
        client.release(connection)


async def refused(sending: Awaitable[object]) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as failure:
        await sending
    return failure.value


@pytest.mark.parametrize(
    "steps", [[FIN], [RESET], [b"HTTP/1.1 408 Request Timeout\r\n\r\n", HANG]]
)
async def test_a_kept_connection_that_speaks_or_closes_is_dropped_at_once(steps: Steps) -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        later = asyncio.Event()
        server.will([*plain_reply(b"1"), later, *steps])
        await exchange(client)
        assert client.report().idle == 1
        later.set()
        await server.all_closed()
        await until(lambda: client.report().open == 0)
        await exchange(client)
        assert len(server.connections) == 2


async def test_a_connection_lost_between_acquire_and_send_is_told_before_anything_is_sent() -> (
    None
):
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will([*plain_reply(b"1"), FIN])
        die = asyncio.Event()
        server.at_connect = [die, FIN]
        connection = await client.acquire()
        die.set()
        await until(lambda: client.report().open == 0)
        with pytest.raises(ConnectFailure):
            await connection.send(GET, b"", until=soon())
        client.release(connection)


# Backpressure.


async def test_while_paused_nothing_is_handed_over_and_the_silence_is_not_the_upstreams() -> None:
    limits = {"between_bytes": 0.2}
    async with scripted_upstream() as server, client_of(server.port, timeouts=limits) as client:
        go_on = asyncio.Event()
        server.will([CHUNKED, chunk(b"a"), go_on, chunk(b"b"), b"0\r\n\r\n"])
        connection = await client.acquire()
        await connection.send(GET, b"", until=soon())
        taken: asyncio.Queue[bytes] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            relaying = group.create_task(connection.relay(taken.put_nowait))
            await taken.get()
            connection.pause()
            go_on.set()
            done, _ = await asyncio.wait([relaying], timeout=0.5)
            assert not done
            assert taken.empty()
            connection.resume()
            assert await taken.get() == b"b"
        client.release(connection)
        assert client.report().idle == 1


async def test_after_a_pause_the_upstream_has_its_whole_time_again() -> None:
    limits = {"between_bytes": 0.2}
    async with scripted_upstream() as server, client_of(server.port, timeouts=limits) as client:
        server.will([CHUNKED, chunk(b"a"), HANG])
        connection = await client.acquire()
        await connection.send(GET, b"", until=soon())
        relaying = asyncio.ensure_future(connection.relay(lambda _: connection.pause()))
        await asyncio.wait([relaying], timeout=0.5)
        resumed = asyncio.get_running_loop().time()
        connection.resume()
        with pytest.raises(UpstreamTimeout):
            await relaying
        assert asyncio.get_running_loop().time() - resumed >= 0.19
        client.release(connection)


async def test_a_body_that_nobody_asks_for_is_held_within_bounds() -> None:
    size = 64 * HELD_BYTES
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will(plain_reply(b"x" * size))
        connection = await client.acquire()
        await connection.send(GET, b"", until=soon())
        await until(lambda: connection._paused)
        assert connection._held_bytes <= 8 * HELD_BYTES
        taken: list[int] = []
        await connection.relay(lambda data: taken.append(len(data)))
        client.release(connection)
        assert sum(taken) == size


async def test_what_the_sink_raises_is_raised_to_its_owner() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    async with scripted_upstream() as server, client_of(server.port) as client:
        go_on = asyncio.Event()
        server.will([CHUNKED, go_on, chunk(b"a")])
        connection = await client.acquire()
        await connection.send(GET, b"", until=soon())
        go_on.set()
        with pytest.raises(ZeroDivisionError):
            await connection.relay(lambda _: [][1 // 0])
        client.release(connection)
        assert client.report().open == 0
