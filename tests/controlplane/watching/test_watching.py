"""What changes is logged, counted and told; what fires is told again with its latest figures."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from proxy.alerting.notice import Notice
from proxy.alerting.silence import Silence
from proxy.alerting.windows import Rule, Standing, WindowAlert
from proxy.controlplane.watching import watching as module
from proxy.controlplane.watching.watching import Watching
from proxy.exchange import Outcome
from proxy.routing.table import Route, RoutingTable, Variant
from tests.support.observed import observed
from tests.support.patience import until

EPOCH = 1_795_000_000.0
RULE = Rule(
    name=WindowAlert.ERROR_RATE,
    threshold=10.0,
    window_seconds=60.0,
    for_seconds=10.0,
    min_requests=5,
)
SUPPORT = Route(name="support", variants=(Variant(name="base", upstream="u"),), weights=(1.0,))
TABLE = RoutingTable(version=1, digest="", routes={"support": SUPPORT})
SILENCE = Silence(number=3, begins_at=EPOCH, ends_at=EPOCH + 9e9, who="ann", why="a test")


class House:
    """Watching at a time of the test's, and whoever is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kept: list[Standing] = []
        self.writes = 0
        self.silence: Silence | None = None
        self.told: list[Notice] = []
        self.resumed: list[Notice] = []
        self.left = False
        self.counted: list[str] = []
        self.watching = Watching(
            clock=lambda: self.now,
            wall=lambda: EPOCH + self.now,
            silenced=lambda *_: self.silence,
            teller=self,
            counter=self,
            memory=self,
        )
        self.watching.adopt(TABLE, (RULE,), {})

    def notice(self, notice: Notice) -> None:
        self.told.append(notice)

    def resume(self, notice: Notice) -> None:
        assert not self.told, "what was told before is said before anything is told"
        self.resumed.append(notice)

    def let_go(self) -> None:
        self.left = True

    def fired(self, notice: Notice) -> None:
        self.counted.append(notice.name)

    def read(self) -> list[Standing]:
        return self.kept

    def write(self, firing: Sequence[Standing]) -> None:
        self.kept = list(firing)
        self.writes += 1

    def saw(self, count: int, **changes: Any) -> None:
        self.watching.take([observed(**changes) for _ in range(count)])

    def failed(self, count: int = 10) -> None:
        self.saw(count, outcome=Outcome.UPSTREAM_ERROR, status=502)

    def look(self, after: float = 0.0) -> list[dict[str, Any]]:
        """Look, and return what was logged."""
        self.now += after
        with capture_logs() as lines:
            self.watching.look()
        return [dict(line) for line in lines]

    def phases(self) -> list[str]:
        return [each.standing.phase.value for each in self.watching.shown()]


@pytest.fixture
def house() -> House:
    with capture_logs():  # loggers bound here are those that tests read
        return House()


def test_what_is_pending_is_shown_and_nobody_is_told(house: House) -> None:
    house.failed()
    assert house.look() == []
    assert house.phases() == ["pending"]
    assert (house.told, house.counted, house.watching.firing) == ([], [], ())


def test_what_fires_is_logged_and_counted_once_and_told_anew_at_each_look(house: House) -> None:
    house.failed()
    house.look()
    (line,) = house.look(10.0)
    assert (line["log_level"], line["event"], line["alert"]) == (
        *("warning", "alert firing", "error_rate"),
    )
    assert (line["route"], line["variant"], line["value"]) == ("support", "base", 100.0)
    assert (line["threshold"], line["unit"], line["count"]) == (10.0, "%", 10)
    assert (line["silenced"], line["request_ids"]) == (False, ("req-1",) * 3)
    house.saw(10)
    assert house.look(1.0) == []
    assert house.counted == ["error_rate"]
    assert [each.value for each in house.told] == [100.0, 50.0]
    assert len({each.key for each in house.told}) == 1
    assert house.phases() == ["firing"]


