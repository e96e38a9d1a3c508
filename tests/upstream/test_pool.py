"""Kept connections and the queue: how many, in which order, and nothing lost."""

import asyncio

import pytest

from proxy.errors import ConnectFailure, UpstreamFailure, UpstreamTimeout
from proxy.exchange import ErrorCode
from proxy.upstream import Connection, Upstream
from tests.support.scripted_upstream import (
    HANG,
    black_hole_port,
    plain_reply,
    refusing_port,
    scripted_upstream,
)
from tests.support.upstream_client import GET, client_of, exchange, until


async def test_the_connection_used_last_is_taken_first() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        first, second = await client.acquire(), await client.acquire()
        client.release(first)
        client.release(second)
        assert await client.acquire() is second
        client.release(second)


async def test_an_acquired_connection_that_was_not_used_goes_back() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        client.release(await client.acquire())
        assert client.report().idle == 1


async def test_releasing_twice_is_releasing_once() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        connection = await client.acquire()
        for _ in range(2):
            client.release(connection)
        assert (client.report().open, client.report().idle) == (1, 1)
        connection.close()
        client.release(connection)
        assert (client.report().open, client.report().idle) == (0, 0)


async def test_a_connection_with_an_unread_reply_is_closed_on_release() -> None:
    async with scripted_upstream() as server, client_of(server.port) as client:
        server.will([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HANG])
        connection = await client.acquire()
        await connection.send(GET, b"", until=asyncio.get_running_loop().time() + 5)
        client.release(connection)
        await server.all_closed()
        assert server.connections[0].closed_by_client


async def test_an_idle_connection_is_closed_when_its_time_is_up() -> None:
    async with (
        scripted_upstream() as server,
        client_of(server.port, keepalive_seconds=0.2) as client,
    ):
        await exchange(client)
        await exchange(client)
        before = asyncio.get_running_loop().time()
        await server.all_closed()
        assert asyncio.get_running_loop().time() - before >= 0.15
        assert client.report().open == 0


@pytest.mark.parametrize(("workers", "share"), [(1, 3), (2, 2), (3, 1), (8, 1)])
async def test_a_worker_takes_its_share_of_the_connections_rounded_up(
    workers: int, share: int
) -> None:
    async with (
        scripted_upstream() as server,
        client_of(server.port, workers=workers, connections=3, queue=0) as client,
    ):
        taken = [await client.acquire() for _ in range(share)]
        with pytest.raises(UpstreamFailure) as failure:
            await client.acquire()
        assert failure.value.code == ErrorCode.PROVIDER_OVERLOADED
        for connection in taken:
            client.release(connection)


async def waiting(client: Upstream, count: int) -> list[asyncio.Task[Connection]]:
    """Return tasks that wait in the queue, in their order."""
    tasks = []
    for number in range(count):
        tasks.append(asyncio.ensure_future(client.acquire()))
        await until(lambda: client.report().waiting == number + 1)  # noqa: B023  # awaited here
    return tasks


async def test_who_waits_is_served_in_order_and_nobody_overtakes() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=1) as client:
        held = await client.acquire()
        tasks = await waiting(client, 3)
        client.release(held)
        late = asyncio.ensure_future(client.acquire())
        order: list[int] = []
        for number, task in enumerate([*tasks, late]):
            connection = await task
            assert connection is held
            assert connection.reused
            order.append(number)
            client.release(connection)
        assert order == [0, 1, 2, 3]
        assert len(server.connections) == 1


async def test_a_connection_that_ends_gives_its_slot_to_who_waits() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=1) as client:
        held = await client.acquire()
        (task,) = await waiting(client, 1)
        held.close()
        connection = await task
        assert not connection.reused
        client.release(held)
        client.release(connection)
        assert client.report().idle == 1


async def test_the_queue_is_bounded_in_number_and_in_time() -> None:
    async with (
        scripted_upstream() as server,
        client_of(server.port, connections=1, queue=1, queue_seconds=0.2) as client,
    ):
        held = await client.acquire()
        before = asyncio.get_running_loop().time()
        (task,) = await waiting(client, 1)
        with pytest.raises(UpstreamFailure) as full:
            await client.acquire()
        with pytest.raises(UpstreamFailure) as late:
            await task
        assert asyncio.get_running_loop().time() - before >= 0.19
        assert full.value.code == late.value.code == ErrorCode.PROVIDER_OVERLOADED
        assert client.report().waiting == 0
        client.release(held)
        assert client.report().idle == 1


async def test_a_dial_that_fails_gives_its_slot_to_the_next() -> None:
    with black_hole_port() as port:
        async with client_of(port, connections=1, timeouts={"connect": 0.2}) as client:
            tasks = [asyncio.ensure_future(client.acquire()) for _ in range(3)]
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(result) for result in results] == [UpstreamTimeout] * 3
            assert client.report().waiting == 0


async def test_cancelling_who_waits_leaves_the_others_their_turn() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=1) as client:
        held = await client.acquire()
        first, second, third = await waiting(client, 3)
        first.cancel()
        client.release(held)  # `second` is promised it ...
        second.cancel()  # ... and is gone before it runs
        connection = await third
        assert connection is held
        client.release(connection)
        assert client.report().idle == 1


async def test_cancelling_who_was_promised_a_slot_passes_it_on() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=1) as client:
        held = await client.acquire()
        first, second = await waiting(client, 2)
        held.close()
        first.cancel()
        client.release(await second)
        assert client.report().open == 1
        await asyncio.gather(first, return_exceptions=True)


async def test_closing_turns_away_who_waits_and_cuts_what_is_open() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=1) as client:
        server.will([HANG])
        held = await client.acquire()
        sending = asyncio.ensure_future(held.send(GET, b"", until=1e12))
        await server.request()
        (task,) = await waiting(client, 1)
        await client.close()
        for each in (task, sending):
            with pytest.raises(UpstreamFailure):
                await each
        with pytest.raises(ConnectFailure):
            await client.acquire()
        client.release(held)
        await server.all_closed()


async def test_many_at_once_share_few_connections() -> None:
    async with scripted_upstream() as server, client_of(server.port, connections=3) as client:
        server.by_default = plain_reply(b"hi")
        async with asyncio.TaskGroup() as group:
            for _ in range(300):
                group.create_task(exchange(client))
        assert len(server.requests) == 300
        assert len(server.connections) == 3
        assert client.report().idle == 3


async def test_a_refused_dial_leaves_nothing() -> None:
    with refusing_port() as port:
        async with client_of(port, connections=1, eject_after=0) as client:
            for _ in range(5):
                with pytest.raises(ConnectFailure):
                    await client.acquire()
            assert client.report().open == 0
