"""Ten thousand exchanges cancelled in every window: nothing is left of them."""

import asyncio
import contextlib
import gc
import random
from pathlib import Path

import pytest

from proxy.upstream import Connection, Upstream
from tests.support.certificates import Certificates
from tests.support.scripted_upstream import (
    HANG,
    Steps,
    chunk,
    head,
    plain_reply,
    scripted_upstream,
)
from tests.support.upstream_client import client_of, exchange, until

ROUNDS = 5_000  # on each loop


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def connections_alive() -> int:
    gc.collect()
    return sum(isinstance(each, Connection) for each in gc.get_objects())


async def cancel_after(turns: int, client: Upstream) -> None:
    """Start an exchange and cancel it after so many turns of the loop."""
    task = asyncio.ensure_future(exchange(client))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_exchanges_cancelled_in_every_window_leave_nothing() -> None:
    dice = random.Random(7)
    async with scripted_upstream() as server:
        chunked = head(headers=[("Transfer-Encoding", "chunked")])
        server.by_default = lambda _: dice.choice(
            [
                [HANG],
                [chunked, HANG],
                [chunked, chunk(b"a"), HANG],
                [chunked, chunk(b"b"), b"0\r\n\r\n"],
            ]
        )
        tasks_before, files_before = len(asyncio.all_tasks()), open_files()
        async with client_of(server.port, connections=8, keepalive_seconds=5.0) as client:
            for _ in range(ROUNDS // 20):
                rounds = [cancel_after(dice.randrange(24), client) for _ in range(20)]
                await asyncio.gather(*rounds)
                server.connections[:] = [
                    each for each in server.connections if not each.closed.is_set()
                ]
            report = client.report()
            assert report.waiting == 0
            assert report.open == report.idle
            assert (
                len(await asyncio.gather(*[client.acquire() for _ in range(8)])) == 8
            )  # no slot is lost
        await server.all_closed()
        await until(lambda: len(asyncio.all_tasks()) == tasks_before)
        assert open_files() == files_before
    assert connections_alive() == 0


@pytest.mark.alone
async def test_a_cancelled_exchange_closes_its_connection_within_a_tenth_of_a_second() -> None:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    async with scripted_upstream() as server, client_of(server.port) as client:
        scripts: list[Steps] = [[HANG], [head(headers=[("Content-Length", "9")]), HANG]]
        for script in scripts * 50:
            server.will(script)
            task = asyncio.ensure_future(exchange(client))
            seen = await server.request()
            before = loop.time()
            task.cancel()
            await seen.connection.closed.wait()
            took.append(loop.time() - before)
            with pytest.raises(asyncio.CancelledError):
                await task
    assert sorted(took)[98] < 0.1


async def test_dials_and_handshakes_cancelled_at_any_turn_leave_nothing(
    certificates: Certificates,
) -> None:
    async with scripted_upstream(certificates.server_context()) as server:
        server.by_default = plain_reply(b"", headers=[("Connection", "close")])  # so all dial
        files_before = open_files()
        async with client_of(
            server.port, host="localhost", scheme="https", ca_file=certificates.ca_file
        ) as client:
            most = 0  # turns after which a request came through: the more, the busier the machine
            while not server.requests:
                most += 1
                await cancel_after(most, client)
            for turns in [*range(most + 5)] * 4:
                await cancel_after(turns, client)
        await until(lambda: open_files() == files_before)
        assert len(server.requests) < 5 * most  # the others did not get that far
