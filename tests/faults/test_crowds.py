"""Crowds: slow clients by the thousand, and more clients than there is room for."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.patience import eventually
from tests.support.raw_traffic import ask, chat, p99
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, served

CONFIG = """\
workers: {workers}
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support: {{variants: {{base: {{upstream: u, model: m}}}}}}
deadlines: {{head: {deadline}, body: {deadline}, idle: {deadline}}}
alerts: {{short: off}}
"""
DEADLINE = 3.0
LATE = 4.0  # seconds that a busy machine may take to notice
SLOW = 1000
FLOOR = 0.05  # seconds that a busy machine may add to any figure
PATIENCE = 30.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


WHOLE = chat()
BEGINNINGS: dict[
    str, tuple[bytes, bytes]
] = {  # what is sent at once -> what it is told in the end
    "silent": (b"", b""),
    "a slow head": (WHOLE[:20], b"HTTP/1.1 408 "),
    "a slow body": (WHOLE[:-5], b"HTTP/1.1 408 "),
    "idle after a request": (WHOLE, b"HTTP/1.1 200 "),
}


async def slow_client(port: int, kind: str, opened: asyncio.Queue[str]) -> tuple[str, float]:
    """Begin, and do nothing more; return what was heard at the end, and after how long."""
    sent, told = BEGINNINGS[kind]
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        opened.put_nowait(kind)
        async with asyncio.timeout(DEADLINE + LATE + PATIENCE):
            heard = await reader.read()
    finally:
        writer.transport.abort()
    expected = heard.startswith(told) if told else heard == b""
    return kind if expected else f"{kind}: {heard!r}", time.perf_counter() - began


@pytest.mark.alone
async def test_a_thousand_slow_clients_are_closed_in_time_and_in_nobodys_way(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    config = CONFIG.format(port=upstream.port, workers=2, deadline=DEADLINE)
    opened: asyncio.Queue[str] = asyncio.Queue()
    kinds = list(BEGINNINGS)
    async with served(tmp_path, config) as turnout:
        await p99(turnout.port, 50)
        usual = await p99(turnout.port)
        async with asyncio.TaskGroup() as tasks:
            slow = [
                tasks.create_task(slow_client(turnout.port, kinds[number % 4], opened))
                for number in range(SLOW)
            ]
            for _ in slow:
                await opened.get()
            beside = await p99(turnout.port)
        ends = [task.result() for task in slow]
        accounts = await turnout.accounted()
        lines = await turnout.exchanges(accounts["taken"])
        # Workers tell how many they hold a few times a second.
        await eventually(turnout.metrics, lambda seen: seen.total("turnout_connections") == 0)
    assert Counter(kind for kind, _ in ends) == dict.fromkeys(kinds, SLOW // 4)
    seconds = [took for _, took in ends]
    assert 0.9 * DEADLINE <= min(seconds) <= max(seconds) <= DEADLINE + LATE
    assert beside <= max(2 * usual, usual + FLOOR)
    told = Counter((line["status"], line["error_code"]) for line in lines)
    assert told == {(200, None): 450 + SLOW // 4, (408, "caller_timeout"): SLOW // 2}


# More than there is room for


@asynccontextmanager
async def crowd(port: int, count: int) -> AsyncIterator[list[Streams]]:
    """Hold many connections."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        yield held
    finally:
        for _, writer in held:
            writer.transport.abort()


async def first_head(streams: Streams) -> bytes:
    """Return the first head that a connection hears after a request."""
    reader, writer = streams
    writer.write(chat())
    async with asyncio.timeout(PATIENCE):
        return await reader.readuntil(b"\r\n\r\n")


async def all_heads(held: list[Streams]) -> list[bytes]:
    async with asyncio.TaskGroup() as tasks:
        heads = [tasks.create_task(first_head(each)) for each in held]
    return [head.result().lower() for head in heads]


async def served_again(turnout: Served) -> None:
    """Ask until there is room again: whoever left is noticed soon."""
    async with asyncio.timeout(PATIENCE):
        while not (await ask(turnout.port))[0].startswith(b"HTTP/1.1 200 "):
            pass


@pytest.mark.parametrize("why", ["a limit of our own", "more allowed than open files"])
async def test_whom_there_is_no_room_for_is_told_to_come_back_and_then_served(
    tmp_path: Path, upstream: ScriptedUpstream, why: str
) -> None:
    config = CONFIG.format(port=upstream.port, workers=1, deadline=30)
    before: tuple[str, ...] = ()
    if why == "a limit of our own":
        config += "limits: {connections: 30}\n"
    else:
        config += "limits: {connections: 1000}\n"
        before = ("prlimit", "--nofile=256:256")  # leaves room for 32 clients
    async with served(tmp_path, config, before=before) as turnout:
        for _ in range(2):
            async with crowd(turnout.port, 300) as held:
                heads = await all_heads(held)
            statuses = Counter(head.split()[1] for head in heads)
            assert statuses.keys() == {b"200", b"503"}
            assert 30 <= statuses[b"200"] <= 32
            turned_away = [head for head in heads if b" 503 " in head]
            assert all(b"\r\nretry-after: 1\r\n" in head for head in turned_away)
            assert all(b"\r\nconnection: close\r\n" in head for head in turned_away)
            await served_again(turnout)
        accounts = await turnout.accounted()
        lines = await turnout.exchanges(accounts["taken"])
        children = turnout.children("worker")
        assert (await turnout.status())["restarts"] == {"control": 0, "worker": 0}
    assert len(children) == 1
    assert {line["error_code"] for line in lines} == {None, "policy_overloaded"}
    assert not [line for line in turnout.said if "Traceback" in line]
