"""A store goes away, hangs, comes back: traffic does not notice, and every request is counted."""

import os
import signal
import statistics
import time
from pathlib import Path

import httpx2
import pytest

from tests.support.patience import eventually
from tests.support.postgres import MISSING, postgres_server
from tests.support.scripted_upstream import json_reply, scripted_upstream
from tests.support.served import Samples, Served, served

CONFIG = """\
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support:
    variants: {{base: {{upstream: u, model: m}}, ft-v2: {{upstream: u, model: lora}}}}
store: {{url: '{store}'}}
"""
BACK_SECONDS = 5.0  # after its return the store is written to again
SPLIT = "/api/v1/routes/support/split"


async def ask(turnout: Served, count: int) -> float:
    """Send requests, one after the other; return the median latency in milliseconds."""
    url = f"http://127.0.0.1:{turnout.port}/v1/chat/completions"
    times = []
    async with httpx2.AsyncClient(trust_env=False) as client:
        for _ in range(count):
            began = time.perf_counter()
            answer = await client.post(url, json={"model": "support", "messages": []})
            times.append(time.perf_counter() - began)
            assert answer.status_code == 200
    return statistics.median(times) * 1000


async def written(turnout: Served, count: int, *, seconds: float = BACK_SECONDS) -> None:
    """Wait until so many observations were written."""
    await eventually(
        turnout.metrics,
        lambda seen: seen.total("turnout_store_written_total") == count,
        seconds=seconds,
    )


def counted(seen: Samples) -> float:
    """Return what was handed to the store, whatever became of it."""
    names = "turnout_store_written_total", "turnout_store_dropped_total", "turnout_store_queue"
    return sum(seen.total(name) for name in names)


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
@pytest.mark.alone
async def test_traffic_does_not_notice_a_store_that_is_away_or_hangs_and_it_is_written_when_back(
    tmp_path: Path,
) -> None:
    with postgres_server() as server:
        async with scripted_upstream() as upstream:
            upstream.by_default = json_reply({})
            config = CONFIG.format(port=upstream.port, store=server.database())
            async with served(tmp_path, config) as turnout:
                usual = await ask(turnout, 50)
                await written(turnout, 50)
                done = await turnout.administer("POST", SPLIT, {"weights": {"ft-v2": 1}})
                assert done.json()["version"] == 2

                server.stop()
                assert await ask(turnout, 50) < 3 * usual + 20
                await turnout.exchanges(100)
                seen = await eventually(
                    turnout.metrics, lambda seen: seen.total("turnout_store_up") == 0
                )
                assert counted(seen) == 100
                refused = await turnout.administer("POST", SPLIT, {"weights": {"base": 1}})
                assert refused.status_code == 503
                assert (await turnout.admin("/api/v1/exchanges")).status_code == 503
                server.start()
                await written(turnout, 100)

                server.pause()
                assert await ask(turnout, 50) < 3 * usual + 20
                await turnout.exchanges(150)
                assert counted(await turnout.metrics()) == 150
                server.resume()
                await written(turnout, 150)
                done = await turnout.administer("POST", SPLIT, {"weights": {"base": 1}})
                assert done.json()["version"] == 3
                found = (await turnout.admin("/api/v1/exchanges?limit=500")).json()["exchanges"]
                assert len(found) == 150
                assert {each["variant_served"] for each in found} == {"base", "ft-v2"}

                server.stop()
                os.kill(turnout.children("control")[0], signal.SIGKILL)
                assert await ask(turnout, 50) < 3 * usual + 20
                server.start()  # control, which can't do without, is started until it can
                await written(turnout, 50, seconds=3 * BACK_SECONDS)
