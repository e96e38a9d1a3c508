"""Junk in bulk: names that nobody configured, and a log that nobody reads."""

import asyncio
import fcntl
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.patience import eventually
from tests.support.raw_traffic import chat, p99, pipeline, request
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Samples, Served, served

CONFIG = """\
workers: 2
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support: {{variants: {{base: {{upstream: u, model: m}}}}}}
default_upstream: u
alerts: {{short: off}}
"""
NAMES = int(os.environ.get("TURNOUT_TEST_JUNK", "20000"))  # 100,000 in a soak
BATCH = 500  # requests pipelined on one connection
MIB = 1024 * 1024
GROWTH = 24 * MIB  # of one process: what its queues may have held, and slack
SCRAPE_SECONDS = 0.1
PATIENCE = 60.0
FLOOR = 0.1  # seconds that a busy machine may add to any figure


def junk(count: int) -> Iterator[bytes]:
    """Return requests of which no two have a name in common."""
    for number in range(count):
        name = f"junk-{number}-{'ø' * (number % 7)}"
        match number % 4:
            case 0:
                yield chat(name, user=name)
            case 1:
                yield chat("support", f"x-turnout-variant: junk-{number}", user=name)
            case 2:
                yield request(f"/junk/{number}?{number}", method="GET")
            case _:
                yield request(f"/v1/models/junk-{number}", b"", f"authorization: Bearer {number}")


async def send(port: int, requests: Iterator[bytes], clients: int = 4) -> int:
    """Send all, pipelined on a few connections at a time; return how many were answered."""
    answered = 0

    async def client() -> None:
        nonlocal answered
        while batch := list(itertools.islice(requests, BATCH)):
            statuses = await pipeline(port, batch)
            answered += len(statuses)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(client())
    return answered


def memory(turnout: Served) -> dict[int, int]:
    """Return the resident bytes of each worker and of control."""
    pids = [*turnout.children("worker"), *turnout.children("control")]
    pages = {pid: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids}
    return {pid: count * os.sysconf("SC_PAGESIZE") for pid, count in pages.items()}


async def scrape(turnout: Served, times: int = 5) -> tuple[Samples, float]:
    """Return the metrics, and the seconds of the fastest of a few scrapes."""
    seconds = []
    metrics = await turnout.metrics()
    for _ in range(times):
        began = time.perf_counter()
        await turnout.admin("/metrics")
        seconds.append(time.perf_counter() - began)
    return metrics, min(seconds)


@pytest.mark.alone
async def test_junk_names_add_no_label_value_but_other_and_no_memory(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    config = CONFIG.format(port=upstream.port)
    async with served(tmp_path, config) as turnout:
        assert await send(turnout.port, iter(list(junk(8)) + [chat()] * 8)) == 16
        await turnout.accounted(taken=16)
        known = (await turnout.metrics()).values()
        warm = await send(turnout.port, junk(NAMES // 3))
        await turnout.accounted(seconds=PATIENCE)
        before = memory(turnout)
        sent = 16 + warm + await send(turnout.port, junk(NAMES))
        accounts = await turnout.accounted(seconds=PATIENCE)
        metrics, seconds = await scrape(turnout)
        after = memory(turnout)
    assert sent == 16 + NAMES // 3 + NAMES
    assert accounts["begun"] == sent
    assert metrics.total("turnout_requests_total") == accounts["taken"]
    names = {value for _, value in metrics.values() - known}
    assert not {name for name in names if "junk" in name}
    assert names <= {"other", ""}, "one more value at most"
    assert seconds <= SCRAPE_SECONDS
    growth = {pid: after[pid] - before[pid] for pid in before}
    assert max(growth.values()) <= GROWTH, growth


# A log that nobody reads


class StalledReader:
    """A pipe for the log whose reader reads nothing until it is told to."""

    def __init__(self) -> None:
        self._read, self.write = os.pipe()
        fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, 4096)  # so that it is soon full
        self.exchanges: list[str] = []  # the ids read so far

    def go_on(self) -> None:
        """Read to the end: until every writer has closed."""
        with os.fdopen(self._read, "rb") as file:
            for line in map(json.loads, file):
                if line["event"] == "exchange":
                    self.exchanges.append(line["request_id"])

    async def how_many(self) -> int:
        """Return how many were read so far."""
        return len(self.exchanges)


async def test_a_log_that_nobody_reads_holds_nobody_up_and_its_lost_lines_are_counted(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    lines = 26_000  # more than are kept, and than fit into the pipe
    config = CONFIG.format(port=upstream.port)
    reader = StalledReader()
    async with served(tmp_path, config, stdout=reader.write) as turnout:
        os.close(reader.write)
        usual = await p99(turnout.port)
        assert await send(turnout.port, junk(lines)) == lines
        await turnout.accounted(seconds=PATIENCE)
        stuck = await p99(turnout.port)
        accounts = await turnout.accounted(seconds=PATIENCE)
        assert accounts["begun"] == lines + 400
        dropped = (await turnout.metrics()).total("turnout_log_lines_dropped_total")
        assert dropped > 0
        reading = asyncio.create_task(asyncio.to_thread(reader.go_on))
        kept = accounts["taken"] - dropped
        await eventually(reader.how_many, lambda count: count == kept, seconds=PATIENCE)
        assert await send(turnout.port, junk(100)) == 100
        await eventually(reader.how_many, lambda count: count == kept + 100)
        recovered = await turnout.metrics()
        assert await turnout.end() == 0
        await reading
    assert recovered.total("turnout_log_lines_dropped_total") == dropped
    assert len(set(reader.exchanges)) == len(reader.exchanges) == kept + 100
    assert stuck <= max(2 * usual, usual + FLOOR)
