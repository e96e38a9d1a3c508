"""A real Prometheus beside real traffic: what it computes is what was sent."""

import asyncio
import itertools
import os
import signal
from pathlib import Path
from typing import Self

import pytest

from tests.support import prometheus
from tests.support.patience import eventually
from tests.support.prometheus import Scraper
from tests.support.raw_traffic import chat, pipeline
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, served

pytestmark = pytest.mark.skipif(
    prometheus.program() is None, reason="prometheus is not installed (apt install prometheus)"
)

CONFIG = """\
workers: 4
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support:
    variants:
      base: {{upstream: u, model: m}}
      ft: {{upstream: u, model: m-ft}}
    split: {{base: 75, ft: 25}}
alerts: {{short: off}}
"""
COUNTERS = (
    "turnout_requests_total",
    "gen_ai_server_request_duration_seconds_count",
    "turnout_overhead_seconds_count",
    "turnout_upstream_requests_total",
    "turnout_observations_lost_total",
    "turnout_worker_restarts_total",
)
BATCH = 5
CLIENTS = 4


async def scraped(scraper: Scraper, count: float) -> None:
    """Wait until Prometheus has seen so many exchanges."""

    async def total() -> float:
        return sum(value for _, value in await scraper.query(COUNTERS[0]))

    await eventually(total, lambda seen: seen >= count)


class Traffic:
    """Clients that go on until told to stop."""

    def __init__(self, turnout: Served) -> None:
        self.answered = 0
        self._turnout = turnout
        self._users = itertools.count()
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._clients = [asyncio.create_task(self._client()) for _ in range(CLIENTS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._clients)

    async def _client(self) -> None:
        while not self._stop.is_set():
            batch = [chat(user=str(next(self._users))) for _ in range(BATCH)]
            try:
                statuses = await pipeline(self._turnout.port, batch)
            except OSError:
                continue
            self.answered += len(statuses)

    async def more(self, count: int) -> None:
        """Wait until so many more were answered."""
        wanted = self.answered + count

        async def answered() -> int:
            return self.answered

        await eventually(answered, lambda seen: seen >= wanted)


async def by(scraper: Scraper, counter: str) -> dict[str, float]:
    """Return a counter's sums by variant."""
    found = await scraper.query(f"sum by (variant) ({counter})")
    return {labels["variant"]: value for labels, value in found}


async def workers_of(scraper: Scraper) -> set[str]:
    """Return the workers that Prometheus sees now."""
    return {labels["worker"] for labels, _ in await scraper.query("turnout_connections")}


async def test_rates_by_variant_are_right_over_four_workers_and_counters_never_go_down(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    async with (
        served(tmp_path, CONFIG.format(port=upstream.port)) as turnout,
        prometheus.prometheus(tmp_path, turnout.admin_port) as scraper,
    ):
        await eventually(lambda: scraper.query("up == 1"), bool)
        async with Traffic(turnout) as traffic:
            await traffic.more(200)
            await scraped(scraper, 200)
            os.kill(turnout.children("worker")[1], signal.SIGKILL)
            await eventually(turnout.status, lambda seen: seen["restarts"]["worker"] == 1)
            await traffic.more(200)
            await scraped(scraper, 400)
            # A rate needs two scrapes, whatever the traffic did meanwhile.
            rates = await eventually(
                lambda: by(scraper, "rate(turnout_requests_total[1m])"),
                lambda seen: set(seen) == {"base", "ft"} and all(seen.values()),
            )
            workers = await eventually(lambda: workers_of(scraper), lambda seen: len(seen) == 4)
        accounts = await turnout.accounted()
        await scraped(scraper, accounts["taken"])
        sums = [await by(scraper, name) for name in (COUNTERS[0], COUNTERS[1])]
        resets = [await scraper.query(f"resets({name}[10m]) > 0") for name in COUNTERS]
        shown = (await turnout.metrics()).by("turnout_requests_total", "variant")
        lost = await scraper.query("turnout_observations_lost_total")
    assert not any(resets), "a counter went down"
    assert sums == [{name: count for (name,), count in shown.items()}] * 2
    assert sum(shown.values()) == accounts["taken"]
    assert traffic.answered <= accounts["begun"]
    assert [count for _, count in lost] == [accounts["lost"]]
    assert 0.6 < rates["base"] / sum(rates.values()) < 0.9
    assert workers == {"0", "1", "2", "3"}
