"""What is done all the time: listen, catch up, tell of this host, and at the end leave."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from proxy.channel import Hello, Ledger, create_memory
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.hosts import following as rooms
from proxy.controlplane.hosts.company import Company
from proxy.controlplane.hosts.following import Following
from proxy.controlplane.publishing import Unavailable
from proxy.errors import StoreError
from proxy.rollout.spread import Host
from tests.controlplane.hosts.test_company import Board
from tests.store.kept import version


class Publishing:
    """A publisher that counts how often it was asked to catch up."""

    def __init__(self) -> None:
        self.current = version(7)
        self.held = False
        self.standing = SimpleNamespace(misfit="")
        self.looks: asyncio.Queue[int] = asyncio.Queue()

    async def catch_up(self) -> None:
        self.looks.put_nowait(1)
        raise Unavailable("nobody minds")


class Line(Board):
    """A board with news that a test makes, and a queue of who told something."""

    def __init__(self) -> None:
        super().__init__()
        self.told: asyncio.Queue[Host] = asyncio.Queue()
        self.news_made: asyncio.Queue[str] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def report(self, host: Host) -> Any:
        self._loop.call_soon_threadsafe(self.told.put_nowait, host)
        return super().report(host)

    async def news(self) -> AsyncGenerator[None, None]:
        yield
        while await self.news_made.get():
            yield
        raise StoreError("the line is dead")


@pytest.fixture(autouse=True)
def only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "TELL_SECONDS"):
        monkeypatch.setattr(rooms, name, 3600.0)
    monkeypatch.setattr(rooms, "AGAIN_SECONDS", 0.0)


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    memory = create_memory(workers=1, slots=1)
    table = SimpleNamespace(version=7)
    fleet = Fleet(Ledger(memory), table, {})  # type: ignore[arg-type]  # its number is all
    fleet.joined(Hello(worker=0, pid=70, turnout="1.0", fresh=True))
    yield fleet
    os.close(memory)


@asynccontextmanager
async def following(publishing: Publishing, line: Line, fleet: Fleet) -> AsyncIterator[Company]:
    """Follow for the length of the block; what happens at its start is over when it begins."""
    company = Company("a", lambda: 0.0)
    company.shared = line
    task = asyncio.create_task(Following(company, fleet, lambda: 5.0).run(publishing))
    async with asyncio.timeout(20):
        if not publishing.held:
            await line.told.get()
        await publishing.looks.get()
        yield company
        task.cancel()
        await asyncio.wait([task])


async def test_at_news_it_catches_up_and_tells_of_itself(fleet: Fleet) -> None:
    publishing, line = Publishing(), Line()
    async with following(publishing, line, fleet):
        line.news_made.put_nowait("news")
        await publishing.looks.get()
        told = await line.told.get()
        assert (told.name, told.version, told.started_at) == ("a", 7, 5.0)
        assert (told.workers, told.in_force, told.trouble) == (1, 0, "")
    assert line.hosts == {}, "it left"


async def test_where_its_line_dies_it_listens_again_and_looks(fleet: Fleet) -> None:
    publishing, line = Publishing(), Line()
    async with following(publishing, line, fleet):
        while not publishing.looks.empty():
            await publishing.looks.get()
        line.news_made.put_nowait("")
        await publishing.looks.get()


async def test_it_tells_at_once_when_it_has_another_version_in_force_or_can_not(
    fleet: Fleet,
) -> None:
    publishing, line = Publishing(), Line()
    async with following(publishing, line, fleet) as company:
        fleet.acknowledged(0, 8)
        publishing.current = version(8)
        publishing.standing.misfit = "it does not fit"
        company.moved()
        while (told := await line.told.get()).version != 8:
            pass
        assert (told.in_force, told.trouble) == (1, "it does not fit")


async def test_while_another_turnout_takes_over_that_one_speaks_for_the_host(
    fleet: Fleet,
) -> None:
    publishing, line = Publishing(), Line()
    publishing.held = True
    async with following(publishing, line, fleet) as company:
        company.moved()
        line.news_made.put_nowait("news")
        await publishing.looks.get()
        line.hosts["a"] = Host(
            name="a", started_at=9.0, version=7, workers=1, in_force=1, release=""
        )
    assert line.told.empty()
    assert set(line.hosts) == {"a"}


async def test_a_store_that_is_away_is_said_once_and_that_it_is_back(fleet: Fleet) -> None:
    publishing, line = Publishing(), Line()
    line.broken = True
    with capture_logs() as logs:
        async with following(publishing, line, fleet) as company:
            for broken in (True, False, False):
                line.broken = broken
                company.moved()
                await line.told.get()
            company.moved()
            told = await line.told.get()
    assert told.trouble == "", "who hears of it knows that the store is there"
    said = [each["event"] for each in logs]
    assert said == ["other hosts can't be reached", "other hosts are reached again"]


async def test_whoever_looks_at_a_host_without_its_store_is_told_so(fleet: Fleet) -> None:
    publishing, line = Publishing(), Line()
    company = Company("a", lambda: 0.0)
    company.shared = line
    host = Following(company, fleet, lambda: 5.0)
    line.broken = True
    task = asyncio.create_task(host.run(publishing))
    async with asyncio.timeout(20):
        while not host.own(publishing).trouble:
            company.moved()
            await line.told.get()
    assert "can't reach the store" in host.own(publishing).trouble
    publishing.standing.misfit = "it does not fit"
    assert host.own(publishing).trouble == "it does not fit", "that is for somebody to mend"
    task.cancel()
    await asyncio.wait([task])
