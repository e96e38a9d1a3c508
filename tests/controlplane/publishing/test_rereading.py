"""When the configuration is read again: by itself, by signal, and once more after a failure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.config.settings import Origin
from proxy.controlplane.publishing import Caller, Reloaded
from proxy.controlplane.publishing.configuration.rereading import Rereading
from tests.support.published import FILE, House

OTHER = FILE.replace("{base: 100}", "{base: 70, ft-v2: 30}")
PATIENCE = 10.0


class Reread:
    """A house whose file is read again by itself; `next` is the next time that it was tried."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.may = True
        self.done = asyncio.Event()
        self.work = Rereading(
            house.reading, self._reload, lambda: self.may, self.done.set, again=0.0
        )
        self._tries: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(PATIENCE):
            return await self._tries.get()

    async def _reload(self, caller: Caller) -> Reloaded:
        result = "failed"
        try:
            reloaded = await self.house.publisher.reload(caller)
            result = reloaded.result
        finally:
            self._tries.put_nowait((caller.name, result))
        return reloaded


@asynccontextmanager
async def rereading(house: House) -> AsyncIterator[Reread]:
    found = Reread(house)
    task = asyncio.create_task(found.work.run())
    yield found
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return await House(tmp_path).open()


async def test_a_changed_file_is_read_by_itself(house: House) -> None:
    async with rereading(house) as again:
        house.write(OTHER)
        assert await again.next() == ("file", "published")
        house.write("nonsense")
        assert await again.next() == ("file", "rejected")


async def test_a_signal_has_it_read_though_it_did_not_change(house: House) -> None:
    async with rereading(house) as again:
        again.work.ask()
        assert await again.next() == ("signal", "unchanged")
        await asyncio.wait_for(again.done.wait(), PATIENCE)


async def test_a_signal_is_answered_also_where_nothing_could_be_kept(house: House) -> None:
    async with rereading(house) as again:
        house.versions.broken = True
        again.work.ask()
        await asyncio.wait_for(again.done.wait(), PATIENCE)
        assert await again.next() == ("signal", "failed")


async def test_what_could_not_be_kept_is_tried_again(house: House) -> None:
    async with rereading(house) as again:
        house.versions.broken = True
        house.write(OTHER)
        assert await again.next() == ("file", "failed")
        assert await again.next() == ("file", "failed")
        house.versions.broken = False
        while await again.next() != ("file", "published"):
            pass
    assert house.weights() == (70.0, 30.0)


async def test_nothing_is_read_while_nothing_may_change(house: House) -> None:
    async with rereading(house) as again:
        again.may = False
        house.write(OTHER)
        again.work.ask()
        assert (await again.next())[0] == "signal"
        house.write(FILE)
        again.may = True
        assert (await again.next())[0] == "file"


async def test_without_a_file_only_a_signal_counts(tmp_path: Path) -> None:
    house = House(tmp_path, origin=Origin(upstream="http://127.0.0.1:1/v1"))
    await house.open()
    async with rereading(house) as again:
        again.work.ask()
        assert await again.next() == ("signal", "unchanged")
