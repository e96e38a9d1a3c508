"""Control's end of the channel against workers that the test plays."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from proxy.channel import (
    Acknowledged,
    Gauges,
    Hello,
    Ledger,
    Publication,
    Received,
    Report,
    Spent,
    Tally,
    Wire,
    create_memory,
)
from proxy.channel.messages import FromControl
from proxy.config.settings import ClientKey, DataPlane
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.reception import Reception
from proxy.exchange import Observation
from tests.support.data_plane import settings_of
from tests.support.observed import observed
from tests.support.patience import eventually

PATIENCE = 10.0
SETTINGS = settings_of(upstreams=[])


class Desk:
    """A reception, what it took, and the tally."""

    def __init__(self, memory: int, path: str) -> None:
        self.memory = memory
        self.path = path
        self.ledger = Ledger(memory)
        self.fleet = Fleet(self.ledger, SETTINGS.table, {})
        self.taken: list[tuple[int, str]] = []
        self.reception = self.another()

    def another(self) -> Reception:
        """Return a reception as a control that was started again has it."""
        return Reception(settings=SETTINGS, ledger=self.ledger, fleet=self.fleet, take=self._take)

    def _take(self, worker: int, observations: Sequence[Observation]) -> None:
        if any(each.request_id == "bug" for each in observations):
            raise TypeError
        self.taken += [(worker, each.request_id) for each in observations]

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.reception.greet(reader, writer)


class Worker:
    """A worker as control sees it."""

    def __init__(self, wire: Wire[FromControl], tally: Tally) -> None:
        self.wire = wire
        self.tally = tally
        self.offset = 0

    async def heard(self) -> FromControl:
        async with asyncio.timeout(PATIENCE):
            return await self.wire.receive()

    async def report(self, *names: str, offset: int | None = None) -> None:
        """Hand over observations of these names."""
        batch = tuple(observed(request_id=name) for name in names)
        at = self.offset if offset is None else offset
        await self.wire.send(Report(offset=at, observations=batch, gauges=Gauges(in_flight=1)))

    async def handed(self, *names: str) -> None:
        """Hand over observations and see them taken."""
        for _ in names:
            self.tally.started()
        await self.report(*names)
        self.offset += len(names)
        assert await self.heard() == Received(offset=self.offset)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    memory = create_memory(workers=2, slots=2)
    desk = Desk(memory, str(tmp_path / "channel"))
    server = await asyncio.start_unix_server(desk.greet, desk.path)
    yield desk
    server.close()
    async with asyncio.timeout(PATIENCE):
        await desk.reception.quiet()
    os.close(memory)


@asynccontextmanager
async def worker(
    desk: Desk, number: int = 0, pid: int = 1, *, fresh: bool = True
) -> AsyncIterator[Worker]:
    wire: Wire[FromControl] = await Wire.dial(desk.path, FromControl)
    try:
        await wire.send(Hello(worker=number, pid=pid, turnout="0", fresh=fresh))
        yield Worker(wire, Tally(desk.memory, number))
    finally:
        await wire.close()


async def test_a_hello_is_answered_with_the_settings_in_force(desk: Desk) -> None:
    async with worker(desk) as one:
        publication = await one.heard()
        assert isinstance(publication, Publication)
        assert publication.data_plane() == SETTINGS
        await one.wire.send(Acknowledged(serial=1, version=1))
        await one.handed("a")
        assert desk.fleet.workers[0].table_version == 1
        assert desk.fleet.workers[0].in_flight == 1


async def test_workers_are_told_of_spent_budgets_at_every_change_and_when_they_come(
    desk: Desk,
) -> None:
    spent = Spent(routes={"support": 1_800_000_000.0})
    async with worker(desk, 0) as one:
        await one.heard()
        desk.reception.tell(spent)
        assert await one.heard() == spent
        async with worker(desk, 1) as two:
            assert isinstance(await two.heard(), Publication)
            assert await two.heard() == spent
            desk.reception.tell(Spent())
            assert await two.heard() == await one.heard() == Spent()


async def test_what_is_handed_over_is_taken_and_noted_in_the_tally(desk: Desk) -> None:
    async with worker(desk, 0) as one, worker(desk, 1) as two:
        await one.heard()
        await two.heard()
        await one.handed("a", "b")
        await two.handed("c")
        assert sorted(desk.taken) == [(0, "a"), (0, "b"), (1, "c")]
        assert desk.ledger.total().taken == 3


async def test_a_bug_costs_the_batch_that_it_strikes_and_no_worker_its_line(desk: Desk) -> None:
    async with worker(desk) as one:
        await one.heard()
        with capture_logs() as logs:
            await one.handed("a", "bug")
        await one.handed("b")
        assert desk.taken == [(0, "b")]
    assert [(each["event"], each["worker"], each["count"]) for each in logs] == [
        ("observations not taken", 0, 2)
    ]


async def test_a_batch_sent_again_to_another_control_is_counted_once(desk: Desk) -> None:
    async with worker(desk) as one:
        await one.heard()
        await one.handed("a")
    desk.reception = desk.another()
    async with worker(desk, fresh=False) as one:
        await one.heard()
        one.tally.started()
        await one.report("a", "b", offset=0)
        assert await one.heard() == Received(offset=2)
    assert [name for _, name in desk.taken] == ["a", "a", "b"]
    assert desk.ledger.account(0).taken == 2


async def test_what_a_killed_worker_left_open_is_lost_once_its_successor_says_hello(
    desk: Desk,
) -> None:
    async with worker(desk, pid=1) as one:
        await one.heard()
        await one.handed("a")
        for _ in range(3):
            one.tally.started()
    async with worker(desk, pid=2) as two:
        await two.heard()
        await two.handed("b")
    account = desk.ledger.account(0)
    assert (account.begun, account.taken, account.lost, account.open) == (5, 2, 3, 0)


async def test_a_successor_waits_until_all_that_its_predecessor_sent_was_taken(
    desk: Desk,
) -> None:
    async with worker(desk, pid=1) as one:
        await one.heard()
        async with worker(desk, pid=2) as two:
            hearing = asyncio.create_task(two.heard())
            one.tally.started()
            await one.report("last words")
            await one.heard()
            assert not hearing.done()
            assert desk.ledger.account(0).lost == 0
            await one.wire.close()
            assert isinstance(await hearing, Publication)
    assert desk.ledger.account(0).lost == 0


async def test_an_end_is_settled_without_a_successor(desk: Desk) -> None:
    async with worker(desk, pid=1) as one:
        await one.heard()
        one.tally.started()
    await desk.reception.ended(0, pid=1)
    assert desk.ledger.account(0).lost == 1


async def test_news_of_an_end_that_come_late_touch_no_successor(desk: Desk) -> None:
    async with worker(desk, pid=1) as one:
        await one.heard()
    async with worker(desk, pid=2) as two:
        await two.heard()
        two.tally.started()
        await desk.reception.ended(0, pid=1)
        assert desk.ledger.account(0).lost == 0
        await two.report("x")
        await two.heard()


async def test_a_worker_that_only_lost_its_connection_has_lost_nothing(desk: Desk) -> None:
    async with worker(desk) as one:
        await one.heard()
        one.tally.started()
    async with worker(desk, fresh=False) as one:
        await one.heard()
        await one.report("a")
        await one.heard()
    account = desk.ledger.account(0)
    assert (account.taken, account.lost) == (1, 0)


@pytest.mark.parametrize(
    "first", [Acknowledged(serial=1, version=1), Hello(worker=2, pid=1, turnout="0", fresh=True)]
)
async def test_a_stranger_is_shown_out(desk: Desk, first: FromControl) -> None:
    wire: Wire[FromControl] = await Wire.dial(desk.path, FromControl)
    await wire.send(first)
    with pytest.raises(ConnectionError):
        await wire.receive()
    await wire.close()


async def test_it_is_quiet_when_the_last_worker_has_left(desk: Desk) -> None:
    async with worker(desk) as one:
        await one.heard()
        waiting = asyncio.create_task(desk.reception.quiet())
        await one.handed("a")
        assert not waiting.done()
    async with asyncio.timeout(PATIENCE):
        await waiting

    async def workers() -> int:
        return len(desk.fleet.workers)

    await eventually(workers, lambda count: count == 0)


async def answered(worker: Worker, *serials: int) -> list[int]:
    """Acknowledge publications as they come; return the tables' versions."""
    versions = []
    for serial in serials:
        publication = await worker.heard()
        assert isinstance(publication, Publication)
        assert publication.serial == serial
        versions.append(publication.data_plane().table.version)
        await worker.wire.send(Acknowledged(serial=serial, version=versions[-1]))
    return versions


