"""Three whole turnouts share a PostgreSQL store: what is changed on one is in force on all.

TURNOUT_TEST_CHANGES=100 pytest -s tests/processes/test_hosts.py   tells how soon
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx2
import pytest

from tests.support.line import Line, line
from tests.support.patience import eventually
from tests.support.postgres import MISSING, Server, postgres_server
from tests.support.scripted_upstream import json_reply, scripted_upstream
from tests.support.served import Served, served

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
CHANGES = int(os.environ.get("TURNOUT_TEST_CHANGES", "5"))
SPLIT = "/api/v1/routes/support/split"
CONFIG = """\
host: {name}
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support:
    variants: {{base: {{upstream: u, model: m}}, ft: {{upstream: u, model: n}}}}
store: {{url: '{url}'}}
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with postgres_server() as server:
        yield server


class Hosts:
    """Three turnouts: `a`, `b`, and `c`, which has a line of its own to the store."""

    def __init__(self, hosts: Sequence[Served], cable: Line) -> None:
        self.all = hosts
        self.a, self.b, self.c = hosts
        self.cable = cable

    async def versions(self) -> list[int]:
        """Return the version that each has in force."""
        found = [await each.admin("/api/v1/routing") for each in self.all]
        return [each.json()["version"] for each in found]

    async def in_force(self, version: int) -> None:
        """Wait until all have it in force, and know that of each other."""

        def whole(statuses: list[Any]) -> bool:
            return all(
                [(each["version"], each["state"]) for each in status["hosts"]]
                == [(version, "in_force")] * 3
                for status in statuses
            )

        async def statuses() -> list[Any]:
            return [await each.status() for each in self.all]

        await eventually(statuses, whole)


@asynccontextmanager
async def three(folder: Path, postgres: Server) -> AsyncIterator[Hosts]:
    """Start three turnouts at once, with the same file but for their names."""
    url = postgres.database()
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(scripted_upstream())
        upstream.by_default = json_reply({})
        cable = await stack.enter_async_context(line(postgres.port))

        async def start(name: str, url: str) -> Served:
            (folder / name).mkdir()
            config = CONFIG.format(name=name, port=upstream.port, url=url)
            return await stack.enter_async_context(served(folder / name, config))

        over_the_line = url.replace(str(postgres.port), str(cable.port))
        places = {"a": url, "b": url, "c": over_the_line}
        hosts = await asyncio.gather(*(start(name, where) for name, where in places.items()))
        found = Hosts(hosts, cable)
        await found.in_force(1)
        yield found


async def split(host: Served, candidate: float, **headers: str) -> httpx2.Response:
    """Set the route's split on one host."""
    weights = {"base": 100 - candidate, "ft": candidate}
    return await host.administer("POST", SPLIT, {"weights": weights}, **headers)


async def served_on(host: Served) -> bool:
    """Return whether a request is answered."""
    url = f"http://127.0.0.1:{host.port}/v1/chat/completions"
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, json={"model": "support", "messages": []})
    return answer.status_code == 200


async def test_a_change_on_one_host_is_in_force_on_all(tmp_path: Path, postgres: Server) -> None:
    async with three(tmp_path, postgres) as hosts:
        answer = (await split(hosts.a, 5)).json()
        assert (answer["version"], answer["hosts"]["in_force"], answer["hosts"]["of"]) == (2, 3, 3)
        assert await hosts.versions() == [2, 2, 2]
        entry = (await hosts.b.admin("/api/v1/audit?limit=1")).json()["entries"][0]
        assert entry["detail"] == "version 2 is in force on 1 of 1 workers; on 3 of 3 hosts"
        metrics = await hosts.c.metrics()
        assert metrics.total("turnout_table_version") == 2
        assert metrics.by("turnout_hosts", "state") == {("in_force",): 3}

        at_once = await asyncio.gather(split(hosts.a, 10), split(hosts.b, 20), split(hosts.c, 30))
        made = sorted(each.json()["version"] for each in at_once if each.status_code == 200)
        refused = [each.json()["detail"] for each in at_once if each.status_code == 412]
        assert made == list(range(3, 3 + len(made))), "in order, without gaps"
        assert len(made) + len(refused) == 3
        assert all(each["since"][-1]["number"] == 3 for each in refused)
        await hosts.in_force(made[-1])

        soon = [await told(hosts.a, number) for number in range(CHANGES)]
        half, most = quantiles(soon, n=100, method="inclusive")[49::49]
        print(f"\n{CHANGES} changes on 3 hosts: p50 {half:.0f} ms, p99 {most:.0f} ms")  # noqa: T201  # for whoever measures


async def told(host: Served, number: int) -> float:
    """Make a change; return after how many milliseconds it was in force on all."""
    answer = (await split(host, 40 + number % 2)).json()
    assert answer["hosts"]["in_force"] == 3, answer
    return float(answer["milliseconds"] + answer["hosts"]["milliseconds"])


async def test_a_host_that_was_cut_off_serves_on_is_named_and_catches_up(
    tmp_path: Path, postgres: Server
) -> None:
    async with three(tmp_path, postgres) as hosts:
        hosts.cable.cut()
        answer = (await split(hosts.a, 5)).json()
        assert (answer["version"], answer["hosts"]["in_force"]) == (2, 2)
        assert [each["name"] for each in answer["hosts"]["late"]] == ["c"]
        assert await served_on(hosts.c)
        assert await hosts.versions() == [2, 2, 1]
        late = await split(hosts.c, 50)
        assert late.status_code == 503
        assert "nothing was changed" in late.json()["detail"]["message"]

        hosts.cable.join()
        await hosts.in_force(2)

        await hosts.c.end()
        left = await eventually(hosts.a.status, lambda status: len(status["hosts"]) == 2)
        assert [each["name"] for each in left["hosts"]] == ["a", "b"]


async def test_without_the_store_all_serve_on_changes_are_refused_and_it_recovers_by_itself(
    tmp_path: Path, postgres: Server
) -> None:
    async with three(tmp_path, postgres) as hosts:
        postgres.stop()
        try:
            assert [await served_on(each) for each in hosts.all] == [True] * 3
            refused = await split(hosts.b, 5)
            assert refused.status_code == 503
            assert "nothing was changed" in refused.json()["detail"]["message"]
            assert await hosts.versions() == [1, 1, 1]
        finally:
            postgres.start()

        async def changed() -> httpx2.Response:
            return await split(hosts.b, 5)

        answer = await eventually(changed, lambda found: found.status_code == 200)
        assert answer.json()["version"] == 2
        await hosts.in_force(2)