def test_what_is_well_is_resolved_told_once_and_shown_for_a_while(house: House) -> None:
    house.failed()
    house.look()
    house.look(10.0)
    house.saw(1000)
    house.look(1.0)
    (line,) = house.look(10.0)
    assert (line["log_level"], line["event"]) == ("info", "alert resolved")
    assert line["seconds"] == 21.0
    assert [each.state.value for each in house.told] == ["firing", "firing", "resolved"]
    assert house.told[-1].ends_at == EPOCH + 21
    assert house.phases() == ["resolved"]
    house.look(3601.0)
    assert house.phases() == []


def test_a_silence_is_marked_and_what_it_is_on_is_logged_and_counted(house: House) -> None:
    house.silence = SILENCE
    house.failed()
    house.look()
    (line,) = house.look(10.0)
    assert line["silenced"] is True
    assert house.counted == ["error_rate"]
    assert [each.silence for each in house.watching.firing] == [SILENCE]


@asynccontextmanager
async def running(watching: Watching) -> AsyncIterator[None]:
    task = asyncio.create_task(watching.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_it_looks_while_it_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    house.failed()
    async with running(house.watching):
        await until(lambda: house.phases() == ["pending"])
        house.now = 10.0
        await until(lambda: bool(house.told))


async def test_what_fires_is_remembered_at_each_change_and_now_and_then(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    house.failed()
    async with running(house.watching):
        await until(lambda: house.phases() == ["pending"])
        house.now = 10.0
        await until(lambda: bool(house.kept))
        told, writes = len(house.told), house.writes
        await until(lambda: len(house.told) > told + 3)
        assert house.writes == writes
        house.now = 75.0
        house.failed(20)
        await until(lambda: house.writes > writes)
        assert house.kept[0].seen_at == EPOCH + 75
        house.saw(2000)
        await until(lambda: (house.told[-1].value or 0.0) < 10)
        house.now = 90.0
        await until(lambda: house.watching.firing == () and house.kept == [])


async def test_a_control_that_starts_anew_takes_up_what_fired_and_says_when_it_is_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    house.failed()
    house.look()
    house.look(10.0)
    before = house.told[-1]
    again = House()
    again.now = 20.0
    again.kept = [each.standing for each in house.watching.firing]
    async with running(again.watching):
        await until(lambda: bool(again.told))
        assert (again.told[0].key, again.told[0].first_at) == (before.key, before.first_at)
        assert [each.key for each in again.resumed] == [before.key]
        assert (again.counted, again.phases()) == ([], ["firing"]), "it has not begun anew"
        again.saw(10)
        await until(lambda: again.told[-1].value == 0.0)
        again.now = 31.0
        await until(lambda: again.phases() == ["resolved"])
        assert again.told[-1].state.value == "resolved"


async def test_once_it_rests_what_fires_is_left_as_it_stands_to_whoever_watches_next(
    house: House,
) -> None:
    house.failed()
    house.look()
    house.look(10.0)
    again = House()
    again.kept = kept = [each.standing for each in house.watching.firing]
    again.watching.rest()
    await again.watching.run()
    assert again.left
    assert (again.kept, again.writes, again.told, again.resumed) == (kept, 0, [], [])


async def test_the_end_of_what_fired_is_told_also_where_nobody_watches_it_any_longer(
    house: House,
) -> None:
    house.failed()
    house.look()
    house.look(10.0)
    again = House()
    again.now = 20.0
    again.kept = [each.standing for each in house.watching.firing]
    again.watching.adopt(TABLE, (), {})
    async with running(again.watching):
        await until(lambda: bool(again.told))
    assert [each.state.value for each in (*again.resumed, *again.told)] == ["firing", "resolved"]


async def test_what_fired_long_ago_is_forgotten(house: House) -> None:
    house.failed()
    house.look()
    house.look(10.0)
    again = House()
    again.now = 10.0 + 3601.0
    again.kept = [each.standing for each in house.watching.firing]
    async with running(again.watching):
        await until(lambda: again.writes > 0)
    assert (again.kept, again.told, again.resumed) == ([], [], [])