def version(number: int, **changes: Any) -> DataPlane:
    return replace(SETTINGS, table=replace(SETTINGS.table, version=number), **changes)


async def test_what_is_published_is_in_force_once_every_worker_acknowledged_it(
    desk: Desk,
) -> None:
    async with worker(desk, 0) as one, worker(desk, 1) as two:
        await answered(one, 1)
        await answered(two, 1)
        publishing = asyncio.create_task(desk.reception.publish(version(2), PATIENCE))
        assert await answered(one, 2) == [2]
        assert not publishing.done()
        assert desk.fleet.table.version == 2
        assert await answered(two, 2) == [2]
        assert await publishing == {}
        assert desk.reception.running == 2


async def test_who_does_not_acknowledge_in_time_is_named(desk: Desk) -> None:
    async with worker(desk, 0, pid=10) as one, worker(desk, 1, pid=11) as two:
        await answered(two, 1)
        late = await desk.reception.publish(version(2), 0.0)
        assert late == {0: 10, 1: 11}
        assert await answered(two, 2) == [2]
        assert await answered(one, 1, 2) == [1, 2]
        assert await desk.reception.publish(version(2), 0.0) == {0: 10, 1: 11}


async def test_a_worker_that_has_not_come_is_waited_for_and_gets_the_last_settings(
    desk: Desk,
) -> None:
    async with worker(desk, 0) as one:
        await answered(one, 1)
        publishing = asyncio.create_task(desk.reception.publish(version(2), PATIENCE))
        await answered(one, 2)
        async with worker(desk, 1) as two:
            assert await answered(two, 2) == [2]
            assert await publishing == {}


