"""Changes on a whole turnout: in force on every worker, kept over crashes, never half."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from proxy.config.settings import DataPlane
from proxy.routing.table import Route
from tests.support.beside import beside
from tests.support.data_plane import settings_of, upstream, variant
from tests.support.patience import eventually, pace
from tests.support.process import CRASH
from tests.support.recorded import Change, History, Served, violations
from tests.support.scripted_upstream import (
    ScriptedUpstream,
    SeenRequest,
    Steps,
    json_reply,
    scripted_upstream,
)
from tests.support.whole import Whole, settings, whole_turnout

STATES = 24  # the route's variants: state N is served by variant mN
CLIENTS = 12
PACE = 0.01  # seconds a client rests: what is shown is no speed
PATIENCE = 30.0
SPLIT = "/api/v1/routes/support/split"


def plane(server: ScriptedUpstream, workers: int) -> DataPlane:
    variants = tuple(variant(f"m{state}", "u", model=f"m{state}") for state in range(STATES))
    route = Route(name="support", variants=variants, weights=(1.0, *[0.0] * (STATES - 1)))
    return settings_of(route, upstreams=[upstream("u", server.port)], workers=workers)


def echo(request: SeenRequest) -> Steps:
    """Answer with the model that was asked for."""
    return json_reply({"model": request.json()["model"]})


class Town:
    """A turnout of several workers before a model that says which one it is."""

    def __init__(self, turnout: Whole, workers: int) -> None:
        self.turnout = turnout
        self.workers = workers
        self.clock = asyncio.get_running_loop().time

    async def change(self, state: int, **headers: str) -> Any:
        """Publish a state; return what is answered."""
        body = {"weights": {f"m{state}": 1}, "why": f"state {state}"}
        answer = await self.turnout.administer("POST", SPLIT, body, **headers)
        return {"status": answer.status_code, **answer.json()}

    async def state(self, client: httpx2.AsyncClient) -> int:
        """Return the state that one request is served by."""
        body = {"model": "support", "messages": [{"role": "user", "content": "hi"}]}
        url = f"http://127.0.0.1:{self.turnout.port}/v1/chat/completions"
        reply = await client.post(url, json=body)
        assert reply.status_code == 200, reply.text
        return int(reply.json()["model"].removeprefix("m"))

    async def states(self, count: int = 12) -> set[int]:
        """Return the states of requests on connections of their own, so of every worker's."""
        found = set()
        for _ in range(count):
            async with httpx2.AsyncClient(trust_env=False) as client:
                found.add(await self.state(client))
        return found

    async def versions(self) -> list[Mapping[str, Any]]:
        """Return the versions kept, newest first."""
        answer = await self.turnout.admin("/api/v1/versions")
        versions: list[Mapping[str, Any]] = answer.json()["versions"]
        return versions

    async def on(self, version: int) -> None:
        """Wait until every worker is on a version."""

        def reached(status: Any) -> bool:
            table = status["table"]
            return bool(table["version"] == version and table["workers"] == self.workers)

        await eventually(self.turnout.status, reached)

    async def client(self, history: History) -> None:
        """Ask, one request after the other, and write down what each shows; for ever."""
        async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            while True:
                began = self.clock()
                with suppress(httpx2.TransportError):  # of a worker that was killed
                    state = await self.state(client)
                    history.requests.append(Served(began, self.clock(), state))
                await pace(PACE)


@asynccontextmanager
async def town(folder: Path, workers: int = 2, version: int = 1) -> AsyncIterator[Town]:
    async with scripted_upstream() as server:
        server.by_default = echo
        async with whole_turnout(settings(plane(server, workers)), folder) as turnout:
            found = Town(turnout, workers)
            await found.on(version)
            yield found


@asynccontextmanager
async def recording(here: Town, clients: int) -> AsyncIterator[History]:
    """Keep so many clients busy, and return what they see."""
    history = History()
    async with beside(*(here.client(history) for _ in range(clients))):
        yield history


async def test_a_change_is_in_force_on_every_worker_when_it_is_answered(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        for state in (3, 7):
            answer = await here.change(state)
            assert (answer["status"], answer["workers"], answer["of"]) == (200, 2, 2)
            assert answer["changed"]
            assert answer["late"] == []
            assert 0 < answer["milliseconds"] < 2000
            assert await here.states() == {state}
        stale = await here.change(8, **{"if-match": '"1"'})
        assert stale["status"] == 412
        assert await here.states() == {7}


async def test_a_worker_that_hangs_is_named_and_replaced(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        status = await here.turnout.status()
        hung = status["workers"][1]["pid"]
        os.kill(hung, signal.SIGSTOP)

        answer = await here.change(3)

        assert (answer["status"], answer["workers"], answer["of"]) == (200, 1, 2)
        assert answer["late"] == [1]
        await here.on(2)
        status = await here.turnout.status()
        assert status["workers"][1]["pid"] != hung
        assert await here.states() == {3}


async def test_what_was_appended_before_control_was_killed_is_completed_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        await here.change(1)
        (here.turnout.data / CRASH).touch()

        with pytest.raises(httpx2.TransportError):
            await here.change(2)

        await here.on(3)
        assert await here.states() == {2}
        assert [each["why"] for each in await here.versions()][:2] == ["state 2", "state 1"]
        audit = (await here.turnout.admin("/api/v1/audit")).json()["entries"]
        assert (audit[0]["action"], audit[0]["version"], audit[0]["result"]) == (
            "start",
            3,
            "done",
        )
        answer = await here.change(3)
        assert (answer["version"], answer["workers"]) == (4, 2)


async def test_what_is_in_force_outlives_all_processes_with_the_file_unchanged(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        await here.change(1)
        await here.change(2)
        undone = await here.turnout.administer("POST", "/api/v1/rollback", {"route": "support"})
        assert undone.json()["restored"] == 2
        await here.turnout.end()
    async with town(tmp_path, version=4) as here:
        newest = (await here.versions())[0]
        assert (newest["number"], newest["source"], newest["restored"]) == (4, "rollback", 2)
        assert await here.states(6) == {1}


async def test_no_request_that_began_after_an_acknowledgement_is_served_by_an_older_routing(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, workers=3) as here, recording(here, CLIENTS) as history:
        for state in range(1, STATES):
            killed = {8: "worker", 16: "control"}.get(state)
            if killed is not None:
                os.kill(here.turnout.children(killed)[0], signal.SIGKILL)
            asked, acknowledged = here.clock(), None
            with suppress(httpx2.TransportError):  # control was killed: it may or may not be
                answer = await here.change(state)
                assert answer["status"] == 200
                acknowledged = here.clock()
            history.changes.append(Change(asked, acknowledged, state))
            await pace(PACE)

    assert violations(history) == []
    assert sum(change.acknowledged is not None for change in history.changes) >= STATES - 2
    assert len(history.requests) > 10 * STATES
    assert history.during_changes() > STATES
