"""Traffic beside a store that comes and goes: as quick as ever, and every request is counted.

    TURNOUT_TEST_MINUTES=1 pytest -s tests/faults/outages.py

So long it takes for each kind of outage, by turns with the store up and away. It is no part of the
suite, which has not the time: `make soak` runs it. What was seen is said on stderr.
"""

import asyncio
import os
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from tests.support.patience import eventually, pace
from tests.support.postgres import MISSING, postgres_server
from tests.support.process import say
from tests.support.scripted_upstream import json_reply, scripted_upstream
from tests.support.served import Samples, Served, served

MINUTES = float(os.environ.get("TURNOUT_TEST_MINUTES", "1"))
ROUNDS = 6
SECONDS = MINUTES * 60 / ROUNDS / 2  # that the store is up, then away
RATE = 100  # requests a second
BACK_SECONDS = 5.0  # after its return the store is written to again
NOISE = 1.5  # times the p99 beside a store that is up, and
NOISE_MS = 20.0  # this: machines that are shared have others' work in their tails
CONFIG = """\
upstreams: {{u: {{base_url: 'http://127.0.0.1:{port}/v1'}}}}
routes: {{support: {{variants: {{base: {{upstream: u, model: m}}}}}}}}
log: {{exchanges: off}}
"""
Act = Callable[[], object]


class Traffic:
    """Requests at a steady rate, each on its time whether or not those before were answered."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/v1/chat/completions"
        self.sent = 0
        self.failed = 0

    async def run(self, seconds: float) -> list[float]:
        """Send for so long; return the latencies in milliseconds."""
        times: list[float] = []
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:

            async def ask() -> None:
                began = time.perf_counter()
                answer = await client.post(self._url, json={"model": "support", "messages": []})
                times.append((time.perf_counter() - began) * 1000)
                self.failed += answer.status_code != 200

            loop = asyncio.get_running_loop()
            began = loop.time()
            async with asyncio.TaskGroup() as tasks:
                for number in range(int(seconds * RATE)):
                    await pace(max(0.0, began + number / RATE - loop.time()))
                    tasks.create_task(ask())
                    self.sent += 1
        return times


def p50(periods: list[list[float]]) -> float:
    return statistics.median(map(statistics.median, periods))


def p99(periods: list[list[float]]) -> float:
    """Return the median of the periods' p99: what others do on this machine falls into a few."""
    return statistics.median(statistics.quantiles(times, n=100)[98] for times in periods)


def stored(seen: Samples) -> tuple[float, float, float]:
    """Return what was written, what was dropped, and what waits."""
    names = "turnout_store_written_total", "turnout_store_dropped_total", "turnout_store_queue"
    written, dropped, queue = (seen.total(name) for name in names)
    return written, dropped, queue


async def outages(turnout: Served, what: str, down: Act, up: Act) -> None:
    """Let the store come and go under load; compare, count, and time its return."""
    traffic = Traffic(turnout.port)
    await traffic.run(2.0)  # to warm up
    usual: list[list[float]] = []
    without: list[list[float]] = []
    back = 0.0
    for _ in range(ROUNDS):
        usual.append(await traffic.run(SECONDS))
        await asyncio.to_thread(down)
        without.append(await traffic.run(SECONDS))
        began = time.monotonic()
        await asyncio.to_thread(up)
        await settled(turnout, traffic.sent)
        back = max(back, time.monotonic() - began)
    written, dropped, queue = stored(await turnout.metrics())
    say(
        f"{what}: {traffic.sent} requests, {traffic.failed} failed; p50 "
        f"{p50(usual):.1f} and {p50(without):.1f} ms, p99 "
        f"{p99(usual):.1f} and {p99(without):.1f} ms with the store up and away; "
        f"{written:.0f} written, {dropped:.0f} dropped; all written {back:.1f} s after its return"
    )
    assert traffic.failed == 0
    assert (written + dropped, queue) == (traffic.sent, 0)
    assert p99(without) <= NOISE * p99(usual) + NOISE_MS
    assert back <= BACK_SECONDS


async def settled(turnout: Served, sent: int) -> None:
    """Wait until all that was sent is written or dropped, and the store takes what comes."""
    look: Callable[[], Awaitable[Samples]] = turnout.metrics
    await eventually(
        look,
        lambda seen: (
            stored(seen)[:1] + stored(seen)[2:] == (sent - stored(seen)[1], 0)
            and seen.total("turnout_store_up") == 1
        ),
        seconds=3 * BACK_SECONDS,
    )


@pytest.mark.timeout(120 + 6 * MINUTES * 60)
async def test_a_file_that_others_lock_slows_no_request(tmp_path: Path) -> None:
    async with scripted_upstream() as upstream:
        upstream.by_default = json_reply({})
        async with served(tmp_path, CONFIG.format(port=upstream.port)) as turnout:
            other = sqlite3.connect(
                turnout.data / "versions.db", isolation_level=None, check_same_thread=False
            )
            lock, let_go = "BEGIN IMMEDIATE", "ROLLBACK"
            await outages(
                turnout, "locked", lambda: other.execute(lock), lambda: other.execute(let_go)
            )
            other.close()


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.timeout(240 + 12 * MINUTES * 60)
async def test_a_server_that_hangs_or_is_away_slows_no_request(tmp_path: Path) -> None:
    with postgres_server() as server:
        async with scripted_upstream() as upstream:
            upstream.by_default = json_reply({})
            config = CONFIG.format(port=upstream.port) + f"store: {{url: '{server.database()}'}}\n"
            async with served(tmp_path, config) as turnout:
                await outages(turnout, "hung", server.pause, server.resume)
        async with scripted_upstream() as upstream:
            upstream.by_default = json_reply({})
            config = CONFIG.format(port=upstream.port) + f"store: {{url: '{server.database()}'}}\n"
            (tmp_path / "away").mkdir()
            async with served(tmp_path / "away", config) as turnout:
                await outages(turnout, "away", server.stop, server.start)
