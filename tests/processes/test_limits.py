"""A client key's limit is one limit, whichever workers its requests meet."""

import asyncio
import hashlib
from pathlib import Path

import httpx2

from proxy.config.settings import ClientKey
from tests.support.data_plane import settings_of, upstream
from tests.support.scripted_upstream import scripted_upstream
from tests.support.whole import Whole, settings, whole_turnout

SECRET = "sk-of-a-shop"
LIMIT = 10


async def ask(turnout: Whole, times: int) -> list[int]:
    """Return the statuses of requests made at once, each on a connection of its own."""
    headers = {"authorization": f"Bearer {SECRET}"}
    apart = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(trust_env=False, headers=headers, limits=apart) as client:
        url = f"http://127.0.0.1:{turnout.port}/v1/x"
        replies = await asyncio.gather(*(client.get(url) for _ in range(times)))
    return [reply.status_code for reply in replies]


async def test_a_keys_limit_holds_over_four_workers(tmp_path: Path) -> None:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    key = ClientKey(name="shop", sha256=digest, slot=0, requests_per_minute=LIMIT)
    async with scripted_upstream() as server:
        plane = settings_of(
            upstreams=[upstream("u", server.port)], default_upstream="u", keys=(key,), workers=4
        )
        async with whole_turnout(settings(plane), tmp_path) as turnout:
            statuses = await ask(turnout, 4 * LIMIT)
    # Two workers may look at the same moment; more than that is a limit that does not hold.
    assert LIMIT <= statuses.count(200) <= LIMIT + 3
    assert statuses.count(429) == len(statuses) - statuses.count(200)
    assert len(server.requests) == statuses.count(200)