async def test_a_worker_that_ended_is_not_waited_for(desk: Desk) -> None:
    async with worker(desk, 0) as one:
        await answered(one, 1)
        async with worker(desk, 1, pid=11) as two:
            await answered(two, 1)
            publishing = asyncio.create_task(desk.reception.publish(version(2), PATIENCE))
            await answered(one, 2)
        await desk.reception.ended(1, pid=11)
        assert await publishing == {}
        assert desk.reception.running == 1


async def test_a_worker_that_lost_its_connection_acknowledges_on_the_next(desk: Desk) -> None:
    async with worker(desk, 0, pid=10) as one, worker(desk, 1) as two:
        await answered(two, 1)
        await answered(one, 1)
        await one.wire.close()
        publishing = asyncio.create_task(desk.reception.publish(version(2), PATIENCE))
        await answered(two, 2)
        async with worker(desk, 0, pid=10, fresh=False) as again:
            assert await answered(again, 2) == [2]
            assert await publishing == {}


async def test_the_end_of_late_workers_can_be_waited_for(desk: Desk) -> None:
    async with worker(desk, 1, pid=11) as two:
        await answered(two, 1)
        late = await desk.reception.publish(version(2), 0.0)
        assert late == {0: None, 1: 11}
        waiting = asyncio.create_task(desk.reception.settled({1}, PATIENCE))
        await two.wire.close()
        await desk.reception.ended(1, pid=11)
        await waiting
    await desk.reception.settled(late, 0.0)


async def test_who_acknowledges_after_all_is_late_no_more(desk: Desk) -> None:
    async with worker(desk, 0) as one:
        await answered(one, 1)
        late = await desk.reception.publish(version(2), 0.0)
        waiting = asyncio.create_task(desk.reception.settled(late, PATIENCE))
        await answered(one, 2)
        async with worker(desk, 1) as two:
            await answered(two, 2)
            await waiting


async def test_a_client_key_keeps_its_column_when_keys_change(desk: Desk) -> None:
    async def columns(names: str) -> dict[str, int]:
        keys = tuple(ClientKey(name=name, sha256=name, slot=0) for name in names)
        publishing = asyncio.create_task(desk.reception.publish(version(1, keys=keys), 0.0))
        publication = await one.heard()
        assert isinstance(publication, Publication)
        await publishing
        return {key.name: key.slot for key in publication.data_plane().keys}

    async with worker(desk) as one:
        await one.heard()
        first = await columns("ab")
        assert sorted(first.values()) == [0, 1]
        assert await columns("ba") == first
        assert await columns("b") == {"b": first["b"]}
