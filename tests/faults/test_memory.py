"""Memory stays flat, in every process, however long turnout is at work.

TURNOUT_TEST_MINUTES says how long; a few seconds show no more than that it is measured. What was
seen is said on stderr.
"""

import asyncio
import os
from pathlib import Path
from statistics import linear_regression

import pytest

from tests.support.load import Streams, Valve, load
from tests.support.patience import pace
from tests.support.process import say
from tests.support.raw_traffic import chat
from tests.support.scripted_upstream import scripted_upstream
from tests.support.served import served
from tests.support.whole import command, descendants

MINUTES = float(os.environ.get("TURNOUT_TEST_MINUTES", "0.1"))
SAMPLES = 30
STREAMS = 20  # open and ended again between two samples
SLOPE = 1.0  # MiB an hour that memory may grow
NOISE = 1.0  # MiB that it may differ by at any time: pages come and go by more than one

CONFIG = """
workers: 2
upstreams: {u: {base_url: "http://127.0.0.1:%d/v1"}}
routes: {support: {variants: {base: {upstream: u, model: m}}}}
default_upstream: u
pass_unknown_models: true
"""


def memory(pid: int) -> float:
    """Return what a process holds, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def growth(samples: list[float]) -> float:
    """Return the MiB by which a straight line through the samples rises."""
    slope, _ = linear_regression(range(len(samples)), samples)
    return slope * len(samples)


@pytest.mark.timeout(120 + 2 * 60 * MINUTES)
async def test_memory_is_flat(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        valve, streams = Valve(server), Streams()
        nowhere = asyncio.subprocess.DEVNULL
        async with served(tmp_path, CONFIG % server.port, stdout=nowhere) as turnout:
            pids = [turnout.pid, *descendants(turnout.pid)]
            seen: dict[int, list[float]] = {pid: [] for pid in pids}
            async with load(turnout.port, request=chat()) as under:
                for _ in range(SAMPLES):
                    await streams.open(turnout.port, STREAMS)
                    await pace(MINUTES * 60 / SAMPLES)
                    valve.open()
                    assert await streams.cut() == 0
                    server.forget()
                    for pid in pids:
                        seen[pid].append(memory(pid))
            assert under.failures == []
            say(f"{under.answered} requests, {SAMPLES * STREAMS} streams in {MINUTES:g} minutes")
            half = SAMPLES // 2  # before that it is warming up
            for pid, samples in seen.items():
                grown = growth(samples[half:])
                say(f"{' '.join(command(pid)[2:5])}: {samples[-1]:.1f} MiB, {grown:+.2f} MiB")
                assert grown <= SLOPE * MINUTES / 60 / 2 + NOISE
